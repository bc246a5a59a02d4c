import Table from "cli-table3";
import type { Activity } from "../rig/command-provider/activity-log";
import { budgetsMicros, type Settling, settlingSeconds } from "./settling";
import type { StateCost } from "./state";
import type { VerbCost } from "./verbCost";

/** How long a command of a host took, by the engine's events. */
export interface Span {
  urn: string;
  host: string;
  phase: string;
  seconds: number;
  end: number;
}

/** Seconds of the whole, and of the floors that it is compared with. */
export interface Times {
  reboot: number;
  byHand: number;
  first: number;
  second: number;
  /** Resources that the second update changed. */
  changes: number;
}

export function timesTable(times: Times, spans: readonly Span[], sessions: readonly Activity[]): string {
  const { reboot, byHand, first, second, changes } = times;
  const table = new Table({
    head: ["time", "seconds", "of a bare reboot", "of the same by hand"],
    style: { head: [], border: [] },
  });
  const row = (what: string, time: number) =>
    table.push([what, time.toFixed(1), (time / reboot).toFixed(2), (time / byHand).toFixed(2)]);
  row("bare reboot of both", reboot);
  row("the same by hand, unproved", byHand);
  row("up", first);
  // Hosts go side by side: what none of them waits for is the engine's, so the slowest one comes first.
  for (const [index, host] of slowestFirst(spans).entries()) {
    const own = spans.filter((span) => span.host === host);
    if (index === 0) row("  engine", first - own.reduce((sum, span) => sum + span.seconds, 0));
    for (const { urn, phase, seconds } of own) {
      // The prove command waits for the host's boot; the stand-in tells how much of it is the session.
      const session = sessions.find((activity) => activity.urn === urn);
      if (phase !== "prove" || session === undefined) row(`  ${host} ${phase}`, seconds);
      else {
        row(`  ${host} reboot`, seconds - session.ms / 1000);
        row(`  ${host} prove`, session.ms / 1000);
      }
    }
  }
  row(`second up (${changes} changes)`, second);
  return String(table);
}

function slowestFirst(spans: readonly Span[]): string[] {
  const end = (host: string) => Math.max(...spans.filter((span) => span.host === host).map((span) => span.end));
  return [...new Set(spans.map(({ host }) => host))].sort((one, other) => end(other) - end(one));
}

/** @param sessions per host; 0 if the command provider does not tell */
export function costTable(
  { resources, bytes, zippedBytes }: StateCost,
  sessions: number,
  verbs: Readonly<Record<string, VerbCost>>,
): string {
  const table = new Table({ head: ["per host", "figure"], style: { head: [], border: [] } });
  table.push(["resources", String(resources)]);
  table.push(["SSH sessions", sessions === 0 ? "not told by the official provider" : String(sessions)]);
  table.push(["state", `${kilobytes(bytes)}, gzipped ${kilobytes(zippedBytes)}`]);
  for (const [verb, { seconds, processes }] of Object.entries(verbs)) {
    table.push([`${verb} with nothing to do`, `${seconds.toFixed(2)} s, ${processes} processes`]);
  }
  return String(table);
}

/** How soon a budget holds by our configuration, and by the one that the distribution has its users start from. */
export function settlingTable(ours: Settling, theirs: Settling): string {
  const table = new Table({
    head: ["a clock that was 0.2 s off", "ours", "the distribution's", "ours of theirs"],
    style: { head: [], border: [] },
  });
  for (const [index, micros] of budgetsMicros.entries()) {
    const times = [ours, theirs].map(({ secondsUntil }) => secondsUntil[index]);
    const texts = times.map((seconds) =>
      seconds === undefined ? `not in ${settlingSeconds} s` : `${seconds.toFixed(1)} s`,
    );
    table.push([`bound below ${micros} us after`, ...texts, ratio(times)]);
  }
  const bounds = [ours, theirs].map(({ boundNs }) => boundNs);
  table.push(["bound then", ...bounds.map(microseconds), ratio(bounds)]);
  const offsets = [ours, theirs].map((one) =>
    median(one.offsets.map(({ lowNs, highNs }) => Math.abs(lowNs + highNs) / 2)),
  );
  const widths = [ours, theirs].map((one) => median(one.offsets.map(({ lowNs, highNs }) => (highNs - lowNs) / 2)));
  const seen = offsets.map(
    (ns, index) => `${microseconds(ns)}, seen within ${microseconds(widths[index] ?? Number.NaN)}`,
  );
  table.push(["off in truth then, median", ...seen, ratio(offsets)]);
  return String(table);
}

/** What a cluster of some size took by one delivery. */
export interface Delivered {
  name: string;
  size: number;
  /** Of the first `up`, and of another one. */
  seconds: number;
  secondSeconds: number;
  /** Resources that the other one changed. */
  changes: number;
  /** Each per host. */
  sessions: number;
  resources: number;
  bytes: number;
}

/** @param hostSeconds what a host takes itself */
export function deliveryTable(rows: readonly Delivered[], hostSeconds: number): string {
  const table = new Table({
    head: ["delivery", "hosts", "up", `of a host's ${hostSeconds} s`, "second up", ...perHost],
    style: { head: [], border: [] },
  });
  for (const { name, size, seconds, secondSeconds, changes, sessions, resources, bytes } of rows) {
    const again = `${secondSeconds.toFixed(1)} s, ${changes} changes`;
    const each = [String(sessions), String(resources), kilobytes(bytes)];
    table.push([name, size, `${seconds.toFixed(1)} s`, (seconds / hostSeconds).toFixed(2), again, ...each]);
  }
  return String(table);
}

const perHost = ["sessions a host", "resources a host", "state a host"];

const ratio = ([ours, theirs]: (number | undefined)[]) =>
  ours === undefined || theirs === undefined ? "" : (ours / theirs).toFixed(2);
const microseconds = (ns: number) => `${(ns / 1000).toFixed(0)} us`;
const median = (values: number[]) =>
  values.sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;

const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`;
