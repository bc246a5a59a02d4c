import type * as pulumi from "@pulumi/pulumi";
import type { CloudHostArgs } from "../cloud/args";

/** The arguments of a `GcpHost`. The project is the provider's: `gcp:project`. */
export interface GcpHostArgs extends CloudHostArgs {
  /**
   * The machine type, x86-64. Changing it restarts the machine on its disk; one that boots from another kind of disk
   * replaces the machine. Plain, because the preview refuses what a type cannot do. Default: "c3-standard-4", which can do
   * all of `guests` and `phc`.
   */
  machineType?: string;
  /** The zone, such as "europe-west4-a". Default: the provider's. */
  zone?: pulumi.Input<string>;
  /**
   * The network, by its name, id or self link, in which the firewall rules are made: in the project that an id or a self link
   * names, so that it may be one of Shared VPC, which also takes the id or self link of a `subnetwork`. Default: "default".
   */
  network?: pulumi.Input<string>;
  /** The subnetwork, by its name, id or self link, in the `zone`'s region; needs `network`. Default: the network's own there. */
  subnetwork?: pulumi.Input<string>;
  /**
   * Network tags that the machine is to have besides its own, for firewall rules of yours. With `sshFrom`, `timeFrom` and `ptpFrom`
   * all empty no rule is made for it: that is up to four resources less for each of many hosts, and needs `network`. Default: none.
   */
  networkTags?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * The image, by its self link, of the system that `operatingSystem` names. A change replaces the machine. Default: the
   * vendor's newest when the machine is made.
   */
  image?: pulumi.Input<string>;
  /** Labels of the machine and its disk. They change in place. Default: none. */
  labels?: pulumi.Input<{ [key: string]: pulumi.Input<string> }>;
}
