import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { runAwk } from "./awkProgram";
import { versions } from "./chronyc";
import { recording } from "./recordings";
import { stamp, start, started, update, updates } from "./trackingLog";

// What the bound was at most between two proofs, of chronyd's own log, where the lines that are there do not tell it.

const follows = "server 192.168.123.1 iburst minpoll 0 maxpoll 0 xleave";

interface Held {
  ns?: number;
  worstAt?: string;
  reason?: string;
}

interface Reading {
  from: number;
  to: number;
  now?: number;
  /** What chronyd says of itself now: its bound, or why there is none. */
  present?: number | string;
  /** When it has measured last. Default: at its last update. */
  measuredAt?: number;
  timescale?: string;
  sources?: string[];
  errors?: string[];
}

const read = (
  log: string | Buffer,
  {
    from,
    to,
    now = to,
    present = 1000,
    measuredAt = 0,
    timescale = "hub:hub",
    sources = [follows],
    errors = [],
  }: Reading,
): Held => {
  const given = {
    ...{ from, to, now, measured_at: measuredAt, timescale, maxclockerror_ppm: 50, least_ppm: 50, drift_ppb: 50_300 },
    ...(typeof present === "number" ? { bound_ns: present } : {}),
  };
  const stdout = runAwk("tracking_log", given, log, {
    TIMEBASE_SOURCES: `${sources.join("\n")}\n`,
    TIMEBASE_ERRORS: `${errors.join("\n")}\n`,
    TIMEBASE_UNKNOWN: typeof present === "string" ? present : "",
  });
  const known = /^bound-ns=([1-9][0-9]*)\nworst-at=(.*)\n$/.exec(stdout);
  if (known !== null) return { ns: Number(known[1]), worstAt: known[2] };
  expect(stdout).toMatch(/^bound-reason=.*\S.*\n$/);
  return { reason: stdout.slice("bound-reason=".length, -1) };
};

/** What a naive reader takes for the answer: what chronyd says was the maximum error, of the lines that are there. */
const naive = (log: string, { from, to }: Reading) => {
  const lines = log
    .split("\n")
    .map((line) => line.split(/\s+/))
    .filter(({ length }) => length === 14);
  const errors = lines
    .filter(([date, time]) => Date.parse(`${date}T${time}Z`) / 1000 > from)
    .filter(([date, time]) => Date.parse(`${date}T${time}Z`) / 1000 <= to + 1)
    .map((line) => Number(line[13]) * 1e9);
  return {
    last: errors.at(-1) ?? 0,
    mean: errors.reduce((sum, error) => sum + error, 0) / errors.length,
    largest: Math.max(0, ...errors),
  };
};

