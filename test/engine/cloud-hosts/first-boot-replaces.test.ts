import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Stack } from "@pulumi/pulumi/automation";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { OperatingSystem } from "../../../components";
import { type AttachedCloud, attachedCloud } from "../../../rig/cloud-provider/attached";
import { isInstance } from "../../../rig/cloud-provider/instance";
import { CloudRecord } from "../../../rig/cloud-provider/record";
import { userTexts } from "../../../rig/cloud-provider/userTexts";
import { instancesIn, programStack, root } from "../../examples/support/programStack";

// What only the real engine decides of machines that are told their plan: what replaces them, and what the next one is told.

describe("a host in each cloud that is told its plan", () => {
  let folder: string;
  let cloud: AttachedCloud;
  let stack: Stack;
  let args: { operatingSystem: OperatingSystem; micros: number | null; isPlain: boolean } = {
    operatingSystem: OperatingSystem.Ubuntu2204,
    micros: 500,
    isPlain: true,
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "timebase-told-"));
    const program = `require("tsx/cjs");
       const { AwsHost, firstBootPlan, GcpHost, Topology } = require(${JSON.stringify(join(root, "components"))});
       const { output } = require("@pulumi/pulumi");
       const { gunzipSync } = require("node:zlib");
       const { operatingSystem, micros, isPlain } = JSON.parse(process.env.ARGS);
       const unpacked = (base64) => gunzipSync(Buffer.from(base64, "base64")).toString();
       const plain = ({ props: { userDataBase64, ...props }, opts }) =>
         isPlain && userDataBase64 ? { props: { ...props, userData: output(userDataBase64).apply(unpacked) }, opts } : undefined;
       const clock = { topology: Topology.Provider, toolkitUrl: "https://example.test", maxErrorMicros: micros };
       const args = (name) => ({
         operatingSystem,
         sshFrom: ["198.51.100.7/32"],
         firstBoot: micros === null ? undefined : firstBootPlan("c", name, clock),
       });
       new AwsHost("a", args("a"), { transforms: [plain] });
       new GcpHost("g", { ...args("g"), zone: "europe-west4-a" });`;
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

  async function up(more: Partial<typeof args> = {}, replace: string[] = []): Promise<Record<string, number>> {
    args = { ...args, ...more };
    Object.assign(stack.workspace.envVars, { ARGS: JSON.stringify(args) });
    const { same: _, ...changes } = (await stack.up({ replace })).summary.resourceChanges ?? {};
    return changes;
  }
  /** The budgets that the machines were told. */
  const told = () =>
    ["aws", "gcp"].map((name) => {
      const resources = Object.values(new CloudRecord(join(folder, "cloud"), name).content().resources);
      const texts = resources
        .filter(({ type }) => isInstance(type))
        .map(({ properties }) => userTexts(properties).userData);
      return [...texts.join("").matchAll(/time-max-error-ns=(\d+)/g)].map(([, nanos]) => nanos);
    });

  /** The form of the user data in AWS. */
  const forms = () =>
    instancesIn(folder).flatMap(({ inputs }) => Object.keys(inputs).filter((key) => /^userData(Base64)?$/.test(key)));

  test("is made, and told it", async () => {
    expect((await up()).create).toBeGreaterThan(0);
    expect(told()).toEqual([["500000"], ["500000"]]);
  });

  test("is the same machine where its user data would have another form now", async () => {
    expect(forms()).toEqual(["userData"]);
    expect(await up({ isPlain: false })).toEqual({});
    expect(forms()).toEqual(["userData"]);
  });

  test("is the same machine with another plan, which only the next one is told", async () => {
    expect(await up({ micros: 900 })).toEqual({});
    expect(told()).toEqual([["500000"], ["500000"]]);
    expect(
      await up(
        {},
        instancesIn(folder).map(({ urn }) => urn),
      ),
    ).toEqual({ replace: 2 });
    expect(told()).toEqual([["900000"], ["900000"]]);
    expect(forms()).toEqual(["userDataBase64"]);
  });

  test("is another machine with another system", async () => {
    expect(await up({ operatingSystem: OperatingSystem.Ubuntu2404 })).toMatchObject({ replace: 2 });
  });

  test("is another machine when it is to be told nothing, or something again", async () => {
    expect(await up({ micros: null })).toMatchObject({ replace: 2 });
    expect(told()).toEqual([[], []]);
    expect(await up({ micros: 700 })).toMatchObject({ replace: 2 });
    expect(told()).toEqual([["700000"], ["700000"]]);
  });
});
