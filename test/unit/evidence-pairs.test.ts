import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseEvidence } from "../../components";
import { clusterFailures } from "../../components/evidence/gate";
import { comparePairs, contradiction, liarOf } from "../../components/evidence/pairs";
import { measuredPairs } from "../../components/plan/topology";
import { PRINTED } from "./support/evidence";

// What was measured between hosts, against the bounds that they claim.

/** A host as it is in truth: how far its clock was ahead when it was read, and how it runs; and the bound that it claims. */
interface Truth {
  offsetNs: number;
  ratePpb: number;
  boundNs: number;
  driftPpb: number;
  readMs: number;
}

const START = Date.parse("2026-11-23T18:25:32Z");
const names = (count: number) => Array.from({ length: count }, (_, index) => `n-${index}`);
const pairs = (count: number) => measuredPairs(names(count), ["n-0"]);

const aheadAt = ({ offsetNs, ratePpb, readMs }: Truth, atMs: number) => offsetNs + (ratePpb * (atMs - readMs)) / 1000;

/**
 * The evidences of these hosts: each has measured those before it, `noise` of its error off the truth, and some time before it
 * was read. A clock that runs on as it does was as far off before as it is after.
 */
const evidences = (hosts: readonly Truth[], errorNs: number, ageMs: number, noise: number) =>
  hosts.map((host, index) => {
    const { boundNs, driftPpb, readMs } = host;
    const measuredMs = readMs - (ageMs * (noise + 1)) / 2;
    return parseEvidence(
      JSON.stringify({
        ...PRINTED,
        host: `n-${index}`,
        asOf: new Date(START + readMs).toISOString(),
        errorBoundNs: boundNs,
        driftPpb,
        pairs: hosts.slice(0, index).map((other, of) => ({
          host: `n-${of}`,
          offsetNs: Math.trunc(aheadAt(other, measuredMs) - aheadAt(host, measuredMs) + noise * errorNs),
          errorNs: errorNs + 1,
          ageMs,
          reason: "",
        })),
      }),
    );
  });

const contradictions = (...given: Parameters<typeof evidences>) => {
  const { compared, unmeasured } = comparePairs(evidences(...given), pairs(given[0].length));
  expect(unmeasured).toEqual([]);
  expect(compared).toHaveLength(pairs(given[0].length).length);
  return { compared, wrong: compared.filter((comparison) => contradiction(comparison) > 0) };
};

/** A clock within its bound, wherever in it, that runs as fast as its drift allows. */
const truth = fc
  .record({
    share: fc.double({ min: -1, max: 1, noNaN: true }),
    rate: fc.double({ min: -1, max: 1, noNaN: true }),
    boundNs: fc.nat(10_000_000),
    driftPpb: fc.nat(100_000),
    readMs: fc.nat(60_000),
  })
  .map(({ share, rate, ...host }) => ({ ...host, offsetNs: share * host.boundNs, ratePpb: rate * host.driftPpb }));
const truths = fc.array(truth, { minLength: 3, maxLength: 8 });
const error = fc.nat(1_000_000);
const age = fc.nat(12_000);
const noise = fc.double({ min: -1, max: 1, noNaN: true });

describe("what was measured of pairs", () => {
  test("contradicts no bound that is true", () => {
    fc.assert(
      fc.property(truths, error, age, noise, (hosts, errorNs, ageMs, share) => {
        expect(contradictions(hosts, errorNs, ageMs, share).wrong).toEqual([]);
      }),
    );
  });

  test("names the one host that is off by more than all bounds and errors", () => {
    fc.assert(
      fc.property(truths, error, age, noise, fc.nat(7), fc.boolean(), (hosts, errorNs, ageMs, share, which, ahead) => {
        const liar = which % hosts.length;
        // More than two bounds, two errors, and what a clock may drift in a minute and an age.
        const off = (ahead ? 1 : -1) * (2 * 10_000_000 + 2 * 1_000_000 + 2 * 100_000 * 72 + 1_000_000);
        const lying = hosts.map((host, index) =>
          index === liar ? { ...host, offsetNs: host.offsetNs + 2 * off } : host,
        );
        const { compared, wrong } = contradictions(lying, errorNs, ageMs, share);
        expect(wrong).toHaveLength(hosts.length - 1);
        expect(new Set(wrong.map(({ pair }) => liarOf(pair, compared)))).toEqual(new Set([`n-${liar}`]));
      }),
    );
  });

  const calm = { boundNs: 100_000, driftPpb: 50_000, ratePpb: 0, readMs: 0 };
  const offBy = (...offsets: number[]) => offsets.map((offsetNs) => ({ ...calm, offsetNs }));

  test("cannot tell which of two it is, nor which half of four", () => {
    for (const offsets of [
      [0, 1_000_000],
      [0, 0, 1_000_000, 1_000_000],
    ]) {
      const { compared, wrong } = contradictions(offBy(...offsets), 10_000, 0, 0);
      expect(wrong).not.toEqual([]);
      expect(wrong.map(({ pair }) => liarOf(pair, compared))).toEqual(wrong.map(() => undefined));
    }
    const { compared, wrong } = contradictions(offBy(0, 0, 0, 1_000_000, 1_000_000), 10_000, 0, 0);
    expect(new Set(wrong.map(({ pair }) => liarOf(pair, compared)))).toEqual(new Set(["n-3", "n-4"]));
  });

  // Naive: the bounds of the evidence, whenever it was measured.
  test("is held against the bounds of when it was measured", () => {
    const hosts = offBy(0, 300_000);
    expect(contradictions(hosts, 10_000, 0, 0).wrong).toHaveLength(1);
    // 90 us too many, and 100 us of drift in a second.
    expect(contradictions(hosts, 10_000, 1000, 0).wrong).toEqual([]);
    // The other host was read a second later: its bound is of then.
    const late = hosts.map((host, index) => ({ ...host, readMs: index === 0 ? 2000 : 0 }));
    expect(contradictions(late, 10_000, 0, 0).wrong).toEqual([]);
  });

  test("is nothing where a bound is unknown, which is a failure by itself", () => {
    const [one, two] = evidences(offBy(0, 1_000_000), 10_000, 0, 0).map((evidence, index) =>
      index === 0 ? { ...evidence, errorBoundNs: undefined, errorBoundReason: "stale" } : evidence,
    );
    if (!one || !two) throw new Error("two hosts");
    expect(comparePairs([one, two], pairs(2))).toEqual({ compared: [], unmeasured: [] });
    const failures = clusterFailures([one, two], { maxErrorMicros: 1000, measuredPairs: pairs(2) });
    expect(failures).toContain("n-0 and n-1: the pairwise bound is unknown (n-0: stale)");
  });
});

