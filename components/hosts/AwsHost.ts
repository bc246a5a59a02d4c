import { Instance, type InstanceArgs } from "@pulumi/aws/ec2/instance";
import { PlacementGroup } from "@pulumi/aws/ec2/placementGroup";
import * as pulumi from "@pulumi/pulumi";
import { checkInputs, settled } from "../inputs";
import { Cloud } from "../plan/enums";
import type { AwsHostArgs } from "./aws/args";
import {
  hasPrecisionGroups,
  isBareMetal,
  needsNestedVirtualization,
  needsPrecisionGroup,
  timeSourcesOf,
} from "./aws/capabilities";
import { aboutFirstBoot, newestImage } from "./aws/image";
import { securityGroups } from "./aws/network";
import { defaultRegion } from "./aws/region";
import { compressed } from "./aws/userData";
import { machineOf, validateAwsHost } from "./aws/validate";
import { warnOfEverybody } from "./cloud/access";
import { type CloudMachine, cloudEndpoint, isReachedInPublic } from "./cloud/endpoint";
import { firstBoot, replacementTrigger } from "./cloud/firstBoot";
import { loginOf, makeHostKey } from "./cloud/keys";
import { cloudConfig, type FirstBoot } from "./cloud/userData";
import { isEmpty } from "./cloud/validate";
import type { HostEndpoint } from "./endpoint";

/**
 * A machine of Amazon EC2: an instance with the system, the type and the clock that are wished, reached by SSH from the
 * named networks only, known by a host key that was made before it. `transforms` among the resource options reach every
 * resource that it makes, for whatever has no argument.
 */
export class AwsHost extends pulumi.ComponentResource {
  /** How to reach the host: the `endpoint` of every clock component. Secret, as it holds the key. */
  readonly endpoint: pulumi.Output<HostEndpoint>;
  /** The instance's id, such as "i-0123456789abcdef0". */
  readonly instanceId: pulumi.Output<string>;
  /** The id of the image that the instance was made of, and stays on. */
  readonly imageId: pulumi.Output<string>;

  constructor(name: string, args: AwsHostArgs, opts?: pulumi.ComponentResourceOptions) {
    const input = { ...args, name: args?.name ?? name };
    const elsewhere = defaultRegion(opts);
    const region = args?.region ?? elsewhere;
    const check = checkInputs("AwsHost", name, input, validateAwsHost(elsewhere));
    super("timebase:index:AwsHost", name, {}, opts);
    warnOfEverybody(name, args.sshFrom, this);

    const hostKey = makeHostKey(name, this);
    const login = loginOf(name, args, this);
    // Every resource that costs or opens something has tags, and so waits until the arguments have passed.
    const passed = settled(pulumi.secret(input).apply(check));
    const tags = pulumi.all([args.tags, passed]).apply(([given]): Record<string, string> => ({ Name: name, ...given }));
    const about = aboutFirstBoot(args.operatingSystem);
    const parts = {
      firstBoot: firstBoot(about, args.firstBoot, hostKey, login),
      groups: securityGroups(name, args, tags, this),
      placementGroup: placementGroup(name, args, region, tags, this),
      tags,
    };
    const instance = makeInstance(name, args, parts, this);
    const machine = {
      id: instance.id,
      urn: instance.urn,
      publicAddress: instance.publicIp,
      privateAddress: instance.privateIp,
      plain: plainOf(args, region),
    };
    this.endpoint = cloudEndpoint(name, input, machine, about.user.name, login, hostKey);
    this.instanceId = instance.id;
    this.imageId = instance.ami;

    // The endpoint is secret and in the state already, as the connection of each command that uses it.
    this.registerOutputs({ instanceId: this.instanceId, imageId: this.imageId });
  }
}

/** What is known of the machine before it is there. `region` is where it will be, as far as that is known. */
function plainOf(args: AwsHostArgs, region: string | undefined): CloudMachine["plain"] {
  const machine = { ...machineOf(args), region };
  return {
    cloud: Cloud.Aws,
    operatingSystem: args.operatingSystem,
    guests: machine.guests || isBareMetal(machine.instanceType),
    sources: timeSourcesOf(machine, args.placementGroup !== undefined),
    otherRules: !isEmpty(args.securityGroupIds ?? []),
  };
}

type Tags = pulumi.Output<Record<string, string>>;

/** What an instance needs that is not an argument as it stands. */
interface Parts {
  firstBoot: pulumi.Output<FirstBoot>;
  groups: pulumi.Output<string[]>;
  placementGroup: pulumi.Input<string> | undefined;
  tags: Tags;
}

