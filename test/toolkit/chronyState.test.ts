import { spawnSync } from "node:child_process";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { both, claim, formula, looked, OWN_ERROR, read, versions } from "./chronyc";
import { recording } from "./recordings";
import { shells } from "./shells";

// What chronyc says, as checks and figures: from recorded output of each version.

/** What a clock may drift beside the error that its plan allows for: residual frequency and skew, in ppm. */
const driftOf = (text: string): number => {
  const columns = text.split(",").map(Number);
  return Math.abs(columns[8] as number) + (columns[9] as number);
};

describe.each(versions)("chrony %s, recorded", (version) => {
  const of = (situation: string) => recording("chronyc", version, situation);

  test.each([
    ["server", 0, "127.0.0.1", "server"],
    ["refclock", OWN_ERROR, "/dev/ptp0", "refclock"],
  ])("%s: the bound is the formula's, or what the last measurement leaves room for", (situation, own, source, kind) => {
    const { text, now } = of(situation);
    const only = both.filter((line) => line.startsWith(situation));
    const { values, checks } = read(text, now, "no", "C", only);
    expect(Object.values(checks).map(({ verdict }) => verdict)).toEqual(["pass", "pass", "pass", "pass", "pass"]);
    // awk's rounding of the half that both add.
    expect(Math.abs(Number(values["bound-ns"]) - claim(text, own, now))).toBeLessThanOrEqual(1);
    expect(values).toMatchObject({ source, kind });
  });

  test.each([
    ["local", "time.synchronised", "only its own clock (local reference)"],
    ["first-seconds", "time.synchronised", "first seconds: frequency uncertain by 1000000.000 ppm"],
    ["never", "time.synchronised", "never synchronised"],
    ["dead-server", "time.source", "0 selected sources: 127.0.0.1 unusable (no reply)"],
    ["dead-refclock", "time.source", "ENA0 does not answer (reach 0)"],
    ["no-daemon", "time.daemon", "Could not open connection to daemon"],
  ])("%s: a named reason, where the naive bound is a number", (situation, check, found) => {
    const { text, now } = of(situation);
    if (situation !== "no-daemon") expect(formula(text, 0)).not.toBeNaN();
    const { values, checks } = read(text, now);
    expect(checks[check]).toEqual({ verdict: "fail", found });
    expect(checks["time.bound"]?.verdict).toBe("fail");
    expect(values["bound-ns"]).toBeUndefined();
    expect(values["bound-reason"]).not.toBe("");
  });

  test("the bound is of the end of the reading, and has what the clock drifts in the meantime in it", () => {
    const { text, now } = of("server");
    const driftPpm = driftOf(text);
    // `now` is the end, and chronyd was asked this long before.
    const took = (millis: number) =>
      Number(read(text, now + millis / 1000, "no", "C", both, millis).values["bound-ns"]);
    expect(Math.abs(took(2000) - took(0) - 2 * (50 + driftPpm) * 1000)).toBeLessThanOrEqual(1);
    expect(took(-2000)).toBeLessThanOrEqual(took(0));
  });

  test("the drift, and what of it is in the bound, are those of the clock error that the plan allows for", () => {
    const { text, now } = of("server");
    const of200 = (millis: number) => read(text, now + millis / 1000, "no", "C", both, millis, [], 200).values;
    const driftPpm = driftOf(text);
    expect(Number(of200(0)["drift-ppb"])).toBe(Math.round((200 + driftPpm) * 1000));
    const within2s = Number(of200(2000)["bound-ns"]) - Number(of200(0)["bound-ns"]);
    expect(Math.abs(within2s - 2 * (200 + driftPpm) * 1000)).toBeLessThanOrEqual(1);
  });

  // Somebody has set the clock; one measurement later chronyd's estimate still is the mean of many from before.
  test("a clock that was set by as much as the estimate has room for: the last measurement is within the bound", () => {
    const { text, now } = of("server");
    const room = formula(text, 0);
    for (const share of [0.5, 0.9, 1.2, 1.4, 2]) {
      const step = Math.round(share * room);
      const [tracking = "", row = ""] = text.split("\n");
      const columns = row.split(",");
      columns[7] = (step / 1e9).toFixed(9);
      const { values, checks } = read([tracking, columns.join(",")].join("\n"), now);
      // The formula says what it said before: of the last measurement there is nothing in it yet.
      expect(formula(tracking, 0)).toBe(room);
      if (checks["time.undisturbed"]?.verdict === "pass") {
        expect(Number(values["bound-ns"])).toBeGreaterThan(step + Number(columns[9]) * 1e9);
      } else {
        expect(values["bound-ns"]).toBeUndefined();
      }
    }
  });

  // Whoever takes the skew alone says 50 ppm, and is 60 us off each second.
  test.each([60, -60])("a frequency of %s ppm that chronyd knows to be wrong is drift, too", (ppm) => {
    const { text, now } = of("server");
    const columns = text.split(",");
    const wrong = [...columns.slice(0, 8), `${ppm}.000`, ...columns.slice(9)].join(",");
    const skewPpm = Number(columns[9]);
    expect(Number(read(wrong, now).values["drift-ppb"])).toBe(Math.round((50 + skewPpm + 60) * 1000));
  });

  test("the host that defines the timescale has no error against it", () => {
    const { text, now } = of("local");
    const { values, checks } = read(text, now, "yes");
    expect(values).toMatchObject({ "bound-ns": "0", source: "itself" });
    expect(checks["time.bound"]?.verdict).toBe("pass");
  });
});

