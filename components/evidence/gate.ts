import { isKnown, pairwiseBounds } from "./bounds";
import { type HostEvidence, Verdict } from "./HostEvidence";

/** What a cluster must fulfil before anything that depends on it runs. */
export interface ClusterLimits {
  maxErrorMicros: number;
  maxPairwiseMicros: number;
}

/** Every reason why the cluster is not ready, one line each; empty if it is. */
export function clusterFailures(evidences: readonly HostEvidence[], limits: ClusterLimits): string[] {
  return [
    ...evidences.flatMap(failedChecks),
    ...evidences.flatMap((evidence) => boundFailure(evidence, limits.maxErrorMicros)),
    ...pairFailures(evidences, limits.maxPairwiseMicros),
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

function pairFailures(evidences: readonly HostEvidence[], maxPairwiseMicros: number): string[] {
  return pairwiseBounds(evidences).flatMap(({ hosts, bound }) => {
    const pair = hosts.join(" and ");
    if (!isKnown(bound)) {
      return [`${pair}: the pairwise bound is unknown (${bound.unknown})`];
    }
    return bound.ns > maxPairwiseMicros * 1000
      ? [`${pair}: the pairwise bound of ${micros(bound.ns)} is above the budget of ${maxPairwiseMicros} us`]
      : [];
  });
}

function micros(ns: number): string {
  return `${(ns / 1000).toFixed(1)} us`;
}
