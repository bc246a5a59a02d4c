import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Stack } from "@pulumi/pulumi/automation";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ClusterSummary, toolkitArchive } from "../../components";
import { standInCloud } from "../../rig/cloud-provider/environment";
import type { Activity } from "../../rig/command-provider/activity-log";
import { changed } from "../../rig/summary";
import { programStack, root } from "./support/programStack";

// Machines that converge at their first boot, by the user data that the program made, whose clouds are stand-ins. This computer
// is the store that they fetch the toolkit from: QEMU's user network leads to it.

const HERE = "127.0.0.1/32";
const THIS_COMPUTER = "10.0.2.2";
const PROGRAM = `
require("tsx/cjs");
const { AwsHost, Delivery, ExperimentCluster, firstBootPlan, GcpHost, OperatingSystem, TimeSourceKind, Topology } = require(
  ${JSON.stringify(join(root, "components"))},
);
const { toolkitUrl, maxErrorMicros } = JSON.parse(process.env.ARGS);
const clock = {
  delivery: Delivery.CloudInit,
  toolkitUrl,
  maxErrorMicros,
  topology: Topology.Provider,
  sources: [{ kind: TimeSourceKind.Auto }],
  guestPtp: "reported",
  connectTimeoutSeconds: 1500,
  rebootTimeoutSeconds: 1500,
};
const args = (name) => ({
  operatingSystem: OperatingSystem.Ubuntu2204,
  sshFrom: [${JSON.stringify(HERE)}],
  firstBoot: firstBootPlan("told", name, clock),
});
const hosts = [
  { name: "a", endpoint: new AwsHost("a", { ...args("a"), region: "eu-north-1" }).endpoint },
  { name: "g", endpoint: new GcpHost("g", { ...args("g"), zone: "europe-west4-a" }).endpoint },
];
const cluster = new ExperimentCluster("told", { hosts, ...clock });
exports.ready = cluster.ready;
exports.summary = cluster.summary;
`;

describe("a host in each cloud that converges at its first boot", () => {
  let folder: string;
  let stack: Stack;
  let store: Server;
  let content = toolkitArchive().content;
  let maxErrorMicros = 5000;
  const fetched: string[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "tb-"));
    store = createServer(({ url = "" }, response) => {
      fetched.push(url);
      response.end(content);
    });
    await new Promise<void>((listening) => store.listen(0, "127.0.0.1", listening));
    stack = await programStack(folder, PROGRAM, (env) => ({
      ...standInCloud(join(folder, "cloud"), "virtual", env),
      TIMEBASE_PROVIDER_LOG: join(folder, "activity"),
    }));
    await stack.setAllConfig({ "aws:region": { value: "eu-north-1" }, "gcp:project": { value: "stand-in" } });
  });
  afterAll(async () => {
    await stack.destroy();
    store.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function give(): void {
    const { port } = store.address() as AddressInfo;
    const toolkitUrl = `http://${THIS_COMPUTER}:${port}`;
    Object.assign(stack.workspace.envVars, { ARGS: JSON.stringify({ toolkitUrl, maxErrorMicros }) });
  }
  async function up() {
    give();
    return stack.up();
  }
  /** The commands that were run by SSH since it was last asked for, by their resources' names. */
  function sessions(): string[] {
    const log = join(folder, "activity");
    const lines = existsSync(log) ? readFileSync(log, "utf8").split("\n").filter(Boolean) : [];
    rmSync(log, { force: true });
    return lines
      .map((line): Activity => JSON.parse(line))
      .filter(({ event }) => event === "session" || event === "copy")
      .map(({ urn }) => urn.split("::").at(-1) ?? "")
      .sort();
  }

  // First, because its machines are those of the others.
  test("says what is wrong with the store by a proof that fails, and converges nothing of it", async () => {
    content = Buffer.from("not the toolkit");
    let said = "";
    give();
    await expect(stack.up({ onOutput: (text) => (said += text) })).rejects.toThrow();
    expect(said).toMatch(/the SHA-256 of http:\S+ is [0-9a-f]{64}, and has to be [0-9a-f]{64}/);
    expect(said).toContain("/var/lib/timebase-first-boot/log");
    expect(sessions()).toEqual(["told-a-prove", "told-g-prove"]);
    content = toolkitArchive().content;
    await stack.destroy();
  });

  test("is proved after its reboot, by one session", async () => {
    sessions();
    const { outputs } = await up();
    expect(outputs.ready?.value).toBe(true);
    const summary: ClusterSummary = outputs.summary?.value;
    for (const host of summary.hosts)
      expect(host).toMatchObject({ clocksource: "tsc", bootParametersLive: true, rebooted: true });
    expect(sessions()).toEqual(["told-a-prove", "told-g-prove"]);
    expect(fetched).toContain(`/${toolkitArchive().name}`);
  });

  test("changes nothing by a second up", async () => {
    expect(changed(await up())).toBe(0);
    expect(sessions()).toEqual([]);
  });

  test("takes another budget by SSH, on the same machines", async () => {
    maxErrorMicros = 6000;
    const { summary } = await up();
    expect(summary.resourceChanges).not.toHaveProperty("replace");
    expect(sessions()).toEqual(["told-a-converge", "told-a-prove", "told-g-converge", "told-g-prove"]);
  });

  test("is dialed by nobody when it goes", async () => {
    await stack.destroy();
    expect(sessions()).toEqual([]);
  });
});
