import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseEvidence } from "../../components";
import { clusterFailures } from "../../components/evidence/gate";
import { runAwk } from "./awkProgram";
import { again, looked } from "./chronyc";
import { FakeHost, plans, synchronised } from "./FakeHost";
import { recording } from "./recordings";
import { shells } from "./shells";
import { conf, following, proved, refusal } from "./sources";

// The hosts that a host measures and does not follow: what chronyd says of them, recorded, and what comes of it on a host.

const versions = ["4.2", "4.3", "4.5", "4.6"];

const recorded = (version: string, situation: string) => recording("pairs", version, situation);

const followed = "server 10.77.0.1 iburst minpoll 0 maxpoll 0 xleave\n";
/** By name: the hub that is followed, another client, the same by a path that is 20 ms slow one way, and two that are none. */
const all = ["hub 10.77.0.1", "other 10.77.0.3", "far 10.77.0.5", "lost 10.77.0.4", "dead 10.77.0.9"];

const read = (text: string, now: number, { pairs = all, sources = followed, wait = "no", readMillis = 0 } = {}) => {
  const given = { service: "chrony", now, itself: "no", ...looked(text), budget_ns: 1_000_000, timescale: "hub:hub" };
  const values = { ...given, maxclockerror_ppm: 50, read_ms: readMillis, await_pairs: wait };
  const stdout = runAwk("chrony_state", values, text + again(text), {
    TIMEBASE_SOURCES: sources,
    TIMEBASE_PAIRS: pairs.join("\n"),
  });
  const lines = stdout.split("\n");
  const found = Object.fromEntries(
    lines.flatMap((line) => {
      const [, name = "", rest = ""] = /^pair=(\S+) (.*)$/.exec(line) ?? [];
      return name === "" ? [] : [[name, rest]];
    }),
  );
  const checks = Object.fromEntries(
    lines.flatMap((line) => {
      const [id = "", verdict, , what] = line.startsWith("check=") ? line.slice(6).split("\t") : [];
      return id === "" ? [] : [[id, { verdict, found: what }]];
    }),
  );
  return { found, checks, bound: /^bound-ns=(.*)$/m.exec(stdout)?.[1], stdout };
};

const figures = (measured = "") => {
  const [offset = Number.NaN, error = Number.NaN, ageMs = Number.NaN] = measured.split(" ").map(Number);
  return { offset, error, ageMs };
};

