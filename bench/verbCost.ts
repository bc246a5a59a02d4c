import type { TestHost } from "../test/rig/support/host";

/** What one run of a verb costs on a host. */
export interface VerbCost {
  seconds: number;
  /** Processes that it is made of, by the kernel's count. */
  processes: number;
}

const runs = 5;

/**
 * The cost of a verb when there is nothing to do, by the host's own count: the least of some runs, because the rest of
 * the system starts processes too.
 */
export async function verbCost(host: TestHost, verb: "converge" | "prove"): Promise<VerbCost> {
  const script = `set -eu
started() { sed -n 's/^processes //p' /proc/stat; }
plan=$(cat /var/lib/timebase/plans/boot)
measure() {
  processes=$(started)
  begin=$(date +%s%N)
  printf '%s\\n' "$plan" | "$@" >/dev/null 2>&1
  end=$(date +%s%N)
  echo "$(((end - begin) / 1000)) $(($(started) - processes))"
}
for run in $(seq ${runs}); do measure : && measure timebase ${verb}; done`;
  const rows = (await host.run("sudo sh", script)).split("\n").map((line) => line.split(" ").map(Number));
  // Every other row is the measurement's own cost: the shell on the right of the pipe, which the verb takes the place of.
  const least = (parity: number, column: number) =>
    Math.min(...rows.filter((_, index) => index % 2 === parity).map((row) => row[column] ?? Number.NaN));
  return { seconds: least(1, 0) / 1e6, processes: least(1, 1) - least(0, 1) + 1 };
}
