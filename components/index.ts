// The whole public API.
export { HostClock, type HostClockArgs } from "./clock/HostClock";
export { PtpVerification, type PtpVerificationArgs } from "./clock/PtpVerification";
export { TimeSync, type TimeSyncArgs } from "./clock/TimeSync";
export { TscClocksource, type TscClocksourceArgs } from "./clock/TscClocksource";
export type { TimeKeyArgs, TimePairArgs, TimeSourceArgs } from "./clock/timeSource";
export type { ExperimentClusterArgs, ExperimentHostArgs } from "./cluster/args";
export { ExperimentCluster } from "./cluster/ExperimentCluster";
export { firstBootPlan } from "./cluster/firstBootPlan";
export { type Bound, boundAt, isKnown, type PairwiseBound, pairwiseBounds, widestBound } from "./evidence/bounds";
export { guestChronyConf } from "./evidence/guest";
export {
  type Check,
  GuestPtpState,
  type HostEvidence,
  type PairMeasurement,
  SourceKind,
  Verdict,
} from "./evidence/HostEvidence";
export { EvidenceError, parseEvidence } from "./evidence/parse";
export { type ClusterSummary, clusterSummary, type HostSummary } from "./evidence/summary";
export { AwsHost } from "./hosts/AwsHost";
export type { AwsHostArgs } from "./hosts/aws/args";
export { HostAddress, HostPhc } from "./hosts/cloud/args";
export type { HostEndpoint, HostEndpointArgs, HostMachine, ProxyEndpoint, ProxyEndpointArgs } from "./hosts/endpoint";
export { GcpHost } from "./hosts/GcpHost";
export type { GcpHostArgs } from "./hosts/gcp/args";
export {
  LocalVm,
  type LocalVmArgs,
  LocalVmFirmware,
  type LocalVmImageArgs,
  LocalVmNetworkCard,
  LocalVmSuite,
} from "./hosts/LocalVm";
export { SshHost, type SshHostArgs } from "./hosts/SshHost";
export {
  Cloud,
  Delivery,
  GuestPtp,
  OperatingSystem,
  ProveWhen,
  RebootPolicy,
  TimeKeyType,
  TimeRole,
  TimeSourceKind,
  Topology,
} from "./plan/enums";
export { LeapSeconds } from "./plan/timeSourceKinds";
export { type ToolkitArchive, toolkitArchive } from "./remote/toolkitArchive";
