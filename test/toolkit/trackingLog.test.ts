import { spawnSync } from "node:child_process";
import path from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { versions } from "./chronyc";
import { FakeHost, plans, synchronised } from "./FakeHost";
import { recording } from "./recordings";
import { shells } from "./shells";
import { proved, refusal } from "./sources";
import "./awk";

// What the bound was at most between two proofs, of chronyd's own log, where the lines that are there do not tell it.

const program = path.join(__dirname, "../../toolkit/lib/tracking_log.awk");
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
  sources?: string[];
  errors?: string[];
}

const read = (
  log: string | Buffer,
  { from, to, now = to, present = 1000, sources = [follows], errors = [] }: Reading,
): Held => {
  const given = {
    ...{ from, to, now, maxclockerror_ppm: 50 },
    ...(typeof present === "number" ? { bound_ns: present } : {}),
  };
  const { stdout, stderr, status } = spawnSync(
    "awk",
    [...Object.entries(given).flatMap(([key, value]) => ["-v", `${key}=${value}`]), "-f", program],
    {
      input: log,
      encoding: "utf8",
      env: {
        PATH: process.env.PATH,
        LC_ALL: "C",
        TIMEBASE_SOURCES: `${sources.join("\n")}\n`,
        TIMEBASE_ERRORS: `${errors.join("\n")}\n`,
        TIMEBASE_UNKNOWN: typeof present === "string" ? present : "",
      },
    },
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
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

// A clock that is well for all that its lines say.
const start = Date.parse("2026-11-27T09:00:00Z") / 1000;
const stamp = (t: number) => new Date(t * 1000).toISOString().slice(0, 19);
const update = (
  t: number,
  { source = "192.168.123.1", skew = 0.2, offset = "8.000e-06", leap = "N", max = "2.000e-04" } = {},
) =>
  `${stamp(t).replace("T", " ")} ${source.padEnd(15)} 11     10.294 ${skew.toFixed(3).padStart(10)} ${offset.padStart(10)} ${leap}  1  2.115e-06 -6.190e-07  2.000e-04  9.000e-05  ${max}\n`;
const updates = (from: number, to: number, how: Parameters<typeof update>[1] = {}) =>
  Array.from({ length: to - from + 1 }, (_, index) =>
    update(from + index, { offset: index % 2 ? "-8.000e-06" : "8.000e-06", ...how }),
  ).join("");
const started = (t: number) =>
  `${update(t, { source: "0.0.0.0", skew: 1e6, leap: "?", max: "1.500e+00" })}${update(t, { skew: 1e6, max: "1.500e+00" })}`;

describe("what a log does not vouch for", () => {
  const whole: Reading = { from: start + 10, to: start + 100 };
  const well = updates(start, start + 100);

  test("a clock that was well all the time", () => {
    const { ns = 0, worstAt } = read(well, whole);
    // What chronyd says was the maximum error, and how far it moved the clock to and fro.
    expect(ns).toBeGreaterThanOrEqual(208_000);
    expect(ns).toBeLessThan(230_000);
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
    expect(read(broken + well + ended, reading).ns).toBeLessThan(230_000);
  });

  test("how long an update may take is of the sources, not of the lines", () => {
    const slow = Array.from({ length: 12 }, (_, index) => update(start + index * 64)).join("");
    const reading = (poll: string): Reading => ({
      from: start + 64,
      to: start + 640,
      sources: [`server 192.168.123.1 ${poll}`],
    });
    expect(read(slow, reading("minpoll 0 maxpoll 6")).ns).toBeGreaterThan(0);
    expect(read(slow, reading("iburst")).ns).toBeGreaterThan(0);
    expect(read(slow, reading("maxpoll 3")).reason).toContain("no update is recorded between");
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
    const slewing = well.replaceAll("-6.190e-07", "-3.000e-04");
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

const folder = "var/log/chrony";
const log = `${folder}/tracking.log`;
const logging = (plan: string) => plan.replace("time-settle", "time-tracking-log=yes\ntime-settle");

describe.each(shells)("what held, under %s", (shell) => {
  const plan = logging(plans.time);
  let host: FakeHost;
  beforeEach(() => {
    host = new FakeHost(shell);
  });
  afterEach(() => host.destroy());

  const now = () => Math.floor(Date.now() / 1000);
  const ourUpdates = (from: number, to: number) => updates(from, to, { source: "10.77.0.1" });
  /** A host that is proved, and of which chronyd has logged the minute before. */
  const onceProved = (text = plan): string => {
    const given = text + host.converge(text).stdout;
    host.chrony(synchronised);
    host.write(log, ourUpdates(now() - 60, now()));
    expect(proved(host, given)).toMatchObject({ status: 0, evidence: { heldSince: null, heldBoundNs: null } });
    return given;
  };
  /** That the proof before was a while ago, and chronyd has logged since. */
  const later = (seconds = 30) => {
    const [last = "", ...since] = host.read("var/lib/timebase/proved").trim().split(" ");
    const earlier = new Date(Date.parse(last) - seconds * 1000).toISOString();
    host.write("var/lib/timebase/proved", `${[earlier, ...since].join(" ")}\n`);
    host.write(log, ourUpdates(now() - 120, now()));
    return earlier;
  };

  test("chronyd is told to log, and only by a plan that says so", () => {
    host.converge(plan);
    expect(host.read("etc/chrony/chrony.conf")).toContain("\nlogdir /var/log/chrony\nlog tracking\nlogbanner 0\n");
    host.converge(plans.time);
    expect(host.read("etc/chrony/chrony.conf")).not.toContain("log");
    host.chrony(synchronised);
    const { evidence, row } = proved(host, plans.time);
    expect(evidence).not.toHaveProperty("heldSince");
    expect(row("time.held")).toBeUndefined();
    expect(host.exists("var/lib/timebase/proved")).toBe(false);
    expect(host.run(["held", "2026-11-27T09:00:00Z"], "").stderr).toContain("set trackingLog: true");
  });

  test("a proof tells what was since the one before, and the next what comes then", () => {
    const given = onceProved();
    expect(proved(host, given).row("time.held").verdict).toBe("pass");
    const since = later();
    const { evidence, row } = proved(host, given);
    expect(evidence).toMatchObject({ heldSince: since, heldReason: "" });
    expect(evidence.heldBoundNs).toBeGreaterThan(evidence.errorBoundNs as number);
    expect(evidence.heldBoundNs).toBeLessThan(1_000_000);
    expect(row("time.held")).toMatchObject({
      verdict: "pass",
      found: expect.stringContaining(`since ${since} at most `),
    });
    expect(host.read("var/lib/timebase/proved")).toBe(`${evidence.asOf} ${since}\n`);
  });

  test("what was above the budget, and what is unknown, is told and fails nothing", () => {
    const given = onceProved();
    const since = later();
    const t = now();
    host.write(
      log,
      ourUpdates(t - 120, t - 21) + update(t - 20, { source: "10.77.0.1", max: "3.000e-03" }) + ourUpdates(t - 19, t),
    );
    const worse = proved(host, given);
    expect(worse.status).toBe(0);
    expect(worse.row("time.held")).toMatchObject({
      verdict: "warn",
      found: expect.stringMatching(`^since ${since} at most 30\\d\\d\\.\\d us, at ${stamp(t - 20)}Z$`),
      remedy: expect.stringContaining("timebase held FROM TO"),
    });
    later();
    host.write(log, ourUpdates(t - 120, t - 20) + started(t - 15) + ourUpdates(t - 15, t));
    const restarted = proved(host, given);
    expect(restarted.status).toBe(0);
    expect(restarted.evidence).toMatchObject({
      heldBoundNs: null,
      heldReason: expect.stringContaining("started anew"),
    });
    expect(restarted.row("time.held").verdict).toBe("warn");
    // It is over with the proof that has told it.
    expect(proved(host, given).row("time.held").verdict).toBe("pass");
  });

  test("a clock that was set back to before the last proof has no bound since", () => {
    const given = onceProved();
    const ahead = later(-3600);
    expect(proved(host, given).evidence).toMatchObject({
      heldSince: ahead,
      heldBoundNs: null,
      heldReason: expect.stringMatching(/^the clock was set back: now it is 20/),
    });
  });

  test("the first proof warns where chronyd writes no log", () => {
    const given = plan + host.converge(plan).stdout;
    host.chrony(synchronised);
    const { row, evidence } = proved(host, given);
    expect(row("time.held")).toMatchObject({ verdict: "warn", found: "chronyd keeps no log in /var/log/chrony" });
    expect(evidence.heldReason).toBe("chronyd keeps no log in /var/log/chrony");
  });

  test("a proof that fails does not begin anew", () => {
    const given = onceProved();
    const since = later();
    host.chrony(synchronised.replace("0A4D0001,", "00000000,"));
    const failed = proved(host, given);
    expect(failed.status).toBe(1);
    expect(failed.evidence).toMatchObject({ heldSince: since, heldBoundNs: null, heldReason: "never synchronised" });
    host.chrony(synchronised);
    expect(proved(host, given).evidence).toMatchObject({ heldSince: since, heldReason: "" });
  });

  test("a reading of the gate is of the time of the proof that it follows, and alone of its own", () => {
    const given = onceProved();
    const gate = `${given}time-together=yes\n`;
    expect(proved(host, gate).evidence).toMatchObject({ heldSince: null });
    const since = later();
    expect(proved(host, given).evidence.heldSince).toBe(since);
    const read = proved(host, gate).evidence;
    expect(read.heldSince).toBe(since);
    expect(proved(host, gate).evidence.heldSince).toBe(read.asOf);
  });

  test("a hub that defines the time is no distance from it, as long as one chronyd keeps it", () => {
    const hub = logging(plans.hub);
    const given = hub + host.converge(hub).stdout;
    host.chrony(`7F7F0101,,10,@NOW@.1,0.0,0.0,0.0,-12.3,0.0,0.0,0.0,0.0,0.0,Normal\n`);
    const stat = (ticks: number) =>
      host.write("proc/500/stat", `500 (chronyd) S 1 500 500 0 -1 4194624 0 0 0 0 0 0 0 0 20 0 1 0 ${ticks} 0 0\n`);
    host.write("proc/uptime", "10000.00 150.00\n");
    stat(100);
    expect(proved(host, given).status).toBe(0);
    const since = later();
    expect(proved(host, given).evidence).toMatchObject({ heldSince: since, heldBoundNs: 0 });
    later();
    stat(999_000);
    expect(proved(host, given).evidence).toMatchObject({
      heldBoundNs: null,
      heldReason: expect.stringMatching(/^chronyd was started anew at 20/),
    });
    later();
    host.write("proc/500/stat", "500 (chronyd) S 1 500 500 0 -1\n");
    expect(proved(host, given).evidence).toMatchObject({
      heldBoundNs: null,
      heldReason: expect.stringContaining("read"),
    });
  });

  test("a clock that is released is not vouched for", () => {
    const given = onceProved();
    const since = later();
    host.run(["release"], "");
    const { evidence, row } = proved(host, given);
    expect(evidence).toMatchObject({
      heldSince: since,
      heldBoundNs: null,
      heldReason: expect.stringMatching(/^released by/),
    });
    expect(row("time.held").verdict).toBe("warn");
    const looked = host.run(["held", since], "");
    expect(looked).toMatchObject({
      status: 1,
      stdout: expect.stringContaining('"heldBoundNs":null,"heldReason":"released by'),
    });
  });

  test("`held` tells the same of any time, for people and for scripts", () => {
    onceProved();
    const t = now();
    host.write(
      log,
      ourUpdates(t - 600, t - 301) +
        update(t - 300, { source: "10.77.0.1", max: "3.000e-03" }) +
        ourUpdates(t - 299, t),
    );
    const held = (...times: number[]) => {
      const run = host.run(["held", ...times.map((time) => `${stamp(time)}Z`)], "");
      return { ...run, said: JSON.parse(run.stdout) };
    };
    expect(held(t - 310).said.heldBoundNs).toBeGreaterThan(3_000_000);
    const calm = held(t - 200, t - 110);
    expect(calm).toMatchObject({
      status: 0,
      said: { heldSince: `${stamp(t - 200)}Z`, heldUntil: `${stamp(t - 110)}Z` },
    });
    expect(calm.said.heldBoundNs).toBeLessThan(300_000);
    expect(calm.stderr).toMatch(/^timebase: since \S+Z at most \d+\.\d us, at \S+Z\n$/);
    expect(held(t - 700, t - 500)).toMatchObject({ status: 1, said: { heldBoundNs: null } });
    host.remove(log);
    expect(held(t - 200)).toMatchObject({ status: 1, stderr: expect.stringContaining("no log that reaches back") });
    for (const wrong of [
      [],
      ["yesterday"],
      ["2026-01-31T12:00:00.5 tomorrow 5Z"],
      ["2026-01-31T12:00:00"],
      ["2026-13-45T00:00:00Z"],
      [`${stamp(t)}Z`, `${stamp(t - 9)}Z`],
      [`${stamp(t)}Z`, `${stamp(t + 99)}Z`],
    ]) {
      expect(host.run(["held", ...wrong], "").status, wrong.join()).toBe(2);
    }
  });

  test.each(["tracking.log.1", "tracking.log-20261127"])("what logrotate has made %s of is read, too", (rotated) => {
    const given = onceProved();
    later();
    const t = now();
    host.write(`${folder}/${rotated}`, ourUpdates(t - 120, t - 16));
    host.write(`${folder}/tracking.log.2.gz`, "compressed");
    host.write(log, ourUpdates(t - 15, t));
    expect(proved(host, given).evidence).toMatchObject({ heldReason: "" });
    later();
    host.remove(`${folder}/${rotated}`);
    host.write(log, ourUpdates(now() - 15, now()));
    expect(proved(host, given).evidence.heldReason).toContain("does not reach back");
  });

  test("a log of the user's comes back byte for byte, and nothing of ours stays", () => {
    for (const [name, text] of Object.entries({
      "tracking.log": "mine\n",
      "tracking.log.1": "older\n",
      "statistics.log": "no\n",
    }))
      host.write(`${folder}/${name}`, text);
    const before = host.snapshot();
    onceProved();
    expect(host.read(log)).not.toContain("mine");
    host.write(`${folder}/tracking.log.1`, ourUpdates(start, start));
    // Once more, as after a power cut, takes nothing of ours for the user's.
    host.converge(plan);
    expect(host.run(["status"], "").stdout).toContain("undo  removes the log of what the bound was");
    expect(host.run(["revert"], plan).status).toBe(0);
    expect(host.snapshot()).toEqual(before);
  });

  test("a folder that chronyd has made goes with the log, also when the plan has none any more", () => {
    host.write("var/log/.keep", "");
    host.converge(plans.time);
    const before = host.snapshot();
    onceProved();
    host.converge(plans.time);
    for (const name of ["plans/time", "facts/time"]) host.remove(`var/lib/timebase/${name}`);
    host.converge(plans.time);
    expect(host.exists(folder)).toBe(false);
    expect(Object.keys(host.snapshot())).toEqual(Object.keys(before));
  });

  test("a revert that is cut is done again, and removes nothing of the user's", () => {
    host.write(log, "mine\n");
    const before = host.snapshot();
    onceProved();
    host.meanwhile("rmdir", "exit 1");
    expect(host.run(["revert"], plan).status).not.toBe(0);
    host.remove("fake/bin/rmdir");
    expect(host.run(["revert"], plan).status).toBe(0);
    expect(host.snapshot()).toEqual(before);
  });

  test("there has to be room for the log before there is one, and not again for what it has taken", () => {
    host.write(`${folder}/.keep`, "");
    host.write("fake/df", "/var/log/chrony 300000\n");
    expect(refusal(host, plan)).toContain("300000 KiB are free, 409600 are needed");
    host.converge(plans.time);
    host.write("fake/df", "/var/log/chrony 500000\n");
    host.converge(plan);
    host.write("fake/df", "/var/log/chrony 100000\n");
    host.converge(plan);
  });
});
