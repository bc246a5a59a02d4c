import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Stack } from "@pulumi/pulumi/automation";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HostAddress, OperatingSystem } from "../../../components";
import type { Inputs } from "../../../rig/cloud/resources";
import { type AttachedCloud, attachedCloud } from "../../../rig/cloud-provider/attached";
import { isInstance } from "../../../rig/cloud-provider/instance";
import { CloudRecord } from "../../../rig/cloud-provider/record";
import { isOpen, rulesOf } from "../../../rig/cloud-provider/rules";
import { instancesIn, programStack, root, stateOf } from "../../examples/support/programStack";

// What only the real engine decides: what a changed image or system replaces, and what the state keeps in clear text.

describe("a host in each cloud on the real engine", () => {
  let folder: string;
  let cloud: AttachedCloud;
  let stack: Stack;
  let shared: { operatingSystem: OperatingSystem; sshFrom: string[]; spot?: boolean } = {
    operatingSystem: OperatingSystem.Ubuntu2204,
    sshFrom: ["198.51.100.7/32"],
  };
  let aws: object = {};
  let gcp = {};
  let images: string[];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "timebase-cloud-"));
    const program = `require("tsx/cjs");
       const { AwsHost, GcpHost } = require(${JSON.stringify(join(root, "components"))});
       const { unsecret } = require("@pulumi/pulumi");
       const { Vpc } = require("@pulumi/aws/ec2/vpc");
       const { Subnet } = require("@pulumi/aws/ec2/subnet");
       const { shared, aws, gcp, more } = JSON.parse(process.env.ARGS);
       const port = { protocol: "tcp", fromPort: 8080, toPort: 8080, cidrBlocks: ["203.0.113.0/24"] };
       const beyond = {
         "aws:ec2/instance:Instance": () => ({ monitoring: true, ...more }),
         "gcp:compute/instance:Instance": () => ({ canIpForward: true, ...more }),
         "aws:ec2/securityGroup:SecurityGroup": ({ ingress }) => ({ ingress: [...ingress, port] }),
         "gcp:compute/firewall:Firewall": ({ allows }) =>
           allows && { allows: [...allows, { protocol: "tcp", ports: ["8080"] }] },
       };
       const described = ({ type, props, opts }) => {
         const added = beyond[type]?.(props);
         return added && { props: { ...props, ...added }, opts };
       };
       const vpcId = new Vpc("network", { cidrBlock: "10.0.0.0/16" }).id;
       const subnetId = new Subnet("subnet", { vpcId, cidrBlock: "10.0.1.0/24" }).id;
       const a = new AwsHost("a", { ...shared, vpcId, subnetId, ...aws }, { transforms: [described] });
       const g = new GcpHost("g", { ...shared, zone: "europe-west4-a", ...gcp }, { transforms: [described] });
       exports.ids = [a.instanceId, g.instanceId];
       exports.images = [a.imageId, g.image];
       exports.addresses = [a, g].map(({ endpoint }) => unsecret(endpoint).apply(({ address }) => address));
       exports.users = [a, g].map(({ endpoint }) => unsecret(endpoint).apply(({ user }) => user));`;
    stack = await programStack(folder, program, async (env) => {
      cloud = await attachedCloud(join(folder, "cloud"), env);
      return cloud.env;
    });
    await stack.setConfig("aws:region", { value: "eu-north-1" });
  }, 1_200_000);
  afterAll(async () => {
    await cloud.close();
    rmSync(folder, { recursive: true });
  });

  const clouds = () => ["aws", "gcp"].map((name) => new CloudRecord(join(folder, "cloud"), name));
  const publishImages = () => clouds().map((cloud) => cloud.publishImages());
  const idsInState = () =>
    instancesIn(folder)
      .map(({ id }) => id)
      .sort();

  const give = (more = {}) =>
    Object.assign(stack.workspace.envVars, { ARGS: JSON.stringify({ shared, aws, gcp, more }) });

  async function up(options: { replace?: string[] } = {}) {
    give();
    const { summary, outputs } = await stack.up(options);
    const { same = 0, ...changes } = summary.resourceChanges ?? {};
    const { images, users, ids, addresses } = outputs;
    return { changes, same, images: images?.value, users: users?.value, ids: ids?.value, addresses: addresses?.value };
  }

  test("is made, and its keys are in the state as secrets only", async () => {
    const made = await up();
    expect(made).toMatchObject({ changes: { create: 14 }, users: ["ubuntu", "timebase"] });
    images = made.images;
    expect(stateOf(folder)).not.toContain("PRIVATE KEY");
    expect(stateOf(folder)).toContain("ciphertext");
  });

  test("is refused in the preview when it is given what the real provider's SDK does not have", async () => {
    give({ bootDsk: {} });
    // The engine ends at the first of them.
    await expect(stack.preview()).rejects.toThrow(/'[ag]-instance': .* no such property: 'bootDsk'/);
  });

  test("has what transforms gave it beyond its arguments, its network rules too", () => {
    expect(instancesIn(folder).map(({ inputs }) => inputs.monitoring ?? inputs.canIpForward)).toEqual([true, true]);
    const isIn = (address: string, port: number) =>
      clouds().flatMap((cloud) => {
        const { resources } = cloud.content();
        const instances = Object.values(resources).filter(({ type }) => isInstance(type));
        return instances.map((instance) => isOpen(rulesOf(instance, resources), { protocol: "tcp", port, address }));
      });
    expect(isIn("198.51.100.7", 22)).toEqual([true, true]);
    expect(isIn("203.0.113.7", 22)).toEqual([false, false]);
    expect(isIn("203.0.113.7", 8080)).toEqual([true, false]); // Google's rule is for the networks that may log in
    expect(isIn("198.51.100.7", 8080)).toEqual([false, true]);
  });

  test("stays as it is when only the vendor's image has changed", async () => {
    publishImages();
    expect(await up()).toMatchObject({ changes: {}, same: 14, images });
  });

  test("changes only what an argument concerns, in place", async () => {
    const ids = idsInState();
    shared = { ...shared, sshFrom: ["198.51.100.8/32"] };
    aws = { ...aws, instanceType: "m7i.xlarge", tags: { team: "clocks" } };
    gcp = { machineType: "c3-standard-8", labels: { team: "clocks" }, rootDiskGib: 20 };
    const { changes, same, ids: after } = await up();
    expect([changes, same]).toEqual([{ update: 4 }, 10]);
    expect([...after].sort()).toEqual(ids);
  });

  test("is not replaced by a stop and a start", async () => {
    const ids = idsInState();
    const [id = ""] = ids.filter((it) => it.startsWith("i-"));
    const change = (properties: object) => clouds()[0]?.change(id, properties as Inputs);
    // Whether there is an address, not whether there is to be one (terraform-provider-aws, issue 33775).
    change({ publicIp: "", associatePublicIpAddress: false });
    await stack.refresh();
    await expect(up()).rejects.toThrow(/a: the machine \S+ has no public address: start it if it is stopped/);
    expect(idsInState()).toEqual(ids);
    change({ publicIp: "198.18.7.7", associatePublicIpAddress: true });
    await stack.refresh();
    const { changes, ids: after, addresses } = await up();
    expect([changes, [...after].sort()]).toEqual([{}, ids]);
    expect(addresses).toEqual(["198.18.7.7", "198.19.0.10"]);
    expect(stateOf(folder)).not.toContain("PRIVATE KEY");
  });

  test("is another machine when its address in AWS is to be of another kind", async () => {
    aws = { ...aws, address: HostAddress.Private };
    expect(await up()).toMatchObject({ changes: { replace: 1 }, addresses: ["10.0.1.11", "198.19.0.10"] });
  });

  test("moves to the newest image when its instance is replaced on purpose", async () => {
    const replace = instancesIn(folder).map(({ urn }) => urn);
    const replaced = await up({ replace });
    expect(replaced.changes).toEqual({ replace: 2 });
    expect(replaced.images.map((image: string, index: number) => image === images[index])).toEqual([false, false]);
  });

  // The image alone would be ignored, and the endpoint would have the new system's user on the old system's machine.
  test("is another machine with another system", async () => {
    shared = { ...shared, operatingSystem: OperatingSystem.Debian12 };
    expect(await up()).toMatchObject({ changes: { replace: 2 }, users: ["admin", "timebase"] });
  });

  // Neither provider sees that something is given no more.
  test("is another machine when it is to be of spot, and when it is to be no more", async () => {
    shared = { ...shared, spot: true };
    expect((await up()).changes).toEqual({ replace: 2 });
    shared = { ...shared, spot: false };
    expect((await up()).changes).toEqual({ replace: 2 });
  });

  test("leaves nothing behind", async () => {
    await stack.destroy();
    expect(JSON.parse(stateOf(folder)).checkpoint.latest.resources ?? []).toEqual([]);
    expect(clouds().map((cloud) => cloud.content().resources)).toEqual([{}, {}]);
  });
});
