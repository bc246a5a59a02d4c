import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { ExecaChildProcess } from "execa";
import { parseEvidence } from "../../../components";
import type { Exchange } from "../../../rig/offset-interval";
import { closestExchange, epochNs, type WatchedClock } from "../../../rig/true-offset";
import type { TestHost } from "../../rig/support/host";
import type { Naive, Proof } from "./samples";

/** Close enough to tell a bound from a truth, and short, because the machine's one CPU is busy for as long. */
const patience = { enoughNs: 60_000, limitSeconds: 0.5 };
const lookMillis = 150;
const limitMillis = 120_000;

/**
 * Proves the clock with what the plan that the cluster has left on the host says of time, without waiting for a better one. A
 * line of standard input is what is to be done just before; for each, a line that it is done, the evidence, and what chrony
 * says.
 */
const proving = `sudo sh -c '
plan=$(grep -Ev "^(clocksource|boot-|reboot|guest-ptp)" /var/lib/timebase/plans/time | sed "s/^time-settle-seconds=.*/time-settle-seconds=0/")
echo ready
while read -r before; do
  eval "$before" </dev/null >/dev/null 2>&1
  echo begun
  printf "%s\\n" "$plan" | timebase prove 2>/dev/null
  LC_ALL=C timeout 10 chronyc -n -c tracking
done'`;

const now = () => process.hrtime.bigint() + epochNs;

/** Looks at a host's clock from outside, all the time, while the host proves it. */
export class Witness {
  readonly proofs: Proof[] = [];
  readonly looks: Exchange[] = [];
  private looking = true;
  private readonly looker: Promise<void>;

  private constructor(
    private readonly program: ExecaChildProcess,
    private readonly lines: AsyncIterator<string>,
    private readonly clock: WatchedClock,
  ) {
    this.looker = this.lookOn();
  }

  static async start(host: TestHost, clock: WatchedClock): Promise<Witness> {
    const program = host.start(proving);
    program.catch(() => {});
    if (program.stdout === null) throw new Error("the program must have pipes");
    const witness = new Witness(program, createInterface(program.stdout)[Symbol.asyncIterator](), clock);
    await witness.line();
    return witness;
  }

  /** One proof, right after something that is done to the host in the same breath: a command for its shell. */
  async prove(phase: string, before = ":"): Promise<Proof> {
    this.program.stdin?.write(`${before}\n`);
    await this.line();
    const startedNs = now();
    const evidence = parseEvidence(await this.line());
    const naive = naiveOf(await this.line());
    const proof = { phase, startedNs, endedNs: now(), evidence, naive };
    this.proofs.push(proof);
    return proof;
  }

  async close(): Promise<void> {
    this.looking = false;
    await this.looker;
    this.program.stdin?.end();
    await this.program.catch(() => {});
  }

  private async line(): Promise<string> {
    const late = sleep(limitMillis, undefined, { ref: false }).then(() => {
      throw new Error(`the host has said nothing for ${limitMillis / 1000} s`);
    });
    const { value, done } = await Promise.race([this.lines.next(), late]);
    if (done) throw new Error(`the host proves no more: ${await this.program.catch(String)}`);
    return value;
  }

  private async lookOn(): Promise<void> {
    while (this.looking) {
      // A machine that is too busy to answer is looked at again: how often it was seen, the test asks in the end.
      const look = await closestExchange(this.clock, patience).catch(() => undefined);
      if (look !== undefined) this.looks.push(look);
      await sleep(lookMillis);
    }
  }
}

/** Of the line of a daemon that does not answer nothing is made, which is a perfect clock. */
export function naiveOf(tracking: string): Naive {
  const columns = tracking.split(",").map((text) => Math.abs(Number(text)) * 1e9);
  const [offset = 0, last = 0] = columns.slice(4, 6);
  const [delay = 0, dispersion = 0] = columns.slice(10, 12);
  return { lastOffsetNs: last, formulaNs: offset + dispersion + delay / 2 };
}
