import { makeStrict } from "../plan/strictEnums";
import type { LeapSeconds } from "../plan/timeSourceKinds";

/** How a check ended. */
export enum Verdict {
  /** As expected. */
  Pass = "pass",
  /** Not as expected; the proof fails. */
  Fail = "fail",
  /** Not as expected, and tolerated by the plan. */
  Warn = "warn",
  /** Does not exist on this machine, and the plan does not require it. */
  NotApplicable = "not-applicable",
}

/** Whether a host can give its microVMs a PTP clock by KVM's clock pairing. */
export enum GuestPtpState {
  /** The hypercall answered with a time. */
  Available = "available",
  /** The hypercall was refused, or the host has no KVM. */
  Unavailable = "unavailable",
  /** The question could not be asked; `guestPtpReason` says why. */
  Unknown = "unknown",
}

/** What a host's clock follows. */
export enum SourceKind {
  /** An NTP server. */
  Server = "server",
  /** A clock device of the host. */
  Refclock = "refclock",
  /** A hub, by network PTP. */
  Ptp = "ptp",
  /** Nobody: the host defines the timescale. */
  Itself = "itself",
}

/** One thing that `prove` looked at. */
export interface Check {
  /** Stable name, such as "clocksource.current". */
  id: string;
  /** How it ended. */
  verdict: Verdict;
  /** What the plan demands. */
  expected: string;
  /** What the host has. */
  found: string;
  /** What to do about it, in one sentence; empty if there is nothing to do. */
  remedy: string;
}

/** What a host has measured of another one's clock, directly. Figures that are absent are unknown, and `reason` says why. */
export interface PairMeasurement {
  /** The other host's name. */
  host: string;
  /** How far the other host's clock is ahead of this one's, in nanoseconds; negative where it is behind. */
  offsetNs?: number;
  /** How far that may be wrong, in nanoseconds: half of the round trip, all of which one direction may take, and more. */
  errorNs?: number;
  /** How long before `asOf` it was measured at most, in milliseconds. */
  ageMs?: number;
  /** Why it is unknown. */
  reason: string;
}

/**
 * What `timebase prove` read back from a host after the boot that counts. A figure that is absent is unknown or was not
 * asked for; its reason stands beside it. No figure is ever zero by default.
 */
export interface HostEvidence {
  /** The host's name. */
  name: string;
  /** Who owns the plan: `<project>/<stack>/<component name>`. */
  owner: string;
  /** When this was read, by the host's own clock: ISO 8601 in UTC. */
  asOf: string;
  /** The detected operating system, such as "debian-12". */
  os: string;
  /** The running kernel's release. */
  kernel: string;
  /** The running boot's id (`/proc/sys/kernel/random/boot_id`). */
  bootId: string;
  /** Whether converging rebooted the host. */
  rebooted?: boolean;
  /** The clocksource that the kernel uses. */
  clocksource?: string;
  /** The clocksources that the kernel offers. */
  availableClocksources?: string[];
  /** Whether the boot parameters are on the running kernel's command line. */
  bootParametersLive?: boolean;
  /** Whether the boot parameters are in the boot loader's configuration. */
  bootParametersPersistent?: boolean;
  /** Whether the host can give microVMs a PTP clock. */
  guestPtp?: GuestPtpState;
  /** Why microVMs get no PTP clock, or why that is unknown. */
  guestPtpReason: string;
  /** The address or device that the clock follows. */
  source?: string;
  /** What kind of source that is. */
  sourceKind?: SourceKind;
  /**
   * What the source does with a leap second, where the host alone knows it: of a cloud's services and clocks, of which `auto`
   * may take another one on each host.
   */
  leapSeconds?: LeapSeconds;
  /** The host's NTP stratum. */
  stratum?: number;
  /** What time this is: "utc", or "hub:<name>" when a hub of the cluster defines it. */
  timescale?: string;
  /** The largest possible distance from the timescale at `asOf`, in nanoseconds. */
  errorBoundNs?: number;
  /** Why the error bound is unknown. */
  errorBoundReason: string;
  /** How fast the error bound grows without new measurements, in nanoseconds per second. */
  driftPpb?: number;
  /** What was measured of other hosts' clocks. Absent where none are to be measured. */
  pairs?: PairMeasurement[];
  /** With `trackingLog`, when the proof before this one was read: what was since then is told. Absent in the first proof. */
  heldSince?: string;
  /** How large the error bound was at most from `heldSince` until `asOf`, in nanoseconds. */
  heldBoundNs?: number;
  /** Why that is unknown. Absent without `trackingLog`. */
  heldReason?: string;
  /** All that was checked. */
  checks: Check[];
}

makeStrict({ GuestPtpState, SourceKind, Verdict });
