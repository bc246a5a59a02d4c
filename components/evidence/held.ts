import { isKnown, type PairwiseBound, pairwiseBounds, widestBound } from "./bounds";
import { type HostEvidence, Verdict } from "./HostEvidence";

/** What was of all hosts between their last two proofs, with `trackingLog`. */
export interface HeldSummary {
  /** With `trackingLog`, from when on it is known of all hosts what was between their last two proofs: ISO 8601 in UTC. */
  heldSince?: string;
  /** Until when it is. */
  heldUntil?: string;
  /** How far any host was at most from the timescale in that time, in nanoseconds. */
  heldBoundNs?: number;
  /** How far any two hosts were at most from each other in that time, in nanoseconds: the sum of both at their worst. */
  heldPairwiseBoundNs?: number;
  /** Why these are unknown. */
  heldReason?: string;
}

/** Sums it up. Nothing where no host keeps a log. */
export function heldSummary(evidences: readonly HostEvidence[]): HeldSummary {
  if (evidences.every(({ heldReason }) => heldReason === undefined)) {
    return {};
  }
  const lost = evidences.find(({ heldBoundNs }) => heldBoundNs === undefined);
  if (lost !== undefined) {
    return { heldReason: `${lost.name}: ${lost.heldReason ?? "no log is kept of it"}` };
  }
  const [from, to] = [latest(evidences, "heldSince"), earliest(evidences, "asOf")];
  if (instantOf(from, "heldSince") >= instantOf(to, "asOf")) {
    return {
      heldReason: `of ${to.name} it is known until ${to.asOf}, and of ${from.name} from ${from.heldSince} on: prove them together`,
    };
  }
  const pair = widestBound(heldPairs(evidences));
  return {
    heldSince: new Date(instantOf(from, "heldSince")).toISOString(),
    heldUntil: new Date(instantOf(to, "asOf")).toISOString(),
    heldBoundNs: Math.max(...evidences.map(({ heldBoundNs = Number.NaN }) => heldBoundNs)),
    ...(isKnown(pair) ? { heldPairwiseBoundNs: pair.ns } : evidences.length > 1 ? { heldReason: pair.unknown } : {}),
  };
}

type Instant = "heldSince" | "asOf";

function instantOf(evidence: HostEvidence, instant: Instant): number {
  return Date.parse(evidence[instant] ?? "");
}

function latest(evidences: readonly HostEvidence[], instant: Instant): HostEvidence {
  return evidences.reduce((one, other) => (instantOf(other, instant) > instantOf(one, instant) ? other : one));
}

function earliest(evidences: readonly HostEvidence[], instant: Instant): HostEvidence {
  return evidences.reduce((one, other) => (instantOf(other, instant) < instantOf(one, instant) ? other : one));
}

/** The check of the toolkit that tells of it, and does not fail: the next proof looks at the time that comes next. */
const HELD = "time.held";

/** That a host was not within its budget all the time, or that nobody knows. It is said by each `up` until the next proof. */
export function heldWarnings({ name, asOf, checks }: HostEvidence): string[] {
  return checks
    .filter(({ id, verdict }) => id === HELD && verdict === Verdict.Warn)
    .map(({ expected, found, remedy }) => `${name}: ${expected}, found ${found}, until ${asOf}; ${remedy}`);
}

/**
 * The same of a cluster that is read together after the `proofs`: of each host of which its proof had nothing to say, and of the
 * pair that was furthest apart, against the budget of a pair.
 */
export function heldTogetherWarnings(
  proofs: readonly HostEvidence[],
  hosts: readonly HostEvidence[],
  maxPairwiseMicros = Number.POSITIVE_INFINITY,
): string[] {
  const said = proofs.filter((proof) => heldWarnings(proof).length > 0).map(({ name }) => name);
  const { heldPairwiseBoundNs = 0, heldSince, heldUntil } = heldSummary(hosts);
  const widest = heldPairs(hosts).find(({ bound }) => isKnown(bound) && bound.ns === heldPairwiseBoundNs);
  return [
    ...hosts.filter(({ name }) => !said.includes(name)).flatMap(heldWarnings),
    ...(widest !== undefined && heldPairwiseBoundNs > maxPairwiseMicros * 1000
      ? [
          `${widest.hosts.join(" and ")}: at most ${maxPairwiseMicros} us apart, found up to ${(heldPairwiseBoundNs / 1000).toFixed(1)} us, ` +
            `the sum of both at their worst between ${heldSince} and ${heldUntil}`,
        ]
      : []),
  ];
}

/** As if each host had been read when it was at its worst, and all of them at one instant. */
function heldPairs(evidences: readonly HostEvidence[]): PairwiseBound[] {
  const asOf = evidences[0]?.asOf ?? "";
  const known = evidences.filter(({ heldBoundNs }) => heldBoundNs !== undefined);
  return pairwiseBounds(known.map((evidence) => ({ ...evidence, asOf, errorBoundNs: evidence.heldBoundNs })));
}
