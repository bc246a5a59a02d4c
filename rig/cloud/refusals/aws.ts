/**
 * What Amazon refuses of one resource, its place among the inputs. Of the sources, terraform-provider-aws is what the provider
 * is made of, and codes are those of the EC2 API ("Error codes for the Amazon EC2 API").
 */
import { Region } from "@pulumi/aws/types/enums";
import { isNetwork } from "../addresses";
import type { Inputs } from "../resources";
import { listOf, type Rule, recordOf, recordsOf } from "./rule";

/** By API reference, CpuOptionsRequest, and, of the 7th generation, EC2 User Guide, "Use nested virtualization ...". */
const NESTED = /^([cmr]8i(d|-flex)?|[cm]7i(-flex)?|r7iz?|x8i|i7ie?)\./;

/** By the European Sovereign Cloud's own copy of that guide (docs.aws.eu). */
const NESTED_IN_SOVEREIGN = /^[cmr]8i(d|-flex)?\./;

/** Regions outside the commercial ones. */
const OTHER_PARTITION = /^(cn|us-gov|us-iso\w?|eu-isoe|eusc)-/;

export const USER_DATA_BYTES = 16_384;

const INSTANCE = "aws:ec2/instance:Instance";
const GROUP = "aws:ec2/securityGroup:SecurityGroup";

const isNested = ({ cpuOptions }: Inputs) => recordOf(cpuOptions).nestedVirtualization === "enabled";

function nests({ instanceType, region }: Inputs): boolean {
  const families = String(region).startsWith("eusc-") ? NESTED_IN_SOVEREIGN : NESTED;
  return families.test(String(instanceType)) && !/\.metal/.test(String(instanceType));
}

const isSpot = ({ instanceMarketOptions }: Inputs) => recordOf(instanceMarketOptions).marketType === "spot";
const isElsewhere = ({ availabilityZone, region }: Inputs) =>
  availabilityZone !== undefined && !String(availabilityZone).startsWith(String(region));

function isTooLong({ userData, userDataBase64 }: Inputs): boolean {
  const bytes = userDataBase64 === undefined ? Buffer.from(String(userData ?? "")) : unpacked(userDataBase64);
  return bytes.length > USER_DATA_BYTES;
}

const unpacked = (base64: unknown) => Buffer.from(String(base64), "base64");

const rulesOf = ({ ingress, egress }: Inputs) => [...recordsOf(ingress), ...recordsOf(egress)];
const networksOf = (rule: Inputs) => [...listOf(rule.cidrBlocks), ...listOf(rule.ipv6CidrBlocks)];

function hasWrongPorts({ protocol, fromPort, toPort }: Inputs): boolean {
  if (!["tcp", "udp"].includes(String(protocol))) return false;
  const isPort = (port: unknown) => Number.isInteger(port) && Number(port) >= 0 && Number(port) <= 65_535;
  return !isPort(fromPort) || !isPort(toPort) || Number(fromPort) > Number(toPort);
}

const hasNobody = (rule: Inputs) =>
  networksOf(rule).length + listOf(rule.securityGroups).length + listOf(rule.prefixListIds).length === 0 &&
  rule.self !== true;

