/** What the clouds refuse because of what else there is. Pure. */
import { isWithin, overlap, sizeOf } from "../addresses";
import { regionOf } from "../places";
import type { Inputs } from "../resources";
import { NAME, nicsOf } from "./gcp";
import { listOf, type Rule } from "./rule";

/** Something that is in a cloud. */
export interface There {
  readonly type: string;
  readonly properties: Inputs;
}

/** All others, by their ids. */
export type Others = Readonly<Record<string, There>>;

export interface RuleAmong extends Pick<Rule, "of" | "says" | "source"> {
  /** @param properties all that is known of it, also what the cloud decided */
  refuses(properties: Inputs, others: Others): boolean;
}

const ofType = (others: Others, type: string) =>
  Object.entries(others).flatMap(([id, { type: its, properties }]) =>
    its === type ? [{ id, ...properties } as Inputs] : [],
  );

/** The VPC that each region has, whose id nobody names here. */
const DEFAULT_VPC = "default";
const vpcOf = (id: unknown, others: Others) => others[String(id)]?.properties.vpcId ?? DEFAULT_VPC;

/** Those that are known to have a clock there: EC2 User Guide, Access the PTP Hardware Clock. */
const PRECISION = /^([mr]7[ai]|r7id|[cm]7i-flex|c7[ai]|m8a|x8a\w+(-\dtb)?)\./;