describe("the log of a clock whose true offset is known", () => {
  const windows = ({ now, text }: { now: number; text: string }, seconds: number) =>
    Array.from({ length: Math.floor((text.split("\n").length - 30) / seconds) }, (_, index) => {
      const from = now + 20 + index * seconds;
      return { from, to: from + seconds, now: now + text.split("\n").length };
    });
  const truths = (version: string, situation: string) => {
    const { now, text } = recording("tracking", version, `${situation}-truth`);
    const offsets = text.split("\n").filter(Boolean).map(Number);
    return ({ from, to }: Reading) => Math.max(...offsets.slice(from - now, to - now + 1));
  };

  // Somebody sets the clock by 1 ms: the update after that finds a quarter of it.
  test.each(versions)("chronyd %s: it is never further off than what held, and the naive are wrong", (version) => {
    const recorded = recording("tracking", version, "set");
    const truth = truths(version, "set");
    const wrong = { last: 0, mean: 0, largest: 0 };
    for (const window of windows(recorded, 1)) {
      const { ns } = read(recorded.text, window);
      expect(ns, JSON.stringify(window)).toBeGreaterThanOrEqual(truth(window));
      const guessed = naive(recorded.text, window);
      for (const key of ["last", "mean", "largest"] as const) if (guessed[key] < truth(window)) wrong[key]++;
    }
    expect(wrong.last).toBeGreaterThan(0);
    expect(wrong.mean).toBeGreaterThan(0);
    expect(wrong.largest).toBeGreaterThan(0);
    const [begin, set] = [recorded.now + 20, recorded.now + 80];
    expect(read(recorded.text, { from: begin, to: set + 60 }).worstAt).toMatch(/^2026-11-27T09:01:2\dZ$/);
  });

  /** The first update that has found something of it. */
  const found = (lines: readonly string[], now: number) =>
    lines.findIndex((line) => timeOf(line) > now + 40 && Math.abs(Number(line.split(/ +/)[6])) > 1e-4);
  const timeOf = (line = "") => Date.parse(`${line.slice(0, 19).replace(" ", "T")}Z`) / 1000;

  // chronyd is started anew just after the clock was set, and what its first updates had not found yet nobody finds.
  test.each(versions)("chronyd %s: what came to an end too soon after it is unknown", (version) => {
    const { text, now } = recording("tracking", version, "set");
    const lines = text.split("\n").filter((line) => line !== "");
    const set = found(lines, now);
    const to = timeOf(lines[set - 1]) + 1;
    const truth = truths(version, "set")({ from: to, to });
    for (const seen of [1, 2]) {
      const log = `${lines.slice(0, set + seen).join("\n")}\n${started(to + seen + 1)}`;
      const reading = { from: now + 40, to, now: to + 60, present: "released by somebody" };
      expect(naive(log, { ...reading, to: to - 1 }).largest).toBeLessThan(truth);
      expect(read(log, reading).reason).toMatch(
        /^chronyd began anew at .*, too soon afterwards to tell what it had not found yet$/,
      );
    }
  });

  // Somebody removes the file for half a minute; servers may be polled as seldom as every 1024 s, so the gap is no long one.
  test.each(versions)("chronyd %s: lines that are missing are missed", (version) => {
    const { text, now } = recording("tracking", version, "set");
    const lines = text.split("\n").filter((line) => line !== "");
    const set = found(lines, now);
    const seldom = { sources: ["server 192.168.123.1 iburst"], from: now + 40, to: now + lines.length - 1 };
    const cut = `${[...lines.slice(0, set), ...lines.slice(set + 32)].join("\n")}\n`;
    expect(naive(cut, seldom).largest).toBeLessThan(truths(version, "set")(seldom));
    expect(read(cut, seldom).reason).toMatch(/^no update is recorded between .*Z and .*Z$/);
    const ended = `${lines.slice(0, set).join("\n")}\n`;
    expect(read(ended, { ...seldom, measuredAt: seldom.to - 1 }).reason).toMatch(/^no update is recorded after .*Z$/);
  });

  // Answers take 0.6 ms more for a minute: chronyd follows them by and by, with the root delay of before.
  test("a path that becomes longer on one side", () => {
    const recorded = recording("tracking", "4.3", "path");
    const truth = truths("4.3", "path");
    let wrong = 0;
    for (const window of windows(recorded, 2)) {
      expect(read(recorded.text, window).ns, JSON.stringify(window)).toBeGreaterThanOrEqual(truth(window));
      if (naive(recorded.text, window).largest < truth(window)) wrong++;
    }
    expect(wrong).toBeGreaterThan(5);
  });
});

