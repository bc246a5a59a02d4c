import * as pulumi from "@pulumi/pulumi";
import { hostRoutes } from "../plan/topology";
import type { ExperimentClusterArgs, ExperimentHostArgs } from "./args";

/** The address by which the other hosts of the cluster reach a host. */
export function privateAddress(host: ExperimentHostArgs): pulumi.Output<string> {
  return pulumi.unsecret(pulumi.output(host.endpoint)).apply((endpoint) => endpoint.privateAddress ?? endpoint.address);
}

/** The networks that let these hosts in. A stated one is preferred: it does not wait for the addresses of all of them. */
export function admitted(
  network: ExperimentClusterArgs["network"],
  hosts: readonly ExperimentHostArgs[],
): pulumi.Input<pulumi.Input<string>[]> {
  return network !== undefined ? [network] : pulumi.all(hosts.map(privateAddress)).apply(hostRoutes);
}
