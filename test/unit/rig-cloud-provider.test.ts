import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { IMAGES as AMAZON } from "../../components/hosts/aws/image";
import { IMAGES as GOOGLE } from "../../components/hosts/gcp/image";
import { OperatingSystem } from "../../components/plan/enums";
import { addressIn, isWithin } from "../../rig/cloud/addresses";
import type { Settings } from "../../rig/cloud/places";
import { type CloudResource, type Inputs, RESOURCES } from "../../rig/cloud/resources";
import { VALUES } from "../../rig/cloud/values";
import { changeOf } from "../../rig/cloud-provider/changes";
import { heardConfiguration } from "../../rig/cloud-provider/configuration";
import { noMachines } from "../../rig/cloud-provider/machines";
import { CloudProvider } from "../../rig/cloud-provider/provider";
import { CloudRecord } from "../../rig/cloud-provider/record";
import { argumentsOf, nestedShape } from "../../rig/cloud-provider/sdk";
import type { PropertyMap } from "../../rig/plugin/property-values";

let folder: string;
let cloud: CloudProvider;
const settings: Settings = { region: "eu-north-1", zone: "europe-west4-a", project: "stand-in" };
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "timebase-clouds-"));
  cloud = new CloudProvider(folder, noMachines, "1.0.0", () => settings);
});
afterAll(() => rmSync(folder, { recursive: true }));

const urnOf = (type: string, name = "x") => `urn:pulumi:test::project::timebase:index:AwsHost$${type}::${name}`;
const instance = "aws:ec2/instance:Instance";
const google = "gcp:compute/instance:Instance";
const network = "gcp:compute/network:Network";
/** What an instance of Google's must have. */
const machine = { machineType: "c3-standard-4", bootDisk: {}, networkInterfaces: [{}] };
const group = (protocol: string) => ({ protocol, fromPort: 22, toPort: 22 });
const reasons = async (type: string, inputs: PropertyMap) =>
  (await cloud.check(urnOf(type), {}, inputs)).failures?.map(({ reason }) => reason);
const make = (type: string, inputs: PropertyMap, name?: string) => cloud.create(urnOf(type, name), inputs);

