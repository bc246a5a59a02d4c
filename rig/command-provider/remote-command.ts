/** `command:remote:Command`: one SSH session per create, update or delete. */
import type { Client, ClientChannel } from "ssh2";
import { recorded } from "./activity-log";
import { CommandOutput, commandFailure } from "./command-output";
import { type Connection, type Operation, withClient } from "./connection";

export interface RemoteCommand {
  readonly connection: Connection;
  readonly stdin?: string;
  readonly logging?: string;
  readonly addPreviousOutputInEnv?: boolean;
}

export interface Outputs {
  readonly stdout: string;
  readonly stderr: string;
}

export async function runRemote(
  command: string,
  inputs: RemoteCommand,
  previous: Outputs,
  operation: Operation,
): Promise<Outputs> {
  return withClient(inputs.connection, operation, (client) =>
    recorded({ event: "session", urn: operation.urn, host: inputs.connection.host }, () =>
      runSession(client, command, inputs, previous, operation),
    ),
  );
}

async function runSession(
  client: Client,
  command: string,
  inputs: RemoteCommand,
  previous: Outputs,
  { urn }: Operation,
): Promise<Outputs> {
  const env = inputs.addPreviousOutputInEnv === false ? {} : previousOutputEnvironment(previous);
  const output = new CommandOutput(urn, inputs.logging);
  const failure = await new Promise<string | undefined>((resolve, reject) => {
    // Listeners are attached within this callback: the exit status of a short command may be in the same packet.
    client.exec(command, { env }, (error, channel) => {
      if (error) {
        reject(error);
        return;
      }
      output.collect("stdout", channel);
      output.collect("stderr", channel.stderr);
      onSessionEnd(channel, resolve);
      channel.end(inputs.stdin ?? "");
    });
  });
  await output.end();
  if (failure !== undefined) {
    throw commandFailure(failure, command, output);
  }
  return { stdout: output.text("stdout"), stderr: output.text("stderr") };
}

/** What the last run printed, for commands that build on it. A server without a matching AcceptEnv ignores it. */
export function previousOutputEnvironment({ stdout, stderr }: Outputs): Record<string, string> {
  return {
    ...(stdout && { PULUMI_COMMAND_STDOUT: stdout }),
    ...(stderr && { PULUMI_COMMAND_STDERR: stderr }),
  };
}

/** Reports, when the session is over, the reason why it failed, if it did. */
function onSessionEnd(channel: ClientChannel, report: (failure: string | undefined) => void): void {
  // A cut connection ends the channel without an exit status: a command that rebooted its host fails, too.
  let failure: string | undefined = "wait: remote command exited without exit status or exit signal";
  channel.on("exit", (status: number | null, signal?: string) => {
    failure = status === 0 ? undefined : exitFailure(status, signal?.replace(/^SIG/, ""));
  });
  // A command that does not read its stdin may close it early; its exit status says whether that matters.
  channel.on("error", () => undefined);
  channel.on("close", () => report(failure));
}

/** Statuses of the signals that end commands in practice, by the shells' rule 128 + number. */
const signalNumbers: Readonly<Record<string, number>> = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ABRT: 6,
  KILL: 9,
  PIPE: 13,
  TERM: 15,
};

function exitFailure(status: number | null, signal: string | undefined): string {
  if (signal === undefined) {
    return `Process exited with status ${status}`;
  }
  return `Process exited with status ${128 + (signalNumbers[signal] ?? 0)} from signal ${signal}`;
}
