import * as pulumi from "@pulumi/pulumi";
import { checkInputs } from "../inputs";
import { argsWith } from "../plan/validate";
import { endpointFields } from "../plan/validateHost";
import { completeEndpoint, type HostEndpoint, type ProxyEndpointArgs } from "./endpoint";

/** The arguments of an `SshHost`. */
export interface SshHostArgs {
  /** The host's name in evidence and messages: 1 to 63 letters, digits, ".", "_" or "-". Default: the component's name. */
  name?: pulumi.Input<string>;
  /**
   * The host name or IP address that this machine connects to. A change of it is taken for the same machine at a new
   * address; to go to another machine, and give this one back as it was, give that one a component of its own.
   */
  address: pulumi.Input<string>;
  /** The TCP port of sshd. Default: 22. */
  port?: pulumi.Input<number>;
  /** The user who logs in: root, or one with password-free sudo. Default: "root". */
  user?: pulumi.Input<string>;
  /** The text of the private key, without a passphrase. Kept secret. Default: the SSH agent is asked. */
  privateKey?: pulumi.Input<string>;
  /**
   * The host's public key: the line that `ssh-keyscan -t ed25519 <address>` prints, over a trusted path. Any other key
   * is refused.
   */
  hostKey: pulumi.Input<string>;
  /** The address by which the other hosts of the cluster reach this one. Default: `address`. */
  privateAddress?: pulumi.Input<string>;
  /** The bastion host between this machine and the host. Default: none. */
  proxy?: pulumi.Input<ProxyEndpointArgs>;
  /** Any text that changes when the machine was started anew: it is then configured and proved again. */
  generation?: pulumi.Input<string>;
  /**
   * URN of the resource that is the machine, such as an instance of a cloud. When it is deleted, nothing on the machine
   * is taken back first, and nobody dials it. Default: none; what was set on the host is taken back.
   */
  machineUrn?: pulumi.Input<string>;
}

/** A machine that exists already has had its first boot, and nobody made it here. */
const { firstBoot: _, machine: __, ...sshFields } = endpointFields;

/** A machine that exists already and that this machine can log in to. Nothing is changed on it. */
export class SshHost extends pulumi.ComponentResource {
  /** How to reach the host: the `endpoint` of every clock component. Secret, as it holds the key. */
  readonly endpoint: pulumi.Output<HostEndpoint>;

  constructor(name: string, args: SshHostArgs, opts?: pulumi.ComponentResourceOptions) {
    const endpoint = { ...args, name: args?.name ?? name };
    const check = checkInputs("SshHost", name, endpoint, argsWith(sshFields));
    super("timebase:index:SshHost", name, {}, opts);

    this.endpoint = pulumi.secret(endpoint).apply(check).apply(completeEndpoint);

    // The endpoint is secret and in the state already, as the connection of each command that uses it.
    this.registerOutputs({});
  }
}
