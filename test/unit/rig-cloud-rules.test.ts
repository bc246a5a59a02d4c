import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { Image } from "../../rig/cloud/images";
import type { Inputs } from "../../rig/cloud/resources";
import type { Entry } from "../../rig/cloud-provider/record";
import { isOpen, rulesOf } from "../../rig/cloud-provider/rules";
import { userTexts } from "../../rig/cloud-provider/userTexts";

const entry = (type: string, properties: Inputs): Entry => ({ type, name: "x", properties });
const ssh = { protocol: "tcp", port: 22, address: "127.0.0.1" } as const;
const here = ["127.0.0.1/32"];

describe("in Amazon's cloud", () => {
  const instance = entry("aws:ec2/instance:Instance", { vpcSecurityGroupIds: ["sg-1", "sg-2"] });
  const rule = (more: Inputs = {}) => ({ protocol: "tcp", fromPort: 22, toPort: 22, cidrBlocks: here, ...more });
  const open = (...ingress: Inputs[]) =>
    isOpen(rulesOf(instance, { "sg-2": entry("aws:ec2/securityGroup:SecurityGroup", { ingress }) }), ssh);

  test.each<[string, Inputs[], boolean]>([
    ["nothing without a rule", [], false],
    ["what a rule lets in", [rule()], true],
    ["not another network's", [rule({ cidrBlocks: ["203.0.113.7/32"] })], false],
    ["not another protocol's", [rule({ protocol: "udp" })], false],
    ["not other ports", [rule({ fromPort: 23, toPort: 80 })], false],
    ["a range of ports", [rule({ fromPort: 0, toPort: 65535 })], true],
    ["all protocols", [rule({ protocol: "-1", fromPort: 0, toPort: 0 })], true],
    ["not IPv6's everybody", [rule({ cidrBlocks: [], ipv6CidrBlocks: ["::/0"] })], false],
    [
      "by any of several rules",
      [rule({ cidrBlocks: ["203.0.113.7/32"] }), rule({ cidrBlocks: ["127.0.0.0/8"] })],
      true,
    ],
  ])("%s", (_, ingress, expected) => {
    expect(open(...ingress)).toBe(expected);
  });

  test("not by a group that the instance is not in", () => {
    const other = { "sg-3": entry("aws:ec2/securityGroup:SecurityGroup", { ingress: [rule()] }) };
    expect(isOpen(rulesOf(instance, other), ssh)).toBe(false);
  });
});