describe("the other sources of the plan", () => {
  const { text, now } = recording("chronyc", "4.5", "server");
  const row = text.split("\n")[1] as string;
  const tracking = text.split("\n")[0] as string;
  /** The selected source as it was recorded, and others that differ in mode, state, name and reach. */
  const beside = (...others: [state: string, name: string, reach: string][]) =>
    [
      tracking,
      row,
      ...others.map(([state, name, reach]) => `^,${state},${name},10,0,${reach},2,0.0,0.0,0.000001`),
    ].join("\n");
  const hubs = ["server 127.0.0.1 iburst", "server 10.0.0.2 iburst", "server 10.0.0.3 iburst"];
  const verdictOf = (said: string, sources: string[]) => {
    const { checks, values } = read(said, now, "no", "C", sources);
    // All that a naive reader looks at is well: one source is selected, and the bound is known.
    expect(checks["time.source"]).toEqual({ verdict: "pass", found: "127.0.0.1" });
    expect(Number(values["bound-ns"])).toBe(Number(read(text, now).values["bound-ns"]));
    return checks["time.sources-usable"];
  };

  test.each<[string, [string, string, string][]]>([
    [
      "10.0.0.3: no reply",
      [
        ["+", "10.0.0.2", "377"],
        ["?", "10.0.0.3", "0"],
      ],
    ],
    [
      "10.0.0.3: no reply",
      [
        ["+", "10.0.0.2", "377"],
        ["+", "10.0.0.3", "0"],
      ],
    ],
    [
      "10.0.0.2: falseticker",
      [
        ["x", "10.0.0.2", "377"],
        ["-", "10.0.0.3", "17"],
      ],
    ],
    [
      "10.0.0.2: too variable; 10.0.0.3: unusable",
      [
        ["~", "10.0.0.2", "377"],
        ["?", "10.0.0.3", "1"],
      ],
    ],
    ["10.0.0.2: its name has no address", [["+", "10.0.0.3", "377"]]],
  ])("one is selected, and yet a warning: %s", (found, others) => {
    expect(verdictOf(beside(...others), hubs)).toEqual({ verdict: "warn", found });
  });

  test("a clock device that chronyd does not know", () => {
    expect(verdictOf(text, both)).toEqual({ verdict: "warn", found: "ENA0: chronyd does not know it" });
  });

  test("all that are good, combined or not; what is not of the plan does not count", () => {
    const said = beside(["+", "10.0.0.2", "377"], ["-", "10.0.0.3", "1"], ["x", "10.0.0.9", "377"]);
    expect(verdictOf(said, hubs)).toEqual({ verdict: "pass", found: "127.0.0.1, 10.0.0.2, 10.0.0.3" });
  });

  test("one address of a pool is enough, in any order, and none is not", () => {
    const pool = [hubs[0] as string, "pool pool.example iburst"];
    const dead: [string, string, string] = ["?", "pool.example", "0"];
    const good: [string, string, string] = ["+", "pool.example", "377"];
    for (const rows of [
      [dead, good, dead],
      [good, dead],
      [dead, dead, good],
    ]) {
      expect(verdictOf(beside(...rows), pool)).toMatchObject({ verdict: "pass" });
    }
    expect(verdictOf(beside(dead, dead), pool)).toEqual({ verdict: "warn", found: "pool.example: no reply" });
  });

  test("without a selected source it is the failure that it is, and no warning beside it", () => {
    const said = beside(["x", "10.0.0.2", "377"], ["x", "10.0.0.3", "377"]).replace("^,*,", "^,x,");
    const { checks } = read(said, now, "no", "C", hubs);
    expect(checks["time.source"]).toEqual({
      verdict: "fail",
      found: "0 selected sources: 127.0.0.1 falseticker, 10.0.0.2 falseticker, 10.0.0.3 falseticker",
    });
    expect(checks["time.sources-usable"]).toBeUndefined();
  });
});