describe.each(versions)("chrony %s, recorded", (version) => {
  test("the truth is within the error of each measurement, also where the path is 20 ms longer one way", () => {
    for (const [situation, truth] of [
      ["measured", 0],
      ["off", 250_000_000],
    ] as const) {
      const { text, now } = recorded(version, situation);
      const { found } = read(text, now);
      for (const [name, ahead] of [
        ["hub", 0],
        ["other", truth],
        ["far", truth],
      ] as const) {
        const { offset, error, ageMs } = figures(found[name]);
        expect(Math.abs(offset - ahead), `${situation} ${name}`).toBeLessThanOrEqual(error);
        expect(ageMs).toBeGreaterThanOrEqual(1000);
        expect(ageMs).toBeLessThanOrEqual(12_000);
      }
      // Naive: a small deviation of many offsets, which all have the same half of the path in them.
      expect(Math.abs(figures(found.far).offset - truth)).toBeGreaterThan(5_000_000);
    }
  });

  test("the error is of the measurement alone, where chronyd tells it, and else with the other host's own", () => {
    const { text, now } = recorded(version, "measured");
    const margin = Number(/^\^,\?,10\.77\.0\.3,.*,([^,]*)$/m.exec(text)?.[1]) * 1e9;
    const { error } = figures(read(text, now).found.other);
    expect(error).toBeLessThan(margin / 10);
    const later = text.replace(/^(10\.77\.0\.3,(?:[^,]*,){17})[^,]*/m, "$1-0.000777000");
    const silent = text.trimEnd().replace(/\n.*$/, "\n"); // A line less: whose they are is not known.
    for (const other of [later, silent]) expect(figures(read(other, now).found.other).error).toBeCloseTo(margin + 1, 0);
  });

  test("what is not measured has its reason", () => {
    const { text, now } = recorded(version, "measured");
    const { found } = read(text, now, { pairs: [...all, "new 10.77.0.7", "named node-7.example"] });
    expect(found).toMatchObject({
      lost: "? it answers that it is not synchronised",
      dead: "? no reply",
      new: "? chronyd does not know it",
      named: "? its name has no address",
    });
    const gone = recorded(version, "gone");
    expect(read(gone.text, gone.now).found.other).toMatch(/^\? the last measurement is \d\d s old$/);
    const hub = recorded(version, "by-its-hub");
    expect(read(hub.text, hub.now, { pairs: ["client 10.77.0.2"] }).found.client).toBe(
      "? chronyd takes none of its answers, as of a host that follows this one",
    );
    expect(read("506 Cannot talk to daemon\n", now).found.other).toBe("? chronyd does not answer");
  });

  // Naive: every row of `sources` is a source.
  test("they are no sources: neither in what is selected, nor in what is told of why nothing is", () => {
    const { text, now } = recorded(version, "measured");
    const without = text.replace(/^(\^,\?,)?10\.77\.0\.[3459],.*\n/gm, "");
    const { bound, checks } = read(text, now);
    expect(bound).toBe(read(without, now, { pairs: [] }).bound);
    expect(checks["time.source"]).toEqual({ verdict: "pass", found: "10.77.0.1" });
    const unselected = text.replace("^,*,10.77.0.1", "^,x,10.77.0.1");
    expect(read(unselected, now).checks["time.source"]?.found).toBe("0 selected sources: 10.77.0.1 falseticker");
    const usable = { sources: `${followed}server 10.77.0.8\n` };
    expect(read(text, now, usable).checks["time.sources-usable"]?.found).toBe("10.77.0.8: its name has no address");
    const keyed = `${followed.trim()} key 5\n`;
    const rows = (text.match(/^\^,.,([^,]*)/gm) ?? []).map((row) => `${row.slice(4)},-,0,0,0,0,0,0,0,0`);
    const authdata = `${unselected}\n${rows.join("\n")}`;
    expect(read(authdata, now, { sources: keyed }).checks["time.authentication"]?.found).toBe(
      "no server is selected; 10.77.0.1 is not authenticated",
    );
  });

  // Naive: who is only to be measured is not looked at.
  test("unless chronyd follows one all the same", () => {
    const { text, now } = recorded(version, "measured");
    for (const state of ["+", "*"]) {
      const { checks, bound } = read(text.replace("^,?,10.77.0.3", `^,${state},10.77.0.3`), now);
      expect(checks["time.source"]?.verdict).toBe("fail");
      if (state === "+") expect(checks["time.source"]?.found).toBe("unexpected source 10.77.0.3");
      expect(bound).toBeUndefined();
    }
  });

  test("only who is to wait for it fails without a measurement, and the bound is none the less known", () => {
    const { text, now } = recorded(version, "measured");
    expect(read(text, now).checks["time.pairs"]).toBeUndefined();
    const waiting = read(text, now, { wait: "yes" });
    const lost = "lost: it answers that it is not synchronised; dead: no reply";
    expect(waiting.checks["time.pairs"]).toEqual({ verdict: "fail", found: lost });
    expect(waiting.stdout).toContain(`\npairs-unknown=${lost}\n`);
    expect(waiting.bound).toBe(read(text, now).bound);
    const measured = read(text, now, { wait: "yes", pairs: all.slice(0, 3) });
    expect(measured.checks["time.pairs"]).toEqual({ verdict: "pass", found: "hub, other, far" });
    expect(measured.stdout).not.toContain("pairs-unknown");
    expect(read(text, now, { wait: "yes", pairs: [] }).checks["time.pairs"]).toBeUndefined();
  });

  test("a measurement is older by the second that chronyd cuts off, and the reading", () => {
    const { text, now } = recorded(version, "measured");
    const told = Number(/^\^,\?,10\.77\.0\.3,\d+,\d+,\d+,(\d+)/m.exec(text)?.[1]);
    expect(figures(read(text, now, { readMillis: 250 }).found.other).ageMs).toBe(told * 1000 + 1250);
  });
});

test("whatever chronyc says, a pair has figures, or a reason", () => {
  const odd = fc.oneof(
    fc.constantFrom("", "-", "nan", "inf", "-1", "0", "1e999", "4294967295", "99999999999999999999", "0x1", "a b", "?"),
    fc.double().map(String),
    fc.string({ maxLength: 8 }).map((text) => text.replaceAll("\n", "")),
  );
  const { text, now } = recorded("4.6", "measured");
  const lines = text.split("\n");
  fc.assert(
    fc.property(fc.nat(lines.length - 1), fc.nat(34), odd, (line, column, value) => {
      const columns = (lines[line] as string).split(",");
      columns[column % columns.length] = value;
      const { found } = read([...lines.slice(0, line), columns.join(","), ...lines.slice(line + 1)].join("\n"), now);
      expect(Object.keys(found)).toEqual(["hub", "other", "far", "lost", "dead"]);
      for (const measured of Object.values(found)) {
        if (measured.startsWith("? ")) continue;
        expect(measured).toMatch(/^(0|-?[1-9]\d*) [1-9]\d* [1-9]\d*$/);
        expect(figures(measured).ageMs).toBeLessThanOrEqual(13_000);
      }
    }),
    { numRuns: 150 },
  );
});

