import type { Keys } from "./keyPair";
import type { Setting } from "./places";

/** Properties of a resource, secrets in the clear. */
export type Inputs = Readonly<Record<string, unknown>>;

export type Cloud = "aws" | "gcp";

/** Where the imagined clouds get what only a cloud decides. */
export interface Supply {
  /** Hexadecimal digits for the name of something new. */
  digits(length: number, ...words: string[]): string;
  publicAddress(cloud: Cloud): string;
  /** An address of a subnetwork, by its id; of the cloud's own one for whoever names none. */
  privateAddress(cloud: Cloud, subnetwork: unknown): string;
  keyPair(): Keys;
}

interface Made {
  name: string;
  inputs: Inputs;
  supply: Supply;
}

/** What a cloud does with a type of resource. */
export interface CloudResource {
  /** Of what in its cloud it is. */
  at: readonly Setting[];
  /** What is there, beyond the inputs, once the resource is. */
  decides(made: Made): Inputs;
  /** Its id, from inputs and what was decided. */
  id(made: Made & { decided: Inputs }): string;
  /** Inputs that change in place, and paths of those that make another one. What a change of others does is not known. */
  updates: readonly string[];
  replaces: readonly string[];
  /** Paths of those that leave nothing behind when they are taken out of what is given, which makes another one, too. */
  replacesWhenGone?: readonly string[];
  /** Inputs that the cloud fills in. */
  fills?: readonly string[];
  /** What it fills in by an update. */
  refills?(before: Inputs, after: Inputs, supply: Supply): Inputs;
  /** Outputs that are secret. */
  secrets?: readonly string[];
  /** The input that forbids the deletion. */
  lock?: string;
}

type Table = Readonly<Record<string, CloudResource>>;

/** A word that is the resource's own, and the name that the provider makes of it. */
const own = ({ name, inputs, supply }: Made, ...types: string[]) =>
  inputs.name ?? `${name}-${supply.digits(7, ...types, name)}`;

const amazonId =
  (prefix: string): CloudResource["id"] =>
  ({ name, supply }) =>
    `${prefix}-${supply.digits(17, prefix, name)}`;

const nothing = () => ({});

const AWS: Table = {
  "aws:ec2/vpc:Vpc": {
    at: ["region"],
    id: amazonId("vpc"),
    decides: ({ name, supply }) => ({
      defaultRouteTableId: `rtb-${supply.digits(17, "rtb", name)}`,
      defaultSecurityGroupId: `sg-${supply.digits(17, "sg-default", name)}`,
    }),
    updates: ["tags", "enableDnsHostnames", "enableDnsSupport"],
    replaces: ["cidrBlock", "region"],
    fills: ["region"],
  },
  "aws:ec2/internetGateway:InternetGateway": {
    at: ["region"],
    id: amazonId("igw"),
    decides: nothing,
    updates: ["tags", "vpcId"],
    replaces: ["region"],
    fills: ["region"],
  },
  "aws:ec2/defaultRouteTable:DefaultRouteTable": {
    at: ["region"],
    id: ({ inputs }) => String(inputs.defaultRouteTableId),
    decides: nothing,
    updates: ["tags", "routes"],
    replaces: ["defaultRouteTableId", "region"],
    fills: ["region"],
  },
  "aws:ec2/subnet:Subnet": {
    at: ["region"],
    id: amazonId("subnet"),
    decides: nothing,
    updates: ["tags", "mapPublicIpOnLaunch"],
    replaces: ["vpcId", "cidrBlock", "availabilityZone", "region"],
    fills: ["availabilityZone", "region"],
  },
  "aws:ec2/placementGroup:PlacementGroup": {
    at: ["region"],
    // Others name it by its name, and so does Amazon.
    id: ({ decided }) => String(decided.name),
    decides: (made) => ({ name: own(made, "placement") }),
    updates: ["tags"],
    replaces: ["name", "strategy", "region"],
    fills: ["name", "region"],
  },
  "aws:ec2/securityGroup:SecurityGroup": {
    at: ["region"],
    id: amazonId("sg"),
    decides: (made) => ({ name: own(made, "group") }),
    updates: ["tags", "ingress", "egress"],
    replaces: ["name", "description", "vpcId", "region"],
    fills: ["name", "vpcId", "region"],
  },
  "aws:ec2/instance:Instance": {
    at: ["region"],
    id: amazonId("i"),
    decides: ({ inputs, supply }) => ({
      publicIp: inputs.associatePublicIpAddress ? supply.publicAddress("aws") : "",
      privateIp: inputs.privateIp ?? supply.privateAddress("aws", inputs.subnetId),
      instanceState: "running",
    }),
    updates: [
      ...["tags", "instanceType", "vpcSecurityGroupIds", "metadataOptions", "disableApiTermination", "monitoring"],
      ...["instanceInitiatedShutdownBehavior", "userDataReplaceOnChange", "rootBlockDevice"],
    ],
    // User data because the hosts set `userDataReplaceOnChange`.
    replaces: [
      ...["ami", "userData", "userDataBase64", "placementGroup", "subnetId", "associatePublicIpAddress"],
      ...["availabilityZone", "keyName", "privateIp", "cpuOptions", "instanceMarketOptions", "region"],
      "rootBlockDevice.encrypted",
    ],
    fills: [
      ...["privateIp", "availabilityZone", "subnetId", "vpcSecurityGroupIds", "region"],
      // Computed, so that they stay when they are taken away: terraform-provider-aws, ec2_instance.go, read 2026-11-26.
      ...["instanceMarketOptions", "placementGroup", "keyName", "cpuOptions"],
    ],
    lock: "disableApiTermination",
  },
};