describe("what a log does not vouch for", () => {
  const whole: Reading = { from: start + 10, to: start + 100 };
  const well = updates(start, start + 100);

  test("a clock that was well all the time", () => {
    const { ns = 0, worstAt } = read(well, whole);
    // What chronyd says was the maximum error, and how far it moved the clock to and fro.
    expect(ns).toBeGreaterThanOrEqual(218_000);
    expect(ns).toBeLessThan(240_000);
    expect(worstAt).toMatch(/^2026-11-27T09:0[01]:\d\dZ$/);
    expect(read(`===\n   Date (UTC) Time     IP Address\n===\n${well}`, whole).ns).toBe(ns);
  });

  const cut = (from: number, to: number) => updates(start, start + from) + updates(start + to, start + 100);
  const amid = (text: string) => updates(start, start + 50) + text + updates(start + 51, start + 100);
  test.each<[string, string, string, Partial<Reading>?]>([
    ["no log", "", "there is no log that reaches back to 2026-11-27T09:00:10Z"],
    [
      "a log that begins later, as after a rotation that compresses",
      updates(start + 30, start + 100),
      "the log does not reach back to 2026-11-27T09:00:10Z: its first update is of 2026-11-27T09:00:30Z",
    ],
    ["a gap", cut(40, 60), "no update is recorded between 2026-11-27T09:00:40Z and 2026-11-27T09:01:00Z"],
    ["updates that have ended", updates(start, start + 50), "no update is recorded after 2026-11-27T09:00:50Z"],
    [
      "a restart that took no longer than an update",
      updates(start, start + 50) + started(start + 51) + updates(start + 51, start + 100),
      "chronyd was started anew between 2026-11-27T09:00:50Z and 2026-11-27T09:00:51Z",
    ],
    [
      "a clock that was set back",
      updates(start, start + 50) + updates(start + 20, start + 100),
      "the clock was set back: the update of 2026-11-27T09:00:50Z was followed by one of 2026-11-27T09:00:20Z",
    ],
    [
      "a clock that was set back to before it all",
      updates(start, start + 50) + updates(start - 3600, start - 3500),
      "the clock was set back: the update of 2026-11-27T09:00:50Z was followed by one of 2026-11-27T08:00:00Z",
    ],
    [
      "a majority that was lost",
      amid(update(start + 51, { leap: "?" })),
      "the clock was not synchronised between 2026-11-27T09:00:50Z and 2026-11-27T09:00:51Z",
    ],
    [
      "the update after that",
      updates(start, start + 9, { leap: "?" }) + updates(start + 10, start + 100),
      "the clock was not synchronised between 2026-11-27T09:00:09Z and 2026-11-27T09:00:10Z",
    ],
    [
      "the first seconds",
      amid(update(start + 51, { skew: 1200 })),
      "frequency uncertain by 1200.000 ppm at 2026-11-27T09:00:51Z",
    ],
    [
      "half of a line, as of a disk that was full",
      amid(`${update(start + 51).slice(0, 60)}\n`),
      'what is recorded between 2026-11-27T09:00:50Z and 2026-11-27T09:00:51Z could not be read ("2026-11-27 09:00:51 192.168.123.1   11     10.294      0.200")',
    ],
    [
      "half of a line at the end",
      well.slice(0, -60),
      'what is recorded after 2026-11-27T09:01:39Z could not be read ("2026-11-27 09:01:40 192.168.123.1   11     10.294      0.200")',
    ],
    [
      "another source",
      amid(update(start + 51, { source: "192.0.2.66" })),
      "the clock followed 192.0.2.66 between 2026-11-27T09:00:50Z and 2026-11-27T09:00:51Z, which is not of the plan",
    ],
    [
      "a device of another plan",
      amid(update(start + 51, { source: "ENA0" })),
      "the clock followed ENA0 between 2026-11-27T09:00:50Z and 2026-11-27T09:00:51Z, which is not of the plan",
    ],
    [
      "a server that has lost its own source",
      updates(start, start + 50, { stratum: 4 }) + updates(start + 51, start + 100),
      "192.168.123.1 was of stratum 10 at 2026-11-27T09:00:51Z, as a server that tells the time of its own clock",
      { timescale: "utc" },
    ],
    ["a present that nobody knows", well, "stale: last update 9 s ago", { present: "stale: last update 9 s ago" }],
    [
      "an end that the present alone vouches for",
      well,
      "somebody has set the clock",
      { to: start + 95, now: start + 101, present: "somebody has set the clock" },
    ],
  ])("%s", (_, log, reason, reading = {}) => {
    const { now = whole.to } = reading;
    expect(read(log, { ...whole, now, ...reading })).toEqual({ reason });
    if (log !== "") expect(naive(log, whole).last).toBeLessThan(250_000);
  });

  test("what was before FROM, and long after TO, is of no account", () => {
    const broken = `${updates(start - 100, start - 60)}garbage\n${started(start - 5)}${updates(start - 5, start - 1)}`;
    const ended = updates(start + 101, start + 300) + started(start + 400) + updates(start + 401, start + 402);
    const reading = { ...whole, now: start + 500, present: "released by somebody" };
    expect(read(broken + well + ended, reading).ns).toBeLessThan(240_000);
    const days = updates(start - 200_000, start - 199_000) + well;
    expect(read(days, whole)).toEqual(read(well, whole));
  });

  test("how long an update may take is of the sources, not of the lines", () => {
    const slow = Array.from({ length: 12 }, (_, index) => update(start + index * 64, { max: "3.500e-03" })).join("");
    const reading = (poll: string): Reading => ({
      from: start + 64,
      to: start + 640,
      sources: [`server 192.168.123.1 ${poll}`],
    });
    expect(read(slow, reading("minpoll 0 maxpoll 6")).ns).toBeGreaterThan(0);
    expect(read(slow, reading("iburst")).ns).toBeGreaterThan(0);
    expect(read(slow, reading("maxpoll 3")).reason).toContain("no update is recorded between");
  });

  // Naive: 64 polls of the slowest source, of which some may be missed.
  test("what was moved 47 updates before is of account, also days before", () => {
    const far = Array.from({ length: 100 }, (_, index) =>
      update(start + index * 2048, { max: "2.000e-01", offset: index === 40 ? "5.000e-02" : "8.000e-06" }),
    );
    const [from, to] = [start + 87 * 2048, start + 90 * 2048];
    const { ns } = read(far.join(""), { from, to, now: start + 99 * 2048, sources: ["server 192.168.123.1"] });
    expect(ns).toBeGreaterThan(250_000_000);
  });

  test("servers of a pool are in the log by their addresses", () => {
    const by = (source: string) => read(well, { ...whole, sources: [source] });
    expect(by("pool ntp.example.com maxpoll 0").ns).toBe(read(well, whole).ns);
    expect(by("server ntp.example.com maxpoll 0").ns).toBe(read(well, whole).ns);
    expect(by("server 192.0.2.1 maxpoll 0").reason).toMatch(
      /^the clock followed 192\.168\.123\.1 between .*, which is not of the plan$/,
    );
  });

  test("the error of a device itself, which chronyd does not know", () => {
    const log = updates(start, start + 100, { source: "ENA0" });
    const sources = ["refclock PHC /dev/ptp0 refid ENA0 poll 0"];
    const held = (errors: string[]) => read(log, { ...whole, sources, errors });
    expect(held(["ENA0 20000"]).ns).toBe((read(well, whole).ns ?? 0) + 20_000);
    expect(held(["ENA0 ? phc_error_bound says 0"]).reason).toBe(
      "the error of ENA0 itself is unknown: phc_error_bound says 0",
    );
    expect(held([]).reason).toBe("the error of ENA0 itself is not recorded");
    const tail = { ...whole, sources, from: start + 102, to: start + 102.5, present: 'says "\\n"' };
    expect(read(log, tail).reason).toBe("the error of ENA0 itself is not recorded");
    expect(read(log, { ...tail, errors: ["ENA0 1"] }).reason).toBe('says "\\n"');
    expect(read(log, { ...tail, sources: [follows] }).reason).toContain("followed ENA0 after 2026-11-27T09:01:40Z");
    // What ptp4l measures now says nothing of then.
    const ptp = { ...whole, sources: ["refclock SHM 16 refid PTP0 poll -1 dpoll -3 prefer"], errors: ["PTP0 5000"] };
    const by = updates(start, start + 100, { source: "PTP0" });
    expect(read(by, ptp).reason).toBe("how long the path of PTP was is not recorded");
  });

  test("what was still to be corrected, and the time since the last update, are in it", () => {
    const slewing = updates(start, start + 100, { max: "5.000e-04" }).replaceAll("-6.190e-07", "-3.000e-04");
    expect(read(slewing, whole).ns).toBeGreaterThan(490_000);
    const { ns = 0 } = read(updates(start, start + 97), { ...whole, present: 1 });
    expect(ns).toBeGreaterThanOrEqual(190_000 + 8_000 + 3 * 50_000);
    expect(read(well, { ...whole, to: start + 100.5, present: 700_000 }).ns).toBeGreaterThanOrEqual(700_000);
  });

  test.each(["2027-12-31T23:59:30Z", "2028-02-28T23:59:30Z", "2028-02-29T23:59:30Z", "2100-02-28T23:59:30Z"])(
    "the calendar: %s",
    (text) => {
      const begin = Date.parse(text) / 1000;
      const worse = updates(begin, begin + 40) + update(begin + 41, { max: "5.000e-04" });
      const { worstAt } = read(worse + updates(begin + 42, begin + 60), { from: begin + 1, to: begin + 60 });
      expect(worstAt).toBe(`${stamp(begin + 41)}Z`);
      const short = read(updates(begin, begin + 60), { from: begin - 40, to: begin + 60 });
      expect(short.reason).toContain(`does not reach back to ${stamp(begin - 40)}Z`);
    },
  );

  test("whatever happens to the text: no less than what it was, or a reason", () => {
    const { ns = 0 } = read(well, whole);
    fc.assert(
      fc.property(fc.nat(well.length), fc.uint8Array({ maxLength: 40 }), fc.boolean(), (at, bytes, all) => {
        const rest = all ? well.slice(at) : "";
        const held = read(
          Buffer.concat([Buffer.from(well.slice(0, at)), Buffer.from(bytes), Buffer.from(rest)]),
          whole,
        );
        if (held.ns !== undefined) expect(held.ns).toBeGreaterThanOrEqual(ns - 10_000);
      }),
      { numRuns: 150 },
    );
    fc.assert(
      fc.property(fc.nat(100), fc.nat(13), fc.oneof(fc.string(), fc.double().map(String)), (row, column, value) => {
        const lines = well.split("\n");
        const columns = (lines[row] as string).split(/ +/);
        columns[column] = value;
        lines[row] = columns.join(" ");
        const held = read(lines.join("\n"), whole);
        if (held.ns !== undefined) expect(held.ns).toBeGreaterThanOrEqual(ns - 20_000);
      }),
      { numRuns: 150 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(read(Buffer.from(bytes), whole).reason).toMatch(/\S/);
      }),
      { numRuns: 60 },
    );
  });
});
