import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Stack } from "@pulumi/pulumi/automation";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ClusterSummary, HostEndpoint } from "../../components";
import { keyPair } from "../../rig/cloud/keyPair";
import { standInCloud } from "../../rig/cloud-provider/environment";
import { changed } from "../../rig/summary";
import { changeRecorder } from "../engine/changes";
import { TestHost } from "../rig/support/host";
import { exampleStack } from "./support/exampleStack";
import { programStack, root } from "./support/programStack";

// The programs for machines that are there already, as a user copies them, on the real engine and on virtual machines: two
// in a rack, and the one by which they are reached, which is the user's own machine of the other program. A stack of its own
// makes them, of which the programs know nothing but what their configuration says. EC2, whose clock one of them follows, is
// a stand-in.

const RACK = ["rack-1", "rack-2"];
const NETWORK = "172.31.0.0/16";
const login = keyPair();
const MACHINES = `
require("tsx/cjs");
const { AwsHost, OperatingSystem } = require(${JSON.stringify(join(root, "components"))});
const args = {
  region: "eu-north-1",
  sshFrom: ["127.0.0.1/32", "${NETWORK}"],
  timeFrom: ["${NETWORK}"],
  ...JSON.parse(process.env.LOGIN),
};
for (const name of ${JSON.stringify(RACK)}) {
  exports[name] = new AwsHost(name, { ...args, operatingSystem: OperatingSystem.Debian12 }).endpoint;
}
exports.gate = new AwsHost("gate", { ...args, operatingSystem: OperatingSystem.Ubuntu2204 }).endpoint;
`;

