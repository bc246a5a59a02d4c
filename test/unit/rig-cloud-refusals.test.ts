import { describe, expect, test } from "vitest";
import { HostPhc } from "../../components";
import { FAMILIES, impossible } from "../../components/hosts/aws/capabilities";
import { bootDiskType, canMigrate, SERIES } from "../../components/hosts/gcp/capabilities";
import { placed, settingsOf } from "../../rig/cloud/places";
import { RULES, refusals } from "../../rig/cloud/refusals";
import { type Others, RULES_AMONG, refusalsAmong } from "../../rig/cloud/refusals/among";
import type { Inputs } from "../../rig/cloud/resources";

// Of each rule an input that is refused for it and for nothing else, and its neighbour that is taken.

const NESTED = { cpuOptions: { nestedVirtualization: "enabled" } };
const spot = (options: object = {}) => ({ instanceMarketOptions: { marketType: "spot", spotOptions: options } });
const amazon = (more: Inputs = {}): Inputs => ({
  ...{ ami: "ami-1", instanceType: "m8i.large", region: "eu-north-1" },
  ...more,
});
const group = (more: Inputs = {}): Inputs => ({
  region: "eu-north-1",
  ingress: [{ protocol: "tcp", fromPort: 22, toPort: 22, cidrBlocks: ["10.0.0.0/24"], ...more }],
});
const vpc = (cidrBlock: string, more: Inputs = {}): Inputs => ({ region: "eu-north-1", cidrBlock, ...more });

const STAYS = { onHostMaintenance: "TERMINATE", automaticRestart: true };
const SPOT = { provisioningModel: "SPOT", preemptible: true, automaticRestart: false, onHostMaintenance: "TERMINATE" };
const google = (more: Inputs = {}): Inputs => ({
  ...{ zone: "europe-west4-a", machineType: "c3-standard-4", networkInterfaces: [{ network: "default" }] },
  ...more,
});
const METAL = { machineType: "c3-standard-192-metal" };
const metal = (more: Inputs = {}): Inputs =>
  google({ ...METAL, scheduling: STAYS, networkInterfaces: [{ network: "default", nicType: "IDPF" }], ...more });
const diskOf = (type: string) => ({ bootDisk: { initializeParams: { type } } });
const nested = { advancedMachineFeatures: { enableNestedVirtualization: true } };
const subnetwork = (more: Inputs = {}): Inputs => ({ region: "europe-west4", ipCidrRange: "10.0.0.0/24", ...more });
const firewall = (more: Inputs = {}): Inputs => ({
  ...{ network: "default", sourceRanges: ["10.0.0.0/24"], allows: [{ protocol: "tcp", ports: ["22"] }] },
  ...more,
});

type Row = [refused: Inputs, taken: Inputs];
const INSTANCE = "aws:ec2/instance:Instance";
const GROUP = "aws:ec2/securityGroup:SecurityGroup";
const SUBNET = "aws:ec2/subnet:Subnet";
const PLACEMENT = "aws:ec2/placementGroup:PlacementGroup";
const MACHINE = "gcp:compute/instance:Instance";
const SUBNETWORK = "gcp:compute/subnetwork:Subnetwork";
const NETWORK = "gcp:compute/network:Network";
const FIREWALL = "gcp:compute/firewall:Firewall";

