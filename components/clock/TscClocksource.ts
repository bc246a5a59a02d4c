import * as pulumi from "@pulumi/pulumi";
import type { HostEvidence } from "../evidence/HostEvidence";
import type { HostEndpointArgs } from "../hosts/endpoint";
import { checkInputs } from "../inputs";
import type { OperatingSystem, RebootPolicy } from "../plan/enums";
import { at } from "../plan/validate";
import { validateBootConditions, validateEndpoint, validateHostOptions } from "../plan/validateHost";
import type { BootConditionArgs } from "./bootArgs";
import { announceReboot, proven, provenHost, provenIfApplicable } from "./provenHost";
import { bootSection } from "./sections";

/** The arguments of a `TscClocksource`. */
export interface TscClocksourceArgs extends BootConditionArgs {
  /** How to reach the host: the `endpoint` of a host component, or the same written out. */
  endpoint: pulumi.Input<HostEndpointArgs>;
  /** The declared system. A host that runs another one refuses the plan. Default: whatever is detected. */
  operatingSystem?: pulumi.Input<OperatingSystem>;
  /** When the host may be rebooted, once, to make the parameters live. Default: RebootPolicy.ToProve. */
  reboot?: pulumi.Input<RebootPolicy>;
  /** How long the host may take to answer for the first time, in seconds. Default: 600. */
  connectTimeoutSeconds?: pulumi.Input<number>;
  /** How long the host may take to answer again after its reboot, in seconds. Default: 600. */
  rebootTimeoutSeconds?: pulumi.Input<number>;
}

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
    const check = checkInputs("TscClocksource", name, args, (value) => [
      ...validateEndpoint(at(value, "endpoint"), "endpoint"),
      ...validateHostOptions(value),
      ...validateBootConditions(value),
    ]);
    super("timebase:index:TscClocksource", name, {}, opts);
    announceReboot(name, args.reboot, this);

    const inputs = pulumi.secret(args).apply(check);
    this.evidence = provenHost(
      name,
      `${name}/clocksource`,
      inputs,
      (known) => ({ boot: bootSection(known) }),
      this,
      args.revertReboot,
    );
    this.clocksource = proven(this.evidence, "clocksource");
    this.bootParametersLive = provenIfApplicable(this.evidence, "bootParametersLive");

    this.registerOutputs({ clocksource: this.clocksource, bootParametersLive: this.bootParametersLive });
  }
}
