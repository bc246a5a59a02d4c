import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Stack } from "@pulumi/pulumi/automation";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ClusterSummary } from "../../components";
import type { Cloud } from "../../rig/cloud/resources";
import { standInCloud } from "../../rig/cloud-provider/environment";
import { isInstance, publicAddressOf } from "../../rig/cloud-provider/instance";
import { CloudRecord } from "../../rig/cloud-provider/record";
import { changed } from "../../rig/summary";
import { changeRecorder } from "../engine/changes";
import { exampleStack } from "./support/exampleStack";

// The programs as a user copies them, on the real engine. Their clouds are stand-ins, whose instances are virtual machines
// of this one: Debian 12 whatever image was asked for, with the user data that the program made, and behind the rules that
// it made. That is no cloud, and shows nothing of one.

const EXAMPLES: Readonly<Record<string, Cloud[]>> = {
  "aws-cluster": ["aws"],
  "aws-amazon-linux-2": ["aws"],
  "gcp-cluster": ["gcp"],
  "two-clouds": ["aws", "gcp"],
  celestial: ["gcp"],
};

const HERE = "127.0.0.1";
/** Of loopback, too, so that somebody can come from there. */
const ELSEWHERE = "127.0.0.2";

describe.each(Object.entries(EXAMPLES))("%s", (name, clouds) => {
  let folder: string;
  let stack: Stack;
  /** All that the engine has said, also in its errors. */
  let output = "";
  const say = (text: string) => {
    output += text;
  };
  const heard = { onOutput: say, onError: say };
  const there = () =>
    clouds.flatMap((cloud) => Object.values(new CloudRecord(join(folder, "cloud"), cloud).content().resources));
  const addresses = () =>
    there()
      .filter(({ type }) => isInstance(type))
      .map(publicAddressOf);

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "tb-"));
    const config = {
      "aws:region": "eu-central-1",
      "gcp:project": "stand-in",
      sshFrom: `${HERE}/32`,
      maxErrorMicros: "5000", // for machines that are emulated and share cores
    };
    stack = await exampleStack(name, folder, config, (env) => standInCloud(join(folder, "cloud"), "virtual", env));
  });
  afterAll(async () => {
    // Without a stack there is what kept it from being.
    await stack?.destroy();
    rmSync(folder, { recursive: true, force: true });
  });

  test("previews, and makes nothing by it", async () => {
    expect((await stack.preview(heard)).changeSummary.create).toBeGreaterThan(10);
    expect(there()).toEqual([]);
  });

  test("is up, with every clock proved", async () => {
    const { outputs } = await stack.up(heard);
    // Once, beside another file's machines, an up of gcp-cluster ended well without any proof: its output tells what happened.
    expect(outputs.ready?.value, output).toBe(true);
    const summary: ClusterSummary = outputs.summary?.value;
    expect(summary.hosts).toHaveLength(addresses().length);
    for (const host of summary.hosts)
      expect(host).toMatchObject({ clocksource: "tsc", bootParametersLive: true, rebooted: true });
  });

  test("has no private key in its state or its output", () => {
    const state = readdirSync(join(folder, name, ".pulumi"), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"));
    expect(state.join("") + output).not.toContain("PRIVATE KEY");
  });

  test("changes nothing by a second up", async () => {
    expect(changed(await stack.up(heard))).toBe(0);
  });

  const greeted = (from: string) => Promise.all(addresses().map((address) => greets(address, from)));

  test("lets nobody in from a foreign address, by real connections", async () => {
    expect(await greeted(HERE)).toEqual(addresses().map(() => true));
    expect(await greeted(ELSEWHERE)).toEqual(addresses().map(() => false));
  });

  test("changes only the rules when only they are to change, and then lets in whom they name", async () => {
    await stack.setConfig("sshFrom", { value: `${ELSEWHERE}/32` });
    const { changes, onEvent } = changeRecorder();
    await stack.up({ ...heard, onEvent });
    const rules = { aws: "aws:ec2/securityGroup:SecurityGroup", gcp: "gcp:compute/firewall:Firewall" };
    const kinds = new Set(changes.map(({ op, type }) => `${op} ${type}`));
    expect([...kinds].sort()).toEqual(clouds.map((cloud) => `update ${rules[cloud]}`));
    expect(await greeted(HERE)).toEqual(addresses().map(() => false));
    expect(await greeted(ELSEWHERE)).toEqual(addresses().map(() => true));
  });

  test("leaves nothing behind, and dials nobody for it", async () => {
    await stack.destroy(heard);
    expect(there()).toEqual([]);
    const machines = join(folder, "cloud/timebase/vms");
    expect(existsSync(machines) ? readdirSync(machines) : []).toEqual([]);
    expect(readdirSync(join(folder, "cloud")).filter((file) => file.endsWith(".pid"))).toEqual([]);
  });
});

/** Whether sshd of an address says who it is to somebody who comes from another one: an emulated one takes its time. */
function greets(host: string, localAddress: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port: 22, localAddress }).setTimeout(120_000, () => socket.destroy());
    socket.once("data", () => resolve(true)).once("close", () => resolve(false));
    socket.once("data", () => socket.destroy()).on("error", () => undefined);
  });
}
