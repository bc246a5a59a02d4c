import type { HostEvidence } from "./HostEvidence";

/** A bound in nanoseconds, or the reason why there is none. Never zero for want of something better. */
export type Bound = { readonly ns: number } | { readonly unknown: string };

/** The largest possible difference of two hosts' clocks at one instant. */
export interface PairwiseBound {
  /** The names of the two hosts. */
  hosts: readonly [string, string];
  bound: Bound;
}

/** Whether a bound is a number. */
export function isKnown(bound: Bound): bound is { readonly ns: number } {
  return "ns" in bound;
}

/**
 * How far the host's clock can be from its timescale at `now`. The bound grows with the distance from `asOf`, to both
 * sides: a clock that drifts was as wrong before the measurement as it is after it. Before it holds only as long as the clock
 * was not being corrected: a larger error that chronyd was just taking away is not in it.
 */
export function boundAt(evidence: HostEvidence, now: Date): Bound {
  if (evidence.errorBoundNs === undefined) {
    return { unknown: evidence.errorBoundReason || "the plan does not ask for the time" };
  }
  const elapsedSeconds = Math.abs(now.getTime() - Date.parse(evidence.asOf)) / 1000;
  if (Number.isNaN(elapsedSeconds)) {
    return { unknown: "the instant that was asked for is no valid date" };
  }
  if (elapsedSeconds === 0) {
    return { ns: evidence.errorBoundNs };
  }
  if (evidence.driftPpb === undefined) {
    return { unknown: `known at ${evidence.asOf} only: the clock's drift is unknown` };
  }
  return { ns: Math.ceil(evidence.errorBoundNs + evidence.driftPpb * elapsedSeconds) };
}

/** The bound of every pair of hosts at the instant of the newest evidence: the sum of both bounds. */
export function pairwiseBounds(evidences: readonly HostEvidence[]): PairwiseBound[] {
  const instant = new Date(Math.max(...evidences.map(({ asOf }) => Date.parse(asOf))));
  return evidences.flatMap((one, index) =>
    evidences.slice(index + 1).map(
      (other): PairwiseBound => ({
        hosts: [one.name, other.name],
        bound: pairBound(one, other, instant),
      }),
    ),
  );
}

/** The bound that holds for every pair: the largest, or the first that is unknown. */
export function widestBound(pairs: readonly PairwiseBound[]): Bound {
  const unknown = pairs.find(({ bound }) => !isKnown(bound));
  if (unknown !== undefined) {
    return unknown.bound;
  }
  const known = pairs.map(({ bound }) => bound).filter(isKnown);
  return known.length === 0
    ? { unknown: "one host alone has no pair" }
    : { ns: known.reduce((widest, { ns }) => Math.max(widest, ns), 0) };
}

/** The largest possible difference of two hosts' clocks at an instant: the sum of both bounds. */
export function pairBound(one: HostEvidence, other: HostEvidence, instant: Date): Bound {
  const bounds = [one, other].map((evidence) => ({ evidence, bound: boundAt(evidence, instant) }));
  const unknown = bounds.find(({ bound }) => !isKnown(bound));
  if (unknown !== undefined && !isKnown(unknown.bound)) {
    return { unknown: `${unknown.evidence.name}: ${unknown.bound.unknown}` };
  }
  if (one.timescale !== other.timescale) {
    return { unknown: `${one.name} keeps ${one.timescale} and ${other.name} keeps ${other.timescale}` };
  }
  if (one.leapSeconds !== undefined && other.leapSeconds !== undefined && one.leapSeconds !== other.leapSeconds) {
    return {
      unknown: `${leapText(one)}, and ${leapText(other)}: around a leap second they may be up to a second apart, so have all hosts follow one of the two`,
    };
  }
  return {
    ns: bounds
      .map(({ bound }) => bound)
      .filter(isKnown)
      .reduce((sum, { ns }) => sum + ns, 0),
  };
}

function leapText({ name, source, leapSeconds }: HostEvidence): string {
  return `${name} follows ${source}, whose leap seconds are ${leapSeconds}`;
}
