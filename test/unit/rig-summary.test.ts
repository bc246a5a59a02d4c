import { expect, test } from "vitest";
import { type ClusterSummary, GuestPtpState, Verdict } from "../../components";
import { summaryJson, summaryTable } from "../../rig/summary";

const checks = [{ id: "clocksource.current", verdict: Verdict.Pass, expected: "tsc", found: "tsc", remedy: "" }];
const known: ClusterSummary = {
  hosts: [
    {
      name: "node-1",
      clocksource: "tsc",
      bootParametersLive: true,
      rebooted: true,
      guestPtp: GuestPtpState.Available,
      source: "itself",
      stratum: 10,
      errorBoundNs: 0,
      checks,
    },
  ],
  provedAt: "2026-11-23T18:25:32.000Z",
  pairwiseBoundNs: 412_345,
  timescale: "hub:node-1",
};
const unknown: ClusterSummary = {
  hosts: [{ name: "node-1", errorBoundReason: "never synchronised", checks: [] }],
  provedAt: "2026-11-23T18:25:32Z",
  pairwiseBoundReason: "node-1: never synchronised",
};

test("the JSON has every key, and null for what is unknown", () => {
  expect(JSON.parse(summaryJson(known))).toEqual({
    hosts: [{ ...known.hosts[0] }],
    pairwiseBoundNs: 412_345,
    timescale: "hub:node-1",
    provedAt: "2026-11-23T18:25:32.000Z",
  });
  expect(JSON.parse(summaryJson(unknown))).toEqual({
    hosts: [
      {
        name: "node-1",
        clocksource: null,
        bootParametersLive: null,
        rebooted: null,
        guestPtp: "unknown",
        source: null,
        stratum: null,
        errorBoundNs: null,
        checks: [],
      },
    ],
    pairwiseBoundNs: null,
    timescale: null,
    provedAt: "2026-11-23T18:25:32Z",
  });
});

test("the table says what is known, and why something is not", () => {
  const table = summaryTable(known);
  for (const cell of ["node-1", "tsc", "live", "available", "itself", "defines the time", "1 passed"]) {
    expect(table).toContain(cell);
  }
  expect(table).toContain("Any two hosts differ by at most 412.3 us. Timescale: hub:node-1.");
  expect(summaryTable(unknown)).toContain("unknown (never synchronised)");
  expect(summaryTable(unknown)).not.toContain("not applicable");
  const arm = [{ ...checks[0], verdict: Verdict.NotApplicable }] as typeof checks;
  const summary = { ...unknown, hosts: [{ name: "node-1", clocksource: "arch_sys_counter", checks: arm }] };
  expect(summaryTable(summary)).toMatch(/arch_sys_counter .*not applicable/);
  const warned = [checks[0], { ...checks[0], verdict: Verdict.Warn }] as typeof checks;
  const other = { ...known, hosts: [{ name: "node-1", checks: warned }] };
  expect(summaryTable(other)).toContain("1 passed, 1 with a warning");
  expect(summaryTable(known)).not.toContain("warning");
});

test("the table says what a bound is held to", () => {
  const bound = { id: "time.bound", verdict: Verdict.Pass, expected: "at most 1000 us", found: "982.2 us", remedy: "" };
  const hosts = [{ name: "node-2", source: "10.77.0.11", errorBoundNs: 982_164, checks: [bound] }];
  expect(summaryTable({ ...known, hosts })).toContain("│ 982.2 us (at most 1000 us) │");
  expect(summaryTable({ ...known, hosts: hosts.map((host) => ({ ...host, checks: [] })) })).toMatch(/│ 982\.2 us +│/);
});

test("what did not pass is named below the table, once for all hosts that it is said of", () => {
  const warned = [{ id: "a.b", verdict: Verdict.Warn, expected: "x", found: "y", remedy: "do z" }];
  const failed = [{ id: "c.d", verdict: Verdict.Fail, expected: "x", found: "w", remedy: "do v" }];
  const hosts = [
    { name: "one", checks: warned },
    { name: "two", checks: [...warned, ...failed] },
  ];
  const lines = summaryTable({ ...known, hosts }).split("\n");
  expect(lines.slice(-2)).toEqual([
    "one, two: warning a.b: y; what to do: do z",
    "two: FAILED c.d: w; what to do: do v",
  ]);
});

test.each([
  ["2026-11-23T18:25:42Z", "10 s"],
  ["2026-11-23T18:30:32Z", "5 min"],
  ["2026-11-26T18:25:32Z", "72 h"],
  ["2026-11-23T18:25:31Z", "0 s"],
])("the table says at %s that the proof is %s old", (now, age) => {
  expect(summaryTable(known, new Date(now))).toContain(`The oldest proof is ${age} old (2026-11-23T18:25:32.000Z).`);
});
