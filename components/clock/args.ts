import type * as pulumi from "@pulumi/pulumi";
import type { HostEndpointArgs } from "../hosts/endpoint";
import type { GuestPtp, OperatingSystem, ProveWhen, RebootPolicy, TimeRole } from "../plan/enums";
import type { TimeKeyArgs, TimePairArgs, TimeSourceArgs } from "./timeSource";

// Each argument is declared once, with its docstring: the schema for other languages takes what an interface extends.

/** Arguments of every component that works on one host. */
export interface HostArgs {
  /** How to reach the host: the `endpoint` of a host component, or the same written out. */
  endpoint: pulumi.Input<HostEndpointArgs>;
  /** The declared system. A host that runs another one refuses the plan. Default: whatever is detected. */
  operatingSystem?: pulumi.Input<OperatingSystem>;
  /**
   * When the proof runs again. It ages: a bound holds at the evidence's `asOf`, and grows by `driftPpb` nanoseconds for each
   * second from there (`boundAt`). Default: ProveWhen.OnChange.
   */
  prove?: pulumi.Input<ProveWhen>;
  /**
   * How long the host may take to answer for the first time, in seconds; more than four times as long where packets are dropped,
   * as by a cloud's firewall. Default: 600.
   */
  connectTimeoutSeconds?: pulumi.Input<number>;
}

/** Arguments about what the boot parameters may meet on a host; a cluster has them too. */
export interface BootConditionArgs {
  /**
   * Whether `clocksource=tsc` wins over another clocksource among the user's own boot parameters, by coming last, until
   * the revert. `tsc=unstable` and `notsc` are refused all the same: the kernel obeys them wherever they stand.
   * Default: false, a contradiction is an error that names file and line.
   */
  override?: pulumi.Input<boolean>;
  /**
   * Whether to set `tsc=reliable`, which turns the kernel's own watch over the TSC off, on a machine where it may be a
   * lie: no virtual machine, and more than two sockets, no constant_tsc or nonstop_tsc, or a TSC that the kernel has
   * marked unstable. The proof warns. Default: false, such a machine is an error.
   */
  force?: pulumi.Input<boolean>;
  /**
   * Whether a host without any TSC (arm64) is an error. With false the clocksource is "not-applicable" in its evidence,
   * and the rest is made so and proved; set `guestPtp: GuestPtp.Reported` beside it, because the probe knows x86-64 only.
   * Default: true.
   */
  required?: pulumi.Input<boolean>;
  /**
   * Whether destroying also reboots the host and proves that its old clocksource is back; `rebootTimeoutSeconds` says how
   * long the host may take. Plain, because it decides whether there is one more command, `<name>-reverted`. Set it before
   * the destroy, by an `up`. Default: false, the running kernel keeps the parameters that it was booted with until its next
   * boot.
   */
  revertReboot?: boolean;
}

/** Arguments of the components that set boot parameters. */
export interface BootArgs extends BootConditionArgs {
  /** When the host may be rebooted, once, to make the parameters live. Default: RebootPolicy.ToProve. */
  reboot?: pulumi.Input<RebootPolicy>;
  /** How long the host may take to answer again after its reboot, in seconds. Default: 600. */
  rebootTimeoutSeconds?: pulumi.Input<number>;
}

/** How good a host's own oscillator is; a cluster says it of all of its hosts. */
export interface OscillatorArgs {
  /**
   * How much the frequency of a host's clock may come to differ from what chronyd has measured, in ppm, 0.1 to 1000: the error
   * bound grows by it from one measurement to the next, and from the evidence's `asOf` on; a budget below some 300 us needs a
   * small one. 10 is for an ordinary machine of metal, 0.1 for an oscillator that is compensated for its temperature
   * (chrony.conf(5), maxclockerror). Where the timescale is a hub's own clock, which may come to differ as much, twice that
   * counts. Default: 50, for virtual machines, whose host may move their clock.
   */
  maxClockErrorPpm?: pulumi.Input<number>;
}

