import * as pulumi from "@pulumi/pulumi";
import { delivered } from "../clock/delivery";
import { HostClock, type HostClockArgs } from "../clock/HostClock";
import type { HostEndpointArgs } from "../hosts/endpoint";
import { Delivery, TimeRole, TimeSourceKind, Topology } from "../plan/enums";
import type { TimeKey, TimeSource } from "../plan/time";
import { hubClusterTimescale, hubSource, ptpSource } from "../plan/topology";
import { admitted, privateAddress } from "./addresses";
import type { ExperimentClusterArgs, ExperimentHostArgs } from "./args";
import { hubNames, pairArgs } from "./pairs";

type TimeArgs = Pick<HostClockArgs, "timeRole" | "sources" | "allow" | "ptpAddress" | "keys" | "timescale">;

const DEFAULT_SETTLE_SECONDS = 300;

/**
 * One HostClock for each host. None depends on another, so that all converge and reboot side by side, once the inputs of
 * the whole cluster have `passed`.
 */
export function hostClocks(
  name: string,
  args: ExperimentClusterArgs,
  passed: Promise<unknown>,
  parent: pulumi.ComponentResource,
): HostClock[] {
  const clockOf = clockArgs(args);
  const toolkitUrl = args.delivery === Delivery.CloudInit ? args.toolkitUrl : undefined;
  return args.hosts.map(
    (host) =>
      new HostClock(
        clockName(name, host.name),
        delivered({ endpoint: namedEndpoint(host, passed), ...clockOf(host) }, toolkitUrl),
        { parent },
      ),
  );
}

/** The name of a host's clock, by which it owns what it sets on the host. */
export function clockName(cluster: string, host: string): string {
  return `${cluster}-${host}`;
}

/** What the clock of each host is given, but for how to reach it. */
export function clockArgs(args: ExperimentClusterArgs): (host: ExperimentHostArgs) => Omit<HostClockArgs, "endpoint"> {
  const timeOf = timeArgs(args);
  const pairsOf = pairArgs(args);
  return (host) => ({
    operatingSystem: host.operatingSystem,
    prove: args.prove,
    reboot: args.reboot,
    override: args.override,
    force: args.force,
    required: args.required,
    revertReboot: args.revertReboot,
    guestPtp: args.guestPtp,
    maxErrorMicros: args.maxErrorMicros,
    settleErrorMicros: pairShare(args),
    maxClockErrorPpm: args.maxClockErrorPpm,
    trackingLog: args.trackingLog,
    connectTimeoutSeconds: args.connectTimeoutSeconds,
    rebootTimeoutSeconds: args.rebootTimeoutSeconds,
    settleTimeoutSeconds: args.settleTimeoutSeconds ?? DEFAULT_SETTLE_SECONDS,
    ...pairsOf(host, timeOf(host)),
  });
}

/**
 * What of the budget of a pair is one host's: half of it, which makes every pair hold; all of it where the other one defines the
 * time, and has no error, also when that one leaves, which changes nothing of this one. A pair may hold by one that is better,
 * so no host fails by it.
 */
function pairShare({ hosts, topology, sources, maxPairwiseMicros }: ExperimentClusterArgs) {
  if (maxPairwiseMicros === undefined) {
    return undefined;
  }
  return pulumi
    .all([maxPairwiseMicros, sources ?? []])
    .apply(([micros, upstream]) =>
      hosts.length <= 2 && topology !== Topology.Provider && upstream.length === 0 ? micros : micros / 2,
    );
}

function timeArgs(args: ExperimentClusterArgs): (host: ExperimentHostArgs) => TimeArgs {
  const topology = args.topology ?? Topology.Hub;
  switch (topology) {
    case Topology.Provider:
      return () => ({
        timeRole: TimeRole.Client,
        sources: args.sources ?? [{ kind: TimeSourceKind.Auto }],
        timescale: args.timescale,
      });
    case Topology.Hub:
      return hubTimeArgs(args, NTP);
    case Topology.Ptp:
      return hubTimeArgs(args, PTP);
    default:
      return topology satisfies never;
  }
}

/** How a hub serves: what its clients follow, and what the hub has to do beyond being one. */
interface Service {
  source: (address: string, key?: TimeKey) => TimeSource;
  hub: (address: pulumi.Input<string>) => Pick<TimeArgs, "ptpAddress">;
}

const NTP: Service = { source: hubSource, hub: () => ({}) };
const PTP: Service = { source: ptpSource, hub: (ptpAddress) => ({ ptpAddress }) };

/** A client's plan names every hub, and a hub's plan names its clients only: hubs do not concern each other. */
function hubTimeArgs(args: ExperimentClusterArgs, by: Service): (host: ExperimentHostArgs) => TimeArgs {
  const names = hubNames(args);
  const isHub = ({ name }: ExperimentHostArgs) => names.includes(name);
  const clients = args.hosts.filter((host) => !isHub(host));
  // In the order of the hosts, so that the order in which hubs are named changes no plan.
  const key = args.key && pulumi.secret(args.key);
  const hubSources = args.hosts
    .filter(isHub)
    .map((hub) => pulumi.all([privateAddress(hub), key]).apply(([address, known]) => by.source(address, known)));
  const upstream = args.sources ?? [];
  const allow = admitted(args.network, clients);
  const timescale = pulumi
    .all([upstream, args.timescale])
    .apply(([sources, stated]) => stated ?? hubClusterTimescale(names, sources));
  return (host) =>
    isHub(host)
      ? {
          timeRole: TimeRole.Hub,
          sources: upstream,
          allow,
          ...by.hub(privateAddress(host)),
          keys: key && [key],
          timescale,
        }
      : { timeRole: TimeRole.Client, sources: hubSources, timescale };
}

/** The endpoint is what every command on the host needs, so none of them begins before the inputs have passed. */
function namedEndpoint(
  { name, endpoint }: ExperimentHostArgs,
  passed: Promise<unknown>,
): pulumi.Output<HostEndpointArgs> {
  return pulumi.all([pulumi.secret(endpoint), passed]).apply(([known]) => ({ ...known, name }));
}
