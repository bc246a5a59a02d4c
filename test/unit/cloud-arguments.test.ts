import { createHash, createPublicKey, generateKeyPairSync } from "node:crypto";
import { Provider } from "@pulumi/aws/provider";
import * as pulumi from "@pulumi/pulumi";
import fc from "fast-check";
import { utils } from "ssh2";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { AwsHost, GcpHost, HostAddress, HostPhc, OperatingSystem } from "../../components";
import { aboutFirstBoot } from "../../components/hosts/aws/image";
import { compressed } from "../../components/hosts/aws/userData";
import { longestUserData } from "../../components/hosts/cloud/firstBoot";
import { shown } from "../../components/plan/validate";
import { areAllAddresses } from "../../components/plan/validateAddress";
import { keyPair } from "../../rig/cloud/keyPair";
import { aws as awsCloud, gcp as gcpCloud } from "./support/clouds";
import { EC_KEY, HOST_KEY, PEM_KEY, PRIVATE_KEY, RSA_KEY } from "./support/keys";
import { finishProgram, type Registered, startEngine } from "./support/mocks";

// Every way to be wrong, with the exact words.

const clouds = {
  resources: {
    ...awsCloud.resources,
    ...gcpCloud.resources,
    "pulumi:providers:aws": {
      required: ["region"],
      optional: ["skipCredentialsValidation", "skipRegionValidation"],
      outputs: () => ({}),
    },
  },
  functions: { ...awsCloud.functions, ...gcpCloud.functions },
};
let registered: Registered[];
beforeEach(() => {
  registered = startEngine({ preview: true, cloud: clouds });
});
afterEach(finishProgram);

/** Undefined stands for an argument that is taken away. */
type Wrong = readonly [args: Record<string, unknown>, error: string];

const later = <T>(value: T) => pulumi.output(value);

const KEY_REMEDY = "give the text of a .pub file, such as ~/.ssh/id_ed25519.pub";
const NO_TSC =
  "is an arm64 machine, which has no TSC, so that neither its clocksource can be tsc nor its microVMs get a PTP clock: " +
  "take an x86-64 one, such as";

/** All networks of 8 bits that are not private as a whole. */
const ALL_BUT_PRIVATE = Array.from({ length: 223 }, (_, index) => `${index + 1}.0.0.0/8`).filter(
  (network) => !/^(10|127)\./.test(network),
);

const ARGUMENTS =
  "name, operatingSystem, sshFrom, timeFrom, ptpFrom, guests, phc, spot, address, proxy, publicKey, privateKey, " +
  "firstBoot, rootDiskGib, deletionProtection";
const AWS_ARGUMENTS =
  `${ARGUMENTS}, instanceType, region, availabilityZone, subnetId, vpcId, securityGroupIds, keyName, placementGroup, ` +
  "imageId, tags";
const GCP_ARGUMENTS = `${ARGUMENTS}, machineType, zone, network, subnetwork, networkTags, image, labels`;

