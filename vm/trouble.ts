/** An error for people: what happened, where, and what to do about it. Its text is all that `main.ts` prints. */
export class Trouble extends Error {
  constructor(what: string, where: string, remedy: string) {
    super(`${what}\n  where: ${where}\n  what to do: ${remedy}`);
    this.name = "Trouble";
  }
}
