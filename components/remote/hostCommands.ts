import { createHash } from "node:crypto";
import { remote, types } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { HostEndpoint } from "../hosts/endpoint";
import { connectionTo } from "./connection";
import { toolkitFolder } from "./toolkit";

/** What the three commands of a host are made of. */
export interface HostCommandsArgs {
  /** Secret: it holds the key. */
  endpoint: pulumi.Output<HostEndpoint>;
  /** The plan's text. No secret, or the evidence would become one. */
  plan: pulumi.Output<string>;
  /** The copy of the toolkit on the host, in the user's home: one for each owner of a plan, as they may come at once. */
  folder: string;
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
  return `.timebase-${createHash("sha256").update(owner).digest("hex").slice(0, 12)}`;
}

// Nothing that a user chose is ever part of these texts: it is on stdin. A property test holds them to that.
/**
 * A host that loses its power within seconds after the copy comes back with empty files, and an empty program succeeds.
 * So the copy is made durable, and told from one that is not: only the user can have the engine make it again.
 */
const convergeCommand = (folder: string) =>
  `sync; find ${folder}/toolkit -type f -size 0 | grep . && ` +
  `echo "are empty, as after a power cut just after the copy: run pulumi up --replace '**-toolkit'" && exit 1; ` +
  `sh ${folder}/toolkit/timebase converge`;
const proveCommand = (folder: string) => `sh ${folder}/toolkit/timebase prove --repair`;

/** By the installed program, else by the copy. Without either, a host on which nothing is set has nothing to revert. */
const revertCommand = (folder: string) => `program=/usr/local/lib/timebase/current/timebase
if [ ! -e $program ]; then program=${folder}/toolkit/timebase; fi
if [ -e $program ]; then
  sh $program revert
elif [ -d /var/lib/timebase ]; then
  echo 'timebase: error: /usr/local/lib/timebase is gone, so that what /var/lib/timebase records cannot be taken back' >&2
  echo 'timebase: what to do: run \`pulumi up\`, which installs it again, then \`pulumi destroy\`' >&2
  false
fi && rm -rf ${folder}`;

/**
 * The three commands of a host: copy the toolkit, converge, prove. They are two commands and not one because a command
 * cannot outlive the reboot that it orders. Returns the evidence as `prove` printed it.
 */
export function hostCommands(
  name: string,
  args: HostCommandsArgs,
  parent: pulumi.ComponentResource,
): pulumi.Output<string> {
  const phase = (waitSeconds: pulumi.Input<number>) =>
    pulumi.all([args.endpoint, waitSeconds]).apply(([endpoint, seconds]) => connectionTo(endpoint, seconds));
  const channel = { addPreviousOutputInEnv: false, logging: types.enums.remote.Logging.Stderr };

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

  const converge = new remote.Command(
    `${name}-converge`,
    {
      ...channel,
      connection: phase(args.connectSeconds),
      create: convergeCommand(args.folder),
      delete: revertCommand(args.folder),
      stdin: args.plan,
    },
    { parent, dependsOn: toolkit, deletedWith: machineOf(args.endpoint) },
  );

  const prove = new remote.Command(
    `${name}-prove`,
    {
      ...channel,
      connection: phase(args.rebootSeconds),
      create: proveCommand(args.folder),
      stdin: pulumi.concat(args.plan, converge.stdout, "\n"),
    },
    { parent, dependsOn: converge },
  );

  return prove.stdout;
}

/**
 * The resource that is the machine, by its URN, which an endpoint can carry through any language. Without one the
 * reference is empty, which the SDK takes for none.
 */
function machineOf(endpoint: pulumi.Output<HostEndpoint>): pulumi.Resource {
  const urn = pulumi.unsecret(endpoint).apply(({ machineUrn }) => machineUrn ?? "");
  return Object.assign(new pulumi.DependencyResource(""), { urn });
}