const pairs = ["node-2 10.77.0.1", "node-3 10.77.0.3", "node-4 fd00::4", "node-5 node-5.example"];
const measuring = plans.time.replace("timescale=", `${pairs.map((pair) => `time-pair=${pair}\n`).join("")}timescale=`);
const waiting = `${measuring}converged-boot-id=x\nconverged-reboot=none\ntime-await-pairs=yes\n`;
const row = (name: string, offset: string) => `^,?,${name},11,1,377,2,${offset},${offset},0.000040000\n`;
const peers = row("10.77.0.3", "-0.000021000") + row("fd00::4", "0.000021000");

describe.each(shells)("a host that measures others, under %s,", (shell) => {
  let host: FakeHost;
  beforeEach(() => {
    host = new FakeHost(shell);
  });
  afterEach(() => host.destroy());

  test("has chronyd ask them and never follow them, and nobody twice", () => {
    host.converge(measuring.replace("timescale=", "time-allow=10.77.0.9/32\ntimescale="));
    const lines = host.read(conf).split("\n");
    expect(lines.filter((line) => /^(server|allow)/.test(line))).toEqual([
      "server 10.77.0.1 iburst minpoll 0 maxpoll 0 xleave",
      "server 10.77.0.3 noselect minpoll 1 maxpoll 1 xleave",
      "server fd00::4 noselect minpoll 1 maxpoll 1 xleave",
      "server node-5.example noselect minpoll 1 maxpoll 1 xleave",
      "allow 10.77.0.9/32",
    ]);
    const bare = plans.time
      .replace(/iburst.*\n/, "\ntime-pair=a 10.77.0.1\ntime-pair=b 10.77.0.11 key 5\n")
      .replace(" \n", "\n");
    host.converge(bare);
    expect(host.read(conf)).toContain(
      "\nserver 10.77.0.1\nserver 10.77.0.11 noselect minpoll 1 maxpoll 1 xleave key 5\n",
    );
    host.converge(plans.time);
    expect(host.read(conf)).not.toContain("noselect");
  });

  test("says what it has measured, and why it has not, in figures for programs", () => {
    host.converge(measuring);
    host.chrony(synchronised + peers);
    const proof = proved(host, measuring);
    expect(proof).toMatchObject({ status: 0, stderr: "" });
    expect(host.read("fake/asked")).toBe("-N -c -m tracking sources ntpdata tracking\n");
    const known = (host: string, offsetNs: number, errorNs: number) => ({
      ...{ host, offsetNs, errorNs, ageMs: expect.any(Number), reason: "" },
    });
    expect(proof.evidence.pairs).toEqual([
      known("node-2", 10_000, 250_001),
      known("node-3", 21_000, 40_001),
      known("node-4", -21_000, 40_001),
      { host: "node-5", offsetNs: null, errorNs: null, ageMs: null, reason: "its name has no address" },
    ]);
    expect(parseEvidence(proof.stdout).pairs?.[3]).toEqual({ host: "node-5", reason: "its name has no address" });
    host.converge(plans.time);
    expect(proved(host, plans.time).evidence).not.toHaveProperty("pairs");
    expect(host.read("fake/asked")).toBe("-N -c -m tracking sources tracking\n");
  });

  // When all hosts are there: before, it would wait for hosts that reboot.
  test("waits for the last of them where it is told to, says so, and fails with the reason", () => {
    host.converge(measuring);
    host.chrony(synchronised + peers);
    const failed = host.run(["prove", "--repair"], waiting);
    expect(failed.status).toBe(1);
    expect(failed.stderr).toContain("FAIL  time.pairs");
    expect(failed.stderr).toContain("found node-5: its name has no address");
    expect(JSON.parse(failed.stdout).errorBoundNs).toBeGreaterThan(0);
    // What is remembered is the plan, so that nothing waits for them later.
    expect(host.read("var/lib/timebase/plans/time")).toBe(measuring);
    host.meanwhile("sleep", `cat >>"$TIMEBASE_ROOT/fake/chronyc" <<'ROW'\n${row("node-5.example", "0.0")}ROW`);
    const proof = host.run(["prove"], waiting.replace("settle-seconds=0", "settle-seconds=9"));
    expect(proof).toMatchObject({ status: 0, stderr: "" });
    expect(JSON.parse(proof.stdout).pairs[3]).toMatchObject({ host: "node-5", offsetNs: 0 });
  });

  // Naive: who waits for the next measurement lets the bounds of the hosts that are read with it grow for a minute, or 17.
  test("has its servers asked while it waits, at once and each minute", () => {
    host.converge(plans.time);
    host.chrony(synchronised);
    host.write("proc/uptime", "100.00 1.00\n");
    host.meanwhile(
      "sleep",
      'cd "$TIMEBASE_ROOT/proc" && awk \'{ print $1 + 20 ".00 1.00" }\' uptime >later && mv later uptime',
    );
    const plan = plans.time.replace("settle-seconds=0", "settle-seconds=100").replace("ns=1000000", "ns=1000");
    expect(host.run(["prove"], plan).status).toBe(1);
    expect(host.read("fake/bursts")).toBe("burst 2/4\nburst 2/4\n");
  });

  // What its own budget allows is too much for a pair; the gate, which knows the other's part, judges what comes of it.
  test("waits for the bound that a pair of it needs, and passes without", () => {
    host.converge(plans.time);
    host.chrony(synchronised);
    const bound = proved(host, plans.time).evidence.errorBoundNs as number;
    expect(bound).toBeLessThan(1_000_000);
    const plan = plans.time.replace("settle-seconds=0", "settle-seconds=2");
    const rest = "converged-boot-id=x\nconverged-reboot=none\n";
    host.meanwhile("sleep", 'echo >>"$TIMEBASE_ROOT/fake/slept"; echo "102.00 1.00" >"$TIMEBASE_ROOT/proc/uptime"');
    const sleeps = (awaited: number) => {
      host.write("proc/uptime", "100.00 1.00\n");
      host.write("fake/slept", "");
      const { status, stdout } = host.run(["prove"], `${plan}${rest}time-settle-error-ns=${awaited}\n`);
      expect(status).toBe(0);
      expect(JSON.parse(stdout).errorBoundNs).toBeLessThan(1_000_000);
      return host.read("fake/slept").length;
    };
    expect(sleeps(bound * 2)).toBe(0);
    expect(sleeps(Math.floor(bound / 2))).toBeGreaterThan(0);
    // It is the reading's, and not remembered.
    expect(host.read("var/lib/timebase/plans/time")).not.toContain("settle-error");
  });

  test.each([
    "node-2",
    "node-2 ",
    "node-2 10.77.0.3 iburst",
    "node-2 10.77.0.3 key",
    "node-2 10.77.0.3 key x",
    "node-2 10.77.0.3 key 5 trust",
    "node-2 10.77.0.* ",
    "node-2 10.77.0.3;x",
    "",
  ])('refuses "%s"', (pair) => {
    const refused = refusal(
      host,
      plans.time.replace("timescale=", () => `time-pair=${pair}\ntimescale=`),
    );
    expect(refused).toContain(`"time-pair=${pair}" is not understood`);
  });

  test("follows the world, and measures others beside it", () => {
    const plan = following(measuring, "server 10.77.0.1 iburst");
    host.converge(plan);
    host.chrony(synchronised + peers);
    expect(proved(host, plan).evidence.pairs).toHaveLength(4);
    expect(host.read("fake/asked")).toBe("-N -c -m tracking sources ntpdata tracking\n");
  });
});