const project = (inputs: Inputs) => `projects/${inputs.project ?? "stand-in"}`;

const listOf = (value: unknown): Inputs[] => (Array.isArray(value) ? value : []);

/** A network interface with the addresses that it gets, or keeps. */
function interfaceOf(nic: Inputs, supply: Supply, before: Inputs = {}): Inputs {
  const isMoved = before.subnetwork !== nic.subnetwork || before.network !== nic.network;
  const kept = isMoved ? undefined : before.networkIp;
  const natIp = (config: Inputs, index: number) =>
    config.natIp ?? listOf(before.accessConfigs)[index]?.natIp ?? supply.publicAddress("gcp");
  return {
    ...nic,
    networkIp: nic.networkIp ?? kept ?? supply.privateAddress("gcp", nic.subnetwork),
    accessConfigs: listOf(nic.accessConfigs).map((config, index) => ({ ...config, natIp: natIp(config, index) })),
  };
}

/** All interfaces of an instance; what it had before is empty where it is new. */
const interfacesOf = (inputs: Inputs, supply: Supply, before: Inputs = {}): Inputs => ({
  networkInterfaces: listOf(inputs.networkInterfaces).map((nic, index) =>
    interfaceOf(nic, supply, listOf(before.networkInterfaces)[index]),
  ),
});

const GCP: Table = {
  "gcp:compute/network:Network": {
    at: ["project"],
    id: ({ inputs, decided }) => `${project(inputs)}/global/networks/${decided.name}`,
    decides: (made) => ({ name: own(made, "network") }),
    updates: ["routingMode", "mtu"],
    replaces: ["name", "autoCreateSubnetworks", "description", "project"],
    fills: ["name", "project"],
  },
  "gcp:compute/subnetwork:Subnetwork": {
    at: ["region", "project"],
    id: ({ inputs, decided }) => `${project(inputs)}/regions/${inputs.region}/subnetworks/${decided.name}`,
    decides: (made) => ({ name: own(made, "subnetwork") }),
    updates: ["privateIpGoogleAccess", "logConfig"],
    replaces: ["name", "network", "region", "ipCidrRange", "description", "project"],
    fills: ["name", "region", "project"],
  },
  "gcp:compute/firewall:Firewall": {
    at: ["project"],
    id: ({ inputs, decided }) => `${project(inputs)}/global/firewalls/${decided.name}`,
    decides: (made) => ({ name: own(made, "firewall") }),
    updates: ["allows", "denies", "sourceRanges", "targetTags", "priority", "description", "disabled"],
    replaces: ["name", "network", "direction", "project"],
    fills: ["name", "project"],
  },
  "gcp:compute/instance:Instance": {
    at: ["zone", "project"],
    id: ({ inputs, decided }) => `${project(inputs)}/zones/${inputs.zone}/instances/${decided.name}`,
    decides: (made) => ({
      name: own(made, "instance"),
      ...interfacesOf(made.inputs, made.supply),
      currentStatus: "RUNNING",
    }),
    // In its provider's code a block's `ForceNew` is about how many there are, each property of it has its own; and what
    // is computed and left out stays: terraform-provider-google, resource_compute_instance.go.tmpl, read 2026-11-26.
    updates: [
      ...["labels", "machineType", "tags", "metadata", "deletionProtection", "scheduling", "allowStoppingForUpdate"],
      ...["advancedMachineFeatures", "shieldedInstanceConfig", "canIpForward", "networkInterfaces"],
      // Of the boot disk, size and labels change in place (terraform-provider-google 7.22.0, #26195; 7.3.0, #24349).
      "bootDisk",
    ],
    replaces: [
      ...["bootDisk.initializeParams.image", "bootDisk.initializeParams.type", "metadataStartupScript"],
      ...["networkInterfaces.length", "networkInterfaces.0.nicType"],
      ...["scheduling.provisioningModel", "scheduling.preemptible", "name", "zone", "project"],
    ],
    replacesWhenGone: ["networkInterfaces.0.nicType", "scheduling.preemptible", "metadataStartupScript"],
    fills: ["name", "networkInterfaces", "scheduling", "shieldedInstanceConfig", "zone", "project"],
    refills: (before, after, supply) => interfacesOf(after, supply, before),
    lock: "deletionProtection",
  },
};

const KEYS: Table = {
  "tls:index/privateKey:PrivateKey": {
    at: [],
    id: ({ name, supply }) => supply.digits(40, "key", name),
    decides: ({ supply }) => {
      const { publicKey, privateKey } = supply.keyPair();
      return { publicKeyOpenssh: `${publicKey}\n`, privateKeyOpenssh: privateKey };
    },
    updates: [],
    replaces: ["algorithm"],
    secrets: ["privateKeyOpenssh"],
  },
};

/** All that the imagined clouds have, by the token of its type; and the keys that a program makes for them. */
export const RESOURCES: Table = { ...AWS, ...GCP, ...KEYS };

/** The networks of machines that name no subnetwork, each an own one of its cloud. */
export const DEFAULT_SUBNETWORKS: Readonly<Record<Cloud, string>> = { aws: "172.31.0.0/20", gcp: "10.164.0.0/20" };

/** The first addresses of a network are the cloud's own. */
export const FIRST_HOST = 10;