/** What is wrong in any cloud, whose hosts have these arguments. */
const shared = (names: string): Wrong[] => [
  [{ operatingSystem: undefined }, "operatingSystem: is required"],
  [
    { operatingSystem: "ubuntu-20.04" },
    'operatingSystem: must be one of ubuntu-22.04, ubuntu-24.04, debian-12, debian-13, amazon-linux-2, amazon-linux-2023, not "ubuntu-20.04"',
  ],
  [
    { operatingSystem: later(OperatingSystem.Debian12) },
    "operatingSystem: must be plain text, because it decides which resources there are",
  ],
  [
    { sshFrom: undefined },
    'sshFrom: is required: the networks that may log in, such as ["203.0.113.7/32"]; there is no default',
  ],
  [{ sshFrom: "203.0.113.7/32" }, 'sshFrom: must be a list, such as ["203.0.113.7/32"]'],
  [{ timeFrom: "10.0.0.0/16" }, 'timeFrom: must be a list, such as ["10.0.0.0/16"]'],
  [
    { sshFrom: later(["203.0.113.7/32"]) },
    "sshFrom: must be plain networks, because it decides which resources there are",
  ],
  [{ sshFrom: [undefined] }, "sshFrom[0]: is required"],
  [
    { sshFrom: ["any"] },
    'sshFrom[0]: must be a network such as 203.0.113.7/32, not "any"; everybody is "0.0.0.0/0", spelled out',
  ],
  [
    { sshFrom: ["203.0.113.7/32", "*"] },
    'sshFrom[1]: must be a network such as 203.0.113.7/32, not "*"; everybody is "0.0.0.0/0", spelled out',
  ],
  [
    { sshFrom: ["203.0.113.7"] },
    'sshFrom[0]: must end in a prefix length of /0 to /32 (/32 for one host), not "203.0.113.7"',
  ],
  [
    { sshFrom: ["203.0.113.7/24"] },
    'sshFrom[0]: has address bits after its prefix of /24: "203.0.113.7/24"; give the network, or /32 for one host',
  ],
  [
    { timeFrom: ["0.0.0.0/0"] },
    'timeFrom[0]: "0.0.0.0/0" is everybody: the time is for the cluster only, give its network, such as 10.0.0.0/16',
  ],
  [
    { ptpFrom: ["0.0.0.0/0"] },
    'ptpFrom[0]: "0.0.0.0/0" is everybody: the time is for the cluster only, give its network, such as 10.0.0.0/16',
  ],
  [
    { sshFrom: ["0.0.0.0/1", "203.0.113.7/32", "128.0.0.0/1"] },
    'sshFrom: is everybody, all together: say so by "0.0.0.0/0", spelled out, or give the networks that you log in from',
  ],
  [
    { sshFrom: ALL_BUT_PRIVATE },
    'sshFrom: is everybody, all together: say so by "0.0.0.0/0", spelled out, or give the networks that you log in from',
  ],
  [
    { timeFrom: ["0.0.0.0/1", "128.0.0.0/1"] },
    "timeFrom: is everybody, all together: the time is for the cluster only, give its network, such as 10.0.0.0/16",
  ],
  [
    { ptpFrom: ["128.0.0.0/1", "64.0.0.0/2", "0.0.0.0/2"] },
    "ptpFrom: is everybody, all together: the time is for the cluster only, give its network, such as 10.0.0.0/16",
  ],
  [
    { timeFrom: ["10.0.0.0/33"] },
    'timeFrom[0]: must end in a prefix length of /0 to /32 (/32 for one host), not "10.0.0.0/33"',
  ],
  [{ guests: "yes" }, "guests: must be true or false"],
  [{ guests: later(true) }, "guests: must be plain true or false, because it decides which resources there are"],
  [{ phc: true }, "phc: must be one of none, if-available, required, not true"],
  [{ phc: later(HostPhc.None) }, "phc: must be plain text, because it decides which resources there are"],
  [{ spot: 1 }, "spot: must be true or false"],
  [{ address: "internal" }, 'address: must be one of public, private, not "internal"'],
  [
    { address: HostAddress.Public, proxy: { address: "bastion", hostKey: HOST_KEY } },
    'address: cannot be "public" with a proxy: leave it out, the bastion reaches the private address',
  ],
  [{ publicKey: "~/.ssh/id_ed25519.pub" }, `publicKey: must be one line such as "ssh-ed25519 AAAA...": ${KEY_REMEDY}`],
  [{ publicKey: PRIVATE_KEY }, `publicKey: is a private key; the public half is wanted: ${KEY_REMEDY}`],
  [
    { publicKey: `from="10.0.0.0/8" ${HOST_KEY}` },
    `publicKey: has options before the key, which are not supported: ${KEY_REMEDY}`,
  ],
  [
    { publicKey: HOST_KEY, privateKey: "hunter2" },
    "privateKey: must be the text of a private key (-----BEGIN ... PRIVATE KEY-----), not the path of its file",
  ],
  // Of a valid pair each, in any form that a key may have.
  ...[keyPair().privateKey, PEM_KEY, RSA_KEY, EC_KEY].map(
    (privateKey): Wrong => [
      { publicKey: HOST_KEY, privateKey },
      "privateKey: is not the private half of publicKey: `ssh-keygen -y -f <file>` prints the public half of a private key",
    ],
  ),
  [{ rootDiskGib: 8 }, "rootDiskGib: must be 10 to 16384 GiB, not 8"],
  [{ rootDiskGib: 16.5 }, "rootDiskGib: must be a whole number, 10 to 16384 GiB, not 16.5"],
  [{ firstBoot: 1 }, "firstBoot: must be what firstBootPlan gives"],
  [{ firstBoot: "echo \u00e9" }, "firstBoot: must be what firstBootPlan gives"],
  [{ deletionProtection: "yes" }, "deletionProtection: must be true or false"],
  [
    { spot: true, deletionProtection: true },
    "deletionProtection: cannot be true with spot: the cloud deletes the machine when it wants it back",
  ],
  [
    { name: "node 1" },
    'name: must be 1 to 63 letters, digits, ".", "_" or "-", with a letter or digit at both ends, not "node 1"',
  ],
  [{ transform: () => ({}) }, `transform: is not an argument; there are ${names}`],
  [{ os: OperatingSystem.Debian12 }, `os: is not an argument; there are ${names}`],
  [{ guest: true }, "guest: is not an argument; did you mean guests?"],
];

