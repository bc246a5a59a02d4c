import * as pulumi from "@pulumi/pulumi";
import type { HostClockArgs } from "../clock/HostClock";
import { Topology } from "../plan/enums";
import { type MeasuredPair, measuredPairs } from "../plan/topology";
import { admitted, privateAddress } from "./addresses";
import type { ExperimentClusterArgs, ExperimentHostArgs } from "./args";

/** The names of the hosts that serve time to the others. */
export function hubNames({ topology, hubs, hosts }: ClusterHosts): string[] {
  return topology === Topology.Provider ? [] : (hubs ?? hosts.slice(0, 1).map(({ name }) => name));
}

/** What is plain of a cluster's arguments, and decides who measures whom. */
type ClusterHosts = Pick<ExperimentClusterArgs, "topology" | "hubs" | "measurePairs"> & {
  hosts: readonly { name: string }[];
};

/** Which pairs of hosts are measured, and by whom. */
export function clusterPairs(args: ClusterHosts): MeasuredPair[] {
  const names = args.hosts.map(({ name }) => name);
  return args.measurePairs === true ? measuredPairs(names, hubNames(args)) : [];
}

/**
 * Adds to what a host does with the time that it measures some of the others, and lets in those that measure it: of a stated
 * network all hosts, so that one more changes nothing.
 */
export function pairArgs(
  args: ExperimentClusterArgs,
): <Args extends Pick<HostClockArgs, "allow">>(host: ExperimentHostArgs, time: Args) => Args {
  const pairs = clusterPairs(args);
  const openToNetwork = pairs.length > 0 && args.network !== undefined;
  const key = args.key && pulumi.secret(args.key);
  const hosts = new Map(args.hosts.map((host) => [host.name, { host, address: privateAddress(host) }]));
  const known = (name: string) => hosts.get(name) ?? [];
  return ({ name }, time) => {
    const measured = pairs.filter(({ by }) => by === name).flatMap(({ of }) => known(of));
    const measuring = pairs.filter(({ of }) => of === name).flatMap(({ by }) => known(by));
    const networks = [
      time.allow ?? [],
      admitted(
        args.network,
        measuring.map(({ host }) => host),
      ),
    ];
    return {
      ...time,
      ...(measured.length > 0 && { pairs: measured.map(({ host, address }) => ({ name: host.name, address, key })) }),
      ...((openToNetwork || measuring.length > 0) && {
        allow: pulumi.all(networks).apply((lists) => [...new Set(lists.flat())]),
      }),
    };
  };
}
