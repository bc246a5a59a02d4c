import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Check, type HostEvidence, Verdict } from "../../components";
import type { Exchange } from "../../rig/offset-interval";
import { plot, pointsOf, refusalsOf } from "../truth/support/plot";
import { page, readReport } from "../truth/support/report";
import { exceeds, type Proof, type Sample, samplesOf } from "../truth/support/samples";
import { rowsOf, spread } from "../truth/support/statistics";
import { naiveOf } from "../truth/support/Witness";
import { evidence } from "./support/evidence";

const start = 1_795_000_000_000_000_000n;
const ms = 1_000_000n;

/** A look at a clock that is ahead by so much, at a time of ours, 10 us wide. */
const look = (atMs: number, aheadNs: number): Exchange => {
  const stampNs = start + BigInt(atMs) * ms;
  return { stampNs, answerNs: stampNs + BigInt(aheadNs) + 5_000n, seenNs: stampNs + 10_000n };
};
const claim = (fields: Partial<HostEvidence>): HostEvidence => ({
  ...evidence(),
  asOf: new Date(Number((start + 500n * ms) / ms)).toISOString(),
  ...fields,
});
const proof = (evidence: HostEvidence): Proof => ({
  phase: "steady",
  startedNs: start,
  endedNs: start + 1000n * ms,
  evidence,
  naive: { lastOffsetNs: 2_000, formulaNs: 2_000 },
});
const failed = (id: string): Check => ({ id, verdict: Verdict.Fail, expected: "", found: "", remedy: "" });

describe("samples", () => {
  test("a claim is held to the looks from its instant on until its proof has ended, and to no other", () => {
    const looks = [-10, 100, 499, 501, 900, 1001].map((at) => look(at, 0));
    const samples = samplesOf([proof(claim({ errorBoundNs: 1000, driftPpb: 0 }))], looks);
    expect(samples.map(({ atSeconds }) => Math.round(atSeconds * 1000))).toEqual([511, 910]);
  });

  test("its instant is one of the host's clock, which may be far from ours", () => {
    const looks = [100, 900].map((at) => look(at, 450e6));
    expect(samplesOf([proof(claim({ errorBoundNs: 1000, driftPpb: 0 }))], looks)).toHaveLength(2);
  });

  test("the bound grows by the drift that the evidence has", () => {
    const [sample] = samplesOf([proof(claim({ errorBoundNs: 1000, driftPpb: 50_000 }))], [look(900, 0)]);
    expect(sample?.boundNs).toBe(1000 + 0.4 * 50_000);
  });

  test("without a bound there is a check that refuses it, the cause before the consequence", () => {
    const refused = claim({ errorBoundNs: undefined, checks: [failed("time.bound"), failed("time.synchronised")] });
    const [sample] = samplesOf([proof(refused)], [look(900, 0)]);
    expect(sample).toMatchObject({ refusedBy: "time.synchronised" });
    expect(sample?.boundNs).toBeUndefined();
  });

  test("an offset exceeds a bound when all of its interval does, on either side", () => {
    const at = (lowNs: number, highNs: number) => ({ offset: { lowNs, highNs } }) as Sample;
    expect(exceeds(at(1100, 1300), 1000)).toBe(true);
    expect(exceeds(at(-1300, -1100), 1000)).toBe(true);
    expect(exceeds(at(900, 1300), 1000)).toBe(false);
    expect(exceeds(at(-900, 900), 1000)).toBe(false);
    expect(exceeds(at(1100, 1300), undefined)).toBe(false);
  });
});

const sample = (phase: string, atSeconds: number, offNs: number, bound: number | string, last = 10): Sample => ({
  phase,
  atSeconds,
  offset: { lowNs: offNs - 5, highNs: offNs + 5 },
  ...(typeof bound === "number" ? { boundNs: bound } : { refusedBy: bound }),
  naive: { lastOffsetNs: last, formulaNs: 100_000 },
});
const samples = [
  sample("steady", 0, 50_000, 100_000),
  sample("steady", 1, -60_000, 300_000, 90_000),
  sample("steady", 2, 25_000, 200_000),
  sample("step", 3, 200_000_000, "time.stepped"),
  sample("step", 4, 190_000_000, "time.stepped"),
  sample("step", 5, 100_000, 90_000),
];

