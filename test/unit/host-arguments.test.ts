import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { utils } from "ssh2";
import { describe, expect, test } from "vitest";
import { AwsHost, GcpHost, HostAddress, HostPhc, OperatingSystem, SshHost } from "../../components";
import { SCRIPT_BEGINS } from "../../components/hosts/cloud/userData";
import { keyPair } from "../../rig/cloud/keyPair";
import { later, previewBothClouds, refusal, refuses, type Wrong } from "./support/hostArguments";
import { EC_KEY, HOST_KEY, PEM_KEY, PRIVATE_KEY, RSA_KEY } from "./support/keys";

// Every way to be wrong in either cloud, with the exact words.

previewBothClouds();

const KEY_REMEDY = "give the text of a .pub file, such as ~/.ssh/id_ed25519.pub";

/** All networks of 8 bits that are not private as a whole. */
const ALL_BUT_PRIVATE = Array.from({ length: 223 }, (_, index) => `${index + 1}.0.0.0/8`).filter(
  (network) => !/^(10|127)\./.test(network),
);

const SEEN_FROM_OUTSIDE =
  "sshFrom: is private, and the host is reached by its public address: give the network that you are seen in from there, " +
  '"<what `curl -s https://checkip.amazonaws.com` prints>/32", or address: "private" where you are in its network';

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
    "sshFrom: must be plain networks, because it decides which resources there are; the items of a plain list may be outputs: " +
      "[network]",
  ],
  [{ sshFrom: [undefined] }, "sshFrom[0]: is required"],
  [
    { sshFrom: ["203.0.113.7/32, 198.51.100.0/24"] },
    'sshFrom[0]: must be a network such as 10.77.0.0/24, not "203.0.113.7/32, 198.51.100.0/24": one network for each item of a list',
  ],
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
  ...[
    ["192.168.1.23/32"],
    ["10.0.0.5/32", "172.31.0.0/16"],
    ["100.64.0.0/10", "169.254.7.0/24"],
    ["192.168.0.0/16", "10.0.0.0/8"],
  ].map((sshFrom): Wrong => [{ sshFrom }, SEEN_FROM_OUTSIDE]),
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
  ...["echo \u00e9\n", "#!/bin/sh\necho hi\n", `${SCRIPT_BEGINS}echo \u00e9\n`].map(
    (firstBoot): Wrong => [{ firstBoot }, "firstBoot: must be what firstBootPlan gives"],
  ),
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
  [{ bastion: "203.0.113.9" }, "bastion: is not an argument; did you mean proxy?"],
  [{ guest: true }, "guest: is not an argument; did you mean guests?"],
];

/** What is wrong in any cloud where a proxy alone is not enough. */
const aboutProxies = (network: object): Wrong[] => [
  [
    { ...network, proxy: { address: "bastion", hostKey: HOST_KEY }, firstBoot: SCRIPT_BEGINS },
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

const AWS_NETWORK = { subnetId: "subnet-0123456789abcdef0", vpcId: "vpc-0123456789abcdef0" };
const hosts = [
  ["AwsHost", AwsHost, [...shared(AWS_ARGUMENTS), ...aboutProxies(AWS_NETWORK)]],
  ["GcpHost", GcpHost, [...shared(GCP_ARGUMENTS), ...aboutProxies({})]],
] as const;

describe.each(hosts)("%s", (type, host, wrong) => {
  refuses(type, host, wrong);

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

  // A private network is right for who is in it, who comes through a bastion, or whom other rules let in.
  test.each([
    { ...AWS_NETWORK, address: HostAddress.Private },
    { ...AWS_NETWORK, proxy: { address: "bastion", hostKey: HOST_KEY } },
    { securityGroupIds: ["sg-0123456789abcdef0"], networkTags: ["mine"] },
    { sshFrom: ["10.0.0.5/32", "203.0.113.7/32"] },
    { sshFrom: ["10.0.0.5/32", later("203.0.113.7/32")] },
    { sshFrom: ["8.0.0.0/7"] },
    { sshFrom: ["127.0.0.1/32"] },
  ])("takes private networks with %j", (args) => {
    const isOther = ([key]: [string, unknown]) => (type === "AwsHost" ? key === "networkTags" : /Ids?$/.test(key));
    const own = Object.fromEntries(Object.entries(args).filter((entry) => !isOther(entry)));
    expect(refusal(host, { sshFrom: ["192.168.1.23/32"], ...own })).toBe("accepted");
  });

  test("takes networks that are large and not everybody", () => {
    const sshFrom = ["0.0.0.0/1", "128.0.0.0/2", "10.0.0.0/8"];
    expect(refusal(host, { sshFrom, timeFrom: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"] })).toBe("accepted");
  });
});

// tsx checks no types.
test.each([
  ["AwsHost", AwsHost, "operatingSystem"],
  ["GcpHost", GcpHost, "operatingSystem"],
  ["SshHost", SshHost, "address"],
])("%s without arguments says what it needs", (type, host, needed) => {
  const WithoutTypes = host as unknown as new (...args: unknown[]) => unknown;
  for (const args of [[], [null]])
    expect(() => new WithoutTypes("a", ...args)).toThrow(
      new RegExp(`^${type} "a" has 2 input errors:\n  ${needed}: is required\n`),
    );
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
