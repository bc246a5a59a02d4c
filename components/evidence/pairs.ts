import type { MeasuredPair } from "../plan/topology";
import { isKnown, pairBound } from "./bounds";
import type { HostEvidence } from "./HostEvidence";

/** What two hosts were measured to differ by, and what their bounds allow. */
export interface PairComparison {
  pair: MeasuredPair;
  /** How far the measured one is ahead. */
  offsetNs: number;
  errorNs: number;
  allowedNs: number;
}

/** A pair of which nothing is known that could be compared. */
export interface UnmeasuredPair {
  pair: MeasuredPair;
  reason: string;
}

/** How far the clocks of a pair are apart beyond all that bounds and measurement allow; positive where they contradict. */
export function contradiction({ offsetNs, errorNs, allowedNs }: PairComparison): number {
  return Math.abs(offsetNs) - errorNs - allowedNs;
}

/** Every pair that was to be measured, against the bounds of its hosts; those without a bound are left out. */
export function comparePairs(
  evidences: readonly HostEvidence[],
  pairs: readonly MeasuredPair[],
): { compared: PairComparison[]; unmeasured: UnmeasuredPair[] } {
  const byName = new Map(evidences.map((evidence) => [evidence.name, evidence]));
  const compared: PairComparison[] = [];
  const unmeasured: UnmeasuredPair[] = [];
  for (const pair of pairs) {
    const [by, of] = [byName.get(pair.by), byName.get(pair.of)];
    const { offsetNs, errorNs, ageMs, reason } = by?.pairs?.find(({ host }) => host === pair.of) ?? NOT_ASKED;
    if (
      by === undefined ||
      of === undefined ||
      offsetNs === undefined ||
      errorNs === undefined ||
      ageMs === undefined
    ) {
      unmeasured.push({ pair, reason });
      continue;
    }
    const allowedNs = allowedWithin(by, of, ageMs);
    if (allowedNs !== undefined) {
      compared.push({ pair, offsetNs, errorNs, allowedNs });
    }
  }
  return { compared, unmeasured };
}

const NOT_ASKED = {
  offsetNs: undefined,
  errorNs: undefined,
  ageMs: undefined,
  reason: "its evidence has nothing of it",
};

/**
 * What the bounds allow when it was measured, some time in the `ageMs` before the evidence. The bound of a pair is the larger
 * the further it is from both evidences, so it is largest at one end of that time.
 */
function allowedWithin(by: HostEvidence, of: HostEvidence, ageMs: number): number | undefined {
  const read = Date.parse(by.asOf);
  const [late, early] = [read, read - ageMs].map((instant) => pairBound(by, of, new Date(instant)));
  return late && early && isKnown(late) && isKnown(early) ? Math.max(late.ns, early.ns) : undefined;
}

/** Of a pair that contradicts its bounds, the host that more than half of those contradict that it was compared with. */
export function liarOf({ by, of }: MeasuredPair, compared: readonly PairComparison[]): string | undefined {
  const [one, other] = [by, of].map((host) => {
    const own = compared.filter(({ pair }) => pair.by === host || pair.of === host);
    return own.filter((comparison) => contradiction(comparison) > 0).length > own.length / 2;
  });
  return one === other ? undefined : one ? by : of;
}
