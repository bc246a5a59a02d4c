import { closeSync, ftruncateSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type ExecaChildProcess, execa } from "execa";
import { difference, type Exchange, hull, type OffsetInterval, offsetOf } from "./offset-interval";
import { askQemu } from "./qmp";

// The truth about a virtual machine's clock, from outside: a page of memory that the machine and we both see. What it
// takes to see what the other one has written is all that is uncertain, and no network or scheduler is part of it.

const programs = join(__dirname, "clock-page");
const pageBytes = 4096;

/** How long a close exchange is looked for. */
export interface Patience {
  /** One that is closer than this is not improved upon. */
  enoughNs: number;
  limitSeconds: number;
}

const patient: Patience = { enoughNs: 20_000, limitSeconds: 3 };

/** A machine that answers in a shared page, until it reboots or `close` is called. */
export interface WatchedClock {
  page: string;
  close(): Promise<void>;
}

/**
 * Plugs a shared page into a running machine and starts the program there that answers.
 * @param folder the machine's, which the page's file goes with
 * @param start starts a command on the machine, over SSH
 */
export async function watchClock(
  folder: string,
  monitor: string,
  start: (command: string) => ExecaChildProcess,
): Promise<WatchedClock> {
  const page = join(folder, "clock-page");
  await plugPage(page, monitor);
  const program = readFileSync(join(programs, "guest.py"), "utf8").replaceAll("'", "'\\''");
  return answering(page, start(`sudo python3 -c '${program}'`));
}

async function plugPage(page: string, monitor: string): Promise<void> {
  const [devices] = (await askQemu(monitor, [{ execute: "qom-list", arguments: { path: "/machine/peripheral" } }])) as [
    { name: string }[],
  ];
  // It stays plugged in when the machine reboots.
  if (devices.some(({ name }) => name === "clock-page")) return;
  makePage(page);
  const memory = { id: "clock-page-memory", "mem-path": page, size: pageBytes, share: true };
  await askQemu(monitor, [
    { execute: "object-add", arguments: { "qom-type": "memory-backend-file", ...memory } },
    { execute: "device_add", arguments: { driver: "ivshmem-plain", id: "clock-page", memdev: memory.id } },
  ]);
}

export function makePage(page: string): void {
  const fd = openSync(page, "w", 0o600);
  ftruncateSync(fd, pageBytes);
  closeSync(fd);
}

/** A program that answers in a page: on a machine of its own, or, with a page that is a mere file, on this one. */
export async function answering(page: string, program: ExecaChildProcess): Promise<WatchedClock> {
  const ended = program.catch((error: Error) => error);
  if (program.stdout === null || program.stdin === null) throw new Error("the program must have pipes");
  const { stdin } = program;
  const { value: said } = await createInterface(program.stdout)[Symbol.asyncIterator]().next();
  if (said !== "ready") throw new Error(`the machine's clock does not answer: ${said ?? (await ended)}`);
  return {
    page,
    close: async () => {
      stdin.end();
      await ended;
    },
  };
}

/** What, added to our monotonic clock, which nothing steps, gives the time. */
export const epochNs = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint();

/** The closest exchange with each of the clocks, in this order, immediately one after the other. */
async function closestExchanges(
  clocks: readonly WatchedClock[],
  { enoughNs, limitSeconds }: Patience = patient,
): Promise<Exchange[]> {
  const pages = clocks.map(({ page }) => page);
  const args = [join(programs, "host.py"), String(limitSeconds), String(enoughNs), ...pages];
  const { stdout } = await execa("python3", args, { stripFinalNewline: false });
  return stdout
    .split("\n")
    .slice(0, pages.length)
    .map((line, index) => {
      const exchange = exchangeOf(line);
      if (exchange !== undefined) return exchange;
      throw new Error(`no answer in ${limitSeconds} s: the machine of ${pages[index]} has rebooted, or hangs`);
    });
}

function exchangeOf(line: string): Exchange | undefined {
  const [stamp, answer, seen] = line.split(" ").filter(Boolean).map(BigInt);
  if (stamp === undefined || answer === undefined || seen === undefined) return undefined;
  return { stampNs: stamp + epochNs, answerNs: answer, seenNs: seen + epochNs };
}

/** What a machine's clock showed, and what this one's showed before and after. */
export async function closestExchange(clock: WatchedClock, patience?: Patience): Promise<Exchange> {
  const [exchange] = (await closestExchanges([clock], patience)) as [Exchange];
  return exchange;
}

/** A machine's clock minus this one's time, which runs on from what it was when this process started. */
export async function trueOffset(clock: WatchedClock): Promise<OffsetInterval> {
  return offsetOf(await closestExchange(clock));
}

/**
 * The difference of two machines' clocks, a minus b. Both can not be looked at in the same instant: so b is between two
 * looks at a, and what a drifts in the meantime widens the interval.
 */
export async function trueDifference(a: WatchedClock, b: WatchedClock): Promise<OffsetInterval> {
  const [before, between, after] = (await closestExchanges([a, b, a])).map(offsetOf) as [
    OffsetInterval,
    OffsetInterval,
    OffsetInterval,
  ];
  return difference(hull(before, after), between);
}
