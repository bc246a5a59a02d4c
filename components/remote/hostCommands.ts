import { remote, types } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { HostEndpoint } from "../hosts/endpoint";
import { shortHash } from "../shortHash";
import { connectionTo } from "./connection";
import { revertCommand } from "./revert";
import { toolkitFolder } from "./toolkit";

/** What the commands of a host are made of. */
export interface HostCommandsArgs {
  /** Secret: it holds the key. */
  endpoint: pulumi.Output<HostEndpoint>;
  /** The plan's text: a secret when it has keys of time sources in it. */
  plan: pulumi.Output<string>;
  /** What the first proof waits for, a line or nothing. It is no part of the plan, of which nothing is made anew by it. */
  settle: pulumi.Output<string>;
  /** The copy of the toolkit on the host, in the user's home: one for each owner of a plan, as they may come at once. */
  folder: string;
  /** Whether a revert reboots the host and proves what came back. */
  revertReboot: boolean;
  /** What has the host proved again when it changes, beside the plan. */
  proveTriggers: pulumi.Output<string[] | undefined>;
  /** How long the host may take to answer. */
  connectSeconds: pulumi.Output<number>;
  /** How long the host may take to answer again after a reboot. */
  rebootSeconds: pulumi.Output<number>;
}

/**
 * Where a host's user finds the toolkit's copy of one owner.
 *
 * @param owner who owns the plan; only its hash becomes part of the name
 */
export function copyFolder(owner: string): string {
  return `.timebase-${shortHash(owner)}`;
}

// Nothing that a user chose is ever part of these texts: it is on stdin. A property test holds them to that.

/**
 * A host that loses its power within seconds after the copy comes back with empty files, and an empty program succeeds.
 * Only the user can have the engine make the copy again.
 */
const toolkitCommand = (folder: string, verb: string) =>
  `[ -s ${folder}/toolkit/timebase ] || { echo "timebase: no toolkit, lost in a power cut? run pulumi up --replace '**-toolkit'" >&2; exit 1; }
sh ${folder}/toolkit/timebase ${verb}`;

/** What the boot was like before the host was converged for the first time. */
const beforeRecord = (folder: string) => `${folder}/before`;

/** The folder goes with the record, which stays while there is something left to prove. */
const revertedCommand = (folder: string) => `if [ -e ${folder}/toolkit/timebase ]; then
${toolkitCommand(folder, `reverted ${beforeRecord(folder)}`)}
fi && if [ ! -e ${beforeRecord(folder)} ]; then rm -rf ${folder}; fi`;

/** What the commands of a host print. */
export interface HostProofs {
  /** The evidence as `prove` printed it. */
  proved: pulumi.Output<string>;
  /**
   * One more command, `<name>-<suffix>`, which proves the host again after the first proof, and whenever `triggers` change;
   * `more` are lines that it is given beside those of the first proof.
   */
  again: (suffix: string, triggers: pulumi.Input<string[]>, more: string) => pulumi.Output<string>;
}

/** What every command of a host says on its way. */
export const CHANNEL = { addPreviousOutputInEnv: false, logging: types.enums.remote.Logging.Stderr };

/** The connections of a host, by how long it may take to answer. */
export function connections(endpoint: HostCommandsArgs["endpoint"]) {
  return (waitSeconds: pulumi.Input<number>) =>
    pulumi.all([endpoint, waitSeconds]).apply(([known, seconds]) => connectionTo(known, seconds));
}

/**
 * The three commands of a host: copy the toolkit, converge, prove. They are two commands and not one because a command
 * cannot outlive the reboot that it orders. For the same reason a revert that reboots has a fourth one, which is made
 * before `converge` and so deleted after it.
 */
export function hostCommands(name: string, args: HostCommandsArgs, parent: pulumi.ComponentResource): HostProofs {
  const phase = connections(args.endpoint);

  const toolkit = new remote.CopyToRemote(
    `${name}-toolkit`,
    {
      connection: phase(args.connectSeconds),
      source: new pulumi.asset.FileArchive(toolkitFolder()),
      remotePath: args.folder,
      // A machine that was started anew has lost the copy.
      triggers: [pulumi.unsecret(args.endpoint).apply(({ generation }) => generation ?? "")],
    },
    { parent },
  );

  const reverted = args.revertReboot
    ? [
        new remote.Command(
          `${name}-reverted`,
          {
            ...CHANNEL,
            connection: phase(args.rebootSeconds),
            create: toolkitCommand(args.folder, `before ${beforeRecord(args.folder)}`),
            delete: revertedCommand(args.folder),
            stdin: args.plan,
          },
          { parent, dependsOn: toolkit, deletedWith: machineOf(args.endpoint) },
        ),
      ]
    : [];

  const converge = new remote.Command(
    `${name}-converge`,
    {
      ...CHANNEL,
      connection: phase(args.connectSeconds),
      create: toolkitCommand(args.folder, "converge"),
      delete: args.revertReboot
        ? revertCommand(args.folder, `revert --reboot ${beforeRecord(args.folder)}`)
        : `(${revertCommand(args.folder, "revert")}) && rm -rf ${args.folder}`,
      stdin: args.plan,
    },
    { parent, dependsOn: [toolkit, ...reverted], deletedWith: machineOf(args.endpoint) },
  );

  const prove = (
    suffix: string,
    triggers: pulumi.Input<string[]>,
    dependsOn: pulumi.Resource,
    more: pulumi.Input<string> = args.settle,
  ) =>
    new remote.Command(
      `${name}-${suffix}`,
      {
        ...CHANNEL,
        connection: phase(args.rebootSeconds),
        create: toolkitCommand(args.folder, "prove --repair"),
        stdin: pulumi.concat(args.plan, converge.stdout, "\n", more),
        triggers,
      },
      { parent, dependsOn },
    );
  return proofs(prove, args.proveTriggers, converge);
}

/** The first proof, after `converge`, and how to have more of them after it. */
export function proofs(
  prove: (
    suffix: string,
    triggers: pulumi.Input<string[]>,
    dependsOn: pulumi.Resource,
    more?: string,
  ) => remote.Command,
  triggers: HostCommandsArgs["proveTriggers"],
  converge: pulumi.Resource,
): HostProofs {
  // What a command that is given a secret prints is taken for one, too; the toolkit prints no key.
  const printed = ({ stdout }: remote.Command) => pulumi.unsecret(stdout);
  const first = prove("prove", triggers as pulumi.Output<string[]>, converge);
  return { proved: printed(first), again: (suffix, later, more) => printed(prove(suffix, later, first, more)) };
}

/**
 * The resource that is the machine, by its URN, which an endpoint can carry through any language. Without one the
 * reference is empty, which the SDK takes for none.
 */
export function machineOf(endpoint: pulumi.Output<HostEndpoint>): pulumi.Resource {
  const urn = pulumi.unsecret(endpoint).apply(({ machineUrn }) => machineUrn ?? "");
  return Object.assign(new pulumi.DependencyResource(""), { urn });
}