describe("inputs are those of the real SDK", () => {
  test("at every depth, in lists and maps, required and of the right type", () => {
    expect(argumentsOf("gcp:compute/firewall:Firewall").network).toEqual({ kind: "string", required: true });
    expect(argumentsOf(instance).vpcSecurityGroupIds).toEqual({ kind: "string", many: "list" });
    expect(argumentsOf(instance).tags).toEqual({ kind: "string", many: "map" });
    expect(argumentsOf("aws:ec2/placementGroup:PlacementGroup").strategy).toEqual({
      kind: "string",
      required: true,
      // The SDK's own, and what it does not name yet.
      oneOf: ["spread", "cluster", "partition", "precision-time"],
    });
    const { kind } = argumentsOf(google).networkInterfaces ?? {};
    expect(kind).toMatchObject({ accessConfigs: { many: "list", kind: { natIp: { kind: "string" } } } });
  });

  test.each<[string, PropertyMap, string[]]>([
    [instance, { amy: "ami-1" }, ["no such property: 'amy'"]],
    [instance, { rootBlockDevice: { encrpted: true } }, ["no such property: 'rootBlockDevice.encrpted'"]],
    [instance, { rootBlockDevice: { encrypted: "yes" } }, ["'rootBlockDevice.encrypted' must be of type boolean"]],
    [instance, { vpcSecurityGroupIds: "sg-1" }, ["'vpcSecurityGroupIds' must be a list"]],
    [instance, { tags: { team: 1 } }, [`'tags["team"]' must be of type string`]],
    [
      "gcp:compute/firewall:Firewall",
      { allows: [{ ports: ["22"] }], network: "n", sourceRanges: [] },
      ["missing required property 'allows[0].protocol'"],
    ],
    ["gcp:compute/firewall:Firewall", { sourceTags: ["x"] }, ["missing required property 'network'"]],
    // What its cloud refuses when it sees the values together: all of it is in rig-cloud-refusals.test.ts.
    [instance, { ami: "ami-1" }, ["one of `instance_type,launch_template` must be specified"]],
    [google, { ...machine, bootDisk: {}, networkInterfaces: [] }, ["Insufficient network_interface blocks"]],
    ["aws:ec2/subnet:Subnet", { vpcId: "vpc-1", cidrBlock: 24 }, ["'cidrBlock' must be of type string"]],
  ])("%s %j", async (type, inputs, expected) => {
    expect(await reasons(type, inputs)).toEqual(expected);
  });

  // Each of them is a text, as the SDK's types say: only the cloud says no.
  test.each<[string, PropertyMap, string]>([
    [instance, { instanceType: "m7i.lagre" }, "instanceType"],
    [instance, { tenancy: "shared" }, "tenancy"],
    [instance, { instanceInitiatedShutdownBehavior: "delete" }, "instanceInitiatedShutdownBehavior"],
    [instance, { metadataOptions: { httpTokens: "mandatory" } }, "metadataOptions.httpTokens"],
    [instance, { metadataOptions: { httpEndpoint: "on" } }, "metadataOptions.httpEndpoint"],
    [instance, { rootBlockDevice: { volumeType: "gp4" } }, "rootBlockDevice.volumeType"],
    [instance, { cpuOptions: { nestedVirtualization: "true" } }, "cpuOptions.nestedVirtualization"],
    [instance, { instanceMarketOptions: { marketType: "SPOT" } }, "instanceMarketOptions.marketType"],
    ["aws:ec2/placementGroup:PlacementGroup", { strategy: "precision" }, "strategy"],
    ["aws:ec2/securityGroup:SecurityGroup", { ingress: [group("all")] }, "ingress[0].protocol"],
    ["gcp:compute/firewall:Firewall", { network: "n", sourceRanges: [], direction: "ingress" }, "direction"],
    [
      "gcp:compute/firewall:Firewall",
      { network: "n", sourceRanges: [], allows: [{ protocol: "-1" }] },
      "allows[0].protocol",
    ],
    [google, { ...machine, machineType: "c3-standard-5" }, "machineType"],
    [google, { ...machine, scheduling: { onHostMaintenance: "STAY" } }, "scheduling.onHostMaintenance"],
    [google, { ...machine, networkInterfaces: [{ nicType: "idpf" }] }, "networkInterfaces[0].nicType"],
    ["tls:index/privateKey:PrivateKey", { algorithm: "ed25519" }, "algorithm"],
  ])("a text that the cloud does not take: %s %j", async (type, inputs, path) => {
    const found = await reasons(type, inputs);
    expect(found?.map((reason) => reason.split(" must be one of ")[0])).toEqual([`'${path}'`]);
  });

  test("of very many texts only the nearest is told", async () => {
    expect(await reasons(instance, { instanceType: "m7i.lagre" })).toEqual([
      expect.stringMatching(/^'instanceType' must be one of \d+ texts: did you mean m7i.large\?$/),
    ]);
  });

  test("every list of texts is one of a property that the SDK has, as a text", () => {
    for (const [key, values] of Object.entries(VALUES)) {
      const [sdk = "", names = ""] = key.split(" ");
      const shape = names === "" ? argumentsOf(key) : nestedShape(sdk, names.split("."));
      for (const name of Object.keys(values)) expect(shape[name], `${key} ${name}`).toMatchObject({ kind: "string" });
    }
  });

  test("a resource or a function that the stand-in lacks is an error, also where the SDK has it", async () => {
    await expect(cloud.check(urnOf("aws:s3/bucket:Bucket"), {}, {})).rejects.toThrow("has no resource aws:s3/bucket");
    await expect(cloud.invoke("aws:ec2/getVpc:getVpc", {})).rejects.toThrow("has no function aws:ec2/getVpc:getVpc");
    await expect(cloud.invoke("aws:ssm/getParameter:getParameter", { nmae: "x" })).rejects.toThrow(/'nmae'/);
    expect(() => argumentsOf("aws:ec2/instnce:Instnce")).toThrow("@pulumi/aws has no aws:ec2/instnce:Instnce");
  });

  test("each resource of the table has only properties that the SDK has", () => {
    for (const [type, { updates, replaces, fills = [], lock = [] }] of Object.entries(RESOURCES)) {
      const known = Object.keys(argumentsOf(type));
      const named = [...updates, ...replaces.map((path) => path.split(".")[0] ?? ""), ...fills, ...[lock].flat()];
      expect(
        named.filter((name) => !known.includes(name)),
        type,
      ).toEqual([]);
    }
  });
});

