import { expect } from "vitest";
import { runAwk } from "./awkProgram";

// What chronyc was recorded to say, and what the toolkit reads in it.

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
  look: Record<string, unknown> = looked(text),
  atTheEnd = again(text),
): State => {
  const given = {
    ...{ service: "chrony", now, itself, budget_ns: 1_000_000, ...look, read_ms: readMillis },
    maxclockerror_ppm: maxClockErrorPpm,
    timescale,
  };
  const asked = Buffer.concat([Buffer.from(text), Buffer.from(atTheEnd)]);
  const stdout = runAwk("chrony_state", given, asked, {
    LC_ALL: locale,
    TIMEBASE_SOURCES: `${sources.join("\n")}\n`,
    TIMEBASE_ERRORS: `${errors.join("\n")}\n`,
  });
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

/** What a host knows that was looked at before: nobody has set its clock, and the selected source was measured since. */
export const looked = (text: string | Buffer) => ({
  same: "yes",
  seen_ns: 0,
  seen: `${followed(String(text))} 0 9`,
});

/** What chronyd follows, by its name and its reference id; where they are garbage, as an argument can have it. */
const followed = (text: string) => {
  const [, , name] = columns(text, ({ length, 1: state }) => length === 10 && state === "*");
  return `${name}/${columns(text, ({ length }) => length === 14)[0]}`.replaceAll("\0", " ");
};

/** What chronyc says of tracking once more at the end, when nothing was measured meanwhile. */
export const again = (text: string | Buffer): string =>
  `\n${columns(String(text), ({ length }) => length === 14).join(",")}\n`;

/** The design's formula, from the text alone; what a naive reader prints whatever else the text says. */
export const formula = (text: string, own: number): number => {
  const { offset, room } = tracked(text);
  return Math.floor((offset + room) * 1e9 + own + 0.5);
};

/** What of it is to be claimed: it leaves room for all that the last measurement leaves open, however old that is. */
export const claim = (text: string, own: number, now: number, maxClockErrorPpm = 50): number => {
  const { offset, room, referenceTime, driftPpm } = tracked(text);
  const selected = columns(text, ({ length, 1: state }) => length === 10 && state === "*");
  const drift = (now - referenceTime) * 1e-6 * (maxClockErrorPpm + driftPpm);
  const measured = Math.abs(Number(selected[7])) + Number(selected[9]) + drift;
  return Math.floor((offset + Math.max(room, measured)) * 1e9 + own + 0.5);
};

/** The first line that is one. */
function columns(text: string, wanted: (line: string[]) => boolean): string[] {
  return (
    text
      .split("\n")
      .map((line) => line.split(","))
      .find(wanted) ?? []
  );
}

function tracked(text: string) {
  const tracking = columns(text, ({ length }) => length === 14);
  const at = (column: number) => Number(tracking[column - 1]);
  return {
    referenceTime: at(4),
    offset: Math.abs(at(5)),
    driftPpm: Math.abs(at(9)) + at(10),
    room: at(12) + at(11) / 2,
  };
}
