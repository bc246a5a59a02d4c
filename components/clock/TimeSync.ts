import * as pulumi from "@pulumi/pulumi";
import type { HostEvidence } from "../evidence/HostEvidence";
import type { HostEndpointArgs } from "../hosts/endpoint";
import { checkInputs } from "../inputs";
import type { OperatingSystem, TimeRole } from "../plan/enums";
import { at } from "../plan/validate";
import { validateEndpoint, validateHostOptions } from "../plan/validateHost";
import { validateTime } from "../plan/validateTime";
import { proven, provenHost } from "./provenHost";
import { timeSection } from "./sections";
import type { TimeSourceArgs } from "./timeSource";

/** The arguments of a `TimeSync`. */
export interface TimeSyncArgs {
  /** How to reach the host: the `endpoint` of a host component, or the same written out. */
  endpoint: pulumi.Input<HostEndpointArgs>;
  /** The declared system. A host that runs another one refuses the plan. Default: whatever is detected. */
  operatingSystem?: pulumi.Input<OperatingSystem>;
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
  /** How long the host may take to answer for the first time, in seconds. Default: 600. */
  connectTimeoutSeconds?: pulumi.Input<number>;
}

/** Makes a host follow its time sources by chrony, and serve the cluster if it is a hub; proves the error bound. */
export class TimeSync extends pulumi.ComponentResource {
  /** The address or device that the clock follows. Absent for a hub that defines the time by its own clock. */
  readonly source: pulumi.Output<string | undefined>;
  /** The time that the host keeps: "utc" or "hub:<name>". */
  readonly timescale: pulumi.Output<string>;
  /** The largest possible distance from the timescale when it was read, in nanoseconds. */
  readonly errorBoundNs: pulumi.Output<number>;
  /** All that was read back from the host. */
  readonly evidence: pulumi.Output<HostEvidence>;

  constructor(name: string, args: TimeSyncArgs, opts?: pulumi.ComponentResourceOptions) {
    const check = checkInputs("TimeSync", name, args, (value) => [
      ...validateEndpoint(at(value, "endpoint"), "endpoint"),
      ...validateHostOptions(value),
      ...validateTime(value),
    ]);
    super("timebase:index:TimeSync", name, {}, opts);

    const inputs = pulumi.secret(args).apply(check);
    this.evidence = provenHost(name, `${name}/time`, inputs, (known) => ({ time: timeSection(known) }), this);
    this.source = this.evidence.apply(({ source }) => source);
    this.timescale = proven(this.evidence, "timescale");
    this.errorBoundNs = proven(this.evidence, "errorBoundNs");

    this.registerOutputs({ source: this.source, timescale: this.timescale, errorBoundNs: this.errorBoundNs });
  }
}
