import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { LocalWorkspace, type Stack } from "@pulumi/pulumi/automation";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type AwsHostArgs, OperatingSystem } from "../../../components";
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

describe("an AwsHost on the real engine", () => {
  let folder: string;
  let stack: Stack;
  let args: AwsHostArgs = { operatingSystem: OperatingSystem.Ubuntu2204, sshFrom: ["198.51.100.7/32"] };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "timebase-cloud-"));
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
    writeFileSync(join(folder, "package.json"), '{ "main": "index.js" }');
    const providers = ["aws", "tls"].map((name) => `{ name: ${name}, path: ${pluginFolder(folder, name)} }`);
    writeFileSync(
      join(folder, "Pulumi.yaml"),
      `name: timebase-test\nruntime: nodejs\nplugins: { providers: [${providers}] }\n`,
    );
    // A program of its own: transforms of an inline one lose what is secret (@pulumi/pulumi 3.270).
    writeFileSync(
      join(folder, "index.js"),
      `require("tsx/cjs");
       const { AwsHost } = require(${JSON.stringify(join(root, "components"))});
       const { unsecret } = require("@pulumi/pulumi");
       const monitored = ({ type, props, opts }) =>
         type === "aws:ec2/instance:Instance" ? { props: { ...props, monitoring: true }, opts } : undefined;
       const host = new AwsHost("a", JSON.parse(process.env.ARGS), { transforms: [monitored] });
       exports.instanceId = host.instanceId;
       exports.imageId = host.imageId;
       exports.user = unsecret(host.endpoint).apply(({ user }) => user);`,
    );
    const { pulumi: pulumiCommand, env } = await ensureEngine();
    const envVars = { ...env, PULUMI_BACKEND_URL: `file://${folder}`, PULUMI_CONFIG_PASSPHRASE: "test" };
    stack = await LocalWorkspace.createStack({ stackName: "cloud", workDir: folder }, { pulumiCommand, envVars });
    newest("ami-1");
  }, 1_200_000);
  afterAll(() => rmSync(folder, { recursive: true }));

  const newest = (ami: string) => Object.assign(stack.workspace.envVars, { NEWEST_AMI: ami });
  const stateText = () => readFileSync(join(folder, ".pulumi/stacks/timebase-test/cloud.json"), "utf8");
  const instanceInState = () =>
    JSON.parse(stateText()).checkpoint.latest.resources.find(({ type }: { type: string }) => /:Instance$/.test(type));

  async function up(options: { replace?: string[] } = {}) {
    Object.assign(stack.workspace.envVars, { ARGS: JSON.stringify(args) });
    const { summary, outputs } = await stack.up(options);
    const { same = 0, ...changes } = summary.resourceChanges ?? {};
    return { changes, same, image: outputs.imageId?.value, user: outputs.user?.value, id: outputs.instanceId?.value };
  }

  test("is made, and its keys are in the state as secrets only", async () => {
    expect(await up()).toMatchObject({ changes: { create: 6 }, image: "ami-1", user: "ubuntu" });
    expect(stateText()).not.toContain("PRIVATE KEY");
    expect(stateText()).toContain("ciphertext");
  });

  test("has what transforms gave it beyond its arguments", () => {
    expect(instanceInState().inputs).toMatchObject({ monitoring: true, tags: { Name: "a" } });
  });

  test("stays as it is when only the vendor's image has changed", async () => {
    newest("ami-2");
    expect(await up()).toMatchObject({ changes: {}, same: 6, image: "ami-1" });
  });

  test("changes only what an argument concerns, in place", async () => {
    const { id } = instanceInState();
    args = { ...args, sshFrom: ["198.51.100.8/32"], instanceType: "m7i.xlarge" };
    expect(await up()).toMatchObject({ changes: { update: 2 }, same: 4, image: "ami-1", id });
  });

  test("moves to the newest image when its instance is replaced on purpose", async () => {
    const { urn } = instanceInState();
    expect(await up({ replace: [urn] })).toMatchObject({ changes: { replace: 1 }, image: "ami-2" });
  });

  // The image alone would be ignored, and the endpoint would have the new system's user on the old system's machine.
  test("is another machine with another system", async () => {
    newest("ami-3");
    args = { ...args, operatingSystem: OperatingSystem.Debian12 };
    expect(await up()).toMatchObject({ changes: { replace: 1 }, image: "ami-3", user: "admin" });
  });

  test("leaves nothing behind", async () => {
    await stack.destroy();
    expect(JSON.parse(stateText()).checkpoint.latest.resources ?? []).toEqual([]);
  });
});
