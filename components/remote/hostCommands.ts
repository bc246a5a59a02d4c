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
  /** How long the host may take to answer for the first time. */
  connectSeconds: pulumi.Output<number>;
  /** How long the host may take to answer again after a reboot. */
  rebootSeconds: pulumi.Output<number>;
}

// Nothing that a user chose is ever part of these texts: it is on stdin. A property test holds them to that.
const CONVERGE = "sh .timebase/toolkit/timebase converge";
const PROVE = "sh .timebase/toolkit/timebase prove --repair";
const REVERT = "if [ -e /usr/local/lib/timebase/timebase ]; then sh /usr/local/lib/timebase/timebase revert; fi";

/** The host answered a moment ago; sshd may refuse a burst of sessions (MaxStartups), but not for long. */
const RECONNECT_SECONDS = 120;

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
      remotePath: ".timebase",
      // A machine that was started anew has lost the copy.
      triggers: [pulumi.unsecret(args.endpoint).apply(({ generation }) => generation ?? "")],
    },
    { parent },
  );

  const converge = new remote.Command(
    `${name}-converge`,
    {
      ...channel,
      connection: phase(RECONNECT_SECONDS),
      create: CONVERGE,
      delete: REVERT,
      stdin: args.plan,
    },
    { parent, dependsOn: toolkit, deletedWith: machineOf(args.endpoint) },
  );

  const prove = new remote.Command(
    `${name}-prove`,
    {
      ...channel,
      connection: phase(args.rebootSeconds),
      create: PROVE,
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
