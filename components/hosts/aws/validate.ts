import { OperatingSystem } from "../../plan/enums";
import { argsWith, at, each, type Fields, type InputErrors, optional, plain, shown } from "../../plan/validate";
import { HostAddress, HostPhc } from "../cloud/args";
import { isReachedInPublic } from "../cloud/endpoint";
import { firstBootFits } from "../cloud/firstBoot";
import { cloudFields, keysFit, name, textsByKey, togetherFits } from "../cloud/validate";
import type { AwsHostArgs } from "./args";
import { DEFAULT_INSTANCE_TYPE, defaultInstanceType, impossible, type Machine, PHC_REGIONS } from "./capabilities";
import { aboutFirstBoot } from "./image";
import { USER_DATA } from "./userData";

const instanceType = name(
  /^[a-z][a-z0-9]*(-[a-z0-9]+)*\.[a-z0-9]+(-[a-z0-9]+)*$/,
  `an instance type such as ${DEFAULT_INSTANCE_TYPE}`,
);
const region = name(/^[a-z]{2,4}(-[a-z]+)+-\d$/, `a region such as ${PHC_REGIONS.at(-1)}`);
const zone = name(/^[a-z]{2,4}(-[a-z]+)+-\d(-[a-z]+-\d)?[a-z]$/, "an availability zone such as eu-north-1a");
/** The id of something, by its prefix: subnet-..., vpc-..., sg-..., ami-... */
const id = (prefix: string) =>
  name(new RegExp(`^${prefix}-[0-9a-f]{8,17}$`), `an id such as ${prefix}-0123456789abcdef0`);