describe("on machines that are there", () => {
  let folder: string;
  let machines: Stack;
  let endpoints: Record<string, HostEndpoint>;
  let hosts: Record<string, TestHost>;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "tb-"));
    machines = await programStack(folder, MACHINES, (env) => standInCloud(join(folder, "cloud"), "virtual", env));
    Object.assign(machines.workspace.envVars, { LOGIN: JSON.stringify(login) });
    await machines.setConfig("aws:region", { value: "eu-north-1" });
    const { outputs } = await machines.up();
    endpoints = Object.fromEntries(Object.entries(outputs).map(([name, { value }]) => [name, value]));
    hosts = Object.fromEntries(
      Object.entries(endpoints).map(([name, endpoint]) => [name, new TestHost({ ...endpoint, name }, folder)]),
    );
    for (const host of Object.values(hosts)) {
      await answers(host); // which nobody has waited for
      await host.cloudInitEnd();
    }
  });
  afterAll(async () => {
    await machines?.destroy();
    rmSync(folder, { recursive: true, force: true });
  });

  const hostOf = (name: string) => hosts[name] as TestHost;
  const endpointOf = (name: string) => endpoints[name] as HostEndpoint;

  async function stackOf(name: string, config: Record<string, string>): Promise<Stack> {
    const stack = await exampleStack(name, folder, config, (env) => ({ ...env, SSH_AUTH_SOCK: "" }));
    await stack.setConfig("privateKey", { value: login.privateKey, secret: true });
    return stack;
  }

  /** All resources that a stack has, by name. */
  const left = async (stack: Stack) => (await stack.exportStack()).deployment.resources ?? [];

  const isManaged = (name: string) => hostOf(name).run("test -e /var/lib/timebase && echo yes || echo no");

  /** Waits until it answers, of another boot than the one that is named. */
  async function answers(host: TestHost, before = ""): Promise<void> {
    const seconds = 1200;
    for (const end = Date.now() + seconds * 1000; ["", before].includes(await host.bootId()); await sleep(2000))
      if (Date.now() > end) throw new Error(`${host.endpoint.name} did not boot within ${seconds} s`);
  }

  async function reboot(host: TestHost): Promise<void> {
    const before = await host.bootId();
    await host.run("sudo systemctl reboot");
    await answers(host, before);
  }

  describe("existing-hosts", () => {
    let stack: Stack;
    let pristine: string[];
    const configurations = () => Promise.all(RACK.map((name) => hostOf(name).configuration()));
    const rackOf = (names: string[]) =>
      JSON.stringify({
        hosts: Object.fromEntries(names.map((name) => [name, endpointOf(name).privateAddress])),
        network: NETWORK,
        bastion: endpointOf("gate").address,
      });
    const started = () => existsSync(join(folder, "existing-hosts/started"));

    beforeAll(async () => {
      pristine = await configurations();
      stack = await stackOf("existing-hosts", {
        bastionHostKey: endpointOf("gate").hostKey,
        bastionUser: endpointOf("gate").user,
        user: endpointOf("rack-1").user,
        hostKeys: JSON.stringify(Object.fromEntries(RACK.map((name) => [name, endpointOf(name).hostKey]))),
        rack: rackOf(RACK),
        maxErrorMicros: "5000",
        maxPairwiseMicros: "10000",
      });
      const experiment = join(folder, "existing-hosts/run-experiment");
      rmSync(experiment); // a link to the example's
      writeFileSync(experiment, "#!/bin/sh\n: >started\n", { mode: 0o755 });
    });

    test("waits for a reboot by their owner, and starts no experiment before it", async () => {
      let said = "";
      await expect(stack.up({ onOutput: (text) => (said += text) })).rejects.toThrow();
      expect(said).toContain("pending reboot");
      expect(await Promise.all(RACK.map((name) => hostOf(name).clocksource()))).not.toContain("tsc");
      expect(started()).toBe(false);
    });

    test("is proved after it, with every pair of hosts, and starts the experiment", async () => {
      await Promise.all(RACK.map((name) => reboot(hostOf(name))));
      const { outputs } = await stack.up();
      expect(outputs.ready?.value).toBe(true);
      const summary: ClusterSummary = outputs.summary?.value;
      expect(summary.hosts).toHaveLength(2);
      for (const host of summary.hosts) expect(host).toMatchObject({ clocksource: "tsc", bootParametersLive: true });
      expect(summary.pairwiseBoundNs).toBeLessThan(10_000_000);
      expect(await Promise.all(RACK.map((name) => hostOf(name).clocksource()))).toEqual(["tsc", "tsc"]);
      expect(started()).toBe(true);
    });

    test("changes nothing by a second up", async () => {
      expect(changed(await stack.up())).toBe(0);
    });

    test("takes back what is on a host that leaves, and leaves the other one alone", async () => {
      await stack.setConfig("rack", { value: rackOf(["rack-1"]) });
      await stack.up();
      expect(await Promise.all(RACK.map(isManaged))).toEqual(["yes", "no"]);
    });

    test("leaves nothing behind, here or on a host", async () => {
      await stack.destroy();
      expect(await left(stack)).toEqual([]);
      expect(await configurations()).toEqual(pristine);
    });
  });

  describe("in-your-stack", () => {
    let stack: Stack;
    let pristine: string;
    const isActive = () => hostOf("gate").run("systemctl is-active experiment");

    beforeAll(async () => {
      const unit = "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n";
      await hostOf("gate").succeeds("sudo tee /etc/systemd/system/experiment.service", unit);
      pristine = await hostOf("gate").configuration();
      const { address, hostKey } = endpointOf("gate");
      stack = await stackOf("in-your-stack", { address, hostKey, maxErrorMicros: "5000" });
    });

    test("starts the experiment on a clock that is proved after its reboot", async () => {
      const before = await hostOf("gate").bootId();
      const { outputs } = await stack.up();
      expect(outputs.clocksource?.value).toBe("tsc");
      expect(outputs.errorBoundNs?.value).toBeGreaterThan(0);
      expect(outputs.errorBoundNs?.value).toBeLessThan(5_000_000);
      expect(await hostOf("gate").bootId()).not.toBe(before);
      expect([await hostOf("gate").clocksource(), await isActive()]).toEqual(["tsc", "active"]);
    });

    test("changes nothing by a second up", async () => {
      expect(changed(await stack.up())).toBe(0);
    });

    test("proves another budget, and starts the experiment no second time", async () => {
      await stack.setConfig("maxErrorMicros", { value: "6000" });
      const { changes, onEvent } = changeRecorder();
      await stack.up({ onEvent });
      const names = new Set(changes.map(({ name }) => name));
      expect([...names].sort()).toEqual(["worker-converge", "worker-prove"]);
    });

    test("leaves nothing behind, here or on the machine", async () => {
      await stack.destroy();
      expect(await left(stack)).toEqual([]);
      expect(await hostOf("gate").configuration()).toBe(pristine);
    });
  });
});