describe("what is there", () => {
  test("are all images of the hosts, by the names that the hosts ask for", async () => {
    for (const { parameter } of Object.values(AMAZON)) {
      const { outputs } = await cloud.invoke("aws:ssm/getParameter:getParameter", { name: parameter });
      expect(outputs?.insecureValue).toMatch(/^ami-[0-9a-f]{17}$/);
    }
    for (const { project, family } of Object.values(GOOGLE)) {
      const { outputs } = await cloud.invoke("gcp:compute/getImage:getImage", { project, family });
      expect(outputs?.selfLink).toContain(`projects/${project}/global/images/${family}-v`);
    }
    const wrong = { name: "/aws/service/debian/release/11/latest/amd64" };
    await expect(cloud.invoke("aws:ssm/getParameter:getParameter", wrong)).rejects.toThrow("NotFound");
  });

  test("is what others may name, and nothing else", async () => {
    await expect(make("aws:ec2/subnet:Subnet", { vpcId: "vpc-0123456789abcdef0" })).rejects.toThrow(
      "NotFound: there is no vpc-0123456789abcdef0",
    );
    await expect(make(instance, { ami: "ami-0123456789abcdef0" })).rejects.toThrow("the stand-in has no image ami-");
    await expect(make(instance, { placementGroup: "nowhere" })).rejects.toThrow("there is no nowhere");
  });

  test("is no machine that cannot be reached", async () => {
    const stop = vi.fn(async (_id: string) => {});
    const enforce = () => Promise.reject(new Error("leads nowhere"));
    const unreached = new CloudProvider(folder, { ...noMachines, stop, enforce }, "1.0.0", () => settings);
    const { parameter } = AMAZON[OperatingSystem.Debian12];
    const { outputs } = await cloud.invoke("aws:ssm/getParameter:getParameter", { name: parameter });
    const made = unreached.create(urnOf(instance), { ami: outputs?.insecureValue });
    await expect(made).rejects.toThrow("leads nowhere");
    expect(stop.mock.calls.map(([id]) => id)).toEqual([expect.stringMatching(/^i-/)]);
    expect(new CloudRecord(folder, "aws").content().resources).toEqual({});
  });

  test("stays for as long as somebody needs it", async () => {
    const vpc = await make("aws:ec2/vpc:Vpc", { cidrBlock: "10.0.0.0/16" });
    const subnet = await make("aws:ec2/subnet:Subnet", { vpcId: vpc.id, cidrBlock: "10.0.1.0/24" });
    await expect(cloud.delete(vpc.id ?? "", urnOf("aws:ec2/vpc:Vpc"), vpc.outs)).rejects.toThrow(
      `DependencyViolation: ${subnet.id} would lose ${vpc.id}`,
    );
    await cloud.delete(subnet.id ?? "", urnOf("aws:ec2/subnet:Subnet"), subnet.outs);
    await cloud.delete(vpc.id ?? "", urnOf("aws:ec2/vpc:Vpc"), vpc.outs);
    expect(new CloudRecord(folder, "aws").content().resources).toEqual({});
  });

  test("has a name once", async () => {
    await make(network, { name: "lab", autoCreateSubnetworks: false });
    await expect(make(network, { name: "lab" })).rejects.toThrow("AlreadyExists: there is a projects/stand-in");
  });
});