function makeInstance(name: string, args: AwsHostArgs, parts: Parts, parent: pulumi.Resource): Instance {
  const machine = machineOf(args);
  const isPublic = isReachedInPublic(args);
  return new Instance(
    `${name}-instance`,
    {
      ami: args.imageId ?? newestImage(args.operatingSystem, args.region, parent),
      instanceType: machine.instanceType,
      region: args.region,
      availabilityZone: args.availabilityZone,
      subnetId: args.subnetId,
      vpcSecurityGroupIds: parts.groups,
      associatePublicIpAddress: isPublic,
      keyName: args.keyName,
      placementGroup: parts.placementGroup,
      cpuOptions: needsNestedVirtualization(machine) ? { nestedVirtualization: "enabled" } : undefined,
      instanceMarketOptions: machine.spot ? SPOT : undefined,
      // A `shutdown` on the machine keeps its disk. Amazon deletes a spot instance anyway.
      instanceInitiatedShutdownBehavior: machine.spot ? undefined : "stop",
      disableApiTermination: args.deletionProtection ?? false,
      metadataOptions: METADATA,
      rootBlockDevice: rootDisk(args, parts.tags),
      ...firstBootInputs(args, parts.firstBoot),
      userDataReplaceOnChange: true,
      tags: parts.tags,
    },
    {
      parent,
      additionalSecretOutputs: ["userData", "userDataBase64"],
      // The image that was found stays: a newer one is for the next machine. The provider reads whether the machine has a
      // public address, not whether it is to have one, and a stopped one has none (terraform-provider-aws, issue 33775):
      // only another wish replaces the machine.
      ignoreChanges: [
        "associatePublicIpAddress",
        ...(args.imageId === undefined ? ["ami"] : []),
        // A plan that changes is for the next machine: this one has it by SSH.
        ...(args.firstBoot === undefined ? [] : ["userData", "userDataBase64"]),
      ],
      // And it keeps what is given no more: a spot instance would stay one, a placement group that goes would be in use, a key
      // would still open it.
      replacementTrigger: [
        ...[isPublic, machine.spot === true],
        ...[parts.placementGroup, args.keyName, args.subnetId].map((given) => given !== undefined),
        ...(args.firstBoot === undefined ? [] : [replacementTrigger(parts.firstBoot)]),
      ],
      // A bare metal machine takes its time to start, to stop and to end.
      customTimeouts: isBareMetal(machine.instanceType) ? { create: "30m", update: "40m", delete: "40m" } : undefined,
    },
  );
}

type FirstBootInputs = Pick<InstanceArgs, "userData" | "userDataBase64">;

/** Compressed where there is a script, which may be too long as it is. */
function firstBootInputs(args: AwsHostArgs, boot: pulumi.Output<FirstBoot>): FirstBootInputs {
  const text = boot.apply(cloudConfig);
  return args.firstBoot === undefined
    ? { userData: text }
    : { userDataBase64: text.apply((known) => compressed(known).toString("base64")) };
}

/** A one-time spot instance: what Amazon takes back is deleted, and costs nothing. */
const SPOT = {
  marketType: "spot",
  spotOptions: { spotInstanceType: "one-time", instanceInterruptionBehavior: "terminate" },
};

/**
 * IMDSv2 only. Whoever can read the metadata can read the host's key in the user data: one hop, so that no microVM or
 * container behind a bridge can.
 */
const METADATA = { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 };

function rootDisk(args: AwsHostArgs, tags: Tags) {
  const volumeSize = args.rootDiskGib ?? DEFAULT_ROOT_DISK_GIB;
  return { encrypted: true, volumeType: "gp3", volumeSize, deleteOnTermination: true, tags };
}

const DEFAULT_ROOT_DISK_GIB = 16;

/**
 * The user's placement group, else one of this host's own, where the wish for a clock takes one. Of a region that is not stated
 * no more is heeded than whether there is any: a machine would be made anew by another shell's AWS_REGION.
 */
function placementGroup(
  name: string,
  args: AwsHostArgs,
  region: string | undefined,
  tags: Tags,
  parent: pulumi.Resource,
): pulumi.Input<string> | undefined {
  const needsGroup = needsPrecisionGroup(machineOf(args)) && hasPrecisionGroups(region);
  if (args.placementGroup !== undefined || !needsGroup) {
    return args.placementGroup;
  }
  const group = { strategy: "precision-time", region: args.region, tags };
  return new PlacementGroup(`${name}-placement`, group, { parent }).name;
}
