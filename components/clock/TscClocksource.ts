import * as pulumi from "@pulumi/pulumi";
import type { HostEvidence } from "../evidence/HostEvidence";
import { argsWith } from "../plan/validate";
import { bootFields, hostFields } from "../plan/validateHost";
import type { BootArgs, HostArgs } from "./args";
import { hostInputs } from "./hostInputs";
import { announceReboot, proven, provenHost, provenIfApplicable } from "./provenHost";
import { bootSection } from "./sections";

/** The arguments of a `TscClocksource`. */
export interface TscClocksourceArgs extends HostArgs, BootArgs {}

const validate = argsWith({ ...hostFields, ...bootFields });

/**
 * Makes a host keep its time by the TSC, by persistent kernel boot parameters, and proves it after the boot that counts.
 * KVM gives microVMs a PTP clock only then (Linux, arch/x86/kvm/x86.c: `kvm_pv_clock_pairing`).
 */
export class TscClocksource extends pulumi.ComponentResource {
  /** The clocksource that the kernel uses: "tsc"; another one only where there is no TSC and `required` is false. */
  readonly clocksource: pulumi.Output<string>;
  /** Whether the boot parameters are on the running kernel's command line. Absent where there is no TSC. */
  readonly bootParametersLive: pulumi.Output<boolean | undefined>;
  /** All that was read back from the host. */
  readonly evidence: pulumi.Output<HostEvidence>;

  constructor(name: string, args: TscClocksourceArgs, opts?: pulumi.ComponentResourceOptions) {
    const inputs = hostInputs("TscClocksource", name, args, validate);
    super("timebase:index:TscClocksource", name, {}, opts);
    announceReboot(name, args.reboot, this);

    this.evidence = provenHost(name, `${name}/clocksource`, inputs, (known) => ({ boot: bootSection(known) }), this, {
      revertReboot: args.revertReboot,
    });
    this.clocksource = proven(this.evidence, "clocksource");
    this.bootParametersLive = provenIfApplicable(this.evidence, "bootParametersLive");

    this.registerOutputs({ clocksource: this.clocksource, bootParametersLive: this.bootParametersLive });
  }
}