/** Whether it is recorded how large the bound was; a cluster says it of all of its hosts. */
export interface TrackingLogArgs {
  /**
   * Whether chronyd logs each of its updates (/var/log/chrony/tracking.log), so that each proof also tells how large the error
   * bound was at most since the one before (`heldSince`, `heldBoundNs`), and `sudo timebase held FROM TO` of any time. What
   * the log cannot vouch for, such as a gap, a restart of chronyd or Amazon's clock device, is unknown with its reason; what was
   * above the budget, or is unknown, is a warning of `up`. An update is a line of 132 bytes, 11 MB a day where there is one each
   * second, as from a hub; the system's logrotate keeps about five weeks, which must not be compressed. Changing it restarts
   * chronyd. Not with Topology.Ptp. Default: false.
   */
  trackingLog?: pulumi.Input<boolean>;
}

/** Arguments of the components that make the time right. */
export interface TimeArgs extends OscillatorArgs, TrackingLogArgs {
  /** Whether the host serves time to others. Default: TimeRole.Client. */
  timeRole?: pulumi.Input<TimeRole>;
  /**
   * The time sources. One that the host cannot have is left out, which the evidence says, or refused if it is the only
   * one. Required of a client; a hub without any defines the time by its own clock.
   */
  sources?: pulumi.Input<pulumi.Input<TimeSourceArgs>[]>;
  /**
   * The networks whose hosts may ask this one for the time (NTP, UDP port 123), each as a CIDR such as "10.77.0.0/24": those
   * that a hub serves, and those of the hosts that have this one among their `pairs`. Default: none.
   */
  allow?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * The address of its own, IPv4, at which a hub serves network PTP beside NTP, to the networks of `allow`: on UDP ports 319 and
   * 320. Its clients follow it by a source of TimeSourceKind.Ptp with this address. Default: none.
   */
  ptpAddress?: pulumi.Input<string>;
  /**
   * The hosts whose clocks this one measures against its own, by NTP and without following them; what came of it is `pairs` of
   * the evidence. Each has to let this host in by its `allow`. Not one that follows this host, of which chronyd takes no
   * measurement: that one measures this host. Default: none.
   */
  pairs?: pulumi.Input<pulumi.Input<TimePairArgs>[]>;
  /**
   * The symmetric keys by which a hub authenticates its answers to those who ask with one of them. Others are served too: it
   * is for the clients to insist, by the `key` of their source. Default: none.
   */
  keys?: pulumi.Input<pulumi.Input<TimeKeyArgs>[]>;
  /**
   * Which time this is: "utc", or "hub:<name>" of the host that defines it. Bounds of two hosts add up on one timescale
   * only. Default: "utc"; for a hub without sources, "hub:<its own name>".
   */
  timescale?: pulumi.Input<string>;
  /**
   * The budget of the error bound in microseconds, 0.001 to 10,000,000: |system time offset| + root dispersion + root
   * delay / 2 + the reference's own error (RFC 5905, section 11.1). The proof fails above it. Default: 1000.
   */
  maxErrorMicros?: pulumi.Input<number>;
  /**
   * The error bound that the proof waits for, within `settleTimeoutSeconds`, in microseconds, 0.001 to 10,000,000. It passes above
   * it, as long as it is within `maxErrorMicros`. Default: `maxErrorMicros`.
   */
  settleErrorMicros?: pulumi.Input<number>;
  /** How long the proof waits for the error bound, in seconds, 1 to 3600. Default: 120. */
  settleTimeoutSeconds?: pulumi.Input<number>;
}

/** Arguments of the components that verify the PTP clock of microVMs. */
export interface GuestPtpArgs {
  /** What happens when the host cannot give microVMs a PTP clock. Default: GuestPtp.Required. */
  guestPtp?: pulumi.Input<GuestPtp>;
}
