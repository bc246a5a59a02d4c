import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { boundAt, clusterSummary, guestChronyConf, isKnown, pairwiseBounds, widestBound } from "../../components";
import { clusterFailures } from "../../components/evidence/gate";
import type { HostEvidence } from "../../components/evidence/HostEvidence";
import { heldTogetherWarnings, heldWarnings } from "../../components/evidence/held";
import { LeapSeconds } from "../../components/plan/timeSourceKinds";
import { evidence } from "./support/evidence";

const AS_OF = new Date("2026-11-23T18:25:32Z");
const later = (seconds: number) => new Date(AS_OF.getTime() + seconds * 1000);
const hub = () => evidence({ host: "node-1", errorBoundNs: 0, driftPpb: 0, sourceKind: "itself", source: null });
const unsynced = () => evidence({ host: "node-3", errorBoundNs: null, errorBoundReason: "no source is selected" });

describe("boundAt", () => {
  test("is the printed bound at the instant of the evidence", () => {
    expect(boundAt(evidence(), AS_OF)).toEqual({ ns: 412_000 });
  });

  test("grows by the drift: 1500 ppb in ten seconds are 15 us", () => {
    expect(boundAt(evidence(), later(10))).toEqual({ ns: 427_000 });
    expect(boundAt(evidence(), later(-10))).toEqual({ ns: 427_000 });
  });

  test("an unknown bound keeps its reason", () => {
    expect(boundAt(unsynced(), AS_OF)).toEqual({ unknown: "no source is selected" });
    expect(boundAt(evidence(), new Date("31.01.2026 12:00"))).toEqual({
      unknown: "the instant that was asked for is no valid date",
    });
  });

  test("without a drift rate the bound is unknown at any other instant", () => {
    const frozen = evidence({ driftPpb: null });
    expect(boundAt(frozen, AS_OF)).toEqual({ ns: 412_000 });
    expect(boundAt(frozen, later(1))).toEqual({
      unknown: "known at 2026-11-23T18:25:32Z only: the clock's drift is unknown",
    });
  });

  test("never shrinks with the distance from the evidence", () => {
    const seconds = fc.integer({ min: 0, max: 1_000_000 });
    fc.assert(
      fc.property(seconds, seconds, fc.nat(), (one, other, driftPpb) => {
        const [near, far] = [Math.min(one, other), Math.max(one, other)].map((distance) =>
          boundAt(evidence({ driftPpb }), later(distance)),
        );
        expect(near && far && isKnown(near) && isKnown(far) && near.ns <= far.ns).toBe(true);
      }),
    );
  });
});

describe("pairwiseBounds", () => {
  test("is the sum of both bounds at the newest instant", () => {
    const older = evidence({ host: "node-1", asOf: "2026-11-23T18:25:22Z", errorBoundNs: 100_000, driftPpb: 1000 });
    expect(pairwiseBounds([older, evidence()])).toEqual([
      { hosts: ["node-1", "node-2"], bound: { ns: 100_000 + 10_000 + 412_000 } },
    ]);
  });

  test("is unknown across timescales", () => {
    const world = evidence({ host: "node-1", timescale: "utc" });
    expect(pairwiseBounds([world, evidence()])[0]?.bound).toEqual({
      unknown: "node-1 keeps utc and node-2 keeps hub:node-1",
    });
  });

  // `auto` takes a clock device on one machine and the cloud's NTP service, which smears, on another: both keep UTC.
  test("is unknown across sources that differ in what they do with leap seconds", () => {
    const leap = (host: string, source: string, leapSeconds: LeapSeconds): HostEvidence => ({
      ...evidence({ host, source, timescale: "utc" }),
      leapSeconds,
    });
    const device = leap("node-1", "/dev/ptp0", LeapSeconds.Exact);
    const service = leap("node-2", "169.254.169.123", LeapSeconds.Smeared);
    const [pair] = pairwiseBounds([device, service]);
    expect(pair?.bound).toEqual({
      unknown:
        "node-1 follows /dev/ptp0, whose leap seconds are exact, and node-2 follows 169.254.169.123, whose leap seconds are " +
        "smeared: around a leap second they may be up to a second apart, so have all hosts follow one of the two",
    });
    expect(clusterFailures([device, service], { maxErrorMicros: 1000 })).toEqual([
      expect.stringContaining("node-1 and node-2: the pairwise bound is unknown (node-1 follows /dev/ptp0"),
    ]);
    expect(clusterFailures([device, { ...device, name: "node-3" }], { maxErrorMicros: 1000 })).toEqual([]);
    // Of a server by its address the program has judged it.
    expect(clusterFailures([device, evidence({ timescale: "utc" })], { maxErrorMicros: 1000 })).toEqual([]);
  });

  test("is unknown when one host's bound is", () => {
    expect(pairwiseBounds([hub(), unsynced()])[0]?.bound).toEqual({ unknown: "node-3: no source is selected" });
  });

  test("has every pair once, and the widest is no smaller than any", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { minLength: 2, maxLength: 8 }), (bounds) => {
        const hosts = bounds.map((errorBoundNs, index) => evidence({ host: `node-${index}`, errorBoundNs }));
        const pairs = pairwiseBounds(hosts);
        const [first = 0, second = 0] = [...bounds].sort((one, other) => other - one);
        expect(pairs).toHaveLength((bounds.length * (bounds.length - 1)) / 2);
        expect(widestBound(pairs)).toEqual({ ns: first + second });
      }),
    );
  });

  test("one host alone has no pairwise bound, and not one of zero", () => {
    expect(widestBound(pairwiseBounds([evidence()]))).toEqual({ unknown: "one host alone has no pair" });
  });
});