/** What users name themselves. */
const GIVEN_NAME = /^[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?$/;
/** A public key, or the path of its file, would be a name, too. */
const NO_KEY = /^(?!\S+ AAAA|[~.]*\/|\.ssh\/)/;
const keyName = name(
  new RegExp(NO_KEY.source + GIVEN_NAME.source),
  "the name of a key pair of EC2 (the text of a .pub file goes into publicKey)",
);
const groupName = name(GIVEN_NAME, "the name of a placement group");

/** Amazon's rules (EC2 User Guide, "Tag restrictions"). */
const tags = textsByKey(
  "tags",
  {
    fits: (key) => key.length > 0 && key.length <= 128 && !/^aws:/i.test(key),
    words: "1 to 128 characters that does not begin with aws:",
  },
  { fits: (text) => text.length <= 256, words: "at most 256 characters" },
);

const awsFields = {
  ...cloudFields(Object.values(OperatingSystem), "AWS"),
  instanceType: plain("text", optional(instanceType)),
  region: plain("text", optional(region)),
  availabilityZone: optional(zone),
  subnetId: optional(id("subnet")),
  vpcId: optional(id("vpc")),
  securityGroupIds: optional(each(id("sg"), '["sg-0123456789abcdef0"]')),
  keyName: optional(keyName),
  placementGroup: optional(groupName),
  imageId: optional(id("ami")),
  tags: optional(tags),
} as const satisfies Fields;

/**
 * All that can be wrong with the arguments of an `AwsHost`. The default region only refuses, here: whoever has another one in his
 * shell would replace the machines of others, if it chose their type.
 */
export function validateAwsHost(defaultRegion: string | undefined): (args: unknown) => InputErrors {
  return argsWith(awsFields, networkFits, accessFits, (args) => [
    ...regionFits(args, defaultRegion),
    ...machineFits(args, defaultRegion),
    ...zoneFits(args, defaultRegion),
    ...togetherFits(args, "securityGroupIds"),
    ...keysFit(args, "publicKey", "keyName"),
    ...userDataFits(args),
  ]);
}

function userDataFits(args: unknown): InputErrors {
  const system = at(args, "operatingSystem") as OperatingSystem;
  return Object.values(OperatingSystem).includes(system)
    ? firstBootFits(at(args, "firstBoot"), aboutFirstBoot(system), at(args, "publicKey"), USER_DATA)
    : []; // Reported by the rule of the property itself.
}

/** The machine that arguments ask for. */
export function machineOf(args: unknown): Machine {
  const guests = at(args, "guests") === true;
  const phc = (at(args, "phc") ?? HostPhc.None) as HostPhc;
  const hasPlacementGroup = (at(args, "placementGroup") ?? undefined) !== undefined;
  return {
    instanceType: (at(args, "instanceType") ?? defaultInstanceType({ guests, phc }, hasPlacementGroup)) as string,
    guests,
    phc,
    spot: at(args, "spot") === true,
    region: (at(args, "region") ?? undefined) as string | undefined,
  };
}

/** The provider would take it, and fail at the first machine. */
function regionFits(args: unknown, defaultRegion: string | undefined): InputErrors {
  const isStated = (at(args, "region") ?? undefined) !== undefined;
  return (isStated || defaultRegion === undefined ? [] : region(defaultRegion, "region")).map((error) => ({
    ...error,
    reason: `${error.reason}, by aws:region of the stack, AWS_REGION or AWS_DEFAULT_REGION`,
  }));
}

function machineFits(args: unknown, defaultRegion: string | undefined): InputErrors {
  const machine = machineOf(args);
  const isKnown =
    instanceType(machine.instanceType, "").length === 0 &&
    (machine.region === undefined || region(machine.region, "").length === 0) &&
    Object.values(HostPhc).includes(machine.phc);
  return isKnown ? impossible({ ...machine, region: machine.region ?? defaultRegion }) : []; // Reported by the rule of the property itself.
}

/**
 * Without a subnet the provider does not tell Amazon about the address at all, and a default subnet gives every machine a
 * public one (terraform-provider-aws, internal/service/ec2/ec2_instance.go, buildInstanceOpts: only `if hasSubnet` does
 * `associate_public_ip_address` reach the request; Amazon VPC User Guide, "Default VPC components").
 */
function networkFits(args: unknown): InputErrors {
  const [subnet, vpc] = [at(args, "subnetId"), at(args, "vpcId")];
  const isPrivate = isKnownAddress(at(args, "address")) && !isReachedInPublic(args as AwsHostArgs);
  return [
    ...(isPrivate && subnet === undefined && vpc === undefined
      ? [
          {
            propertyPath: "subnetId",
            reason:
              "is required, with its vpcId, for a host without a public address (address, proxy): the default VPC gives " +
              "every machine one",
          },
        ]
      : []),
    ...(subnet !== undefined && vpc === undefined
      ? [{ propertyPath: "vpcId", reason: "is required with subnetId: the security group is made in it" }]
      : []),
    ...(vpc !== undefined && subnet === undefined
      ? [
          {
            propertyPath: "subnetId",
            reason: "is required with vpcId: without it the instance is put into the default VPC",
          },
        ]
      : []),
  ];
}

/** The instance is reached by its IPv4 address, so that rules for IPv6 alone let nobody in. */
function accessFits(args: unknown): InputErrors {
  const networks = at(args, "sshFrom");
  const others = at(args, "securityGroupIds") ?? [];
  const isClosed =
    Array.isArray(networks) &&
    networks.length > 0 &&
    networks.every((network) => typeof network === "string" && network.includes(":"));
  return isClosed && Array.isArray(others) && others.length === 0
    ? [
        {
          propertyPath: "sshFrom",
          reason:
            "has IPv6 networks only, and the instance is reached by its IPv4 address: give the IPv4 one that you log in from",
        },
      ]
    : [];
}

/** Another one is reported by the rule of the property itself. */
function isKnownAddress(address: unknown): boolean {
  return address === undefined || Object.values(HostAddress).includes(address as HostAddress);
}

function zoneFits(args: unknown, defaultRegion: string | undefined): InputErrors {
  const [zone, region] = [at(args, "availabilityZone"), at(args, "region") ?? defaultRegion];
  return typeof zone === "string" && typeof region === "string" && !zone.startsWith(region)
    ? [{ propertyPath: "availabilityZone", reason: `${shown(zone)} is not in the region ${shown(region)}` }]
    : [];
}