/** What a description of a group or of one of its rules may have. */
const DESCRIPTION = /^[a-zA-Z0-9. _\-:/()#,@[\]+=&;{}!$*]{0,255}$/;

const hasSizeOf = (cidrBlock: unknown) => {
  const length = Number(String(cidrBlock).split("/")[1]);
  return isNetwork(cidrBlock) && length >= 16 && length <= 28;
};

export const AWS_RULES: readonly Rule[] = [
  {
    of: "aws:",
    says: "Missing region configuration: aws:region",
    source: "pulumi-aws, provider/resources.go: neither the resource, the configuration nor the environment names one",
    reads: ["region"],
    refuses: ({ region }) => region === undefined,
  },
  {
    of: "aws:",
    says: "the region has no endpoint",
    source: "@pulumi/aws, types/enums, Region; its provider does not compare, but dials a host name that is not there",
    reads: ["region"],
    refuses: ({ region }) => region !== undefined && !Object.values<unknown>(Region).includes(region),
  },
  {
    of: INSTANCE,
    says: "one of `ami,launch_template` must be specified",
    source: "terraform-provider-aws, internal/service/ec2/ec2_instance.go, ami: AtLeastOneOf",
    reads: ["ami", "launchTemplate"],
    refuses: ({ ami, launchTemplate }) => ami === undefined && launchTemplate === undefined,
  },
  {
    of: INSTANCE,
    says: "one of `instance_type,launch_template` must be specified",
    source: "terraform-provider-aws, internal/service/ec2/ec2_instance.go, instance_type: AtLeastOneOf",
    reads: ["instanceType", "launchTemplate"],
    refuses: ({ instanceType, launchTemplate }) => instanceType === undefined && launchTemplate === undefined,
  },
  {
    of: INSTANCE,
    says: '"user_data": conflicts with user_data_base64',
    source: "terraform-provider-aws, internal/service/ec2/ec2_instance.go, user_data: ConflictsWith",
    reads: ["userData", "userDataBase64"],
    refuses: ({ userData, userDataBase64 }) => userData !== undefined && userDataBase64 !== undefined,
  },
  {
    of: INSTANCE,
    says: "InvalidParameterValue: User data is limited to 16384 bytes",
    source: "EC2 User Guide, Run commands when you launch an EC2 instance with user data input: 16 KB before base64",
    reads: ["userData", "userDataBase64"],
    refuses: isTooLong,
  },
  {
    of: INSTANCE,
    says: "InvalidParameterValue: Invalid availability zone: it is not in the region",
    source: "EC2 User Guide, Regions and Zones: a zone's code is its region's and a letter",
    reads: ["availabilityZone", "region"],
    refuses: isElsewhere,
  },
  {
    of: INSTANCE,
    says: "InvalidParameterCombination: the instance type has no nested virtualization",
    source: "EC2 API Reference, CpuOptionsRequest, NestedVirtualization; EC2 User Guide, Use nested virtualization",
    reads: ["instanceType", "cpuOptions", "region"],
    refuses: (inputs) => isNested(inputs) && !nests(inputs),
  },
  {
    of: INSTANCE,
    says: "InvalidParameterCombination: nested virtualization is not for spot instances",
    source:
      "guardianproject.dev, nix-builder-autoscaler: 'AWS does not allow cpu_options.nested_virtualization with spot'",
    reads: ["cpuOptions", "instanceMarketOptions"],
    refuses: (inputs) => isNested(inputs) && isSpot(inputs),
  },
  {
    of: INSTANCE,
    says: "InvalidParameterCombination: a one-time spot instance can only be terminated",
    source: "EC2 API Reference, SpotMarketOptions: hibernate and stop are valid only for persistent",
    reads: ["instanceMarketOptions"],
    refuses: (inputs) => {
      const options = recordOf(recordOf(inputs.instanceMarketOptions).spotOptions);
      const { spotInstanceType = "one-time", instanceInterruptionBehavior = "terminate" } = options;
      return isSpot(inputs) && spotInstanceType === "one-time" && instanceInterruptionBehavior !== "terminate";
    },
  },
  {
    of: INSTANCE,
    says: "InvalidParameterCombination: a spot instance has no termination protection",
    source: "EC2 User Guide, Change instance termination protection: not for Spot Instances",
    reads: ["instanceMarketOptions", "disableApiTermination"],
    refuses: (inputs) => isSpot(inputs) && inputs.disableApiTermination === true,
  },
  {
    of: GROUP,
    says: "InvalidParameterValue: CIDR block is malformed",
    source: "terraform-provider-aws, internal/service/ec2/vpc_security_group.go: verify.ValidCIDRNetworkAddress",
    reads: ["ingress", "egress"],
    refuses: (inputs) => !rulesOf(inputs).flatMap(networksOf).every(isNetwork),
  },
  {
    of: GROUP,
    says: "InvalidParameterValue: Invalid port range",
    source: "EC2 API Reference, IpPermission: 0 to 65535, the first one not above the last",
    reads: ["ingress", "egress"],
    refuses: (inputs) => rulesOf(inputs).some(hasWrongPorts),
  },
  {
    of: GROUP,
    says: 'from_port and to_port must both be 0 to use the "-1" protocol',
    source: "terraform-provider-aws, internal/service/ec2/vpc_security_group.go, expandIPPermissions",
    reads: ["ingress", "egress"],
    refuses: (inputs) =>
      rulesOf(inputs).some(({ protocol, fromPort, toPort }) => protocol === "-1" && (fromPort !== 0 || toPort !== 0)),
  },
  {
    of: GROUP,
    says: "MissingParameter: a rule names nobody",
    source:
      "EC2 User Guide, Security group rules: a source or destination is a part of each rule; the code is not written",
    reads: ["ingress", "egress"],
    refuses: (inputs) => rulesOf(inputs).some(hasNobody),
  },
  {
    of: GROUP,
    says: "InvalidParameterValue: Invalid security group description",
    source:
      "EC2 API Reference, CreateSecurityGroup and IpRange: up to 255 of a-z, A-Z, 0-9, spaces, and ._-:/()#,@[]+=&;{}!$*",
    reads: ["description", "ingress", "egress"],
    refuses: (inputs) =>
      [inputs, ...rulesOf(inputs)].some(({ description }) => !DESCRIPTION.test(String(description ?? ""))),
  },
  {
    of: "aws:ec2/placementGroup:PlacementGroup",
    says: "InvalidParameterValue: precision-time placement groups are in commercial regions",
    source: "What's New of 2026-06-30, precision time placement groups; the code is not written",
    reads: ["strategy", "region"],
    refuses: ({ strategy, region }) => strategy === "precision-time" && OTHER_PARTITION.test(String(region)),
  },
  {
    of: "aws:ec2/vpc:Vpc",
    says: "InvalidVpc.Range: The CIDR is invalid",
    source: "VPC User Guide, VPC CIDR blocks: from /28 to /16",
    reads: ["cidrBlock"],
    refuses: ({ cidrBlock }) => cidrBlock !== undefined && !hasSizeOf(cidrBlock),
  },
  {
    of: "aws:ec2/subnet:Subnet",
    says: "InvalidSubnet.Range: The CIDR is invalid",
    source: "VPC User Guide, Subnet CIDR blocks: from /28 to /16",
    reads: ["cidrBlock"],
    refuses: ({ cidrBlock }) => cidrBlock !== undefined && !hasSizeOf(cidrBlock),
  },
  {
    of: "aws:ec2/subnet:Subnet",
    says: "InvalidParameterValue: the subnet's availability zone is not in the region",
    source: "EC2 User Guide, Regions and Zones: a zone's code is its region's and a letter",
    reads: ["availabilityZone", "region"],
    refuses: isElsewhere,
  },
];
