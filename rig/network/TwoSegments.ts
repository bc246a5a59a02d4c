import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { NetworkArguments } from "./main";
import type { Path } from "./relay";

/**
 * Two private networks of local machines that are one network to the machines on them: a path between the two, which can
 * be made worse, and a server with the right time on the far one.
 *
 * Delays are made here and not by `tc netem` in a machine: the kernel stamps a packet where it enters and leaves the network
 * driver, which is beyond the delay, so that chrony would neither see nor suffer it.
 */
export class TwoSegments {
  private constructor(private readonly process: ChildProcess) {}

  static async start(args: NetworkArguments): Promise<TwoSegments> {
    const child = fork(join(__dirname, "main.ts"), [JSON.stringify(args)], { execArgv: ["--import", "tsx"] });
    await answered(child);
    return new TwoSegments(child);
  }

  /** From now on the path is like this. */
  async change(path: Path): Promise<void> {
    this.process.send(path);
    await answered(this.process);
  }

  async close(): Promise<void> {
    const ended = once(this.process, "exit");
    this.process.disconnect();
    await ended;
  }
}

function answered(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    const ended = () => reject(new Error("the path between the two networks has ended"));
    child.once("exit", ended);
    child.once("message", () => {
      child.off("exit", ended);
      resolve();
    });
  });
}
