import * as pulumi from "@pulumi/pulumi";
import type { GuestPtpState, HostEvidence } from "../evidence/HostEvidence";
import { argsWith } from "../plan/validate";
import { bootFields, hostFields } from "../plan/validateHost";
import { guestPtpFields, ownErrorsFit, rolesFit, timeFields } from "../plan/validateTime";
import type { BootArgs, GuestPtpArgs, HostArgs, TimeArgs } from "./args";
import { toolkitUrlOf } from "./delivery";
import { hostInputs } from "./hostInputs";
import { announceReboot, proven, provenHost } from "./provenHost";
import { allSections } from "./sections";

/** The arguments of a `HostClock`. */
export interface HostClockArgs extends HostArgs, BootArgs, TimeArgs, GuestPtpArgs {}

const validate = argsWith({ ...hostFields, ...bootFields, ...timeFields, ...guestPtpFields }, rolesFit, ownErrorsFit);

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
    const inputs = hostInputs("HostClock", name, args, validate);
    super("timebase:index:HostClock", name, {}, opts);
    announceReboot(name, args.reboot, this, args.sources);

    const options = { revertReboot: args.revertReboot, toolkitUrl: toolkitUrlOf(args) };
    this.evidence = provenHost(name, name, inputs, allSections, this, options);
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