describe("clusterSummary", () => {
  test("is the JSON that scripts read", () => {
    expect(JSON.parse(JSON.stringify(clusterSummary([hub(), evidence()])))).toEqual({
      hosts: [
        {
          name: "node-1",
          clocksource: "tsc",
          bootParametersLive: true,
          rebooted: true,
          guestPtp: "available",
          stratum: 11,
          errorBoundNs: 0,
          checks: [{ id: "clocksource.current", verdict: "pass", expected: "tsc", found: "tsc", remedy: "" }],
        },
        {
          name: "node-2",
          clocksource: "tsc",
          bootParametersLive: true,
          rebooted: true,
          guestPtp: "available",
          source: "10.77.0.11",
          stratum: 11,
          errorBoundNs: 412_000,
          checks: [{ id: "clocksource.current", verdict: "pass", expected: "tsc", found: "tsc", remedy: "" }],
        },
      ],
      pairwiseBoundNs: 412_000,
      provedAt: "2026-11-23T18:25:32.000Z",
      timescale: "hub:node-1",
    });
  });

  test("is as old as its oldest proof", () => {
    const summary = clusterSummary([evidence(), evidence({ asOf: "2026-11-23T18:25:31.5Z" })]);
    expect(summary.provedAt).toBe("2026-11-23T18:25:31.500Z");
  });

  test("says why a figure is missing", () => {
    const summary = clusterSummary([evidence({ timescale: "utc" }), unsynced()]);
    expect(summary.pairwiseBoundNs).toBeUndefined();
    expect(summary.pairwiseBoundReason).toBe("node-3: no source is selected");
    expect(summary.timescale).toBeUndefined();
    expect(summary.hosts[1]?.errorBoundReason).toBe("no source is selected");
  });
});

