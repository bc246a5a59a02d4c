import { createHash } from "node:crypto";
import { Provider } from "@pulumi/aws/provider";
import * as pulumi from "@pulumi/pulumi";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { AwsHost, HostAddress, HostPhc, OperatingSystem } from "../../components";
import { aboutFirstBoot } from "../../components/hosts/aws/image";
import { compressed } from "../../components/hosts/aws/userData";
import { longestUserData } from "../../components/hosts/cloud/firstBoot";
import { SCRIPT_BEGINS } from "../../components/hosts/cloud/userData";
import { shown } from "../../components/plan/validate";
import {
  A_RESOURCE,
  later,
  NO_TSC,
  ON,
  previewBothClouds,
  refusal,
  refuses,
  type Wrong,
} from "./support/hostArguments";
import { HOST_KEY, PRIVATE_KEY } from "./support/keys";

// Every way to be wrong that only an AwsHost has, with the exact words.

previewBothClouds();

const NO_KEY_NAME = "must be the name of a key pair of EC2 (the text of a .pub file goes into publicKey)";

const NESTED =
  "m7i, m7i-flex, m8i, m8id, m8i-flex, c7i, c7i-flex, c8i, c8id, c8i-flex, r7i, r7iz, r8i, r8id, r8i-flex, x8i, i7i, i7ie";
const NESTED_IN_SOVEREIGN = "m8i, m8id, m8i-flex, c8i, c8id, c8i-flex, r8i, r8id, r8i-flex";
const CLOCKS =
  "m7i, m7i-flex, m7a, m8a, c7i, c7i-flex, c7a, r7i, r7a, r7id, x8adez, x8adz-3tb, x8adz-6tb, x8adzs, x8aedez, x8aedz-3tb, x8aedz-6tb, x8aez, x8az";
const METAL_CLOCKS = CLOCKS.replaceAll(/ \w+-flex,/g, "");
const BOTH = "m7i, m7i-flex, c7i, c7i-flex, r7i";
/** A script that cannot be compressed to what Amazon takes. By how much depends on the zlib. */
const LONG = SCRIPT_BEGINS + createHash("shake256", { outputLength: 20_000 }).digest("base64");
const LONG_PACKED = compressed(longestUserData(LONG, aboutFirstBoot(OperatingSystem.Ubuntu2204), undefined)).length;
const NEEDS_SUBNET =
  "subnetId: is required, with its vpcId, for a host without a public address (address, proxy): the default VPC gives every machine one";

const wrong: readonly Wrong[] = [
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
  [
    { sshFrom: ["192.168.1.23/32", "2001:db8::/32"] },
    "sshFrom: is private, and the host is reached by its public address: give the network that you are seen in from there, " +
      '"<what `curl -s https://checkip.amazonaws.com` prints>/32", or address: "private" where you are in its network',
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
    { instanceType: "m7i.large", region: "eusc-de-east-1", guests: true },
    `instanceType: m7i.large has no nested virtualization (guests) in eusc-de-east-1; there is in ${NESTED_IN_SOVEREIGN}; or any .metal size of an x86-64 family ${ON}`,
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

refuses("AwsHost", AwsHost, wrong);

test("an AwsHost takes a script that fits when it is compressed", () => {
  expect(refusal(AwsHost, { firstBoot: SCRIPT_BEGINS + "server time.example.org iburst\n".repeat(1000) })).toBe(
    "accepted",
  );
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

  test("is one like any that is stated", () => {
    pulumi.runtime.setAllConfig({ "aws:region": "eu-north-1a" });
    expect(refusal(AwsHost, {})).toBe(`AwsHost "a" has 1 input error:
  region: must be a region such as eu-north-1, not "eu-north-1a", by aws:region of the stack, AWS_REGION or AWS_DEFAULT_REGION`);
    expect(refusal(AwsHost, { region: "eu-north-1" })).toBe("accepted");
  });

  test("is not known where nothing says it", () => {
    expect(refusal(AwsHost, required)).toBe("accepted");
  });

  test.each([PROVIDER, PARENT])("is not known with %s, whatever else says it", (which) => {
    vi.stubEnv("AWS_REGION", "cn-north-1");
    expect(refusal(AwsHost, required, "a", optionsOf(which))).toBe("accepted");
  });
});
