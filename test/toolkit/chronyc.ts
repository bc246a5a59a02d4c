import { spawnSync } from "node:child_process";
import path from "node:path";
import { expect } from "vitest";

// What chronyc was recorded to say, and what the toolkit reads in it.

const program = path.join(__dirname, "../../toolkit/lib/chrony_state.awk");
export const versions = ["4.2", "4.3", "4.5", "4.6"];
export const OWN_ERROR = 20_000;

export interface State {
  values: Record<string, string>;
  checks: Record<string, { verdict: string; found: string }>;
  lines: string[];
}

export const both = ["server 127.0.0.1 iburst", "refclock PHC /dev/ptp0 refid ENA0 poll 0 prefer"];

export const read = (
  text: string | Buffer,
  now: number,
  itself = "no",
  locale = "C",
  sources: string[] = both,
  readMillis = 0,
  errors: string[] = [`ENA0 ${OWN_ERROR}`],
  maxClockErrorPpm = 50,
  timescale = "hub:hub",
): State => {
  const given = {
    ...{ service: "chrony", now, itself, budget_ns: 1_000_000, kernel: "yes", read_ms: readMillis },
    maxclockerror_ppm: maxClockErrorPpm,
    timescale,
  };
  const { stdout, status } = spawnSync(
    "awk",
    [...Object.entries(given).flatMap(([key, value]) => ["-v", `${key}=${value}`]), "-f", program],
    {
      input: text,
      encoding: "utf8",
      env: {
        PATH: process.env.PATH,
        LC_ALL: locale,
        TIMEBASE_SOURCES: `${sources.join("\n")}\n`,
        TIMEBASE_ERRORS: `${errors.join("\n")}\n`,
      },
    },
  );
  expect(status).toBe(0);
  const state: State = { values: {}, checks: {}, lines: stdout.split("\n").filter(Boolean) };
  for (const line of state.lines) {
    const [key, value] = [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)];
    if (key !== "check") state.values[key] = value;
    else {
      const fields = value.split("\t");
      expect(fields, line).toHaveLength(5);
      state.checks[fields[0] as string] = { verdict: fields[1] as string, found: fields[3] as string };
    }
  }
  return state;
};

/** The design's formula, from the text alone; what a naive reader prints whatever else the text says. */
export const formula = (text: string, own: number): number => {
  const columns = (text.split("\n")[0] as string).split(",").map(Number);
  const [offset, delay, dispersion] = [columns[4], columns[10], columns[11]] as [number, number, number];
  return Math.floor((Math.abs(offset) + dispersion + delay / 2) * 1e9 + own + 0.5);
};