/** What is wrong in any cloud where a proxy alone is not enough. */
const aboutProxies = (network: object): Wrong[] => [
  [
    { ...network, proxy: { address: "bastion", hostKey: HOST_KEY }, firstBoot: "true\n" },
    "firstBoot: cannot be with a proxy: a login that is refused there is not tried again; leave one out",
  ],
  [
    { ...network, proxy: { address: "bastion" } },
    "proxy.hostKey: is required: run `ssh-keyscan -t ed25519 <address>` over a trusted path, compare its key with the one in " +
      "/etc/ssh/ssh_host_ed25519_key.pub on the host, and paste the line",
  ],
  [
    { ...network, proxy: { address: "a bastion", hostKey: HOST_KEY } },
    'proxy.address: must be a host name, an IPv4 or an IPv6 address, not "a bastion"',
  ],
];

/** As the SDK marks its own, in whatever copy of it. */
const A_RESOURCE = { __pulumiResource: true, id: later("vpc-0123456789abcdef0") };
const NO_KEY_NAME = "must be the name of a key pair of EC2 (the text of a .pub file goes into publicKey)";

const NESTED =
  "m7i, m7i-flex, m8i, m8id, m8i-flex, c7i, c7i-flex, c8i, c8id, c8i-flex, r7i, r7iz, r8i, r8id, r8i-flex, x8i, i7i, i7ie";
const CLOCKS =
  "m7i, m7i-flex, m7a, m8a, c7i, c7i-flex, c7a, r7i, r7a, r7id, x8adez, x8adz-3tb, x8adz-6tb, x8adzs, x8aedez, x8aedz-3tb, x8aedz-6tb, x8aez, x8az";
const METAL_CLOCKS = CLOCKS.replaceAll(/ \w+-flex,/g, "");
const BOTH = "m7i, m7i-flex, c7i, c7i-flex, r7i";
const ON = "(2026-11-25)";
const AWS_NETWORK = { subnetId: "subnet-0123456789abcdef0", vpcId: "vpc-0123456789abcdef0" };
/** A script that cannot be compressed to what Amazon takes. By how much depends on the zlib. */
const LONG = createHash("shake256", { outputLength: 20_000 }).digest("base64");
const LONG_PACKED = compressed(longestUserData(LONG, aboutFirstBoot(OperatingSystem.Ubuntu2204), undefined)).length;
const NEEDS_SUBNET =
  "subnetId: is required, with its vpcId, for a host without a public address (address, proxy): the default VPC gives every machine one";

