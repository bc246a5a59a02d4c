import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EvidenceError, parseEvidence } from "../../components";
import { PRINTED, printed } from "./support/evidence";

describe("parseEvidence", () => {
  test("reads every field of the contract's example", () => {
    const { format: _, host, ...fields } = PRINTED;
    expect(parseEvidence(printed())).toEqual({ name: host, ...fields });
  });

  test("an unknown figure is undefined, never zero", () => {
    const evidence = parseEvidence(printed({ errorBoundNs: null, errorBoundReason: "no source", stratum: null }));
    expect(evidence.errorBoundNs).toBeUndefined();
    expect(evidence.stratum).toBeUndefined();
    expect(evidence.errorBoundReason).toBe("no source");
  });

  test.each(Object.keys(PRINTED))("a missing %s is a named error", (key) => {
    const { [key as keyof typeof PRINTED]: _, ...rest } = PRINTED;
    expect(() => parseEvidence(JSON.stringify(rest))).toThrow(EvidenceError);
    expect(() => parseEvidence(JSON.stringify(rest))).toThrow(key);
  });

  test.each(Object.keys(PRINTED))("a %s of the wrong type is a named error", (key) => {
    expect(() => parseEvidence(printed({ [key]: { wrong: true } }))).toThrow(EvidenceError);
  });

  test.each([
    ["", 'it is not JSON: ""'],
    ["12", "it is not a JSON object"],
    [printed({ format: 2 }), "its format is 2, and only format 1 is known"],
    [printed({ errorBoundNs: -1 }), 'the field "errorBoundNs" must be a number that is not negative, not -1'],
    [printed({ errorBoundNs: "0" }), 'the field "errorBoundNs" must be a number that is not negative, not "0"'],
    [printed({ errorBoundNs: null }), 'it has neither "errorBoundNs" nor "errorBoundReason"'],
    [printed({ checks: [] }), "it has no checks: nothing was proved"],
    [
      printed({ checks: [{ ...PRINTED.checks[0], verdict: "ok" }] }),
      'the field "verdict" must be one of pass, fail, warn, not-applicable',
    ],
    [printed({ asOf: "yesterday" }), 'the field "asOf" must be a time such as 2026-01-31T12:00:00Z, not "yesterday"'],
    [printed({ guestPtp: "yes" }), 'the field "guestPtp" must be one of available, unavailable, unknown, not "yes"'],
  ])("%s is refused with its reason", (json, reason) => {
    expect(() => parseEvidence(json)).toThrow(`the evidence of a host cannot be read: ${reason}`);
  });

  test("what is parsed already is not parsed again", () => {
    const already = parseEvidence(printed()) as unknown as string;
    expect(() => parseEvidence(already)).toThrow(
      "it is no text: what `cluster.hosts` and `evidence` give is parsed already",
    );
  });

  test("what the source does with leap seconds, where the host knows it; old evidence has nothing of it", () => {
    expect(parseEvidence(printed()).leapSeconds).toBeUndefined();
    const of = (leapSeconds: unknown) => parseEvidence(JSON.stringify({ ...PRINTED, leapSeconds })).leapSeconds;
    expect(of("smeared")).toBe("smeared");
    expect(() => of("sometimes")).toThrow(
      'the field "leapSeconds" must be one of smeared, exact, unknown, not "sometimes"',
    );
  });

  test("what held since the last proof is there or has a reason; old evidence has nothing of it", () => {
    const of = (held: object) => parseEvidence(JSON.stringify({ ...PRINTED, ...held }));
    expect(of({})).not.toHaveProperty("heldReason");
    const held = { heldSince: "2026-11-23T18:00:00.123Z", heldBoundNs: 500_000, heldReason: "" };
    expect(of(held)).toMatchObject(held);
    const first = of({ heldSince: null, heldBoundNs: null, heldReason: "the first" });
    expect(first.heldBoundNs).toBeUndefined();
    expect(first.heldReason).toBe("the first");
    for (const lost of [{ heldBoundNs: null }, { heldSince: null }]) {
      expect(() => of({ ...held, ...lost })).toThrow('it has neither "heldBoundNs" with "heldSince" nor "heldReason"');
    }
    expect(() => of({ ...held, heldSince: null, heldReason: "why" })).toThrow("it has neither");
    expect(() => of({ ...held, heldBoundNs: undefined })).toThrow('the field "heldBoundNs" is missing');
  });

  test("what was measured of other hosts is there or has a reason; old evidence has nothing of it", () => {
    const measured = { host: "node-1", offsetNs: -1200, errorNs: 40_000, ageMs: 3021, reason: "" };
    const unknown = { ...measured, offsetNs: null, errorNs: null, ageMs: null, reason: "no reply" };
    expect(parseEvidence(printed()).pairs).toBeUndefined();
    const { pairs } = parseEvidence(JSON.stringify({ ...PRINTED, pairs: [measured, unknown] }));
    expect(pairs).toEqual([measured, { host: "node-1", reason: "no reply" }]);
    const odd = [
      [{ ...measured, offsetNs: "1" }, 'the field "offsetNs" must be a number, not "1"'],
      [{ ...measured, errorNs: -1 }, 'the field "errorNs" must be a number that is not negative, not -1'],
      [{ ...measured, errorNs: null }, "pairs[0] must have all of offsetNs, errorNs and ageMs, or none and a reason"],
      [{ ...unknown, reason: "" }, "pairs[0] must have all of offsetNs, errorNs and ageMs, or none and a reason"],
      [{ ...measured, reason: undefined }, 'the field "reason" is missing'],
      ["node-1", "pairs[0] is not a JSON object"],
    ] as const;
    for (const [pair, reason] of odd) {
      expect(() => parseEvidence(JSON.stringify({ ...PRINTED, pairs: [pair] }))).toThrow(reason);
    }
    expect(() => parseEvidence(JSON.stringify({ ...PRINTED, pairs: null }))).toThrow(
      'the field "pairs" must be a list',
    );
  });

  test("a plan without a time section needs no reason", () => {
    const noTime = {
      timescale: null,
      errorBoundNs: null,
      driftPpb: null,
      source: null,
      sourceKind: null,
      stratum: null,
    };
    expect(parseEvidence(printed(noTime)).errorBoundNs).toBeUndefined();
  });

  test("any other text is an EvidenceError and nothing else", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(() => parseEvidence(text)).toThrow(EvidenceError);
      }),
    );
  });
});
