import * as pulumi from "@pulumi/pulumi";
import type { HostClock } from "../clock/HostClock";
import { provenAgain, warn } from "../clock/provenHost";
import { type ClusterLimits, clusterFailures } from "../evidence/gate";
import { guestChronyConf } from "../evidence/guest";
import type { HostEvidence } from "../evidence/HostEvidence";
import { heldTogetherWarnings } from "../evidence/held";
import { type ClusterSummary, clusterSummary } from "../evidence/summary";
import { checkInputs, settled } from "../inputs";
import { AWAIT_PAIRS, DEFAULT_MAX_ERROR_MICROS, TOGETHER } from "../plan/time";
import { validateCluster } from "../plan/validateCluster";
import { shortHash } from "../shortHash";
import type { ExperimentClusterArgs } from "./args";
import { hostClocks } from "./hostClocks";
import { machinesFit } from "./machines";
import { clusterPairs } from "./pairs";

/**
 * The hosts of an experiment on one trustworthy clock, proved on each host and, with `maxPairwiseMicros`, for each pair of hosts.
 *
 * No host is changed by a cluster of which an input is wrong: the first command on a host waits until all endpoints are
 * known, so until the last machine of the cluster exists, and have passed. Then all hosts converge, reboot and prove side
 * by side. A preview shows each host by its own inputs: it does not matter there that another machine is not known yet.
 */
export class ExperimentCluster extends pulumi.ComponentResource {
  /** What was read back from each host, in the order of the arguments. */
  readonly hosts: pulumi.Output<HostEvidence[]>;
  /** The cluster in short. */
  readonly summary: pulumi.Output<ClusterSummary>;
  /** The largest possible difference of any two hosts' clocks, in nanoseconds. Absent for one host alone. */
  readonly pairwiseBoundNs: pulumi.Output<number | undefined>;
  /** The time that all hosts keep: "utc" or "hub:<name>". */
  readonly timescale: pulumi.Output<string | undefined>;
  /** For each host that can give microVMs a PTP clock, by its name, what chronyd in them is configured with (`guestChronyConf`). */
  readonly guestChronyConfs: pulumi.Output<Record<string, string>>;
  /**
   * True when every host holds its limits, and every pair the one that is stated; otherwise it fails, naming all that do not.
   * What needs the clock takes `{ dependsOn: cluster.ready.apply(() => cluster) }`; `dependsOn: cluster` does not wait for the pairs.
   */
  readonly ready: pulumi.Output<boolean>;

  constructor(name: string, args: ExperimentClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    const check = checkInputs("ExperimentCluster", name, args, validateCluster);
    super("timebase:index:ExperimentCluster", name, {}, opts);

    const limits = pulumi.unsecret(pulumi.output(args)).apply(check).apply(limitsOf);
    const passed = Promise.all([settled(limits), machinesFit(name, args, this)]);
    const clocks = hostClocks(name, args, passed, this);

    const proofs = pulumi.all(clocks.map(({ evidence }) => evidence));
    const together = args.hosts.length > 1 && (args.measurePairs === true || args.maxPairwiseMicros !== undefined);
    this.hosts = together
      ? provedTogether(clocks, proofs, TOGETHER + (args.measurePairs === true ? AWAIT_PAIRS : ""))
      : proofs;
    this.summary = this.hosts.apply(clusterSummary);
    this.pairwiseBoundNs = this.summary.apply((summary) => summary.pairwiseBoundNs);
    this.timescale = this.summary.apply((summary) => summary.timescale);
    this.guestChronyConfs = pulumi.all([this.hosts, limits]).apply(([hosts, known]) => guestConfs(hosts, known));
    this.ready = pulumi.all([this.hosts, limits]).apply(([hosts, known]) => gate(name, hosts, known, this));
    pulumi
      .all([proofs, this.hosts, limits])
      .apply(([before, hosts, known]) => warn(heldTogetherWarnings(before, hosts, known.maxPairwiseMicros), this));

    // The evidence is in the state already, as the output of the commands that printed it.
    this.registerOutputs({
      pairwiseBoundNs: this.pairwiseBoundNs,
      timescale: this.timescale,
      ready: this.ready,
    });
  }
}

function limitsOf(args: pulumi.Unwrap<ExperimentClusterArgs>): ClusterLimits {
  return {
    maxErrorMicros: args.maxErrorMicros ?? DEFAULT_MAX_ERROR_MICROS,
    maxPairwiseMicros: args.maxPairwiseMicros,
    measuredPairs: clusterPairs(args),
  };
}

function guestConfs(hosts: readonly HostEvidence[], { maxErrorMicros }: ClusterLimits): Record<string, string> {
  return Object.fromEntries(
    hosts.flatMap((evidence) => {
      const text = guestChronyConf(evidence, maxErrorMicros);
      return text === undefined ? [] : [[evidence.name, text]];
    }),
  );
}

/**
 * Reads all hosts once more when the last one is proved. A host that needed no reboot was proved minutes before one that did,
 * or days before one that is new in the cluster; what its clock may have done since is no news of the pair. Nor can a host
 * be measured before it is there.
 */
function provedTogether(
  clocks: readonly HostClock[],
  proofs: pulumi.Output<HostEvidence[]>,
  more: string,
): pulumi.Output<HostEvidence[]> {
  const triggers = proofs.apply((evidences) => [shortHash(JSON.stringify(evidences))]);
  return pulumi.all(clocks.map((clock) => provenAgain(clock, "together", triggers, more)));
}

function gate(
  name: string,
  hosts: readonly HostEvidence[],
  limits: ClusterLimits,
  cluster: pulumi.ComponentResource,
): boolean {
  const failures = clusterFailures(hosts, limits);
  if (failures.length > 0) {
    const list = failures.map((failure) => `  ${failure}`).join("\n");
    throw new pulumi.ResourceError(`cluster "${name}" is not ready:\n${list}`, cluster, true);
  }
  return true;
}
