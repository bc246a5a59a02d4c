/** Progress lines on stderr: stdout carries the one line of JSON. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Whole seconds since `start`, a value of `performance.now()`. */
export function secondsSince(start: number): number {
  return Math.round((performance.now() - start) / 1000);
}

const quietMillis = 2_000;
const repeatMillis = 30_000;

/**
 * Runs one step. A step that takes over 2 seconds is announced, repeated every 30 seconds, and says how long it took:
 * silence on a terminal reads as a hang, and a line for every instant step hides the one that matters.
 *
 * @param detail what to add to a repeated line, for example the last line of a console
 */
export async function step<T>(what: string, work: () => Promise<T>, detail: () => string = () => ""): Promise<T> {
  const start = performance.now();
  let announced = false;
  const announce = setTimeout(() => {
    announced = true;
    say(`${what} ...`);
  }, quietMillis);
  const repeat = setInterval(() => {
    const more = detail();
    say(`${what} ... ${secondsSince(start)} s${more === "" ? "" : ` (${more})`}`);
  }, repeatMillis);
  try {
    const result = await work();
    if (announced) say(`${what}: done in ${secondsSince(start)} s`);
    return result;
  } finally {
    clearTimeout(announce);
    clearInterval(repeat);
  }
}