/** By the type and the first words of what is said. */
const ROWS: Readonly<Record<string, Readonly<Record<string, Row>>>> = {
  [INSTANCE]: {
    "Missing region": [amazon({ region: undefined }), amazon()],
    "the region has no endpoint": [amazon({ region: "mars-1" }), amazon({ region: "eusc-de-east-1" })],
    "one of `ami": [amazon({ ami: undefined }), amazon()],
    "one of `instance_type": [amazon({ instanceType: undefined }), amazon()],
    '"user_data": conflicts': [amazon({ userData: "a", userDataBase64: "YQ==" }), amazon({ userDataBase64: "YQ==" })],
    "InvalidParameterValue: User data": [
      amazon({ userData: `${"é".repeat(8192)}.` }),
      amazon({ userDataBase64: Buffer.alloc(16_384).toString("base64") }),
    ],
    "InvalidParameterValue: Invalid availability zone": [
      amazon({ availabilityZone: "eu-west-1a" }),
      amazon({ availabilityZone: "eu-north-1a" }),
    ],
    "InvalidParameterCombination: the instance type has no nested": [
      amazon({ ...NESTED, instanceType: "t3.large" }),
      amazon({ ...NESTED, instanceType: "m7i.large" }),
    ],
    "InvalidParameterCombination: nested virtualization is not for spot": [
      amazon({ ...NESTED, ...spot() }),
      amazon(spot()),
    ],
    "InvalidParameterCombination: a one-time": [
      amazon(spot({ spotInstanceType: "one-time", instanceInterruptionBehavior: "stop" })),
      amazon(spot({ spotInstanceType: "persistent", instanceInterruptionBehavior: "stop" })),
    ],
    "InvalidParameterCombination: a spot instance has no termination": [
      amazon({ ...spot(), disableApiTermination: true }),
      amazon({ ...spot(), disableApiTermination: false }),
    ],
  },
  [GROUP]: {
    "InvalidParameterValue: CIDR block": [
      group({ cidrBlocks: ["10.0.0.7/24"] }),
      group({ cidrBlocks: ["10.0.0.7/32"] }),
    ],
    "InvalidParameterValue: Invalid port range": [group({ toPort: 99_999 }), group({ toPort: 65_535 })],
    "from_port and to_port": [group({ protocol: "-1" }), group({ protocol: "-1", fromPort: 0, toPort: 0 })],
    "MissingParameter: a rule names nobody": [
      group({ cidrBlocks: [], ipv6CidrBlocks: [] }),
      group({ cidrBlocks: [], ipv6CidrBlocks: ["2001:db8::/32"] }),
    ],
    "InvalidParameterValue: Invalid security group description": [
      group({ description: "the user's" }),
      group({ description: "packages, time sources" }),
    ],
  },
  [PLACEMENT]: {
    "InvalidParameterValue: precision-time": [
      { strategy: "precision-time", region: "us-gov-west-1" },
      { strategy: "cluster", region: "us-gov-west-1" },
    ],
  },
  "aws:ec2/vpc:Vpc": { "InvalidVpc.Range": [vpc("10.0.0.0/8"), vpc("10.0.0.0/16")] },
  [SUBNET]: {
    "InvalidSubnet.Range: The CIDR is invalid": [vpc("10.0.1.1/24"), vpc("10.0.1.0/28")],
    "InvalidParameterValue: the subnet's availability zone": [
      vpc("10.0.1.0/24", { availabilityZone: "eu-west-1a" }),
      vpc("10.0.1.0/24", { availabilityZone: "eu-north-1b" }),
    ],
  },
  [MACHINE]: {
    "Cannot determine zone": [google({ zone: undefined }), google()],
    "Invalid value for field 'zone'": [google({ zone: "europe-west4" }), google()],
    "Insufficient network_interface": [google({ networkInterfaces: [] }), google()],
    "exactly one of network": [
      google({ networkInterfaces: [{}] }),
      google({ networkInterfaces: [{ subnetwork: "lab" }] }),
    ],
    "a spot machine neither": [
      google({ scheduling: { ...SPOT, onHostMaintenance: "MIGRATE" } }),
      google({ scheduling: SPOT }),
    ],
    "the provisioning model SPOT": [
      google({ scheduling: { ...SPOT, preemptible: false } }),
      google({ scheduling: { ...STAYS, provisioningModel: "STANDARD", preemptible: false } }),
    ],
    "a machine with a GPU": [
      google({ machineType: "g2-standard-4" }),
      google({ machineType: "g2-standard-4", scheduling: STAYS }),
    ],
    "bare metal cannot migrate": [metal({ scheduling: { onHostMaintenance: "MIGRATE" } }), metal()],
    "bare metal has an IDPF": [
      google({ networkInterfaces: [{ network: "default", nicType: "IDPF" }] }),
      google({ networkInterfaces: [{ network: "default", nicType: "GVNIC" }] }),
    ],
    "bare metal is not sold": [metal({ scheduling: SPOT }), google({ scheduling: SPOT })],
    "bare metal has no Shielded": [
      metal({ shieldedInstanceConfig: { enableSecureBoot: true } }),
      google({ shieldedInstanceConfig: { enableSecureBoot: true } }),
    ],
    "the machine type has no nested": [google({ ...nested, machineType: "n2d-standard-4" }), google(nested)],
    "the machine type does not boot": [
      google({ machineType: "n2-standard-4", ...diskOf("hyperdisk-balanced") }),
      google(diskOf("hyperdisk-balanced")),
    ],
    "the machine type has no Persistent": [
      google({ machineType: "c4-standard-4", ...diskOf("pd-balanced") }),
      google(diskOf("pd-balanced")),
    ],
    "Value for metadata": [
      google({ metadata: { "user-data": "a".repeat(262_145) } }),
      google({ metadata: { "user-data": "a".repeat(262_144) }, metadataStartupScript: "a".repeat(262_144) }),
    ],
    "Cannot provide both": [
      google({ metadata: { "startup-script": "a" }, metadataStartupScript: "a" }),
      google({ metadata: { "startup-script": "a" } }),
    ],
    "Invalid value for field 'resource.labels'": [
      google({ labels: { Team: "A B" } }),
      google({ labels: { team: "a-b" } }),
    ],
    "Invalid value for field 'resource.tags'": [google({ tags: ["A_b"] }), google({ tags: ["a-b"] })],
  },
  [SUBNETWORK]: {
    "Cannot determine region": [subnetwork({ region: undefined }), subnetwork()],
    "Invalid value for field 'region'": [subnetwork({ region: "europe-west4-a" }), subnetwork()],
    "Invalid value for field 'resource.ipCidrRange'": [subnetwork({ ipCidrRange: "10.0.0.7/24" }), subnetwork()],
  },
  [FIREWALL]: {
    "one of source_tags": [
      firewall({ sourceRanges: undefined }),
      firewall({ sourceRanges: undefined, direction: "EGRESS" }),
    ],
    "only one of `allow,deny`": [firewall({ denies: [{ protocol: "all" }] }), firewall()],
    "expected priority": [firewall({ priority: 99_999_999 }), firewall({ priority: 65_535 })],
    "Invalid value for field 'resource.sourceRanges'": [
      firewall({ sourceRanges: ["10.0.0.0/24", "2001:db8::/32"] }),
      firewall({ sourceRanges: ["2001:db8::/32"] }),
    ],
    "Invalid value for field 'resource.allowed.ports'": [
      firewall({ allows: [{ protocol: "icmp", ports: ["8"] }] }),
      firewall({ allows: [{ protocol: "icmp" }, { protocol: "udp", ports: ["319-320"] }] }),
    ],
  },
};

