import * as pulumi from "@pulumi/pulumi";
import { machineFieldsOf } from "../clock/hostInputs";
import { checkKnown } from "../inputs";
import { machineFields } from "../plan/validateHost";
import { machineDoubts, machineErrors } from "../plan/validateMachines";
import type { ExperimentClusterArgs, ExperimentHostArgs } from "./args";

/**
 * Refuses a cluster that cannot work on the machines that were asked for, in the preview that makes them; of what may not work it
 * warns.
 */
export async function machinesFit(
  name: string,
  args: ExperimentClusterArgs,
  cluster: pulumi.ComponentResource,
): Promise<void> {
  const { delivery, topology, hubs, measurePairs, network, sources, guestPtp } = args;
  const judged = { delivery, topology, hubs, measurePairs, network, sources, guestPtp, hosts: args.hosts.map(plainOf) };
  const known = await checkKnown("ExperimentCluster", name, judged, machineErrors);
  for (const { propertyPath, reason } of machineDoubts(known)) {
    await pulumi.log.warn(`ExperimentCluster "${name}": ${propertyPath}: ${reason}`, cluster);
  }
}

/** Field by field, as some are known before the endpoint is. */
function plainOf({ name, operatingSystem, endpoint }: ExperimentHostArgs) {
  const { privateAddress, firstBoot } = pulumi.output(endpoint);
  const machine = machineFieldsOf(endpoint, Object.keys(machineFields));
  return { name, operatingSystem, endpoint: { privateAddress, firstBoot, machine } };
}
