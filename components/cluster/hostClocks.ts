import * as pulumi from "@pulumi/pulumi";
import { HostClock, type HostClockArgs } from "../clock/HostClock";
import type { HostEndpointArgs } from "../hosts/endpoint";
import { TimeRole, Topology } from "../plan/enums";
import { hostRoutes, hubClusterTimescale, hubSource } from "../plan/topology";
import type { ExperimentClusterArgs, ExperimentHostArgs } from "./args";

type TimeArgs = Pick<HostClockArgs, "timeRole" | "sources" | "allow" | "keys" | "timescale">;

const DEFAULT_SETTLE_SECONDS = 300;

/**
 * One HostClock for each host. None depends on another, so that all converge and reboot side by side, once the inputs of
 * the whole cluster have `passed`.
 */
export function hostClocks(
  name: string,
  args: ExperimentClusterArgs,
  passed: Promise<void>,
  parent: pulumi.ComponentResource,
): HostClock[] {
  const timeOf = timeArgs(args);
  return args.hosts.map(
    (host) =>
      new HostClock(
        `${name}-${host.name}`,
        {
          endpoint: namedEndpoint(host, passed),
          operatingSystem: host.operatingSystem,
          reboot: args.reboot,
          override: args.override,
          force: args.force,
          required: args.required,
          revertReboot: args.revertReboot,
          guestPtp: args.guestPtp,
          maxErrorMicros: args.maxErrorMicros,
          connectTimeoutSeconds: args.connectTimeoutSeconds,
          rebootTimeoutSeconds: args.rebootTimeoutSeconds,
          settleTimeoutSeconds: args.settleTimeoutSeconds ?? DEFAULT_SETTLE_SECONDS,
          ...timeOf(host),
        },
        { parent },
      ),
  );
}

function timeArgs(args: ExperimentClusterArgs): (host: ExperimentHostArgs) => TimeArgs {
  const topology = args.topology ?? Topology.Hub;
  switch (topology) {
    case Topology.Sources:
      return () => ({ timeRole: TimeRole.Client, sources: args.sources });
    case Topology.Hub:
      return hubTimeArgs(args);
    default:
      return topology satisfies never;
  }
}

function hubTimeArgs(args: ExperimentClusterArgs): (host: ExperimentHostArgs) => TimeArgs {
  const hub = args.hosts.find(({ name }) => name === args.hub) ?? args.hosts[0];
  if (hub === undefined) {
    throw new Error("a cluster without hosts has no hub");
  }
  const upstream = args.sources ?? [];
  const timescale = pulumi.output(upstream).apply((sources) => hubClusterTimescale(hub.name, sources));
  const key = args.key && pulumi.secret(args.key);
  const source = pulumi.all([privateAddress(hub), key]).apply(([address, known]) => hubSource(address, known));
  return (host) =>
    host === hub
      ? { timeRole: TimeRole.Hub, sources: upstream, allow: servedNetworks(args, hub), keys: key && [key], timescale }
      : { timeRole: TimeRole.Client, sources: [source], timescale };
}

/** A stated network is preferred: with it, the hub does not wait for the addresses of all clients. */
function servedNetworks(args: ExperimentClusterArgs, hub: ExperimentHostArgs): pulumi.Input<pulumi.Input<string>[]> {
  if (args.network !== undefined) {
    return [args.network];
  }
  return pulumi.all(args.hosts.filter((host) => host !== hub).map(privateAddress)).apply(hostRoutes);
}

function privateAddress(host: ExperimentHostArgs): pulumi.Output<string> {
  return pulumi.unsecret(pulumi.output(host.endpoint)).apply((endpoint) => endpoint.privateAddress ?? endpoint.address);
}

/** The endpoint is what every command on the host needs, so none of them begins before the inputs have passed. */
function namedEndpoint({ name, endpoint }: ExperimentHostArgs, passed: Promise<void>): pulumi.Output<HostEndpointArgs> {
  return pulumi.all([pulumi.secret(endpoint), passed]).apply(([known]) => ({ ...known, name }));
}
