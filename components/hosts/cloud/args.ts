import type * as pulumi from "@pulumi/pulumi";
import type { OperatingSystem } from "../../plan/enums";
import { makeStrict } from "../../plan/strictEnums";
import type { ProxyEndpointArgs } from "../endpoint";

/** Whether a host in a cloud gets the clock of the hardware below it, as a device of its own (`/dev/ptpN`). */
export enum HostPhc {
  /** Nothing is done for it. */
  None = "none",
  /**
   * Wherever the type of machine has it; another type is no error, and `guests` choose the type before this does. Where AWS takes
   * a placement group for the clock, a launch in it fails if that hardware is not to be had just then: HostPhc.None launches.
   */
  IfAvailable = "if-available",
  /** A type of machine that has none is refused before anything is made. */
  Required = "required",
}

/** The address by which this machine reaches a host in a cloud. The hosts reach each other by their private ones. */
export enum HostAddress {
  /** An address of the internet. It changes when the cloud stops and starts the machine: `pulumi refresh`. */
  Public = "public",
  /** The one in the cloud's network: through a `proxy`, a VPN, or from a machine in the same network. */
  Private = "private",
}

/** Arguments of every host in a cloud. */
export interface CloudHostArgs {
  /** The host's name in evidence and messages: 1 to 63 letters, digits, ".", "_" or "-". Default: the component's name. */
  name?: pulumi.Input<string>;
  /**
   * The system. The vendor's newest image of it is looked up when the machine is made, and kept from then on: a newer
   * image does not replace a machine, another system does. Plain, because the lookup depends on it.
   */
  operatingSystem: OperatingSystem;
  /**
   * The networks that may log in by SSH, each as a CIDR such as "203.0.113.7/32". "0.0.0.0/0" is everybody: it is never a
   * default, and warned of. May be empty where other rules of yours let somebody in. A plain list, because no rule is
   * made for an empty one; its items may become known later.
   */
  sshFrom: pulumi.Input<string>[];
  /**
   * The networks whose hosts may ask this one for the time (NTP, UDP port 123), each as a CIDR: the cluster's own network.
   * Nothing else is let in. With Topology.Hub, a cluster's default, and with `measurePairs` it is needed. A plain list, as
   * `sshFrom`. Default: none.
   */
  timeFrom?: pulumi.Input<string>[];
  /**
   * The networks with whose hosts this one does network PTP (UDP ports 319 and 320), each as a CIDR: the cluster's own network,
   * with Topology.Ptp. A plain list, as `sshFrom`. Default: none.
   */
  ptpFrom?: pulumi.Input<string>[];
  /**
   * Whether microVMs are to run on the host: KVM, by nested virtualization or on bare metal. A type of machine that cannot
   * is refused, with those that can. A cluster needs it, unless its `guestPtp` is GuestPtp.Reported. Plain, because the type
   * of machine is judged by it. Default: false.
   */
  guests?: boolean;
  /**
   * Whether the host is to have the hardware's clock. What it takes in the cloud is done; the device's driver and chrony
   * on the host are not this component's. Plain, because it decides which resources there are. Default: HostPhc.None.
   */
  phc?: HostPhc;
  /**
   * Whether the machine is one that costs a fraction and that the cloud may take away at any time, which deletes it:
   * `pulumi refresh` and `pulumi up` make another. Plain, because the type of machine is judged by it. Default: false.
   */
  spot?: boolean;
  /**
   * The address by which this machine reaches the host. A change replaces a machine in AWS, and not one in Google Cloud.
   * Default: HostAddress.Private with a `proxy`, else Public.
   */
  address?: HostAddress;
  /** The bastion host between this machine and the host. Not with Debian in Google Cloud. Default: none. */
  proxy?: pulumi.Input<ProxyEndpointArgs>;
  /**
   * The key that may log in: the text of a .pub file. A change replaces the machine. Default: a pair of keys is made for
   * this host, and its private half is kept in the state as a secret; that is a resource for each host.
   */
  publicKey?: pulumi.Input<string>;
  /**
   * The text of the private half of `publicKey`, or of EC2's `keyName`, without a passphrase. Kept secret. Default: the SSH agent
   * is asked.
   */
  privateKey?: pulumi.Input<string>;
  /**
   * What the machine does at its first boot, before anybody may log in: the `firstBootPlan` of a cluster with Delivery.CloudInit.
   * A machine that is there keeps what it was told, whatever this becomes. Not with a `proxy`. Default: nothing.
   */
  firstBoot?: pulumi.Input<string>;
  /**
   * Size of the root disk in GiB, 10 to 16,384. It grows in place, its file system at the next boot. It cannot shrink: the
   * cloud refuses that. Default: 16.
   */
  rootDiskGib?: pulumi.Input<number>;
  /** Whether the cloud refuses to delete the machine, `pulumi destroy` included, until this is false. Default: false. */
  deletionProtection?: pulumi.Input<boolean>;
}

makeStrict({ HostAddress, HostPhc });