const aws: readonly Wrong[] = [
  [
    { privateKey: PRIVATE_KEY },
    "privateKey: needs publicKey or keyName beside it: the host must know who may log in; without both, a pair is made",
  ],
  [{ sshFrom: [] }, "sshFrom: lets nobody in: give the networks that may log in, or securityGroupIds whose rules do"],
  [
    { timeFrom: ["0::/00"] },
    'timeFrom[0]: "0::/00" is everybody: the time is for the cluster only, give its network, such as 10.0.0.0/16',
  ],
  [
    { timeFrom: ["::/1", "8000::/1"] },
    "timeFrom: is everybody, all together: the time is for the cluster only, give its network, such as 10.0.0.0/16",
  ],
  [
    { sshFrom: ["203.0.113.7/32", "2000::/3"] },
    'sshFrom: is everybody, all together: say so by "::/0", spelled out, or give the networks that you log in from',
  ],
  [
    { sshFrom: ["0.0.0.0/0", "::/1", "8000::/1"] },
    'sshFrom: is everybody, all together: say so by "::/0", spelled out, or give the networks that you log in from',
  ],
  [
    { sshFrom: ["2001:db8::/32"] },
    "sshFrom: has IPv6 networks only, and the instance is reached by its IPv4 address: give the IPv4 one that you log in from",
  ],
  [{ instanceType: "m7i" }, 'instanceType: must be an instance type such as m7i.large, not "m7i"'],
  [
    { instanceType: later("m7i.large") },
    "instanceType: must be plain text, because it decides which resources there are",
  ],
  [{ instanceType: "m7g.large" }, `instanceType: m7g.large ${NO_TSC} m7i.large`],
  [{ instanceType: "c8g.metal-24xl", guests: true }, `instanceType: c8g.metal-24xl ${NO_TSC} m7i.large`],
  [
    { instanceType: "t3.large", guests: true },
    `instanceType: t3.large has no nested virtualization (guests); there is in ${NESTED}; or any .metal size of an x86-64 family ${ON}`,
  ],
  [
    { instanceType: "m8i.large", phc: HostPhc.Required },
    `instanceType: m8i.large has no hardware clock (phc); there is in ${CLOCKS} ${ON}`,
  ],
  [
    { instanceType: "m8i.large", phc: HostPhc.Required, guests: true },
    `instanceType: m8i.large has no nested virtualization (guests) with hardware clock (phc); there is in ${BOTH}; or a .metal size of ${METAL_CLOCKS} ${ON}`,
  ],
  [
    { guests: true, spot: true },
    `instanceType: m8i.large has no nested virtualization on spot (guests, spot); there is in any .metal size of an x86-64 family ${ON}`,
  ],
  [
    { instanceType: "m5.metal", phc: HostPhc.Required, guests: true },
    `instanceType: m5.metal has no nested virtualization (guests) with hardware clock (phc); there is in ${BOTH}; or a .metal size of ${METAL_CLOCKS} ${ON}`,
  ],
  [
    { region: "us-gov-west-1", phc: HostPhc.Required },
    `phc: cannot be "required" in us-gov-west-1: precision-time placement groups are in Amazon's commercial regions only ${ON}`,
  ],
  [{ region: "Stockholm" }, 'region: must be a region such as eu-north-1, not "Stockholm"'],
  [{ region: later("eu-north-1") }, "region: must be plain text, because it decides which resources there are"],
  [
    { availabilityZone: "eu-north-1" },
    'availabilityZone: must be an availability zone such as eu-north-1a, not "eu-north-1"',
  ],
  [
    { region: "eu-north-1", availabilityZone: "us-east-1a" },
    'availabilityZone: "us-east-1a" is not in the region "eu-north-1"',
  ],
  [{ subnetId: "subnet-0123456789abcdef0" }, "vpcId: is required with subnetId: the security group is made in it"],
  [
    { vpcId: "vpc-0123456789abcdef0" },
    "subnetId: is required with vpcId: without it the instance is put into the default VPC",
  ],
  [
    { subnetId: "vpc-0123456789abcdef0", vpcId: "vpc-0123456789abcdef0" },
    'subnetId: must be an id such as subnet-0123456789abcdef0, not "vpc-0123456789abcdef0"',
  ],
  [{ address: HostAddress.Private }, NEEDS_SUBNET],
  [{ proxy: { address: "bastion", hostKey: HOST_KEY } }, NEEDS_SUBNET],
  [{ proxy: later({ address: "bastion", hostKey: HOST_KEY }) }, NEEDS_SUBNET],
  [{ securityGroupIds: ["default"] }, 'securityGroupIds[0]: must be an id such as sg-0123456789abcdef0, not "default"'],
  ...[HOST_KEY, `${HOST_KEY} me@example`, HOST_KEY.repeat(4), "~/.ssh/id_ed25519.pub", "./mine.pub", "/mine.pub"].map(
    (keyName): Wrong => [{ keyName }, `keyName: ${NO_KEY_NAME}, not ${shown(keyName)}`],
  ),
  [{ keyName: PRIVATE_KEY }, `keyName: ${NO_KEY_NAME}, not the text of a private key`],
  [{ subnetId: A_RESOURCE, vpcId: A_RESOURCE.id }, "subnetId: is a whole resource: give its id"],
  [{ securityGroupIds: [A_RESOURCE] }, "securityGroupIds[0]: is a whole resource: give its id"],
  [{ keyName: A_RESOURCE }, "keyName: is a whole resource: give its id"],
  [{ placementGroup: A_RESOURCE }, "placementGroup: is a whole resource: give its id"],
  [{ placementGroup: "" }, 'placementGroup: must be the name of a placement group, not ""'],
  [{ imageId: "ubuntu" }, 'imageId: must be an id such as ami-0123456789abcdef0, not "ubuntu"'],
  [{ tags: ["team"] }, "tags: must be an object of tags"],
  [{ tags: { "aws:team": "a" } }, "tags.aws:team: must be a key of 1 to 128 characters that does not begin with aws:"],
  [{ tags: { team: 1 } }, "tags.team: must be a text of at most 256 characters, not 1"],
  [
    { firstBoot: LONG },
    `firstBoot: makes compressed user data of ${LONG_PACKED} bytes, and AWS takes 16384: give fewer time sources, or Delivery.Ssh`,
  ],
  // The other cloud's words.
  [{ machineType: "c3-standard-4" }, "machineType: is not an argument; did you mean instanceType?"],
  [{ zone: "eu-north-1a" }, "zone: is not an argument; did you mean availabilityZone?"],
  [{ networkTags: ["a"] }, "networkTags: is not an argument; did you mean securityGroupIds?"],
  [{ labels: {} }, "labels: is not an argument; did you mean tags?"],
];

