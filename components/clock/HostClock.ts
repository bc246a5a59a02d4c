import * as pulumi from "@pulumi/pulumi";
import type { GuestPtpState, HostEvidence } from "../evidence/HostEvidence";
import type { HostEndpointArgs } from "../hosts/endpoint";
import { checkInputs } from "../inputs";
import type { GuestPtp, OperatingSystem, RebootPolicy, TimeRole } from "../plan/enums";
import { at } from "../plan/validate";
import { validateBootConditions, validateEndpoint, validateHostOptions } from "../plan/validateHost";
import { validateGuestPtp, validateTime } from "../plan/validateTime";
import type { BootConditionArgs } from "./bootArgs";
import { announceReboot, proven, provenHost } from "./provenHost";
import { bootSection, guestPtpSection, timeSection } from "./sections";
import type { TimeSourceArgs } from "./timeSource";

/** The arguments of a `HostClock`. */
export interface HostClockArgs extends BootConditionArgs {
  /** How to reach the host: the `endpoint` of a host component, or the same written out. */
  endpoint: pulumi.Input<HostEndpointArgs>;
  /** The declared system. A host that runs another one refuses the plan. Default: whatever is detected. */
  operatingSystem?: pulumi.Input<OperatingSystem>;
  /** When the host may be rebooted, once, to make the parameters live. Default: RebootPolicy.ToProve. */
  reboot?: pulumi.Input<RebootPolicy>;
  /** Whether the host serves time to others. Default: TimeRole.Client. */
  timeRole?: pulumi.Input<TimeRole>;
  /** The NTP sources. Required of a client; a hub without any defines the time by its own clock. */
  sources?: pulumi.Input<pulumi.Input<TimeSourceArgs>[]>;
  /** The networks that a hub serves, each as a CIDR such as "10.77.0.0/24". Default: none. */
  allow?: pulumi.Input<pulumi.Input<string>[]>;
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
  /** How long the proof waits for the error bound to come under its budget, in seconds, 1 to 3600. Default: 120. */
  settleTimeoutSeconds?: pulumi.Input<number>;
  /** What happens when the host cannot give microVMs a PTP clock. Default: GuestPtp.Required. */
  guestPtp?: pulumi.Input<GuestPtp>;
  /** How long the host may take to answer for the first time, in seconds. Default: 600. */
  connectTimeoutSeconds?: pulumi.Input<number>;
  /** How long the host may take to answer again after its reboot, in seconds. Default: 600. */
  rebootTimeoutSeconds?: pulumi.Input<number>;
}

/**
 * Everything that one host of an experiment needs: the TSC by boot parameters, synchronised time, PTP for microVMs; with
 * one reboot at most, and all of it proved after that boot.
 */
export class HostClock extends pulumi.ComponentResource {
  /** The clocksource that the kernel uses: "tsc"; another one only where there is no TSC and `required` is false. */
  readonly clocksource: pulumi.Output<string>;
  /** The time that the host keeps: "utc" or "hub:<name>". */
  readonly timescale: pulumi.Output<string>;
  /** The largest possible distance from the timescale when it was read, in nanoseconds. */
  readonly errorBoundNs: pulumi.Output<number>;
  /** Whether the host can give microVMs a PTP clock. */
  readonly guestPtp: pulumi.Output<GuestPtpState>;
  /** All that was read back from the host. */
  readonly evidence: pulumi.Output<HostEvidence>;

  constructor(name: string, args: HostClockArgs, opts?: pulumi.ComponentResourceOptions) {
    const check = checkInputs("HostClock", name, args, (value) => [
      ...validateEndpoint(at(value, "endpoint"), "endpoint"),
      ...validateHostOptions(value),
      ...validateBootConditions(value),
      ...validateTime(value),
      ...validateGuestPtp(value),
    ]);
    super("timebase:index:HostClock", name, {}, opts);
    announceReboot(name, args.reboot, this);

    const inputs = pulumi.secret(args).apply(check);
    const sections = (known: pulumi.Unwrap<HostClockArgs>) => ({
      boot: bootSection(known),
      time: timeSection(known),
      guestPtp: guestPtpSection(known),
    });
    this.evidence = provenHost(name, name, inputs, sections, this, args.revertReboot);
    this.clocksource = proven(this.evidence, "clocksource");
    this.timescale = proven(this.evidence, "timescale");
    this.errorBoundNs = proven(this.evidence, "errorBoundNs");
    this.guestPtp = proven(this.evidence, "guestPtp");

    // The evidence is in the state already, as the output of the command that printed it.
    this.registerOutputs({
      clocksource: this.clocksource,
      timescale: this.timescale,
      errorBoundNs: this.errorBoundNs,
      guestPtp: this.guestPtp,
    });
  }
}