describe("a region", () => {
  const inRegion = (region?: string) => new CloudProvider(folder, noMachines, "1.0.0", () => ({ region }));
  const { parameter: name } = AMAZON[OperatingSystem.Debian12];
  const token = "aws:ssm/getParameter:getParameter";
  const newest = async (provider: CloudProvider, region?: string) =>
    (await provider.invoke(token, { name, ...(region && { region }) })).outputs?.insecureValue;

  test("has images of its own, whether a program or the provider's configuration names it", async () => {
    const here = await newest(cloud);
    expect(await newest(cloud, "eu-west-1")).not.toBe(here);
    expect(await newest(inRegion("eu-west-1"))).toBe(await newest(cloud, "eu-west-1"));
    expect(await newest(inRegion("eu-west-1"), "eu-north-1")).toBe(here);
    await expect(newest(inRegion())).rejects.toThrow("Missing region configuration");
    expect((await inRegion().check(urnOf("aws:ec2/vpc:Vpc"), {}, {})).failures).toHaveLength(1);
  });

  // As of a host whose look-up, group or placement group lost its region.
  test("has nothing of another one", async () => {
    const vpcId = (await make("aws:ec2/vpc:Vpc", { cidrBlock: "10.0.0.0/16" })).id;
    const subnetId = (await make("aws:ec2/subnet:Subnet", { vpcId, cidrBlock: "10.0.1.0/24" })).id;
    const sg = (await make("aws:ec2/securityGroup:SecurityGroup", { vpcId })).id;
    const placementGroup = (await make("aws:ec2/placementGroup:PlacementGroup", { strategy: "cluster" })).id;
    const [here, there] = [await newest(cloud), await newest(cloud, "eu-west-1")];
    const region = "eu-west-1";
    for (const named of [{ subnetId }, { vpcSecurityGroupIds: [sg] }, { placementGroup }])
      await expect(make(instance, { ami: there, region, ...named })).rejects.toThrow(/^NotFound: .* in eu-west-1$/);
    await expect(make(instance, { ami: here, region })).rejects.toThrow(`has no image ${here} in eu-west-1`);
    const whole = { ami: here, subnetId, vpcSecurityGroupIds: [sg], placementGroup };
    const { id, outs } = await make(instance, whole);
    expect(outs.region).toBe("eu-north-1");
    // It is where it is, wherever its provider has gone.
    await inRegion("eu-west-1").update(id ?? "", urnOf(instance), outs, { ...whole, monitoring: true });
    expect(await cloud.diff(id ?? "", urnOf(instance), outs, whole)).toEqual({ changes: false, replaces: [] });
  });

  test("of Google's, and a zone, is that of the configuration, too", async () => {
    const there = new CloudProvider(folder, noMachines, "1.0.0", () => ({ zone: "europe-west4-a", project: "mine" }));
    const inputs = { network: "default", ipCidrRange: "10.9.0.0/24" };
    const { id } = await there.create(urnOf("gcp:compute/subnetwork:Subnetwork"), inputs);
    expect(id).toMatch(/^projects\/mine\/regions\/europe-west4\/subnetworks\//);
    const whole = { ...machine, networkInterfaces: [{ network: "default" }] };
    const nowhere = new CloudProvider(folder, noMachines, "1.0.0", () => ({}));
    const { failures = [] } = await nowhere.check(urnOf(google), {}, whole);
    expect(failures.map(({ reason }) => reason)).toEqual([expect.stringContaining("Cannot determine zone")]);
    expect((await cloud.check(urnOf(google), {}, whole)).failures).toEqual([]);
  });
});

test("what the cloud refuses for what else there is, it refuses when it is made and when it changes", async () => {
  const vpcId = (await make("aws:ec2/vpc:Vpc", { cidrBlock: "10.0.0.0/16" })).id;
  const outside = { vpcId, cidrBlock: "10.1.1.0/24" };
  await expect(make("aws:ec2/subnet:Subnet", outside)).rejects.toThrow("InvalidSubnet.Range");
  const sg = (await make("aws:ec2/securityGroup:SecurityGroup", { vpcId })).id;
  const { outputs } = await cloud.invoke("aws:ssm/getParameter:getParameter", {
    name: AMAZON[OperatingSystem.Debian12].parameter,
  });
  const inputs = { ami: outputs?.insecureValue };
  const { id, outs } = await make(instance, inputs);
  const moved = cloud.update(id ?? "", urnOf(instance), outs, { ...inputs, vpcSecurityGroupIds: [sg] });
  await expect(moved).rejects.toThrow("belong to different networks");
});

test("is configured by what the engine tells its server", () => {
  const { ConfigureRequest } = require("@pulumi/pulumi/proto/provider_pb");
  const { Struct } = require("google-protobuf/google/protobuf/struct_pb");
  const { ResourceProviderService } = require("@pulumi/pulumi/proto/provider_grpc_pb");
  const configured = heardConfiguration();
  expect(configured()).toEqual({});
  const request = new ConfigureRequest();
  request.setArgs(Struct.fromJavaScript({ region: "eu-west-1" }));
  const read = ResourceProviderService.configure.requestDeserialize(Buffer.from(request.serializeBinary()));
  expect(read.getArgs().toJavaScript()).toEqual(configured());
  expect(configured()).toEqual({ region: "eu-west-1" });
});

describe("a change", () => {
  const rules = { updates: ["tags", "disk"], replaces: ["ami", "disk.type"], fills: ["ip"] };
  const names = ["tags", "disk", "ami", "ip", "strange"];
  const changed = (before: object, after: object) => changeOf("t", rules, names, { ...before }, { ...after });

  test.each([
    [{ tags: { a: "1" } }, { tags: { a: "1" } }, [], []],
    [{ tags: { a: "1" } }, {}, ["tags"], []],
    [{ disk: { size: 1, type: "x" } }, { disk: { size: 2, type: "x" } }, ["disk"], []],
    [{ disk: { size: 1, type: "x" } }, { disk: { size: 1, type: "y" } }, ["disk"], ["disk.type"]],
    [{ ami: "1" }, { ami: "2" }, ["ami"], ["ami"]],
    // What the cloud has chosen is no change for as long as the program does not choose.
    [{ ip: ["10.0.0.1"] }, {}, [], []],
  ])("%j to %j", (before, after, names, replaces) => {
    expect(changed(before, after)).toEqual({ changed: names, replaces });
  });

  test.each<[string, Inputs, Inputs, string[] | undefined]>([
    [google, { networkInterfaces: [{ accessConfigs: [{}] }] }, { networkInterfaces: [{ accessConfigs: [] }] }, []],
    [google, { networkInterfaces: [{ subnetwork: "a" }] }, { networkInterfaces: [{ subnetwork: "b" }] }, []],
    [
      google,
      { networkInterfaces: [{ nicType: "IDPF" }] },
      { networkInterfaces: [{}] },
      ["networkInterfaces.0.nicType"],
    ],
    [google, { scheduling: { preemptible: true } }, { scheduling: { preemptible: false } }, ["scheduling.preemptible"]],
    [google, { scheduling: { preemptible: true } }, { scheduling: {} }, ["scheduling.preemptible"]],
    [google, { scheduling: { preemptible: false } }, { scheduling: {} }, undefined],
    // The provider does not see it: a program has to say what it is to be instead.
    [google, { scheduling: { preemptible: true } }, {}, undefined],
    [google, { metadataStartupScript: "a" }, {}, ["metadataStartupScript"]],
    [instance, { instanceMarketOptions: { marketType: "spot" } }, {}, undefined],
    [instance, {}, { instanceMarketOptions: { marketType: "spot" } }, ["instanceMarketOptions"]],
    [instance, { placementGroup: "a" }, {}, undefined],
  ])("of %s, %j to %j", (type, before, after, replaces) => {
    const inputs = Object.keys({ ...before, ...after });
    const { changed, replaces: found } = changeOf(type, RESOURCES[type] as CloudResource, inputs, before, after);
    expect(changed.length > 0 ? found : undefined).toEqual(replaces);
  });

  test("of something that nobody has told of is an error", () => {
    expect(() => changed({ strange: 1 }, { strange: 2 })).toThrow("does not know what a change of strange does to t");
  });
});

test.each([
  ["10.0.0.0/24", "10.0.0.255", true],
  ["10.0.0.0/24", "10.0.1.0", false],
  ["0.0.0.0/0", "127.0.0.1", true],
  ["127.0.0.1/32", "127.0.0.2", false],
  ["::/0", "127.0.0.1", false],
])("%s has %s: %s", (network, address, expected) => {
  expect(isWithin(network, address)).toBe(expected);
  expect(isWithin("10.255.255.0/24", addressIn("10.255.255.0/24", 7))).toBe(true);
});
