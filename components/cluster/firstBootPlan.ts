import * as pulumi from "@pulumi/pulumi";
import { firstBootOf } from "../clock/provenHost";
import { allSections } from "../clock/sections";
import { checkInputs } from "../inputs";
import { Delivery } from "../plan/enums";
import { PENDING } from "../plan/validate";
import { validateCluster } from "../plan/validateCluster";
import type { ExperimentClusterArgs, ExperimentHostArgs } from "./args";
import { clockArgs, clockName } from "./hostClocks";

/**
 * What a machine is to do at its first boot, so that it is converged when a cluster with Delivery.CloudInit proves it: the
 * `firstBoot` of `AwsHost` and `GcpHost`.
 *
 * @param cluster the name of the `ExperimentCluster`
 * @param host the host as it is among the cluster's `hosts`, or its name
 * @param args the cluster's arguments; its `hosts` are not read
 */
export function firstBootPlan(
  cluster: string,
  host: string | Omit<ExperimentHostArgs, "endpoint">,
  args: Omit<ExperimentClusterArgs, "hosts">,
): pulumi.Output<string> {
  const known = typeof host === "string" ? { name: host } : host;
  // The machine is what this is for: nothing is known of how to reach it, and with Topology.Provider no plan has it.
  const whole = (given: object) => ({
    ...given,
    delivery: Delivery.CloudInit,
    hosts: [{ ...known, endpoint: PENDING }],
  });
  const check = checkInputs("firstBootPlan", cluster, whole(args), validateCluster);
  const endpoint = { name: known.name };
  return pulumi
    .all([pulumi.output(args), clockArgs({ ...args, hosts: [] })({ ...known, endpoint: NOWHERE })])
    .apply(([given, clock]) => {
      check(whole(given));
      const inputs = { ...clock, endpoint };
      return firstBootOf(clockName(cluster, known.name), inputs, allSections(inputs), given.toolkitUrl ?? "");
    });
}

const NOWHERE = { name: "", address: "", hostKey: "" };
