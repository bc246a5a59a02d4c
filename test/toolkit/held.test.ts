import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeHost, plans, synchronised } from "./FakeHost";
import { shells } from "./shells";
import { afterBoot, following, onEna, proved, refusal, withEna } from "./sources";
import { stamp, start, started, update, updates } from "./trackingLog";

// What a host tells of the time between two proofs, and what becomes of the log that it is read in.

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
    const [last = "", ...rest] = host.read("var/lib/timebase/proved").trim().split(" ");
    const earlier = new Date(Date.parse(last) - seconds * 1000).toISOString();
    host.write("var/lib/timebase/proved", `${[earlier, ...rest].join(" ")}\n`);
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

  // Naive: each reading begins where the one before ended; whoever looks at the pairs again throws the experiment away.
  test("a reading of the gate is of the time of the proof that it follows, however often it is read", () => {
    const given = onceProved();
    const gate = `${given}time-together=yes\n`;
    const first = later();
    // Also days after the first proof, of which there was nothing to tell.
    expect(proved(host, gate).evidence).toMatchObject({ heldSince: first, heldReason: "" });
    const since = later();
    expect(proved(host, given).evidence.heldSince).toBe(since);
    const read = [proved(host, gate).evidence, proved(host, gate).evidence];
    expect(read.map(({ heldSince }) => heldSince)).toEqual([since, since]);
    expect(proved(host, given).evidence.heldSince).toBe(read[1]?.asOf);
  });

  // Naive: of a clock that is set and, but for 20 us, set back before chronyd measures again, the log has nothing.
  test("a clock that was set since, in this boot, has no bound since; not for the gate, and not for who asks later", () => {
    const given = onceProved();
    const since = later();
    const watched = host.read("var/lib/timebase/clock-watched");
    const reason = expect.stringMatching(/^the clock was set between \S+Z and \S+Z, by somebody, chronyd at its start/);
    const wasSet = () => {
      const earlier = String(now() - 20);
      host.write(
        "var/lib/timebase/clock-watched",
        watched.replace(/^\d+ (\S+) \d{19}/, `${earlier} $1 1699999999999980000`),
      );
    };
    wasSet();
    const held = (...times: string[]) => JSON.parse(host.run(["held", ...times], "").stdout);
    expect(held(since)).toMatchObject({ heldBoundNs: null, heldReason: reason });
    const { evidence, row, status } = proved(host, given);
    expect(status).toBe(0);
    expect(evidence).toMatchObject({ heldSince: since, heldBoundNs: null, heldReason: reason });
    expect(row("time.held").verdict).toBe("warn");
    expect(proved(host, `${given}time-together=yes\n`).evidence).toMatchObject({
      heldBoundNs: null,
      heldReason: reason,
    });
    expect(held(since)).toMatchObject({ heldBoundNs: null, heldReason: reason });
    expect(held(`${stamp(now() - 100)}Z`, `${stamp(now() - 30)}Z`).heldBoundNs).toBeGreaterThan(0);
    // Who releases the clock and takes it back knows when it was set.
    host.remove("var/lib/timebase/clock-was-set");
    wasSet();
    host.run(["release"], "");
    expect(held(`${stamp(now() - 100)}Z`, `${stamp(now() - 30)}Z`).heldReason).toMatch(/^released by/);
    host.run(["resume"], "");
    expect(host.read("var/lib/timebase/clock-was-set")).toMatch(/^\d+ \d+\n$/);
    // Of another boot the log has chronyd's start.
    host.remove("var/lib/timebase/clock-was-set");
    host.write(
      "var/lib/timebase/clock-watched",
      watched.replace(/^(\d+) \S+ \d{19}/, "$1 another 1699999999999980000"),
    );
    expect(held(since).heldReason).toBe("");
  });

  // Naive: the variables of \`read\` after the last line, which have nothing.
  test("an update that chronyd has made and not logged is missed", () => {
    const given = onceProved();
    later();
    host.write(log, ourUpdates(now() - 120, now() - 4));
    expect(proved(host, given).evidence.heldReason).toMatch(/^no update is recorded after /);
  });

  test("lines of a smaller maxClockErrorPpm are of it, also when there is another one", () => {
    onceProved(plan.replace("time-settle", "time-max-clock-error-ppm=1\ntime-settle"));
    expect(host.read("var/lib/timebase/tracking-log-ppm")).toBe("1\n");
    host.converge(plan);
    expect(host.read("var/lib/timebase/tracking-log-ppm")).toBe("1\n");
    const slow = Array.from({ length: 12 }, (_, index) =>
      update(now() - 180 + index * 16, { source: "10.77.0.1", max: "2.200e-04" }),
    );
    host.write(
      "var/lib/timebase/plans/time",
      host.read("var/lib/timebase/plans/time").replace("maxpoll 0", "maxpoll 4"),
    );
    host.write(log, slow.join(""));
    const run = host.run(["held", `${stamp(now() - 150)}Z`, `${stamp(now() - 60)}Z`], "");
    expect(JSON.parse(run.stdout)).toMatchObject({ heldReason: "", heldBoundNs: expect.any(Number) });
  });

  test("a proof that fails by anything begins no new time, as its evidence is lost", () => {
    const given = onceProved();
    const since = later();
    host.write("etc/chrony/chrony.conf", "server 192.0.2.66\n");
    expect(proved(host, given).status).toBe(1);
    expect(host.read("var/lib/timebase/proved")).toMatch(`${since} -`);
  });

  // Naive: what the driver says of the clock's error now, for a time that is over.
  test("how far off Amazon's clock was then, is not recorded", () => {
    onEna(host, true);
    const given = afterBoot(host, logging(withEna(following(plans.all, "aws-phc"))), "ENA0", "ptp0");
    host.write(log, updates(now() - 60, now(), { source: "ENA0", stratum: 1 }));
    expect(proved(host, given).status).toBe(0);
    later();
    host.write(log, updates(now() - 120, now(), { source: "ENA0", stratum: 1 }));
    expect(proved(host, given).evidence).toMatchObject({
      heldBoundNs: null,
      heldReason: "the error of ENA0 itself is unknown: what its driver said of it then is not recorded",
    });
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
    const times = `from ${stamp(t - 200)}Z to ${stamp(t - 110)}Z`;
    expect(calm.stderr).toMatch(`timebase: ${times} at most `);
    expect(calm.stderr).toMatch(/us, at \S+Z \(its budget is 1000 us\)\n$/);
    expect(calm.said.maxErrorNs).toBe(1_000_000);
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
      [`${stamp(t + 99)}Z`],
      [`${stamp(t - 99)}Z`, ""],
      [`${stamp(t - 99)}+00:00`],
    ]) {
      expect(host.run(["held", ...wrong], "").status, wrong.join()).toBe(2);
    }
    expect(host.run(["held", `${stamp(t + 99)}Z`], "").stderr).toContain(`${stamp(t + 99)}Z is still to come`);
    expect(host.run(["held", `${stamp(t)}+01:00`], "").stderr).toContain("is no time in UTC such as 20");
    expect(host.run(["held", `${stamp(t)}Z`, "--help"], "")).toMatchObject({ status: 0 });
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