const rows = Object.entries(ROWS).flatMap(([type, ofType]) =>
  Object.entries(ofType).map(([words, row]) => ({ type, words, row })),
);

describe("what a cloud refuses of one resource", () => {
  test.each(rows)("$type: $words", ({ type, words, row: [refused, taken] }) => {
    expect(refusals(type, refused)).toEqual([expect.stringContaining(words)]);
    expect(refusals(type, taken)).toEqual([]);
  });

  test("has a row here for each rule, and a source", () => {
    const without = RULES.filter(
      ({ of, says }) => !rows.some(({ type, words }) => type.startsWith(of) && says.startsWith(words)),
    );
    expect(without).toEqual([]);
    expect([...RULES, ...RULES_AMONG].filter(({ source }) => source === "")).toEqual([]);
  });

  test("waits for what is not known yet, and for no more", () => {
    const isUnknown = (value: unknown) => value === "later";
    const refused = (inputs: Inputs) => refusals(MACHINE, google(inputs), isUnknown);
    expect(refused({ networkInterfaces: [{ network: "later", nicType: "IDPF" }] })).toEqual([]);
    expect(refused({ networkInterfaces: [{ network: "later" }], labels: { A: "" } })).toHaveLength(1);
  });
});

describe("where something is", () => {
  test.each<[string, Inputs, Record<string, string>, object]>([
    ["aws", { region: "eu-west-1" }, { AWS_REGION: "us-east-1" }, { region: "eu-west-1" }],
    ["aws", {}, { AWS_REGION: "us-east-1", AWS_DEFAULT_REGION: "us-east-2" }, { region: "us-east-1" }],
    ["aws", {}, {}, {}],
    ["gcp", { zone: "a" }, { GOOGLE_REGION: "r" }, { zone: "a", region: "r", project: "stand-in" }],
    ["tls", {}, { AWS_REGION: "us-east-1" }, {}],
  ])("by its provider: %s %j %j", (sdk, configured, env, expected) => {
    expect(settingsOf(sdk, configured, env)).toEqual(expected);
  });

  test.each<[string, Inputs, Inputs]>([
    [INSTANCE, {}, { region: "r" }],
    [INSTANCE, { region: "own" }, { region: "own" }],
    ["aws:ssm/getParameter:getParameter", { name: "n" }, { name: "n", region: "r" }],
    [MACHINE, {}, { zone: "z-1-a", project: "p" }],
    [NETWORK, {}, { project: "p" }],
    ["tls:index/privateKey:PrivateKey", {}, {}],
  ])("by itself, else by that: %s %j", (type, inputs, expected) => {
    expect(placed(type, inputs, { region: "r", zone: "z-1-a", project: "p" })).toEqual(expected);
  });

  test("in Google's region of the zone where no region is said", () => {
    expect(placed(SUBNETWORK, {}, { zone: "europe-west4-a" })).toEqual({ region: "europe-west4" });
  });
});

