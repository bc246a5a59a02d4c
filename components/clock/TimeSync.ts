import * as pulumi from "@pulumi/pulumi";
import type { HostEvidence } from "../evidence/HostEvidence";
import { argsWith } from "../plan/validate";
import { hostFields } from "../plan/validateHost";
import { ownErrorsFit, rolesFit, timeFields } from "../plan/validateTime";
import type { HostArgs, TimeArgs } from "./args";
import { hostInputs } from "./hostInputs";
import { proven, provenHost } from "./provenHost";
import { timeSection } from "./sections";

/** The arguments of a `TimeSync`. */
export interface TimeSyncArgs extends HostArgs, TimeArgs {}

const validate = argsWith({ ...hostFields, ...timeFields }, rolesFit, ownErrorsFit);

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
    const inputs = hostInputs("TimeSync", name, args, validate);
    super("timebase:index:TimeSync", name, {}, opts);

    this.evidence = provenHost(name, `${name}/time`, inputs, (known) => ({ time: timeSection(known) }), this);
    this.source = this.evidence.apply(({ source }) => source);
    this.timescale = proven(this.evidence, "timescale");
    this.errorBoundNs = proven(this.evidence, "errorBoundNs");

    this.registerOutputs({ source: this.source, timescale: this.timescale, errorBoundNs: this.errorBoundNs });
  }
}