describe.each(versions)("what a server follows itself, recorded by chrony %s", (version) => {
  const of = (situation: string, change = (text: string) => text, timescale = "utc") => {
    const { text, now } = recording("ntpdata", version, situation);
    const only = both.filter((line) => line.startsWith("server"));
    // All that a naive reader looks at is well.
    const naive = read(text.replace(/\n[^\n]*,Server,.*/s, "\n"), now, "no", "C", only);
    if (situation !== "silent") expect(naive.checks["time.source"]).toEqual({ verdict: "pass", found: "127.0.0.1" });
    const { checks, values } = read(change(text), now, "no", "C", only, 0, [], 50, timescale);
    expect(values["bound-ns"]).toBe(checks["time.source"]?.verdict === "pass" ? naive.values["bound-ns"] : undefined);
    return checks["time.source"];
  };
  const alone = { verdict: "fail", found: "127.0.0.1 follows nobody: it tells the time of its own clock" };

  test("is another one, or nobody, which is not UTC", () => {
    expect(of("follows")).toEqual({ verdict: "pass", found: "127.0.0.1" });
    expect(of("alone")).toEqual(alone);
    expect(of("silent")).toEqual({ verdict: "fail", found: "0 selected sources: 127.0.0.1 unusable (no reply)" });
  });

  test("is nobody's matter where it defines the timescale", () => {
    expect(of("alone", undefined, "hub:hub")?.verdict).toBe("pass");
  });

  test("may be another kind of its own clock: of ntpd, or of Windows", () => {
    for (const refid of ["7F7F0100", "4C4F434C", "4c4f434c"])
      expect(of("alone", (text) => text.replace("7F7F0101", refid))).toEqual(alone);
    for (const refid of ["7F000001", "47505300", "4C4F4341"])
      expect(of("alone", (text) => text.replace("7F7F0101", refid))?.verdict).toBe("pass");
  });

  test("is asked of each server that has a say, in chronyd's order, and of no other", () => {
    const beside = (state: string) => (text: string) => {
      const [tracking, row, data] = text.split("\n") as [string, string, string];
      const second = row.replace("^,*,", `^,${state},`);
      return [tracking, row, second, data.replace("7F7F0101", "7F000001"), data].join("\n");
    };
    expect(of("alone", beside("+"))).toEqual(alone);
    expect(of("alone", beside("-"))?.verdict).toBe("pass");
  });

  test("is not known where it cannot be read", () => {
    const unread = { verdict: "fail", found: "127.0.0.1: what it follows itself could not be read" };
    for (const cut of [/\n[^\n]*,Server,.*/s, /,No,No,.*/s])
      expect(of("follows", (text) => text.replace(cut, "\n"))).toEqual(unread);
    expect(of("follows", (text) => `${text}\n${text.split("\n")[2]}`)).toEqual(unread);
  });
});

