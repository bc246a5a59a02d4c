import type { OffsetInterval } from "../rig/offset-interval";
import { trueDifference, type WatchedClock } from "../rig/true-offset";
import type { TestHost } from "../test/rig/support/host";

/** Budgets of an error bound, in microseconds. */
export const budgetsMicros = [10_000, 1_000, 100] as const;

/** How long a budget is waited for. */
export const settlingSeconds = 120;

const looks = 20;

/** What a configuration of chronyd makes of a clock that is wrong. */
export interface Settling {
  /** Seconds from chronyd's start until the bound is below each budget; absent where it never was. */
  secondsUntil: (number | undefined)[];
  /** The last bound, in nanoseconds. */
  boundNs: number;
  /** How far the clock was off its hub's in truth after that: each time the interval that it is in. */
  offsets: OffsetInterval[];
}

/** The clock is 0.2 s off, and chronyd knows nothing of its frequency. Times are those of a clock that nobody sets. */
const script = (chronyConf: string) => `set -eu
systemctl stop chrony
cat >/etc/chrony/chrony.conf <<'CONF'
${chronyConf}
CONF
rm -f /var/lib/chrony/*
date -s '+0.2 seconds' >/dev/null
read -r start rest </proc/uptime
systemctl start chrony
now=$start
while [ "\${now%.*}" -lt $((\${start%.*} + ${settlingSeconds})) ]; do
  read -r now rest </proc/uptime
  echo "$start $now $(chronyc -c tracking 2>/dev/null || :)"
  sleep 0.5
done
`;

/** Starts chronyd on the client anew with a configuration, and watches it from inside and from outside. */
export async function settling(
  client: TestHost,
  [follower, hub]: readonly [WatchedClock, WatchedClock],
  chronyConf: string,
): Promise<Settling> {
  const bounds = (await client.succeeds("sudo sh", script(chronyConf))).split("\n").map(boundOf);
  const offsets: OffsetInterval[] = [];
  for (let look = 0; look < looks; look++) {
    offsets.push(await trueDifference(follower, hub));
  }
  return {
    secondsUntil: budgetsMicros.map((micros) => bounds.find(({ ns }) => ns <= micros * 1000)?.seconds),
    boundNs: bounds.at(-1)?.ns ?? Number.NaN,
    offsets,
  };
}

/** |System time| + root dispersion + root delay / 2, of both alike, without the toolkit's checks; of a clock that follows nobody none. */
function boundOf(line: string): { seconds: number; ns: number } {
  const [start, now, tracking = ""] = line.split(" ");
  const columns = tracking.split(",");
  const [offset, delay, dispersion] = [4, 10, 11].map((column) => Number(columns[column])) as [number, number, number];
  const synchronised = /^(Normal|Insert|Delete)/.test(columns[13] ?? "");
  return {
    seconds: Number(now) - Number(start),
    ns: synchronised ? (Math.abs(offset) + dispersion + delay / 2) * 1e9 : Number.NaN,
  };
}
