import type * as pulumi from "@pulumi/pulumi";
import type { Cloud, OperatingSystem, TimeSourceKind } from "../plan/enums";
import { bareHostKey } from "../plan/validateKey";

/** How to reach a host by SSH, complete. What every host component ends in, and every clock component starts from. */
export interface HostEndpoint {
  /** The host's name in evidence, messages and, for a hub, in the name of its timescale. */
  name: string;
  /** The host name or IP address that this machine connects to. */
  address: string;
  /** The TCP port of sshd. */
  port: number;
  /** The user who logs in: root, or one with password-free sudo. */
  user: string;
  /** The text of the private key. Absent: the SSH agent is asked. */
  privateKey?: string;
  /** The host's public key, `ssh-ed25519 AAAA...`. Any other key is refused. */
  hostKey: string;
  /** The address by which the other hosts of the cluster reach this one. */
  privateAddress: string;
  /** The bastion host between this machine and the host. */
  proxy?: ProxyEndpoint;
  /** Changes when the machine was started anew, which makes a new proof necessary. */
  generation?: string;
  /** URN of the resource that is the machine: when that is deleted, nothing on the machine is taken back first. */
  machineUrn?: string;
  /** Digest of what the machine was told to do at its first boot. */
  firstBoot?: string;
  /** What is known of a machine in a cloud before it is there. */
  machine?: HostMachine;
}

/**
 * What is known of a machine in a cloud before it is there, so that a preview judges by it whether a cluster can work, while the
 * rest of its endpoint is not known yet.
 */
export interface HostMachine {
  /** The cloud that it is in. */
  cloud: Cloud;
  /** The system that it is made with. */
  operatingSystem?: OperatingSystem;
  /** Whether microVMs can run on it: KVM, by nested virtualization or on bare metal. */
  guests: boolean;
  /** Whether it was made so as to have a clock of the hardware. */
  phc: boolean;
  /** The time sources that its cloud gives to it. */
  sources: TimeSourceKind[];
  /** Whether its own rules let anybody ask it for the time (NTP). */
  timeOpen: boolean;
  /** Whether its own rules let anybody do network PTP with it. */
  ptpOpen: boolean;
  /** Whether there may be rules beside its own. */
  otherRules: boolean;
  /** The address that its cloud gave to it; the endpoint's `privateAddress` differs where the program stated one. */
  privateAddress: string;
}

/** How to reach a bastion host by SSH, complete. */
export interface ProxyEndpoint {
  /** The host name or IP address that this machine connects to. */
  address: string;
  /** The TCP port of sshd. */
  port: number;
  /** The user who logs in. */
  user: string;
  /** The text of the private key. Absent: the SSH agent is asked. */
  privateKey?: string;
  /** The bastion's public key, `ssh-ed25519 AAAA...`. Any other key is refused. */
  hostKey: string;
}

/** How to reach a host by SSH. */
export interface HostEndpointArgs {
  /** The host's name in evidence and messages: 1 to 63 letters, digits, ".", "_" or "-". */
  name: pulumi.Input<string>;
  /** The host name or IP address that this machine connects to. */
  address: pulumi.Input<string>;
  /** The TCP port of sshd. Default: 22. */
  port?: pulumi.Input<number>;
  /** The user who logs in: root, or one with password-free sudo. Default: "root". */
  user?: pulumi.Input<string>;
  /**
   * The text of the private key, without a passphrase. Kept secret. Default: the SSH agent is asked. Even with a key,
   * the command provider fails if SSH_AUTH_SOCK names an agent that is gone.
   */
  privateKey?: pulumi.Input<string>;
  /**
   * The host's public key: the line that `ssh-keyscan -t ed25519 <address>` prints, over a trusted path. Any other key
   * is refused. There is no default, because a host that is not pinned can be anybody.
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
  /** Digest of what the machine was told to do at its first boot, as `AwsHost` and `GcpHost` give it. Default: nothing. */
  firstBoot?: pulumi.Input<string>;
  /** What is known of a machine in a cloud before it is there, as `AwsHost` and `GcpHost` give it. Default: nothing. */
  machine?: pulumi.Input<HostMachine>;
}

/** How to reach a bastion host by SSH. */
export interface ProxyEndpointArgs {
  /** The host name or IP address that this machine connects to. */
  address: pulumi.Input<string>;
  /** The TCP port of sshd. Default: 22. */
  port?: pulumi.Input<number>;
  /** The user who logs in. Default: "root". */
  user?: pulumi.Input<string>;
  /** The text of the private key, without a passphrase. Kept secret. Default: the SSH agent is asked. */
  privateKey?: pulumi.Input<string>;
  /** The bastion's public key, as `hostKey` of the host. */
  hostKey: pulumi.Input<string>;
}

/** Fills in the defaults of an endpoint. */
export function completeEndpoint(args: pulumi.Unwrap<HostEndpointArgs>): HostEndpoint {
  return {
    ...args,
    port: args.port ?? 22,
    user: args.user ?? "root",
    hostKey: bareHostKey(args.hostKey),
    privateAddress: args.privateAddress ?? args.address,
    proxy: args.proxy && completeProxy(args.proxy),
  };
}

/** Fills in the defaults of a bastion's. */
export function completeProxy(args: pulumi.Unwrap<ProxyEndpointArgs>): ProxyEndpoint {
  return { ...args, port: args.port ?? 22, user: args.user ?? "root", hostKey: bareHostKey(args.hostKey) };
}
