/** Lines that `pulumi up` shows under a resource while it is being worked on. */
import * as pulumi from "@pulumi/pulumi";

export type LogSource = "stdout" | "stderr";

/** Longer lines are cut: a line of megabytes is no help to anyone who watches. */
const longestLine = 1000;

/** Shown in the resource's row only while the operation lasts; the real provider logs in the same way. */
export function logStatus(urn: string, text: string): Promise<void> {
  return pulumi.log.info(text, new pulumi.DependencyResource(urn), 0, true);
}

export function shouldLog(logging: string | undefined, source: LogSource): boolean {
  return logging === undefined || logging === "stdoutAndStderr" || logging === source;
}

/** Cuts a stream of chunks into lines and logs each as soon as it is complete. */
export class LineLogger {
  private rest = "";
  private last: Promise<void> = Promise.resolve();
  private readonly decoder = new TextDecoder();

  public constructor(private readonly urn: string) {}

  public write(chunk: Buffer): void {
    const lines = (this.rest + this.decoder.decode(chunk, { stream: true })).split("\n");
    this.rest = (lines.pop() ?? "").slice(0, longestLine);
    for (const line of lines) {
      this.log(line);
    }
  }

  /** Resolves when the engine has every line. */
  public async end(): Promise<void> {
    if (this.rest !== "") {
      this.log(this.rest);
    }
    await this.last;
  }

  private log(line: string): void {
    this.last = logStatus(this.urn, line.replace(/\r$/, "").slice(0, longestLine));
  }
}