const others: Others = {
  "vpc-1": { type: "aws:ec2/vpc:Vpc", properties: { cidrBlock: "10.0.0.0/16" } },
  "vpc-2": { type: "aws:ec2/vpc:Vpc", properties: { cidrBlock: "10.0.0.0/16" } },
  "subnet-1": {
    type: SUBNET,
    properties: { vpcId: "vpc-1", cidrBlock: "10.0.1.0/24", availabilityZone: "eu-north-1a" },
  },
  "sg-1": { type: GROUP, properties: { vpcId: "vpc-1" } },
  "sg-2": { type: GROUP, properties: { vpcId: "vpc-2" } },
  "sg-default": { type: GROUP, properties: {} },
  clock: { type: PLACEMENT, properties: { strategy: "precision-time" } },
  "projects/p/global/networks/lab": { type: NETWORK, properties: { name: "lab", autoCreateSubnetworks: false } },
  "projects/p/global/networks/other": { type: NETWORK, properties: { name: "other" } },
  "projects/p/regions/europe-west4/subnetworks/sub": {
    type: SUBNETWORK,
    properties: { name: "sub", region: "europe-west4", network: "lab", ipCidrRange: "10.0.0.0/24" },
  },
};
const LAB = "projects/p/global/networks/lab";
const inNetwork = (nic: Inputs, zone = "europe-west4-a") => ({ name: "m", zone, networkInterfaces: [nic] });
const rule = (more: Inputs) => ({ name: "r", network: "default", project: "p", ...more });

