import type * as pulumi from "@pulumi/pulumi";
import type { CloudHostArgs } from "../cloud/args";

/** The arguments of an `AwsHost`. */
export interface AwsHostArgs extends CloudHostArgs {
  /**
   * The type of instance, x86-64. Changing it restarts the machine on its disk. Plain, because the preview refuses what a
   * type cannot do. Default: "m8i.large" for `guests`, of the generation that nested virtualization began with, and without a
   * clock of the hardware; "m7i.large" without them, and for both, with HostPhc.Required or a `placementGroup` beside
   * HostPhc.IfAvailable.
   */
  instanceType?: string;
  /**
   * The region, such as "eu-north-1". Plain, because what is possible depends on it. Default: the provider's. What the stack's
   * configuration or the environment says of that is judged like one that is stated; else the rules of a commercial region hold.
   */
  region?: string;
  /** The availability zone, such as "eu-north-1a". Default: the subnet's, else one that Amazon chooses. */
  availabilityZone?: pulumi.Input<string>;
  /**
   * The subnet; needs `vpcId`, and a route table that leads to the internet, by which the host gets its packages. Required for
   * a host without a public address. Default: one of the region's default VPC, where every machine gets a public address.
   */
  subnetId?: pulumi.Input<string>;
  /** The VPC of `subnetId`, in which the security group is made. Default: the region's default VPC. */
  vpcId?: pulumi.Input<string>;
  /**
   * Security groups, of `vpcId`'s VPC, that the instance is to have besides its own, which has the rules of `sshFrom`, `timeFrom`
   * and `ptpFrom`. With all of them empty it has none of its own: that is one resource less for each of many hosts, and yours let
   * in TCP port 22, with Topology.Hub also UDP port 123, and out whatever gets packages. Default: none.
   */
  securityGroupIds?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * The name of a key pair of EC2 that may log in, instead of `publicKey` or besides it: then no pair is made, and its private half
   * goes into `privateKey`, or the SSH agent has it. Default: none.
   */
  keyName?: pulumi.Input<string>;
  /**
   * The name of a placement group to launch in. With `phc` it must be of the strategy precision-time, or a cluster group
   * below one. Default: for a clock that takes one, a group for this host alone, of which an account has 500 in a region;
   * else none.
   */
  placementGroup?: pulumi.Input<string>;
  /**
   * The id of an image, of the system that `operatingSystem` names. A change replaces the machine. Default: the vendor's
   * newest when the machine is made.
   */
  imageId?: pulumi.Input<string>;
  /** Tags of all that is made. Default: a Name only. */
  tags?: pulumi.Input<{ [key: string]: pulumi.Input<string> }>;
}