describe("what is combined with the selected source", () => {
  const { text, now } = recording("chronyc", "4.5", "server");
  const [tracking, row] = text.split("\n") as [string, string];
  const bound = (own: number) => claim(text, own, now);
  const other = (mode: string, state: string, name: string) => `${mode},${state},${name},0,0,377,2,0.0,0.0,0.000001`;
  const sources = [...both, "refclock PHC /dev/ptp1 refid KVM0 poll 0", "server 10.0.0.2 iburst"];
  const of = (rows: string[], errors = ["ENA0 20000", "KVM0 300000"]) =>
    read([tracking, ...rows].join("\n"), now, "no", "C", sources, 0, errors);

  test.each([
    ["a server that is not of the plan", other("^", "+", "10.0.0.9"), "unexpected source 10.0.0.9"],
    ["a device that is not of the plan", other("#", "+", "PHC0"), "unexpected source PHC0"],
    ["a device of a server's name", other("#", "+", "10.0.0.2"), "10.0.0.2 is a refclock"],
    ["a server of a device's name", other("^", "+", "ENA0"), "ENA0 is a server"],
    ["a peer", other("=", "+", "10.0.0.2"), "10.0.0.2 is a peer"],
  ])("%s has a say, before the selected one or after it", (_, added, found) => {
    for (const rows of [
      [row, added],
      [added, row],
    ]) {
      // All that a naive reader looks at: one source is selected, it is the expected one, and it answers.
      expect(rows.filter((line) => /^.,[*],/.test(line))).toEqual([row]);
      expect(row).toMatch(/^\^,[*],127\.0\.0\.1,\d+,\d+,377,/);
      const { checks, values } = of(rows);
      expect(checks["time.source"]).toEqual({ verdict: "fail", found });
      expect(values["bound-ns"]).toBeUndefined();
    }
  });

  test("what is not combined has none, wherever it comes from", () => {
    const { checks, values } = of([row, other("^", "-", "10.0.0.9"), other("#", "?", "PHC0"), other("#", "-", "KVM0")]);
    expect(checks["time.source"]?.verdict).toBe("pass");
    expect(Math.abs(Number(values["bound-ns"]) - bound(0))).toBeLessThanOrEqual(1);
  });

  test("two selected sources are none", () => {
    const { checks, values } = of([row, other("^", "*", "10.0.0.2")]);
    expect(checks["time.source"]).toEqual({ verdict: "fail", found: "2 selected sources" });
    expect(values["bound-ns"]).toBeUndefined();
  });

  test("the largest error of the devices that steer the clock is in the bound, although a server is selected", () => {
    const [ena, kvm] = [other("#", "+", "ENA0"), other("#", "+", "KVM0")];
    for (const rows of [
      [row, ena, kvm],
      [kvm, ena, row],
    ]) {
      const { checks, values } = of(rows);
      expect(checks["time.source"]).toEqual({ verdict: "pass", found: "127.0.0.1" });
      expect(Math.abs(Number(values["bound-ns"]) - bound(300_000))).toBeLessThanOrEqual(1);
    }
    expect(Math.abs(Number(of([row, ena]).values["bound-ns"]) - bound(20_000))).toBeLessThanOrEqual(1);
  });

  test("an unknown error of one of them makes the bound unknown", () => {
    const rows = [row, other("#", "+", "ENA0"), other("#", "+", "KVM0")];
    for (const [errors, why] of [
      [["ENA0 20000"], "the error of /dev/ptp1 itself is unknown"],
      [["ENA0 ? it says nothing", "KVM0 300000"], "the error of /dev/ptp0 itself is unknown: it says nothing"],
    ] as const) {
      const { values } = of(rows, [...errors]);
      expect(values["bound-ns"]).toBeUndefined();
      expect(values["bound-reason"]).toBe(why);
    }
  });
});

