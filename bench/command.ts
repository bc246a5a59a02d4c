/** A measurement as a command without arguments: it tells what it is when it is asked, and ends with what went wrong. */
export function command(help: string, measure: () => Promise<void>): void {
  run(help, measure).catch((error: Error) => {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  });
}

async function run(help: string, measure: () => Promise<void>): Promise<void> {
  const [argument] = process.argv.slice(2);
  if (argument === undefined) return measure();
  if (!["--help", "-h"].includes(argument)) throw new Error(`"${argument}" is not understood\n\n${help}`);
  process.stdout.write(help);
}