describe("what held since the last proofs", () => {
  const held = (host: string, heldBoundNs: number | null, more: object = {}) => ({
    ...evidence({ host, errorBoundNs: 1000, ...more }),
    ...{ heldSince: "2026-11-23T18:00:00.000Z", heldReason: heldBoundNs === null ? "no update is recorded" : "" },
    heldBoundNs: heldBoundNs ?? undefined,
  });

  // Naive: the bounds of now, or of those hosts that have one.
  test("is the widest host, and the two widest for a pair, from when on it is known of all", () => {
    const later = { ...held("node-2", 300_000), heldSince: "2026-11-23T18:05:00.000Z" };
    const summary = clusterSummary([held("node-1", 0), later, held("node-3", 200_000)]);
    expect(summary).toMatchObject({
      heldSince: "2026-11-23T18:05:00.000Z",
      heldUntil: "2026-11-23T18:25:32.000Z",
      heldBoundNs: 300_000,
      heldPairwiseBoundNs: 500_000,
    });
    expect(summary).not.toHaveProperty("heldReason");
    expect(clusterSummary([held("node-1", 7)])).toMatchObject({ heldBoundNs: 7 });
  });

  // Naive: a figure for a time of which nothing is known of the first.
  test("is unknown where one host is known until a time, and another from a later one on", () => {
    const later = { ...held("node-2", 300_000, { asOf: "2026-11-25T18:00:00Z" }), heldSince: "2026-11-24T18:00:00Z" };
    const summary = clusterSummary([held("node-1", 250_000), later]);
    expect(summary.heldReason).toBe(
      "of node-1 it is known until 2026-11-23T18:25:32Z, and of node-2 from 2026-11-24T18:00:00Z on: prove them together",
    );
    for (const figure of ["heldSince", "heldUntil", "heldBoundNs", "heldPairwiseBoundNs"])
      expect(summary).not.toHaveProperty(figure);
  });

  test("is unknown with a reason where it is of one host, and absent where nobody keeps a log", () => {
    const lost = clusterSummary([held("node-1", 300_000), held("node-2", null)]);
    expect(lost).toMatchObject({ heldReason: "node-2: no update is recorded" });
    const partly = clusterSummary([held("node-1", 300_000), evidence()]);
    expect(partly).toMatchObject({ heldReason: "node-2: no log is kept of it" });
    const apart = clusterSummary([held("node-1", 300_000), held("node-2", 1, { timescale: "utc" })]);
    expect(apart).toMatchObject({ heldBoundNs: 300_000, heldReason: "node-1 keeps hub:node-1 and node-2 keeps utc" });
    expect(lost.hosts).toMatchObject([{ heldBoundNs: 300_000 }, { heldReason: "no update is recorded" }]);
    for (const summary of [lost, partly, apart]) expect(summary).not.toHaveProperty("heldPairwiseBoundNs");
    expect(Object.keys(clusterSummary([evidence()])).join()).not.toContain("held");
  });
});

describe("what did not hold", () => {
  const heldCheck = (host: string, verdict: string, heldBoundNs: number) => ({
    ...evidence({
      host,
      checks: [{ id: "time.held", verdict, expected: "at most 25 us", found: "40 us", remedy: "look" }],
    }),
    ...{ heldSince: "2026-11-23T18:00:00.000Z", heldReason: "", heldBoundNs },
  });

  test("is told of each host, and of the widest pair against its own budget", () => {
    const hosts = [heldCheck("node-1", "pass", 30_000), heldCheck("node-2", "warn", 40_000)];
    const said = "node-2: at most 25 us, found 40 us, until 2026-11-23T18:25:32Z; look";
    expect(hosts.map(heldWarnings)).toEqual([[], [said]]);
    const apart =
      "node-1 and node-2: at most 50 us apart, found up to 70.0 us, the sum of both at their worst " +
      "between 2026-11-23T18:00:00.000Z and 2026-11-23T18:25:32.000Z";
    // Naive: each host is within what it was to be, so the pair is.
    expect(heldTogetherWarnings(hosts, [heldCheck("node-0", "pass", 1000), ...hosts], 50)).toEqual([apart]);
    // What the proof did not know is told of the reading that comes after it.
    expect(heldTogetherWarnings(hosts.slice(0, 1), hosts, 70)).toEqual([said]);
    expect(heldTogetherWarnings(hosts, hosts)).toEqual([]);
    expect(heldTogetherWarnings([], [evidence(), evidence()], 1)).toEqual([]);
    const apartInTime = [hosts[0], { ...hosts[1], heldSince: "2026-11-24T18:00:00Z" }] as HostEvidence[];
    expect(heldTogetherWarnings(hosts, apartInTime, 1)).toEqual([]);
  });
});

