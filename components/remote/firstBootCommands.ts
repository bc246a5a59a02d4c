import { remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { CONVERGE_COMMAND, PROVE_COMMAND, REVERT_COMMAND } from "./firstBoot";
import { CHANNEL, connections, type HostCommandsArgs, type HostProofs, machineOf, proofs } from "./hostCommands";

/** What the commands of a host are made of that has its plan from its first boot. */
export interface FirstBootCommandsArgs extends Omit<HostCommandsArgs, "plan" | "settle" | "folder" | "revertReboot"> {
  /** The toolkit and the plan. */
  order: pulumi.Output<string>;
}

/**
 * The two commands of a host that converges at its first boot. `converge` has no create, so nobody dials for it: it is there for
 * what comes later, a plan that changes and a host that leaves. Whoever proves is let in when the first boot is over.
 */
export function firstBootCommands(
  name: string,
  args: FirstBootCommandsArgs,
  parent: pulumi.ComponentResource,
): HostProofs {
  // Whoever dials a machine may come while it is at its first boot.
  const patience = pulumi.all([args.connectSeconds, args.rebootSeconds]).apply(([first, reboot]) => first + reboot);
  const connection = connections(args.endpoint)(patience);
  const converge = new remote.Command(
    `${name}-converge`,
    {
      ...CHANNEL,
      connection,
      update: CONVERGE_COMMAND,
      delete: REVERT_COMMAND,
      stdin: args.order,
    },
    { parent, deletedWith: machineOf(args.endpoint) },
  );

  const prove = (suffix: string, triggers: pulumi.Input<string[]>, dependsOn: pulumi.Resource) =>
    new remote.Command(
      `${name}-${suffix}`,
      { ...CHANNEL, connection, create: PROVE_COMMAND, stdin: args.order, triggers },
      { parent, dependsOn },
    );

  return proofs(prove, args.proveTriggers, converge);
}
