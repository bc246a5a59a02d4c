import type * as pulumi from "@pulumi/pulumi";
import type { BootConditionArgs, OscillatorArgs, TrackingLogArgs } from "../clock/args";
import type { TimeKeyArgs, TimeSourceArgs } from "../clock/timeSource";
import type { HostEndpointArgs } from "../hosts/endpoint";
import type { Delivery, GuestPtp, OperatingSystem, ProveWhen, RebootPolicy, Topology } from "../plan/enums";

/** One host of a cluster. */
export interface ExperimentHostArgs {
  /** The host's name in resources, evidence and messages. Wins over the endpoint's own. Unique in the cluster. */
  name: string;
  /** How to reach the host: the `endpoint` of a host component, or the same written out. */
  endpoint: pulumi.Input<HostEndpointArgs>;
  /** The declared system. A host that runs another one refuses the plan. Default: whatever is detected. */
  operatingSystem?: pulumi.Input<OperatingSystem>;
}

/** The arguments of an `ExperimentCluster`. */
export interface ExperimentClusterArgs extends BootConditionArgs, OscillatorArgs, TrackingLogArgs {
  /** The hosts, one at least. */
  hosts: ExperimentHostArgs[];
  /**
   * How a plan reaches its host for the first time. Plain, because it decides which resources there are. Default: Delivery.Ssh.
   */
  delivery?: Delivery;
  /**
   * The URL of the folder from which the hosts fetch the toolkit, http or https, without a login; they know its SHA-256. What is to
   * lie there is `toolkitArchive`, also written by `npm run toolkit:archive`. Required with Delivery.CloudInit. Default: none.
   */
  toolkitUrl?: pulumi.Input<string>;
  /** Where the hosts get their time from. Default: Topology.Hub. */
  topology?: Topology;
  /**
   * The names of the hosts that serve time to the others, which follow all of them: one that dies leaves the others
   * synchronised, and their next proof warns of it. Hubs do not follow each other. Of two that disagree, none can be told to
   * be wrong: take three. Topology.Hub, and one with Topology.Ptp. Default: the first host.
   */
  hubs?: string[];
  /**
   * The time sources: of each hub with Topology.Hub, of every host with Topology.Provider; not for Topology.Ptp. Required with
   * several hubs, which would otherwise each define a time of its own. Default: with Topology.Provider what the host's cloud gives,
   * `[{ kind: TimeSourceKind.Auto }]`; with one hub none, so that it defines the time by its own clock, which suits experiments
   * that compare times among hosts only.
   */
  sources?: pulumi.Input<pulumi.Input<TimeSourceArgs>[]>;
  /**
   * Which time the `sources` tell: "utc", or "hub:<name>" where they are a server whose own clock is the time (chrony's `local`,
   * phc2sys beside it): as UTC such a one is refused, because nothing tells how far it is off. Default: "utc"; without
   * sources "hub:<name>" of the hub, which cannot be stated.
   */
  timescale?: pulumi.Input<string>;
  /**
   * The cluster's network as a CIDR such as "10.77.0.0/24": the hubs serve it as a whole, and with `measurePairs` every host
   * does. Not for Topology.Provider without that. Default: the private address of each host that asks is let in, so that who is
   * asked is configured when all of them are known.
   */
  network?: pulumi.Input<string>;
  /**
   * The symmetric key that the hub and its clients share, so that no other machine of the network can tell the clients a
   * wrong time. Topology.Hub only. Default: none.
   */
  key?: pulumi.Input<TimeKeyArgs>;
  /** When a host may be rebooted, once, to make its boot parameters live. Default: RebootPolicy.ToProve. */
  reboot?: pulumi.Input<RebootPolicy>;
  /** What happens when a host cannot give microVMs a PTP clock. Default: GuestPtp.Required. */
  guestPtp?: pulumi.Input<GuestPtp>;
  /**
   * When the proofs run again. They age: a bound holds at its evidence's `asOf`, and grows by `driftPpb` nanoseconds for each
   * second from there (`boundAt`). Default: ProveWhen.OnChange.
   */
  prove?: pulumi.Input<ProveWhen>;
  /** The budget of each host's error bound in microseconds, 0.001 to 10,000,000. Default: 1000. */
  maxErrorMicros?: pulumi.Input<number>;
  /**
   * The budget of the largest possible difference of any two hosts, in microseconds, 0.001 to 10,000,000. With it all hosts are
   * read once more, together, when the last of them is proved, and again whenever one of them was proved anew: hosts that
   * were proved minutes apart have wide bounds at one instant. Each was proved when its own bound was half of that, or
   * after `settleTimeoutSeconds`; the sums are judged. That is one more command, and one more session, for each host,
   * `<cluster>-<host>-together`. Of many hosts the engine reads no more at once than its `--parallel` says. Default: none, so that
   * only `maxErrorMicros` is enforced, and `pairwiseBoundNs` is of proofs that may be days apart.
   */
  maxPairwiseMicros?: pulumi.Input<number>;
  /**
   * Whether hosts measure each other directly, by NTP and beside whatever they follow, so that a bound that is wrong shows: the
   * cluster is not ready as long as two hosts are further apart than their bounds allow, and the one that most of the others
   * contradict is named. Each host asks the hubs and the hosts before it in the list, 32 at most, every two seconds: UDP port
   * 123 of every host has to be open to the others (`timeFrom` of a host in a cloud). All hosts are read once more, together,
   * as with `maxPairwiseMicros`, and that waits until all are measured, for `settleTimeoutSeconds` at most. Plain, because it
   * decides which commands there are. Default: false.
   */
  measurePairs?: boolean;
  /**
   * How long a host may take to answer for the first time, in seconds; more than four times as long where packets are dropped,
   * as by a cloud's firewall. Default: 600.
   */
  connectTimeoutSeconds?: pulumi.Input<number>;
  /** How long a host may take to answer again after its reboot, in seconds. Default: 600. */
  rebootTimeoutSeconds?: pulumi.Input<number>;
  /**
   * How long a proof waits for the error bound to come under its budget, in seconds, 1 to 3600. It covers the reboot of the hub,
   * because hosts reboot side by side and a client that needs none waits for its hub here. Default: 300.
   */
  settleTimeoutSeconds?: pulumi.Input<number>;
}
