import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Stack } from "@pulumi/pulumi/automation";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type AttachedCloud, attachedCloud } from "../../../rig/cloud-provider/attached";
import { CloudRecord } from "../../../rig/cloud-provider/record";
import { STORIES } from "../../../rig/preview/stories";
import { exampleStack } from "../../examples/support/exampleStack";

// The programs as a user copies them, and what is theirs in a cloud. The machines do not exist, so nobody dials them: what
// happens on them is shown by `npm run test:examples`.

const examples = {
  // Network, gateway, routes, subnet, placement group; a security group and an instance for each host.
  "aws-cluster": { cloud: "aws", resources: 9 },
  // Network and subnetwork; three firewall rules and an instance for each host.
  "gcp-cluster": { cloud: "gcp", resources: 10 },
} as const;

describe.each(Object.entries(examples))("%s on the real engine", (name, { cloud, resources }) => {
  let folder: string;
  let attached: AttachedCloud;
  let stack: Stack;
  const there = () => Object.values(new CloudRecord(join(folder, "cloud"), cloud).content().resources);

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "timebase-example-"));
    const config = STORIES[name]?.({ publicKey: "", privateKey: "" });
    stack = await exampleStack(name, folder, { ...config, hosts: "2" }, async (env) => {
      attached = await attachedCloud(join(folder, "cloud"), env);
      return attached.env;
    });
  }, 1_200_000);
  afterAll(async () => {
    await attached.close();
    rmSync(folder, { recursive: true });
  });

  test("makes its machines, of inputs that the real SDK has", async () => {
    await stack.up({ exclude: ["**command:remote:**"] });
    const types = there().map(({ type }) => type);
    expect(types).toHaveLength(resources);
    expect(types.filter((type) => type.endsWith(":Instance"))).toHaveLength(2);
  });

  test("previews the rest, and nothing else", async () => {
    const { changeSummary } = await stack.preview();
    expect(changeSummary.create).toBe(6); // three commands for each host
    expect(changeSummary.update).toBeUndefined();
  });

  test("leaves nothing behind", async () => {
    await stack.destroy();
    expect(there()).toEqual([]);
  });
});
