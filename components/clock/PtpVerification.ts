import * as pulumi from "@pulumi/pulumi";
import type { GuestPtpState, HostEvidence } from "../evidence/HostEvidence";
import { argsWith } from "../plan/validate";
import { hostFields } from "../plan/validateHost";
import { guestPtpFields } from "../plan/validateTime";
import type { GuestPtpArgs, HostArgs } from "./args";
import { hostInputs } from "./hostInputs";
import { proven, provenHost } from "./provenHost";
import { guestPtpSection } from "./sections";

/** The arguments of a `PtpVerification`. */
export interface PtpVerificationArgs extends HostArgs, GuestPtpArgs {}

const validate = argsWith({ ...hostFields, ...guestPtpFields });

/**
 * Proves whether a host can give its microVMs a PTP clock (`ptp_kvm` in the guest), by the same hypercall that a guest
 * makes. Changes nothing on the host but the installed toolkit.
 */
export class PtpVerification extends pulumi.ComponentResource {
  /** Whether the host can give microVMs a PTP clock. */
  readonly guestPtp: pulumi.Output<GuestPtpState>;
  /** All that was read back from the host. */
  readonly evidence: pulumi.Output<HostEvidence>;

  constructor(name: string, args: PtpVerificationArgs, opts?: pulumi.ComponentResourceOptions) {
    const inputs = hostInputs("PtpVerification", name, args, validate);
    super("timebase:index:PtpVerification", name, {}, opts);

    this.evidence = provenHost(name, `${name}/ptp`, inputs, (known) => ({ guestPtp: guestPtpSection(known) }), this);
    this.guestPtp = proven(this.evidence, "guestPtp");

    this.registerOutputs({ guestPtp: this.guestPtp });
  }
}
