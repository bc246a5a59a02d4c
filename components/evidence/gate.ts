import type { MeasuredPair } from "../plan/topology";
import { isKnown, pairwiseBounds } from "./bounds";
import { type HostEvidence, Verdict } from "./HostEvidence";
import { comparePairs, contradiction, liarOf, type PairComparison } from "./pairs";

/** What a cluster must fulfil before anything that depends on it runs. */
export interface ClusterLimits {
  maxErrorMicros: number;
  /** Without one it is enough that the bound of every pair is known. */
  maxPairwiseMicros?: number;
  /** The pairs that have to be measured, and may not contradict their bounds. Default: none. */
  measuredPairs?: readonly MeasuredPair[];
}

/** Every reason why the cluster is not ready, one line each; empty if it is. */
export function clusterFailures(evidences: readonly HostEvidence[], limits: ClusterLimits): string[] {
  return [
    ...evidences.flatMap(failedChecks),
    ...evidences.flatMap((evidence) => boundFailure(evidence, limits.maxErrorMicros)),
    ...pairFailures(evidences, limits.maxPairwiseMicros ?? Number.POSITIVE_INFINITY),
    ...measurementFailures(evidences, limits.measuredPairs ?? []),
  ];
}

function failedChecks({ name, checks }: HostEvidence): string[] {
  return checks
    .filter(({ verdict }) => verdict === Verdict.Fail)
    .map(({ id, expected, found, remedy }) => `${name}: ${id} must be ${expected}, found ${found}; ${remedy}`);
}

function boundFailure({ name, errorBoundNs, errorBoundReason }: HostEvidence, maxErrorMicros: number): string[] {
  if (errorBoundNs === undefined) {
    return [`${name}: the error bound is unknown (${errorBoundReason})`];
  }
  return errorBoundNs > maxErrorMicros * 1000
    ? [`${name}: the error bound of ${micros(errorBoundNs)} is above the budget of ${maxErrorMicros} us`]
    : [];
}

/** The pairs that fail, the widest first; of the hundreds that a single host can spoil only the first are named. */
function pairFailures(evidences: readonly HostEvidence[], maxPairwiseMicros: number): string[] {
  const pairs = pairwiseBounds(evidences);
  const unknown = pairs.flatMap(({ hosts, bound }) =>
    isKnown(bound) ? [] : [`${hosts.join(" and ")}: the pairwise bound is unknown (${bound.unknown})`],
  );
  const wide = pairs
    .flatMap(({ hosts, bound }) =>
      isKnown(bound) && bound.ns > maxPairwiseMicros * 1000 ? [{ hosts, ns: bound.ns }] : [],
    )
    .sort((one, other) => other.ns - one.ns)
    .map(
      ({ hosts, ns }) =>
        `${hosts.join(" and ")}: the pairwise bound of ${micros(ns)} is above the budget of ${maxPairwiseMicros} us`,
    );
  return [...first(unknown), ...first(wide), ...(wide.length > 0 ? [PAIR_REMEDY] : [])];
}

const NAMED_PAIRS = 10;

function first(failures: readonly string[]): string[] {
  const more = failures.length - NAMED_PAIRS;
  return more > 0 ? [...failures.slice(0, NAMED_PAIRS), `and ${more} more pairs`] : [...failures];
}

/** Nothing that the engine compares has changed, so it would not look again by itself. */
const PAIR_REMEDY =
  "what to do: look at the pairs again by `pulumi up --replace '**-together'`; to come closer give sources that are nearer or asked " +
  "more often, and maxClockErrorPpm; or allow more by maxPairwiseMicros";

/** What was measured of pairs, as far as it refutes a bound, the furthest first, or is not there. */
function measurementFailures(evidences: readonly HostEvidence[], pairs: readonly MeasuredPair[]): string[] {
  const { compared, unmeasured } = comparePairs(evidences, pairs);
  const unknown = unmeasured.map(({ pair: { by, of }, reason }) => `${by} has not measured ${of} (${reason})`);
  const contradicting = compared
    .filter((comparison) => contradiction(comparison) > 0)
    .sort((one, other) => contradiction(other) - contradiction(one))
    .map((comparison) => contradictionText(comparison, liarOf(comparison.pair, compared)));
  return [
    ...first(unknown),
    ...(unknown.length > 0 ? [UNMEASURED_REMEDY] : []),
    ...first(contradicting),
    ...(contradicting.length > 0 ? [CONTRADICTION_REMEDY] : []),
  ];
}

function contradictionText({ pair, offsetNs, errorNs, allowedNs }: PairComparison, liar: string | undefined): string {
  const [by, of] = [pair.by, pair.of];
  const verdict =
    liar === undefined
      ? "which of the two is wrong cannot be told by the other hosts"
      : `${liar} is wrong, or its bound is: most of the hosts that it was compared with contradict it`;
  return (
    `${by} and ${of}: ${by} has measured ${of} to be ${micros(Math.abs(offsetNs))} ${offsetNs < 0 ? "behind" : "ahead"}, ` +
    `within ${micros(errorNs)}, and their bounds allow ${micros(allowedNs)}; ${verdict}`
  );
}

const UNMEASURED_REMEDY =
  "what to do: let UDP port 123 of the host that is to be measured be open to the one that measures it, then look again by " +
  "`pulumi up --replace '**-together'`";

const CONTRADICTION_REMEDY =
  "what to do: look again by `pulumi up --replace '**-together'`, which is enough if a clock was just being corrected; else find out on " +
  "the host that is wrong who sets its clock, and whether its source tells the truth (`sudo timebase status`, `chronyc -N sources`)";

function micros(ns: number): string {
  return `${(ns / 1000).toFixed(1)} us`;
}