/** An id of a network or a subnetwork, by that, by its self link or by its name. */
const NETWORK = "gcp:compute/network:Network";
const SUBNETWORK = "gcp:compute/subnetwork:Subnetwork";
const pathOf = (reference: unknown) => String(reference).replace(/^https:\/\/[^/]+\/compute\/v1\//, "");
const found = (type: string, reference: unknown, others: Others) =>
  ofType(others, type).find(({ id, name }) => [id, name].includes(pathOf(reference)));
const projectOf = (reference: unknown) => /^projects\/([^/]+)\//.exec(pathOf(reference))?.[1];

/** The network that each project begins with. It has a subnetwork of the same name in each region. */
const isDefault = (reference: unknown) => pathOf(reference).split("/").at(-1) === "default";
const isNowhere = (type: string, reference: unknown, others: Others) =>
  reference !== undefined && !isDefault(reference) && found(type, reference, others) === undefined;

const idOf = (network: unknown, others: Others) => found(NETWORK, network, others)?.id ?? "default";

/** The subnetworks of a type whose range has addresses in common with this one's. */
const overlapping = (type: string, range: string, subnetwork: Inputs, others: Others) =>
  ofType(others, type).filter((other) => overlap(String(other[range]), String(subnetwork[range])));

export const RULES_AMONG: readonly RuleAmong[] = [
  {
    of: "aws:ec2/instance:Instance",
    says: "InvalidParameter: Security group and subnet belong to different networks",
    source: "EC2 API, Error codes: InvalidParameter; VPC User Guide, Security groups: for resources of its VPC",
    refuses: ({ subnetId, vpcSecurityGroupIds }, others) =>
      listOf(vpcSecurityGroupIds).some((group) => vpcOf(group, others) !== vpcOf(subnetId, others)),
  },
  {
    of: "aws:ec2/instance:Instance",
    says: "InvalidParameterValue: the availability zone is not that of the subnet",
    source: "VPC User Guide, Subnets: each is in one zone",
    refuses: ({ subnetId, availabilityZone }, others) => {
      const there = others[String(subnetId)]?.properties.availabilityZone;
      return ![there, availabilityZone].includes(undefined) && there !== availabilityZone;
    },
  },
  {
    of: "aws:ec2/instance:Instance",
    says: "Unsupported: the instance type is not for a precision-time placement group",
    source: "EC2 User Guide, Access the PTP Hardware Clock; What's New of 2026-06-30; the code is not written",
    refuses: ({ placementGroup, instanceType }, others) =>
      others[String(placementGroup)]?.properties.strategy === "precision-time" && !PRECISION.test(String(instanceType)),
  },
  {
    of: "aws:ec2/subnet:Subnet",
    says: "InvalidSubnet.Range: The CIDR is not within that of the VPC",
    source: "EC2 API, Error codes: InvalidSubnet.Range",
    refuses: ({ cidrBlock, vpcId }, others) => {
      const whole = others[String(vpcId)]?.properties.cidrBlock;
      if (whole === undefined || cidrBlock === undefined) return false;
      const [part, vpc] = [String(cidrBlock), String(whole)];
      return !isWithin(vpc, part.split("/")[0] ?? "") || sizeOf(part) > sizeOf(vpc);
    },
  },
  {
    of: "aws:ec2/subnet:Subnet",
    says: "InvalidSubnet.Conflict: The CIDR conflicts with another subnet",
    source: "EC2 API, Error codes: InvalidSubnet.Conflict",
    refuses: (subnet, others) =>
      overlapping("aws:ec2/subnet:Subnet", "cidrBlock", subnet, others).some(({ vpcId }) => vpcId === subnet.vpcId),
  },
  {
    of: SUBNETWORK,
    says: "Invalid IPCidrRange: conflicts with existing subnetwork",
    source: "VPC documentation, Subnets, IPv4 subnet ranges: unique within a network",
    refuses: (subnetwork, others) =>
      overlapping(SUBNETWORK, "ipCidrRange", subnetwork, others).some(
        ({ network }) => idOf(network, others) === idOf(subnetwork.network, others),
      ),
  },
  {
    of: "gcp:compute/",
    says: "NotFound: The resource of the network was not found",
    source: "API reference: 404, notFound",
    refuses: (properties, others) =>
      [properties, ...nicsOf(properties)].some(({ network }) => isNowhere(NETWORK, network, others)),
  },
  {
    of: "gcp:compute/instance:Instance",
    says: "NotFound: The resource of the subnetwork was not found in the zone's region",
    source: "API reference, instances, networkInterfaces[].subnetwork: of the region; 404, notFound",
    refuses: (properties, others) =>
      nicsOf(properties).some(({ subnetwork }) => {
        const region = found(SUBNETWORK, subnetwork, others)?.region;
        const isElsewhere = region !== undefined && region !== regionOf(String(properties.zone));
        return isNowhere(SUBNETWORK, subnetwork, others) || isElsewhere;
      }),
  },
  {
    of: "gcp:compute/instance:Instance",
    says: "Invalid value for field 'resource.networkInterfaces': the subnetwork is not of the network",
    source: "API reference, instances, networkInterfaces[].network",
    refuses: (properties, others) =>
      nicsOf(properties).some(({ network, subnetwork }) => {
        const its = found(SUBNETWORK, subnetwork, others)?.network;
        return ![network, its].includes(undefined) && idOf(network, others) !== idOf(its, others);
      }),
  },
  {
    of: "gcp:compute/instance:Instance",
    says: "Network interface must specify a subnet if the network resource is in custom subnet mode.",
    source: "VPC documentation, VPC networks, Subnet creation mode",
    refuses: (properties, others) =>
      nicsOf(properties).some(
        ({ network, subnetwork }) =>
          subnetwork === undefined && found(NETWORK, network, others)?.autoCreateSubnetworks === false,
      ),
  },
  {
    of: "gcp:compute/firewall:Firewall",
    says: "NotFound: the rule's project has no such network",
    source: "Shared VPC: firewall rules are the host project's; API reference: 404, notFound",
    refuses: ({ network, project }) => ![undefined, project].includes(projectOf(network)),
  },
  {
    of: "gcp:compute/",
    says: "Invalid value for field 'resource.name'",
    source: "Naming resources: RFC 1035, at most 63 characters",
    refuses: ({ name }) => !NAME.test(String(name)),
  },
];

/** Why a resource is refused where there are others. */
export function refusalsAmong(type: string, properties: Inputs, others: Others): string[] {
  return RULES_AMONG.filter(({ of, refuses }) => type.startsWith(of) && refuses(properties, others)).map(
    ({ says }) => says,
  );
}
