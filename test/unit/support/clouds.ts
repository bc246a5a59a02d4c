import { createHash } from "node:crypto";
import { runtime } from "@pulumi/pulumi";
import { keyPair } from "../../../rig/cloud/keyPair";
import { placed } from "../../../rig/cloud/places";
import { refusals } from "../../../rig/cloud/refusals";
import type { Inputs } from "../../../rig/cloud/resources";
import { reveal } from "../../../rig/plugin/property-values";
import type { MockCloud, MockResource } from "./mocks";

// The clouds as far as the hosts use them. Whatever is not here is an error, so that the mocks cannot be more lenient than
// the clouds.

/** The keys that a host makes: two, so that one in the other's place is noticed. */
export const MADE = { hostKey: keyPair(), loginKey: keyPair() };

const keys = {
  "tls:index/privateKey:PrivateKey": {
    required: ["algorithm"],
    optional: [],
    outputs: (_: object, name: string) => {
      const { publicKey, privateKey } = name.endsWith("-host-key") ? MADE.hostKey : MADE.loginKey;
      return { publicKeyOpenssh: `${publicKey}\n`, privateKeyOpenssh: privateKey };
    },
  },
} as const satisfies MockCloud["resources"];

/** Where the provider of the mocks is: what is in no other place is there. */
const HOME = { region: "eu-north-1", zone: "europe-west4-a", project: "mine" };

type Resources = Record<string, MockResource>;

/** Resources as their cloud takes them: what `rig/cloud/refusals/` has, it refuses here, too, once all of it is known. */
function strict<T extends Resources>(resources: T): T {
  const entries = Object.entries(resources).map(([type, resource]): [string, MockResource] => [
    type,
    {
      ...resource,
      outputs: (inputs, name) => {
        const [refusal] = refusals(type, placed(type, reveal(inputs) as Inputs, HOME));
        if (refusal !== undefined) throw new Error(refusal);
        return resource.outputs(inputs, name);
      },
    },
  ]);
  return Object.fromEntries(entries) as T;
}

/** Amazon copies an image to each region, under another id. */
export function newestAmi(region: string = HOME.region): string {
  return `ami-${createHash("sha256").update(region).digest("hex").slice(0, 17)}`;
}

export const NEWEST_AMI = newestAmi();

export const aws = {
  resources: strict({
    ...keys,
    "aws:ec2/instance:Instance": {
      required: [
        ...["ami", "instanceType", "vpcSecurityGroupIds", "associatePublicIpAddress", "metadataOptions", "tags"],
        ...["rootBlockDevice", "userDataReplaceOnChange", "disableApiTermination"],
      ],
      optional: [
        ...["region", "availabilityZone", "subnetId", "keyName", "placementGroup", "cpuOptions"],
        ...["instanceMarketOptions", "instanceInitiatedShutdownBehavior", "userData", "userDataBase64"],
      ],
      outputs: ({ associatePublicIpAddress, tags, userData, userDataBase64 }) => {
        if ((userData ?? userDataBase64) === undefined) throw new Error("the machine is told nothing");
        const last = tags.Name.charCodeAt(0) - 77; // a has .20, b has .21
        return {
          publicIp: associatePublicIpAddress ? `203.0.113.${last}` : "",
          privateIp: `10.0.0.${last}`,
        };
      },
    },
    "aws:ec2/securityGroup:SecurityGroup": {
      required: ["description", "ingress", "egress", "tags"],
      optional: ["region", "vpcId"],
      outputs: () => ({}),
    },
    "aws:ec2/placementGroup:PlacementGroup": {
      required: ["strategy", "tags"],
      optional: ["region"],
      outputs: () => ({ name: "the-placement-group" }),
    },
    // The network that an example makes.
    "aws:ec2/vpc:Vpc": {
      required: ["cidrBlock", "tags"],
      optional: [],
      outputs: () => ({ defaultRouteTableId: "rtb-1" }),
    },
    "aws:ec2/internetGateway:InternetGateway": { required: ["vpcId", "tags"], optional: [], outputs: () => ({}) },
    "aws:ec2/defaultRouteTable:DefaultRouteTable": {
      required: ["defaultRouteTableId", "routes", "tags"],
      optional: [],
      outputs: () => ({}),
    },
    "aws:ec2/subnet:Subnet": { required: ["vpcId", "cidrBlock", "tags"], optional: [], outputs: () => ({}) },
  }),
  functions: {
    // Its `value` is a secret, whatever it is: nobody takes it.
    "aws:ssm/getParameter:getParameter": ({ name, region, ...more }) => {
      if (!/^\/aws\/service\//.test(name) || Object.keys(more).length > 0) {
        throw new Error(`unexpected parameter ${name} ${Object.keys(more)}`);
      }
      return { name, insecureValue: newestAmi(region) };
    },
  },
} as const satisfies MockCloud;

export const NEWEST_IMAGE = "projects/debian-cloud/global/images/debian-12-bookworm-v20261110";

function withAddresses(nics: { accessConfigs: object[] }[], networkIp: string, natIp: string): object[] {
  return nics.map((nic) => ({ ...nic, networkIp, accessConfigs: nic.accessConfigs.map(() => ({ natIp })) }));
}

export const gcp = {
  resources: strict({
    ...keys,
    "gcp:compute/instance:Instance": {
      required: [
        ...["machineType", "bootDisk", "networkInterfaces", "tags", "metadata"],
        ...["deletionProtection", "allowStoppingForUpdate"],
      ],
      optional: [
        ...["zone", "labels", "advancedMachineFeatures", "scheduling", "metadataStartupScript"],
        "shieldedInstanceConfig",
      ],
      outputs: ({ networkInterfaces }) => ({
        networkInterfaces: withAddresses(networkInterfaces, "10.0.0.30", "203.0.113.30"),
      }),
      previewed: ({ networkInterfaces }) => ({
        networkInterfaces: withAddresses(networkInterfaces, runtime.unknownValue, runtime.unknownValue),
      }),
    },
    "gcp:compute/firewall:Firewall": {
      required: ["network", "direction", "targetTags", "priority", "sourceRanges"],
      optional: ["allows", "denies", "project"],
      outputs: () => ({}),
    },
    // The network that an example makes.
    "gcp:compute/network:Network": { required: ["autoCreateSubnetworks"], optional: [], outputs: () => ({}) },
    "gcp:compute/subnetwork:Subnetwork": {
      required: ["network", "region", "ipCidrRange"],
      optional: [],
      outputs: () => ({}),
    },
  }),
  functions: {
    "gcp:compute/getImage:getImage": ({ project, family, ...more }) => {
      if (!project?.endsWith("-cloud") || !family || Object.keys(more).length > 0) {
        throw new Error(`unexpected image ${project} ${family} ${Object.keys(more)}`);
      }
      return { selfLink: NEWEST_IMAGE };
    },
  },
} as const satisfies MockCloud;