const SERIES_NESTED = "c3, c4, c2, n1, n2, n4";
const SERIES_CLOCK = "c3, c3d, c4, c4d";

const gcp: readonly Wrong[] = [
  [
    { operatingSystem: OperatingSystem.AmazonLinux2023 },
    'operatingSystem: "amazon-linux-2023" has no image of its vendor in Google Cloud; there are ubuntu-22.04, ubuntu-24.04, debian-12, debian-13',
  ],
  [
    { privateKey: PRIVATE_KEY },
    "privateKey: needs publicKey beside it: the host must know who may log in; without both, a pair is made",
  ],
  [{ sshFrom: [] }, "sshFrom: lets nobody in: give the networks that may log in, or networkTags whose rules do"],
  [{ sshFrom: ["2001:db8::/32"] }, 'sshFrom[0]: "2001:db8::/32" is IPv6: the machine has an IPv4 address only'],
  // Its prefix need not be put right.
  [{ sshFrom: ["2001:db8::/129"] }, 'sshFrom[0]: "2001:db8::/129" is IPv6: the machine has an IPv4 address only'],
  [{ timeFrom: ["::/0"] }, 'timeFrom[0]: "::/0" is IPv6: the machine has an IPv4 address only'],
  [{ timeFrom: ["fd00::/8"] }, 'timeFrom[0]: "fd00::/8" is IPv6: the machine has an IPv4 address only'],
  [{ machineType: "c3" }, 'machineType: must be a machine type such as c3-standard-4, not "c3"'],
  [{ machineType: "t2a-standard-4" }, `machineType: t2a-standard-4 ${NO_TSC} c3-standard-4`],
  [{ machineType: "c4a-standard-4" }, `machineType: c4a-standard-4 ${NO_TSC} c3-standard-4`],
  [
    { machineType: "e2-standard-4", guests: true },
    `machineType: e2-standard-4 has no nested virtualization (guests); there is in ${SERIES_NESTED} ${ON}`,
  ],
  [
    { machineType: "n2d-standard-4", guests: true },
    `machineType: n2d-standard-4 has no nested virtualization (guests); there is in ${SERIES_NESTED} ${ON}`,
  ],
  [
    { machineType: "t2d-standard-4", guests: true },
    `machineType: t2d-standard-4 has no nested virtualization (guests); there is in ${SERIES_NESTED} ${ON}`,
  ],
  [
    { machineType: "m3-megamem-64", guests: true },
    `machineType: m3-megamem-64 has no nested virtualization (guests); there is in ${SERIES_NESTED} ${ON}`,
  ],
  [
    { machineType: "n2-standard-4", phc: HostPhc.Required },
    `machineType: n2-standard-4 has no clock of the host below, ptp_kvm (phc); there is in ${SERIES_CLOCK} ${ON}`,
  ],
  [
    { machineType: "c3d-standard-4", phc: HostPhc.Required, guests: true },
    `machineType: c3d-standard-4 has no nested virtualization (guests) with clock of the host below, ptp_kvm (phc); there is in c3, c4 ${ON}`,
  ],
  [
    { machineType: "c3-highcpu-192-metal", phc: HostPhc.Required },
    `machineType: c3-highcpu-192-metal has no clock of the host below, ptp_kvm (phc); there is in ${SERIES_CLOCK}, but not on bare metal ${ON}`,
  ],
  [
    { machineType: "c3-highcpu-192-metal", spot: true },
    `spot: cannot be true with c3-highcpu-192-metal: Google has no bare metal machines on spot; leave it out, or take c3-standard-4, where guests run by nested virtualization ${ON}`,
  ],
  [{ zone: "europe-west4" }, 'zone: must be a zone such as europe-west4-a, not "europe-west4"'],
  [{ network: "My Network" }, 'network: must be a name, an id or a self link, not "My Network"'],
  [{ network: A_RESOURCE }, "network: is a whole resource: give its id"],
  ...["", "https://www.googleapis.com/compute/v1/"].map((before): Wrong => {
    const subnetwork = `${before}projects/mine/regions/us-central1/subnetworks/mine`;
    return [
      { zone: "us-central11-a", network: "mine", subnetwork },
      'zone: "us-central11-a" is not in the region of the subnetwork',
    ];
  }),
  [{ subnetwork: "mine" }, "network: is required with subnetwork: the firewall rules are made in it"],
  [
    { sshFrom: [], networkTags: ["mine"] },
    "network: is required where only your own rules are to let anybody in (sshFrom: []): those of the default network let " +
      'everybody log in. Name the network; "default" where these rules were deleted',
  ],
  [
    { networkTags: ["Mine"] },
    'networkTags[0]: must be 1 to 63 lower case letters, digits and hyphens, a letter first, not "Mine"',
  ],
  [
    { image: "debian-12" },
    'image: must be the self link of an image, such as projects/debian-cloud/global/images/debian-12-bookworm-v20261110, not "debian-12"',
  ],
  [{ labels: "team" }, "labels: must be an object of labels"],
  [
    { labels: { Team: "a" } },
    "labels.Team: must be a key of 1 to 63 lower case letters, digits, hyphens and underscores, a letter first",
  ],
  [
    { labels: { team: "A" } },
    'labels.team: must be a text of at most 63 lower case letters, digits, hyphens and underscores, not "A"',
  ],
  [
    { firstBoot: "a".repeat(262_144) },
    "firstBoot: makes user data of 264700 bytes, and Google Cloud takes 262144: give fewer time sources, or Delivery.Ssh",
  ],
  [
    { firstBoot: "true\n", operatingSystem: OperatingSystem.Debian12 },
    "firstBoot: needs cloud-init, which the image of debian-12 in Google Cloud has not: take ubuntu-22.04, ubuntu-24.04, or Delivery.Ssh",
  ],
  // sshd of Debian shows another key at first, and a handshake that fails behind a proxy is not tried anew.
  ...[OperatingSystem.Debian12, OperatingSystem.Debian13].map((operatingSystem): Wrong => {
    const error =
      `proxy: needs cloud-init, which the image of ${operatingSystem} in Google Cloud has not: take ubuntu-22.04, ubuntu-24.04, or ` +
      'address: "private" without a proxy, where this machine is in the network or has a VPN to it';
    return [{ operatingSystem, proxy: later({ address: "bastion", hostKey: HOST_KEY }) }, error];
  }),
  [{ instanceType: "m7i.large" }, "instanceType: is not an argument; did you mean machineType?"],
  [{ region: "europe-west4" }, "region: is not an argument; did you mean zone?"],
  [{ vpcId: "vpc-1" }, "vpcId: is not an argument; did you mean network?"],
  [{ tags: {} }, "tags: is not an argument; did you mean labels?"],
];

