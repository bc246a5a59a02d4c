import { LineLogger, type LogSource, shouldLog } from "./engine-log";

/** Collects what a command prints, in the order in which it arrives, and logs it line by line meanwhile. */
export class CommandOutput {
  private readonly chunks: { source: LogSource; data: Buffer }[] = [];
  private readonly loggers: Partial<Record<LogSource, LineLogger>>;

  public constructor(urn: string, logging: string | undefined) {
    this.loggers = {
      stdout: shouldLog(logging, "stdout") ? new LineLogger(urn) : undefined,
      stderr: shouldLog(logging, "stderr") ? new LineLogger(urn) : undefined,
    };
  }

  public collect(source: LogSource, stream: NodeJS.ReadableStream): void {
    stream.on("data", (data: Buffer) => {
      this.chunks.push({ source, data });
      this.loggers[source]?.write(data);
    });
  }

  /** Waits until the engine has every logged line. */
  public async end(): Promise<void> {
    await Promise.all([this.loggers.stdout?.end(), this.loggers.stderr?.end()]);
  }

  /** One stream as the resource's output has it: without one trailing newline. */
  public text(source: LogSource): string {
    return this.join((chunk) => chunk.source === source).replace(/\n$/, "");
  }

  /** Both streams together, for the message of a failure. */
  public combined(): string {
    return this.join(() => true);
  }

  private join(wanted: (chunk: { source: LogSource }) => boolean): string {
    return Buffer.concat(this.chunks.filter(wanted).map(({ data }) => data)).toString("utf8");
  }
}

/** A failure shows the whole command and all of its output, as the real provider's does: no secret belongs in either. */
export function commandFailure(reason: string, command: string, output: CommandOutput): Error {
  return new Error(`${reason}: running ${JSON.stringify(command)}:\n${output.combined()}`);
}