describe("the gate", () => {
  const limits = (count: number) => ({ maxErrorMicros: 1000, measuredPairs: pairs(count) });
  const calm = { boundNs: 100_000, driftPpb: 0, ratePpb: 0, readMs: 0 };

  test("tells the pair, all figures, who it is, and what to do", () => {
    const three = [0, 0, -1_500_000].map((offsetNs) => ({ ...calm, offsetNs }));
    const text = (of: string) =>
      `n-2 and ${of}: n-2 has measured ${of} to be 1500.0 us ahead, within 10.0 us, and their bounds allow 200.0 us; ` +
      "n-2 is wrong, or its bound is: most of the hosts that it was compared with contradict it";
    const remedy = expect.stringMatching(
      /^what to do: look again by `pulumi up --replace '\*\*-together'`.*timebase status/,
    );
    expect(clusterFailures(evidences(three, 10_000, 0, 0), limits(3))).toEqual([text("n-0"), text("n-1"), remedy]);
    const two = [0, 1_500_000].map((offsetNs) => ({ ...calm, offsetNs }));
    expect(clusterFailures(evidences(two, 10_000, 0, 0), limits(2))).toEqual([
      "n-1 and n-0: n-1 has measured n-0 to be 1500.0 us behind, within 10.0 us, and their bounds allow 200.0 us; " +
        "which of the two is wrong cannot be told by the other hosts",
      remedy,
    ]);
    // Nobody has asked for it.
    expect(clusterFailures(evidences(two, 10_000, 0, 0), { maxErrorMicros: 1000 })).toEqual([]);
  });

  test("fails a pair that was not measured, with its reason", () => {
    const [one, two, three] = evidences(
      [0, 0, 0].map((offsetNs) => ({ ...calm, offsetNs })),
      10_000,
      0,
      0,
    );
    if (!one || !two || !three) throw new Error("three hosts");
    const silent = { ...two, pairs: [{ host: "n-0", reason: "no reply" }] };
    expect(clusterFailures([one, silent, { ...three, pairs: undefined }], limits(3))).toEqual([
      "n-1 has not measured n-0 (no reply)",
      "n-2 has not measured n-0 (its evidence has nothing of it)",
      "n-2 has not measured n-1 (its evidence has nothing of it)",
      expect.stringMatching(/^what to do: let UDP port 123/),
    ]);
  });
});

test("who measures whom: every pair of up to 33 hosts once, and no host more than 32 beside the hubs", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 70 }), fc.integer({ min: 0, max: 3 }), (count, hubs) => {
      const all = names(count);
      const hubNames = all.slice(-hubs || count);
      const measured = measuredPairs(all, hubNames);
      const unordered = measured.map(({ by, of }) => [by, of].sort().join());
      expect(new Set(unordered).size).toBe(measured.length);
      if (count <= 33) expect(measured).toHaveLength((count * (count - 1)) / 2);
      for (const name of all) {
        const own = measured.filter(({ by, of }) => by === name && !hubNames.includes(of));
        expect(own.length).toBeLessThanOrEqual(32);
        // chronyd takes no measurement of who follows this host.
        if (hubNames.includes(name)) expect(own).toEqual([]);
      }
    }),
    { numRuns: 30 },
  );
});