describe("clusterFailures", () => {
  const limits = { maxErrorMicros: 1000, maxPairwiseMicros: 2000 };

  test("a cluster within its limits has none", () => {
    expect(clusterFailures([hub(), evidence()], limits)).toEqual([]);
  });

  test("what is not applicable fails nothing", () => {
    const arm = { id: "clocksource.applicable", verdict: "not-applicable", expected: "tsc", found: "none", remedy: "" };
    const host = evidence({ bootParametersLive: null, checks: [arm] });
    expect(clusterFailures([hub(), host], limits)).toEqual([]);
    expect(clusterSummary([host]).hosts[0]?.checks).toEqual([arm]);
  });

  test("names every host and every pair that fails", () => {
    const failed = { id: "rivals", verdict: "fail", expected: "none", found: "ntpd", remedy: "stop ntpd" };
    const hosts = [evidence({ host: "node-1", checks: [failed] }), evidence({ errorBoundNs: 1_500_100 }), unsynced()];
    expect(clusterFailures(hosts, { maxErrorMicros: 1000, maxPairwiseMicros: 1500 })).toEqual([
      "node-1: rivals must be none, found ntpd; stop ntpd",
      "node-2: the error bound of 1500.1 us is above the budget of 1000 us",
      "node-3: the error bound is unknown (no source is selected)",
      "node-1 and node-3: the pairwise bound is unknown (node-3: no source is selected)",
      "node-2 and node-3: the pairwise bound is unknown (node-3: no source is selected)",
      "node-1 and node-2: the pairwise bound of 1912.1 us is above the budget of 1500 us",
      expect.stringContaining("what to do: look at the pairs again by `pulumi up --replace '**-together'`"),
    ]);
  });

  // A day after: each clock may have gone seconds off, for all that its old proof says, and none has to.
  test("old evidence fails a budget of pairs, and nothing where none is stated", () => {
    const hosts = [evidence({ host: "node-1", asOf: "2026-11-22T18:25:32Z", driftPpb: 50_123 }), evidence()];
    expect(clusterFailures(hosts, limits)).toEqual([
      "node-1 and node-2: the pairwise bound of 4331451.2 us is above the budget of 2000 us",
      expect.stringContaining("what to do: "),
    ]);
    expect(clusterFailures(hosts, { maxErrorMicros: 1000 })).toEqual([]);
  });

  test("names ten pairs of many, the widest first", () => {
    const many = Array.from({ length: 100 }, (_, index) =>
      evidence({ host: `n-${index}`, errorBoundNs: 1000 * index }),
    );
    const failures = clusterFailures(many, { maxErrorMicros: 1000, maxPairwiseMicros: 1 });
    expect(failures[0]).toBe("n-98 and n-99: the pairwise bound of 197.0 us is above the budget of 1 us");
    expect(failures.slice(9)).toEqual([
      expect.stringMatching(/^n-\d+ and n-\d+: /),
      "and 4939 more pairs",
      expect.stringContaining("what to do: "),
    ]);
  });
});

describe("guestChronyConf", () => {
  test("has twice the host's budget as the delay, half of which chronyd counts as an error", () => {
    expect(guestChronyConf(evidence(), 500)).toBe(
      `# For the microVMs of node-2: its clock, which is within 500 us of hub:node-1 as long as its proof holds.
# The delay is twice that, so that |system time| + root dispersion + root delay / 2 of \`chronyc tracking\` is the bound
# of the microVM: its host's and its own.
refclock PHC /dev/ptp0 poll -2 dpoll -2 offset 0 delay 0.001000000 trust prefer
# A microVM is born or resumed with a clock of the past: step at once, before the application starts.
makestep 0.001 3
# ppm; chrony's own default of 1 is too optimistic for a virtual machine.
maxclockerror 50
`,
    );
  });

  test("there is none without a clock for guests, or without a bound: none would be taken for zero", () => {
    expect(guestChronyConf(unsynced(), 500)).toBeUndefined();
    // Its bound is 412 us: nobody may be told less.
    expect(guestChronyConf(evidence(), 411)).toBeUndefined();
    expect(() => guestChronyConf(evidence(), Number.NaN)).toThrow("maxErrorMicros must be a number above 0, not NaN");
    expect(() => guestChronyConf(evidence(), -5)).toThrow("not -5");
    expect(guestChronyConf(evidence({ guestPtp: "unknown", guestPtpReason: "no python" }), 500)).toBeUndefined();
    expect(guestChronyConf(evidence({ guestPtp: null }), 500)).toBeUndefined();
  });
});