describe("the report", () => {
  test("has for each phase what was claimed, refused and exceeded", () => {
    const [steady, step, absent] = rowsOf(samples, ["steady", "step", "absent"]);
    expect(steady).toEqual({
      phase: "steady",
      samples: 3,
      claims: 3,
      refusals: {},
      largestOffsetNs: 60_000,
      boundNs: { least: 100_000, median: 200_000, most: 300_000 },
      ratio: { least: 2, median: 5, most: 8 },
      naiveExceeded: { lastOffsetNs: 2, formulaNs: 0 },
      exceeded: 0,
    });
    expect(step).toMatchObject({
      claims: 1,
      refusals: { "time.stepped": 2 },
      naiveExceeded: { lastOffsetNs: 3, formulaNs: 2 },
      exceeded: 1,
    });
    const never = { lastOffsetNs: 0, formulaNs: 0 };
    expect(absent).toEqual({ phase: "absent", samples: 0, claims: 0, refusals: {}, naiveExceeded: never, exceeded: 0 });
  });

  test("is a page with a row for each phase", () => {
    const text = page({ toolkit: "abc", accelerator: "tcg", rows: rowsOf(samples, ["steady", "step", "absent"]) });
    expect(text).toContain("| steady | 3 | 3 | none | 60 | 100 / 200 / 300 | 2.0 / 5.0 / 8.0 | 2 | 0 | 0 |\n");
    expect(text).toContain(
      "| step | 3 | 1 | 2 by time.stepped | 200000 | 90 / 90 / 90 | 0.9 / 0.9 / 0.9 | 3 | 2 | 1 |\n",
    );
    expect(text).toContain("| absent | 0 | 0 | none | not seen | none | none | 0 | 0 | 0 |\n");
    expect(text).toContain("In 4 samples with a bound the true offset exceeded it 1 times.");
    expect(text).toMatch(/Of all 6 samples,[^,]*,[^,]*, was exceeded in\s5, and the formula alone [^)]*\) in\s2\./);
  });

  test("in docs/ground-truth.md is the page of its rows, and of nothing else", () => {
    expect(readFileSync(join(__dirname, "../../docs/ground-truth.md"), "utf8")).toBe(page(readReport()));
  });

  test("a spread does not depend on the order", () => {
    expect(spread([10, 9, 100])).toEqual({ least: 9, median: 10, most: 100 });
    expect(spread([])).toBeUndefined();
  });
});

test("naive numbers are those of chronyc's columns", () => {
  const tracking =
    "0A4D0001,10.77.0.1,11,1.5,-0.000012345,-0.000010000,0.000020000,-12.345,0.010,1.234,0.000412000,0.000101000,1.0,Normal";
  const { lastOffsetNs, formulaNs } = naiveOf(tracking);
  expect(lastOffsetNs).toBeCloseTo(10_000);
  expect(formulaNs).toBeCloseTo(12_345 + 101_000 + 206_000);
  expect(naiveOf("506 Cannot talk to daemon")).toEqual({ lastOffsetNs: 0, formulaNs: 0 });
});

describe("the plot", () => {
  test("breaks the line of the bound where there is none, and marks that", () => {
    const bounds = pointsOf(samples).filter(({ what }) => what === "claimed bound");
    expect(bounds.map(({ line }) => line)).toEqual([0, 0, 0, 2]);
    expect(refusalsOf(samples)).toEqual([{ from: 3, to: 4 }]);
  });

  test("is an SVG with the phases and what is plotted", async () => {
    const svg = await plot(samples, ["steady", "step"]);
    expect(svg).toMatch(/^<svg[^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"/);
    for (const text of ["steady", "step", "true offset", "claimed bound", "microseconds"]) expect(svg).toContain(text);
    expect(svg.length).toBeLessThan(60_000);
  });
});