const hosts = [
  ["AwsHost", AwsHost, [...shared(AWS_ARGUMENTS), ...aboutProxies(AWS_NETWORK), ...aws]],
  ["GcpHost", GcpHost, [...shared(GCP_ARGUMENTS), ...aboutProxies({}), ...gcp]],
] as const;
type AnyHost = new (name: string, args: object, opts?: object) => unknown;

function refusal(host: unknown, args: object, name = "a", opts: object = {}): string {
  const least = { operatingSystem: OperatingSystem.Ubuntu2204, sshFrom: ["203.0.113.7/32"] };
  try {
    new (host as AnyHost)(name, { ...least, ...args }, opts);
    return "accepted";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

describe.each(hosts)("%s", (type, host, wrong) => {
  test.each(wrong.map((row, index) => [index, ...row] as const))("refuses wrong arguments %i: %o", (_, args, error) => {
    expect(refusal(host, args)).toBe(`${type} "a" has 1 input error:\n  ${error}`);
    expect(registered).toEqual([]);
  });

  test("says all that is wrong at once", () => {
    expect(
      refusal(host, { sshFrom: ["any"], guests: 1, rootDiskGib: 1, address: "x" }),
    ).toBe(`${type} "a" has 4 input errors:
  sshFrom[0]: must be a network such as 203.0.113.7/32, not "any"; everybody is "0.0.0.0/0", spelled out
  guests: must be true or false
  address: must be one of public, private, not "x"
  rootDiskGib: must be 10 to 16384 GiB, not 1`);
  });

  test("quotes no private key, wherever it was put", () => {
    for (const key of ["publicKey", "keyName", "name", "zone", "placementGroup", "privateKeyy"]) {
      expect(refusal(host, { [key]: PRIVATE_KEY })).not.toContain(PRIVATE_KEY.split("\n")[1]?.slice(0, 20));
    }
  });

  test.each([[["0.0.0.0/0"]], [["0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1"]]])(
    "takes what is everybody when it is spelled out: %j",
    (sshFrom) => {
      expect(refusal(host, { sshFrom })).toBe("accepted");
    },
  );

  test("takes networks that are large and not everybody", () => {
    const sshFrom = ["0.0.0.0/1", "128.0.0.0/2", "10.0.0.0/8"];
    expect(refusal(host, { sshFrom, timeFrom: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"] })).toBe("accepted");
  });
});

describe("a login key of the user's", () => {
  const lineOf = (privateKey: string) => {
    const key = utils.parseKey(privateKey);
    return key instanceof Error ? key.message : `${key.type} ${key.getPublicSSH().toString("base64")} me@example`;
  };
  // ssh2 reads no PKCS#8.
  const point = createPublicKey(PEM_KEY).export({ format: "jwk" }).x ?? "";
  const blob = Buffer.concat([Buffer.from("\0\0\0\vssh-ed25519\0\0\0 "), Buffer.from(point, "base64url")]);
  const dsa = generateKeyPairSync("dsa", { modulusLength: 1024, divisorLength: 160 }).privateKey;
  const pairs = {
    "OpenSSH's form": [HOST_KEY, PRIVATE_KEY],
    "PKCS#1": [lineOf(RSA_KEY), RSA_KEY],
    SEC1: [lineOf(EC_KEY), EC_KEY],
    "PKCS#8": [`ssh-ed25519 ${blob.toString("base64")}`, PEM_KEY],
    // Whose public half nobody reads here.
    "a form of a kind that is SSH's no more": [HOST_KEY, dsa.export({ type: "pkcs8", format: "pem" }).toString()],
  };

  test.each(Object.entries(pairs))("is taken with its private half in %s", (_, [publicKey, privateKey]) => {
    expect(refusal(GcpHost, { publicKey, privateKey })).toBe("accepted");
    expect(refusal(AwsHost, { publicKey, privateKey })).toBe("accepted");
  });

  test("is not looked for in the pair of EC2 that a keyName names", () => {
    const privateKey = keyPair().privateKey;
    expect(refusal(AwsHost, { keyName: "mine", privateKey })).toBe("accepted");
    expect(refusal(AwsHost, { keyName: "mine", publicKey: HOST_KEY, privateKey })).toBe("accepted");
  });

  test.each(["ssh-prod", "sk-1", "team/alice", "alice's key", "AAAA"])("may be a pair of EC2 called %s", (keyName) => {
    expect(refusal(AwsHost, { keyName })).toBe("accepted");
  });
});

test.each(["mine", "projects/mine/regions/europe-west4/subnetworks/mine", later("mine")])(
  "a GcpHost takes a subnetwork of its zone's region, as far as it names one: %s",
  (subnetwork) => {
    expect(refusal(GcpHost, { zone: "europe-west4-a", network: "mine", subnetwork })).toBe("accepted");
    expect(refusal(GcpHost, { network: "mine", subnetwork })).toBe("accepted");
  },
);

test("a GcpHost's machine is named after the component", () => {
  expect(refusal(GcpHost, {}, "Node_1")).toBe(`GcpHost "Node_1" has 1 input error:
  (name of the component): must be 1 to 40 lower case letters, digits and hyphens, a letter first, not "Node_1": the machine is named after it`);
  expect(refusal(AwsHost, {}, "Node_1")).toBe("accepted");
});

test("an AwsHost takes a script that fits when it is compressed", () => {
  expect(refusal(AwsHost, { firstBoot: "server time.example.org iburst\n".repeat(1000) })).toBe("accepted");
});

describe("the region of a host that states none", () => {
  const [PROVIDER, PARENT] = ["a provider of the program's own", "a parent with one"];
  const IN_CHINA = `AwsHost "a" has 1 input error:
  phc: cannot be "required" in cn-north-1: precision-time placement groups are in Amazon's commercial regions only ${ON}`;
  const required = { phc: HostPhc.Required };
  const optionsOf = (which: string): pulumi.ComponentResourceOptions => {
    const provider = new Provider("mine", { region: "eu-north-1" });
    return which === PROVIDER
      ? { provider }
      : { parent: new pulumi.ComponentResource("timebase:index:Network", "net", {}, { providers: [provider] }) };
  };

  beforeEach(() => {
    for (const name of ["AWS_REGION", "AWS_DEFAULT_REGION"]) vi.stubEnv(name, undefined);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    pulumi.runtime.setAllConfig({});
  });

  test("is judged where the stack's configuration has it, before the environment's", () => {
    vi.stubEnv("AWS_REGION", "eu-north-1");
    pulumi.runtime.setAllConfig({ "aws:region": "cn-north-1" });
    expect(refusal(AwsHost, required)).toBe(IN_CHINA);
    expect(refusal(AwsHost, { ...required, region: "eu-north-1" })).toBe("accepted");
  });

  test.each(["AWS_REGION", "AWS_DEFAULT_REGION"])("is judged where the environment has it, by %s", (name) => {
    vi.stubEnv(name, "cn-north-1");
    expect(refusal(AwsHost, required)).toBe(IN_CHINA);
    expect(refusal(AwsHost, { availabilityZone: "us-east-1a" })).toBe(`AwsHost "a" has 1 input error:
  availabilityZone: "us-east-1a" is not in the region "cn-north-1"`);
  });

  test("is not known where nothing says it", () => {
    expect(refusal(AwsHost, required)).toBe("accepted");
  });

  test.each([PROVIDER, PARENT])("is not known with %s, whatever else says it", (which) => {
    vi.stubEnv("AWS_REGION", "cn-north-1");
    expect(refusal(AwsHost, required, "a", optionsOf(which))).toBe("accepted");
  });
});

describe("networks are all addresses together", () => {
  /** Prefixes, as bits: the whole, of which each number cuts one part in two. */
  function cut(numbers: number[]): string[] {
    const prefixes = [""];
    for (const number of numbers) {
      const [chosen = ""] = prefixes.splice(number % prefixes.length, 1);
      prefixes.push(`${chosen}0`, `${chosen}1`);
    }
    return prefixes;
  }
  function written(bits: string, isIPv6: boolean): string {
    const [width, count] = isIPv6 ? [16, 8] : [8, 4];
    const parts = Array.from({ length: count }, (_, index) =>
      Number.parseInt(bits.padEnd(width * count, "0").slice(index * width, (index + 1) * width), 2),
    );
    const address = isIPv6 ? parts.map((part) => part.toString(16)).join(":") : parts.join(".");
    return `${address}/${bits.length}`;
  }

  test.each([false, true])("however they are cut, and not without one of them (IPv6: %s)", (isIPv6) => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { minLength: 1, maxLength: 31 }), fc.nat(), (numbers, number) => {
        const networks = cut(numbers).map((bits) => written(bits, isIPv6));
        expect(areAllAddresses(networks)).toBe(true);
        expect(areAllAddresses([...networks, ...networks.slice(1)])).toBe(true);
        networks.splice(number % networks.length, 1);
        expect(areAllAddresses(networks)).toBe(false);
      }),
    );
  });
});
