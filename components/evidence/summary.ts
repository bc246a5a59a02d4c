import { isKnown, pairwiseBounds, widestBound } from "./bounds";
import type { Check, GuestPtpState, HostEvidence } from "./HostEvidence";
import { type HeldSummary, heldSummary } from "./held";

/** One host of a cluster in short. Absent figures are unknown. */
export interface HostSummary {
  /** The host's name. */
  name: string;
  /** The clocksource that the kernel uses. */
  clocksource?: string;
  /** Whether the boot parameters are on the running kernel's command line. */
  bootParametersLive?: boolean;
  /** Whether converging rebooted the host. */
  rebooted?: boolean;
  /** Whether the host can give microVMs a PTP clock. */
  guestPtp?: GuestPtpState;
  /** The address or device that the clock follows. */
  source?: string;
  /** The host's NTP stratum. */
  stratum?: number;
  /** The largest possible distance from the timescale when it was read, in nanoseconds. */
  errorBoundNs?: number;
  /** Why the error bound is unknown. */
  errorBoundReason?: string;
  /** With `trackingLog`, since when the next two are told: ISO 8601 in UTC. */
  heldSince?: string;
  /** How large the error bound was at most since then, in nanoseconds. */
  heldBoundNs?: number;
  /** Why that is unknown. */
  heldReason?: string;
  /** All that was checked. */
  checks: Check[];
}

/** A cluster in short, for people and for scripts. */
export interface ClusterSummary extends HeldSummary {
  /** The hosts in the order of the arguments. */
  hosts: HostSummary[];
  /** When the oldest of the proofs was read, by that host's clock: ISO 8601 in UTC. A proof says nothing of later. */
  provedAt: string;
  /** The largest possible difference of any two hosts' clocks, in nanoseconds. */
  pairwiseBoundNs?: number;
  /** Why the pairwise bound is unknown. */
  pairwiseBoundReason?: string;
  /** The time that all hosts keep: "utc", or "hub:<name>". Absent if they keep different ones. */
  timescale?: string;
}

/** Sums a cluster up. Figures that are unknown are left out, so that nobody reads them as zero. */
export function clusterSummary(evidences: readonly HostEvidence[]): ClusterSummary {
  const widest = widestBound(pairwiseBounds(evidences));
  const timescale = commonTimescale(evidences);
  return {
    hosts: evidences.map(hostSummary),
    provedAt: new Date(Math.min(...evidences.map(({ asOf }) => Date.parse(asOf)))).toISOString(),
    ...(isKnown(widest) ? { pairwiseBoundNs: widest.ns } : { pairwiseBoundReason: widest.unknown }),
    ...heldSummary(evidences),
    ...(timescale === undefined ? {} : { timescale }),
  };
}

function hostSummary(evidence: HostEvidence): HostSummary {
  const { name, clocksource, bootParametersLive, rebooted, guestPtp, source, stratum, checks } = evidence;
  const { errorBoundNs, errorBoundReason, heldSince, heldBoundNs, heldReason } = evidence;
  return {
    name,
    clocksource,
    bootParametersLive,
    rebooted,
    guestPtp,
    source,
    stratum,
    errorBoundNs,
    ...(errorBoundNs === undefined ? { errorBoundReason } : {}),
    ...(heldReason === undefined ? {} : heldBoundNs === undefined ? { heldReason } : { heldSince, heldBoundNs }),
    checks,
  };
}

function commonTimescale(evidences: readonly HostEvidence[]): string | undefined {
  const [first, ...others] = evidences.map(({ timescale }) => timescale);
  return others.every((other) => other === first) ? first : undefined;
}