// From a chronyd that was 250 ms off to the gate: the whole way, with no figure made up but the others' agreement.
test.each(versions)("chrony %s: the host that is off is named, whatever it claims", (version) => {
  const { text, now } = recorded(version, "off");
  const host = (name: string, measured: [string, string | undefined][]) => {
    const pairs = measured.map(([of, said]) => {
      const { offset, error, ageMs } = figures(said);
      return { host: of, offsetNs: offset, errorNs: error, ageMs, reason: "" };
    });
    const check = { id: "clocksource.current", verdict: "pass", expected: "tsc", found: "tsc", remedy: "" };
    const evidence = { format: 1, host: name, owner: "o", asOf: new Date(now * 1000).toISOString(), os: "debian-12" };
    const none = { rebooted: null, clocksource: null, availableClocksources: null, guestPtp: null, guestPtpReason: "" };
    const boot = { kernel: "6.1", bootId: "b", bootParametersLive: null, bootParametersPersistent: null };
    const time = { source: null, sourceKind: null, stratum: null, timescale: "hub:hub", errorBoundReason: "" };
    const bound = { errorBoundNs: 200_000, driftPpb: 50_000, pairs, checks: [check] };
    return parseEvidence(JSON.stringify({ ...evidence, ...none, ...boot, ...time, ...bound }));
  };
  const { hub, other } = read(text, now).found;
  const evidences = [
    host("hub", []),
    host("other", [["hub", other]]),
    host("client", [
      ["hub", hub],
      ["other", other],
    ]),
  ];
  const measuredPairs = [
    { by: "other", of: "hub" },
    { by: "client", of: "hub" },
    { by: "client", of: "other" },
  ];
  const failures = clusterFailures(evidences, { maxErrorMicros: 1000, measuredPairs });
  expect(failures).toHaveLength(3);
  expect(failures.filter((failure) => failure.includes("other is wrong, or its bound is"))).toHaveLength(2);
});
