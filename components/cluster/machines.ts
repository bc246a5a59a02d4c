import * as pulumi from "@pulumi/pulumi";
import { checkKnown } from "../inputs";
import { machineFields } from "../plan/validateHost";
import { machineErrors } from "../plan/validateMachines";
import type { ExperimentClusterArgs, ExperimentHostArgs } from "./args";

/** Refuses a cluster that cannot work on the machines that were asked for, in the preview that makes them. */
export async function machinesFit(name: string, { guestPtp, hosts }: ExperimentClusterArgs): Promise<void> {
  await checkKnown("ExperimentCluster", name, { guestPtp, hosts: hosts.map(plainOf) }, machineErrors);
}

/** Field by field, as some are known before the endpoint is. Where there is no machine, no field of it is there. */
function plainOf({ name, endpoint }: ExperimentHostArgs) {
  const { privateAddress, machine } = pulumi.output(endpoint);
  const known = Object.keys(machineFields).map((key) => [key, Reflect.get(machine as object, key)]);
  return { name, endpoint: { privateAddress, machine: Object.fromEntries(known) } };
}
