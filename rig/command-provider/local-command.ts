/** `command:local:Command`: a child process per create, update or delete. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { recorded } from "./activity-log";
import { CommandOutput, commandFailure } from "./command-output";
import type { Operation } from "./connection";
import { type Outputs, previousOutputEnvironment } from "./remote-command";

export interface LocalCommand {
  readonly stdin?: string;
  readonly logging?: string;
  readonly interpreter?: readonly string[];
  readonly dir?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly addPreviousOutputInEnv?: boolean;
}

export async function runLocal(
  command: string,
  inputs: LocalCommand,
  previous: Outputs,
  operation: Operation,
): Promise<Outputs> {
  return recorded({ event: "local", urn: operation.urn }, async () => {
    const output = new CommandOutput(operation.urn, inputs.logging);
    const failure = await runProcess(command, inputs, previous, operation, output);
    await output.end();
    if (failure !== undefined) {
      throw commandFailure(failure, command, output);
    }
    return { stdout: output.text("stdout"), stderr: output.text("stderr") };
  });
}

/** Resolves, when the process is over, to the reason why it failed, if it did. */
function runProcess(
  command: string,
  inputs: LocalCommand,
  previous: Outputs,
  { cancelled }: Operation,
  output: CommandOutput,
): Promise<string | undefined> {
  const [program = "/bin/sh", ...options] = inputs.interpreter?.length ? inputs.interpreter : ["/bin/sh", "-c"];
  if (inputs.dir !== undefined && !existsSync(inputs.dir)) {
    // Otherwise the shell would be reported missing, because spawn does not tell the two apart.
    return Promise.resolve(`chdir ${inputs.dir}: no such file or directory`);
  }
  const previousOutput = inputs.addPreviousOutputInEnv === false ? {} : previousOutputEnvironment(previous);
  const child = spawn(program, [...options, command], {
    cwd: inputs.dir,
    env: { ...process.env, ...inputs.environment, ...previousOutput },
    signal: cancelled,
    killSignal: "SIGKILL",
  });
  output.collect("stdout", child.stdout);
  output.collect("stderr", child.stderr);
  // A command that does not read its stdin closes it early; its exit status says whether that matters.
  child.stdin.on("error", () => undefined);
  child.stdin.end(inputs.stdin ?? "");

  return new Promise((resolve) => {
    let failure: string | undefined;
    child.on("error", (error) => {
      failure = error.message;
    });
    child.on("close", (status, signal) => {
      resolve(failure ?? (signal ? `signal: ${signal}` : status === 0 ? undefined : `exit status ${status}`));
    });
  });
}