describe("a clock that was set, as one look after the other finds it", () => {
  const { text, now } = recording("chronyc", "4.5", "server");
  const measuredAt = (second: number) => text.replace(/^([^,]*,[^,]*,[^,]*),[^,]*/, `$1,${now - 60 + second}.5`);
  /** Each look: whether the clocks were as far apart as before, and when chronyd has measured last. */
  const looks = (source: string, looks: [same: string, second: number][]) => {
    let seen = "";
    return looks.map(([same, second]) => {
      const state = read(measuredAt(second), now - 55 + second, "no", "C", [source], 0, [], 50, "hub:hub", {
        ...{ same, seen_ns: 7, seen },
      });
      seen = state.values.measured as string;
      expect(state.values["bound-ns"] === undefined).toBe(state.checks["time.undisturbed"]?.verdict !== "pass");
      return state.checks["time.undisturbed"]?.found.replace(
        /^the clock was set, or this source was not looked at before/,
        "set",
      );
    });
  };
  const server = "server 127.0.0.1 iburst";
  const fine = "as chronyd left it";

  test("is believed by the next measurement", () => {
    expect(
      looks(server, [
        ["no", 1],
        ["yes", 1],
        ["yes", 1],
        ["yes", 2],
        ["yes", 2],
        ["no", 3],
        ["yes", 3],
        ["yes", 4],
      ]),
    ).toEqual([
      "set",
      "set: measured 0 of 1 times since",
      "set: measured 0 of 1 times since",
      fine,
      fine,
      "set",
      expect.anything(),
      fine,
    ]);
  });

  // What was read before the clocks were, may be of before; the first measurement that comes after it need not be of after.
  test("is not by one that came between the reading and the look", () => {
    expect(
      looks(server, [
        ["no", 1],
        ["yes", 2],
        ["yes", 3],
      ]),
    ).toEqual(["set", "set: measured 0 of 1 times since", fine]);
  });

  // chronyd says at each update what it has measured one exchange before; of a refclock, what its filter makes of many.
  test.each([
    ["of an exchange that is one older", "server 127.0.0.1 iburst xleave prefer"],
    ["of an exchange that is one older, as the last word", "server 127.0.0.1 iburst minpoll 0 maxpoll 0 xleave"],
  ])("needs two, where chronyd is told %s", (_, source) => {
    expect(
      looks(source, [
        ["no", 1],
        ["yes", 1],
        ["yes", 2],
        ["yes", 3],
      ]),
    ).toEqual(["set", "set: measured 0 of 2 times since", "set: measured 1 of 2 times since", fine]);
  });

  test("needs two of a refclock", () => {
    const { text: refclock, now } = recording("chronyc", "4.5", "refclock");
    const of = (count: number) =>
      read(refclock, now, "no", "C", both, 0, [`ENA0 ${OWN_ERROR}`], 50, "hub:hub", {
        ...{ same: "yes", seen_ns: 0, seen: looked(refclock).seen.replace("0 9", `0 ${count}`) },
      }).checks["time.undisturbed"];
    expect(of(0)?.found).toContain("measured 1 of 2 times");
    expect(of(1)?.verdict).toBe("pass");
  });

  test("is not by what another source was measured before", () => {
    const of = (seen: string) =>
      read(text, now, "no", "C", [server], 0, [], 50, "hub:hub", { ...{ same: "yes", seen_ns: 0, seen } });
    expect(of("10.0.0.9 0 9").checks["time.undisturbed"]?.verdict).toBe("fail");
    expect(of("10.0.0.9 0 9").values.measured).toMatch(/^127\.0\.0\.1\/7F000001 \S+ -1$/);
    for (const odd of ["", "x", "127.0.0.1", "127.0.0.1 0", "127.0.0.1 0 x"])
      expect(of(odd).checks["time.undisturbed"]?.verdict, odd).toBe("fail");
  });

  // A look that would not have seen a change of so much.
  test("by less than could be seen is in the bound", () => {
    const of = (seen_ns: number) =>
      Number(
        read(text, now, "no", "C", [server], 0, [], 50, "hub:hub", { ...looked(text), seen_ns }).values["bound-ns"],
      );
    expect(of(5000) - of(0)).toBe(5000);
  });

  // Naive: the offset of one estimate, and the measurement that has made it another one.
  test("is not told by two answers of which one is of before a measurement, and one of after", () => {
    const later = text.split("\n")[0]?.replace(/^([^,]*,[^,]*,[^,]*),[^,]*/, `$1,${now}.25`);
    const of = (end: string) =>
      read(text, now, "no", "C", [server], 0, [], 50, "hub:hub", looked(text), `\n${end}\n`).checks["time.undisturbed"];
    expect(of(later as string)).toEqual({ verdict: "fail", found: "chronyd has measured while it was read" });
    expect(of("")?.verdict).toBe("fail");
  });
});

test.each(shells)("%s: the trend of the bound since the last line, where both are known", (shell) => {
  const bounds = ["1000", "'' ", "2000000", "500000", "510000", "490000", "600000", "100000000000000000"];
  const script = `. ${path.join(__dirname, "../../toolkit/lib/chrony.sh")}; settle_bound_ns=
    for time_bound_ns in ${bounds.join(" ")}; do settle_trend; echo "\${settle_trend:-none}"; done`;
  const { stdout, stderr } = spawnSync(shell, ["-euc", `TIMEBASE_ROOT= TIMEBASE_STATE=; ${script}`], {
    encoding: "utf8",
    // With a socket there, bash takes itself for the shell of a remote login, and reads its user's files.
    stdio: ["ignore", "pipe", "pipe"],
  });
  expect(stderr).toBe("");
  expect(stdout.trim().split("\n")).toEqual([
    ...["none", "none", "none", "falling", "steady", "steady", "rising", "rising"],
  ]);
});