describe("in Google's cloud", () => {
  const instance = entry("gcp:compute/instance:Instance", { networkInterfaces: [{ network: "lab" }], tags: ["host"] });
  const allow = (more: Inputs = {}): Inputs => ({
    network: "lab",
    priority: 900,
    sourceRanges: here,
    targetTags: ["host"],
    allows: [{ protocol: "tcp", ports: ["22"] }],
    ...more,
  });
  const deny = (more: Inputs = {}) =>
    allow({ allows: undefined, denies: [{ protocol: "all" }], sourceRanges: ["0.0.0.0/0"], priority: 65_000, ...more });
  const rulesFor = (machine: Entry, rules: Inputs[], others: Record<string, Entry> = {}) => {
    const firewalls = rules.map((rule, index) => [`rule-${index}`, entry("gcp:compute/firewall:Firewall", rule)]);
    return rulesOf(machine, { ...others, ...Object.fromEntries(firewalls) });
  };
  const open = (...rules: Inputs[]) => isOpen(rulesFor(instance, rules), ssh);

  test.each<[string, Inputs[], boolean]>([
    ["nothing without a rule", [], false],
    ["what a rule lets in", [deny(), allow()], true],
    ["what has no priority has 1000", [deny({ priority: 999 }), allow({ priority: undefined })], false],
    ["denied at the same priority", [allow(), deny({ priority: 900 })], false],
    ["not what comes after a denial", [allow({ priority: 65_534 }), deny()], false],
    ["not another tag's", [allow({ targetTags: ["other"] })], false],
    ["everybody's without a tag", [allow({ targetTags: undefined })], true],
    ["not another network's", [allow({ network: "default" })], false],
    ["not from elsewhere", [allow({ sourceRanges: ["203.0.113.7/32"] })], false],
    ["a range of ports", [allow({ allows: [{ protocol: "tcp", ports: ["1-100"] }] })], true],
    ["not other ports", [allow({ allows: [{ protocol: "tcp", ports: ["23", "80-90"] }] })], false],
    ["not a disabled rule's", [allow({ disabled: true })], false],
    ["to everybody without a source", [allow({ sourceRanges: undefined })], true],
    ["to everybody by an empty list of sources", [allow({ sourceRanges: [] })], true],
    ["denied to everybody without a source", [allow(), deny({ sourceRanges: undefined, priority: 1 })], false],
    ["not to everybody by a source's tag", [allow({ sourceRanges: undefined, sourceTags: ["host"] })], false],
    ["not to IPv4 by IPv6's everybody", [allow({ sourceRanges: ["::/0"] })], false],
    ["by the network's id", [allow({ network: "projects/p/global/networks/lab" })], true],
  ])("%s", (_, rules, expected) => {
    expect(open(...rules)).toBe(expected);
  });

  test("the network that each project has lets everybody log in, until a rule that counts before says no", () => {
    const machine = entry("gcp:compute/instance:Instance", {
      networkInterfaces: [{ network: "default" }],
      tags: ["host"],
    });
    const from = (address: string, port: number, protocol: "tcp" | "udp" = "tcp") => ({ protocol, port, address });
    const everybody = [from("203.0.113.7", 22), from("203.0.113.7", 3389)];
    const neighbours = [from("10.164.0.11", 9), from("10.164.0.11", 9, "udp")];
    const strangers = [from("203.0.113.7", 123, "udp"), from("203.0.113.7", 80), from("10.41.0.11", 80)];
    const opened = (...rules: Inputs[]) =>
      [...everybody, ...neighbours, ...strangers].filter((visitor) => isOpen(rulesFor(machine, rules), visitor));
    expect(opened()).toEqual([...everybody, ...neighbours]);
    expect(opened(deny({ network: "default" }))).toEqual([]);
    expect(opened(deny({ network: "default", priority: 65_535 }))).toEqual([...everybody, ...neighbours]);
  });

  test("a machine that names only its subnetwork has the rules of its network", () => {
    const machine = entry("gcp:compute/instance:Instance", {
      networkInterfaces: [{ subnetwork: "sub" }],
      tags: ["host"],
    });
    const sub = entry("gcp:compute/subnetwork:Subnetwork", { network: "projects/p/global/networks/lab" });
    expect(isOpen(rulesFor(machine, [allow()], { sub }), ssh)).toBe(true);
  });
});

describe("what a machine is told", () => {
  const { user }: Pick<Image, "user"> = { user: "ec2-user" };

  test("is what the program gave, in either cloud's property", () => {
    expect(userTexts({ userData: "#cloud-config\n" }, user).userData).toBe("#cloud-config\n");
    const userDataBase64 = gzipSync("#cloud-config\n").toString("base64");
    expect(userTexts({ userDataBase64 }, user).userData).toBe("#cloud-config\n");
    expect(userTexts({ metadata: { "user-data": "#cloud-config\n" } }).userData).toBe("#cloud-config\n");
    expect(userTexts({ metadataStartupScript: "#!/bin/sh\n" }).userData).toBe("#!/bin/sh\n");
  });

  test("and that its image has a user, in Amazon's cloud only", () => {
    const configs = (texts: { vendorData: string }) =>
      (JSON.parse(texts.vendorData.replace("#cloud-config-archive\n", "")) as { type: string; content: string }[])
        .filter(({ type }) => type === "text/cloud-config")
        .map(({ content }) => JSON.parse(content.replace("#cloud-config\n", "")));
    expect(configs(userTexts({}, user))).toEqual([{ user: { name: "ec2-user" } }]);
    expect(configs(userTexts({}))).toEqual([]);
  });
});
