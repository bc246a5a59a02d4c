import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { LocalWorkspace, type Stack } from "@pulumi/pulumi/automation";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HostAddress, OperatingSystem } from "../../../components";
import { ensureEngine } from "../../../rig/engine";

// What only the real engine decides: what a changed image or system replaces, and what the state keeps in clear text.

const root = resolve(__dirname, "../../..");

/** A plugin's folder whose executable is the memory cloud, by the name that the engine looks for. */
function pluginFolder(folder: string, name: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  const [node, tsx] = [join(root, "node_modules/.bin/node"), join(root, "node_modules/tsx/dist/loader.mjs")];
  const script = `#!/bin/sh\nexec '${node}' --import '${tsx}' '${join(__dirname, "memory-cloud.ts")}' "$@"\n`;
  writeFileSync(join(path, `pulumi-resource-${name}`), script, { mode: 0o755 });
  return path;
}

describe("a host in each cloud on the real engine", () => {
  let folder: string;
  let stack: Stack;
  let shared = { operatingSystem: OperatingSystem.Ubuntu2204, sshFrom: ["198.51.100.7/32"] };
  let aws: object = { subnetId: "subnet-0123456789abcdef0", vpcId: "vpc-0123456789abcdef0" };
  let gcp = {};

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "timebase-cloud-"));
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
    writeFileSync(join(folder, "package.json"), '{ "main": "index.js" }');
    const providers = ["aws", "gcp", "tls"].map((name) => `{ name: ${name}, path: ${pluginFolder(folder, name)} }`);
    writeFileSync(
      join(folder, "Pulumi.yaml"),
      `name: timebase-test\nruntime: nodejs\nplugins: { providers: [${providers}] }\n`,
    );
    // A program of its own: transforms of an inline one lose what is secret (@pulumi/pulumi 3.270).
    writeFileSync(
      join(folder, "index.js"),
      `require("tsx/cjs");
       const { AwsHost, GcpHost } = require(${JSON.stringify(join(root, "components"))});
       const { unsecret } = require("@pulumi/pulumi");
       const { shared, aws, gcp } = JSON.parse(process.env.ARGS);
       const described = ({ type, props, opts }) =>
         type.endsWith("/instance:Instance") ? { props: { ...props, [MORE[type]]: true }, opts } : undefined;
       const MORE = { "aws:ec2/instance:Instance": "monitoring", "gcp:compute/instance:Instance": "canIpForward" };
       const a = new AwsHost("a", { ...shared, ...aws }, { transforms: [described] });
       const g = new GcpHost("g", { ...shared, ...gcp }, { transforms: [described] });
       exports.ids = [a.instanceId, g.instanceId];
       exports.images = [a.imageId, g.image];
       exports.addresses = [a, g].map(({ endpoint }) => unsecret(endpoint).apply(({ address }) => address));
       exports.users = [a, g].map(({ endpoint }) => unsecret(endpoint).apply(({ user }) => user));`,
    );
    const { pulumi: pulumiCommand, env } = await ensureEngine();
    const envVars = { ...env, PULUMI_BACKEND_URL: `file://${folder}`, PULUMI_CONFIG_PASSPHRASE: "test" };
    stack = await LocalWorkspace.createStack({ stackName: "cloud", workDir: folder }, { pulumiCommand, envVars });
    newest("image-1");
  }, 1_200_000);
  afterAll(() => rmSync(folder, { recursive: true }));

  const newest = (image: string) => Object.assign(stack.workspace.envVars, { NEWEST_IMAGE: image });
  const machines = (state: string) => Object.assign(stack.workspace.envVars, { MACHINES: state });
  const stateText = () => readFileSync(join(folder, ".pulumi/stacks/timebase-test/cloud.json"), "utf8");
  const instancesInState = (): { urn: string; id: string; inputs: Record<string, unknown> }[] =>
    JSON.parse(stateText()).checkpoint.latest.resources.filter(({ type }: { type: string }) => /:Instance$/.test(type));
  const idsInState = () =>
    instancesInState()
      .map(({ id }) => id)
      .sort();

  async function up(options: { replace?: string[] } = {}) {
    Object.assign(stack.workspace.envVars, { ARGS: JSON.stringify({ shared, aws, gcp }) });
    const { summary, outputs } = await stack.up(options);
    const { same = 0, ...changes } = summary.resourceChanges ?? {};
    const { images, users, ids, addresses } = outputs;
    return { changes, same, images: images?.value, users: users?.value, ids: ids?.value, addresses: addresses?.value };
  }

  test("is made, and its keys are in the state as secrets only", async () => {
    const images = ["image-1", "image-1"];
    expect(await up()).toMatchObject({ changes: { create: 12 }, images, users: ["ubuntu", "timebase"] });
    expect(stateText()).not.toContain("PRIVATE KEY");
    expect(stateText()).toContain("ciphertext");
  });

  test("has what transforms gave it beyond its arguments", () => {
    expect(instancesInState().map(({ inputs }) => inputs.monitoring ?? inputs.canIpForward)).toEqual([true, true]);
  });

  test("stays as it is when only the vendor's image has changed", async () => {
    newest("image-2");
    expect(await up()).toMatchObject({ changes: {}, same: 12, images: ["image-1", "image-1"] });
  });

  test("changes only what an argument concerns, in place", async () => {
    const ids = idsInState();
    shared = { ...shared, sshFrom: ["198.51.100.8/32"] };
    aws = { ...aws, instanceType: "m7i.xlarge", tags: { team: "clocks" } };
    gcp = { machineType: "c3-standard-8", labels: { team: "clocks" }, rootDiskGib: 20 };
    const { changes, same, ids: after } = await up();
    expect([changes, same]).toEqual([{ update: 4 }, 8]);
    expect([...after].sort()).toEqual(ids);
  });

  test("is not replaced by a stop and a start", async () => {
    const ids = idsInState();
    machines("stopped");
    await stack.refresh();
    await expect(up()).rejects.toThrow(/a: the machine \S+ has no public address: start it if it is stopped/);
    expect(idsInState()).toEqual(ids);
    machines("started again");
    await stack.refresh();
    const { changes, ids: after, addresses } = await up();
    expect([changes, [...after].sort()]).toEqual([{}, ids]);
    expect(addresses).toEqual(["203.0.113.21", "203.0.113.30"]);
    expect(stateText()).not.toContain("PRIVATE KEY");
    machines("as made");
  });

  test("is another machine when its address in AWS is to be of another kind", async () => {
    aws = { ...aws, address: HostAddress.Private };
    expect(await up()).toMatchObject({ changes: { replace: 1 }, addresses: ["10.0.0.20", "203.0.113.30"] });
  });

  test("moves to the newest image when its instance is replaced on purpose", async () => {
    const replace = instancesInState().map(({ urn }) => urn);
    expect(await up({ replace })).toMatchObject({ changes: { replace: 2 }, images: ["image-2", "image-2"] });
  });

  // The image alone would be ignored, and the endpoint would have the new system's user on the old system's machine.
  test("is another machine with another system", async () => {
    newest("image-3");
    shared = { ...shared, operatingSystem: OperatingSystem.Debian12 };
    const images = ["image-3", "image-3"];
    expect(await up()).toMatchObject({ changes: { replace: 2 }, images, users: ["admin", "timebase"] });
  });

  test("leaves nothing behind", async () => {
    await stack.destroy();
    expect(JSON.parse(stateText()).checkpoint.latest.resources ?? []).toEqual([]);
  });
});