const ROWS_AMONG: [type: string, words: string, refused: Inputs, taken: Inputs][] = [
  [
    INSTANCE,
    "InvalidParameter: Security group and subnet",
    { subnetId: "subnet-1", vpcSecurityGroupIds: ["sg-1", "sg-2"] },
    { subnetId: "subnet-1", vpcSecurityGroupIds: ["sg-1"] },
  ],
  // As when a host forgot the VPC of its group, or of its subnet.
  [
    INSTANCE,
    "InvalidParameter: Security group and subnet",
    { subnetId: "subnet-1", vpcSecurityGroupIds: ["sg-default"] },
    { vpcSecurityGroupIds: ["sg-default"] },
  ],
  [INSTANCE, "InvalidParameter: Security group and subnet", { vpcSecurityGroupIds: ["sg-1"] }, {}],
  [
    INSTANCE,
    "InvalidParameterValue: the availability zone",
    { subnetId: "subnet-1", availabilityZone: "eu-north-1b" },
    { subnetId: "subnet-1", availabilityZone: "eu-north-1a" },
  ],
  [
    INSTANCE,
    "Unsupported: the instance type",
    { placementGroup: "clock", instanceType: "t3.large" },
    { placementGroup: "clock", instanceType: "m7i.large" },
  ],
  [
    SUBNET,
    "InvalidSubnet.Range",
    { vpcId: "vpc-1", cidrBlock: "10.1.0.0/24" },
    { vpcId: "vpc-1", cidrBlock: "10.0.2.0/24" },
  ],
  [
    SUBNET,
    "InvalidSubnet.Conflict",
    { vpcId: "vpc-1", cidrBlock: "10.0.0.0/20" },
    { vpcId: "vpc-2", cidrBlock: "10.0.0.0/20" },
  ],
  [
    SUBNETWORK,
    "Invalid IPCidrRange",
    { name: "s", network: LAB, ipCidrRange: "10.0.0.128/25" },
    { name: "s", network: "other", ipCidrRange: "10.0.0.128/25" },
  ],
  [FIREWALL, "NotFound: The resource of the network", rule({ network: "nowhere" }), rule({ network: "lab" })],
  [
    MACHINE,
    "NotFound: The resource of the network",
    inNetwork({ network: "nowhere" }),
    inNetwork({ network: `https://www.googleapis.com/compute/v1/projects/p/global/networks/other` }),
  ],
  [
    MACHINE,
    "NotFound: The resource of the subnetwork",
    inNetwork({ subnetwork: "sub" }, "europe-west3-c"),
    inNetwork({ subnetwork: "sub" }),
  ],
  [MACHINE, "NotFound: The resource of the subnetwork", inNetwork({ subnetwork: "nowhere" }), inNetwork({})],
  [
    MACHINE,
    "Invalid value for field 'resource.networkInterfaces'",
    inNetwork({ network: "other", subnetwork: "sub" }),
    inNetwork({ network: LAB, subnetwork: "sub" }),
  ],
  [
    MACHINE,
    "Network interface must specify a subnet",
    inNetwork({ network: "lab" }),
    inNetwork({ network: "default" }),
  ],
  [
    FIREWALL,
    "NotFound: the rule's project",
    rule({ network: LAB, project: "mine" }),
    rule({ network: LAB, project: "p" }),
  ],
  [NETWORK, "Invalid value for field 'resource.name'", { name: "a".repeat(64) }, { name: "a".repeat(63) }],
];

describe("what a cloud refuses for what else there is", () => {
  test.each(ROWS_AMONG)("%s: %s: %j", (type, words, refused, taken) => {
    expect(refusalsAmong(type, refused, others)).toEqual([expect.stringContaining(words)]);
    expect(refusalsAmong(type, taken, others)).toEqual([]);
  });

  test("has a row here for each rule", () => {
    const without = RULES_AMONG.filter(
      ({ of, says }) => !ROWS_AMONG.some(([type, words]) => type.startsWith(of) && says.startsWith(words)),
    );
    expect(without).toEqual([]);
  });
});

// Two tables of the same facts, read by two: they have to be the same.
describe("the product's tables, too, say", () => {
  const families = Object.keys(FAMILIES);
  const canBe = (family: string, wish: { guests?: boolean; phc?: HostPhc }, region: string) =>
    impossible({ guests: false, phc: HostPhc.None, spot: false, ...wish, instanceType: `${family}.large`, region })
      .length === 0;

  test.each(["eu-central-1", "eusc-de-east-1"])("which families nest in %s", (region) => {
    const isTaken = (family: string) =>
      refusals(INSTANCE, amazon({ instanceType: `${family}.large`, region, ...NESTED })).length === 0;
    expect(families.filter(isTaken)).toEqual(families.filter((family) => canBe(family, { guests: true }, region)));
  });

  test("which families have a clock in a precision-time placement group", () => {
    const others: Others = { clocks: { type: PLACEMENT, properties: { strategy: "precision-time" } } };
    const isTaken = (family: string) =>
      refusalsAmong(INSTANCE, amazon({ instanceType: `${family}.large`, placementGroup: "clocks" }), others).length ===
      0;
    expect(families.filter(isTaken)).toEqual(
      families.filter((family) => canBe(family, { phc: HostPhc.Required }, "eu-central-1")),
    );
  });

  test("how each of Google's series boots, and whether it migrates", () => {
    const isRefused = (series: string) => {
      const machineType = `${series}-standard-4`;
      const scheduling = canMigrate(machineType) ? {} : STAYS;
      return refusals(MACHINE, google({ machineType, scheduling, ...diskOf(bootDiskType(machineType)) })).length > 0;
    };
    expect([...Object.keys(SERIES), "g4", "a3", "a4", "ct5", "h4d"].filter(isRefused)).toEqual([]);
  });
});
