import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { Stack } from "@pulumi/pulumi/automation";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stateCost } from "../../bench/state";
import { ExperimentCluster, SshHost } from "../../components";
import { changed } from "../../rig/summary";
import { testStack } from "../rig/support/stack";
import { printed } from "../unit/support/evidence";
import { type SshServer, startSshServer } from "./command-provider/ssh-server";

// What a host costs in what can be counted, on the real engine: the hosts are SSH servers that answer as the toolkit does.

const names = ["node-1", "node-2", "node-3"];
const bootId = "11111111-1111-4111-8111-111111111111";
// As many as a client's proof has.
const checks = [
  ...["system", "boot.rebooted", "boot.persistent", "boot.parameters-live", "clocksource.available"],
  ...["clocksource.current", "time.owner", "time.configuration", "time.daemon", "time.source", "time.synchronised"],
  ...["time.bound", "ptp.guest"],
].map((id) => ({ id, verdict: "pass", expected: "at most 1000 us", found: "chronyd answers", remedy: "" }));
const answer = (command: string, stdin: string) =>
  command.includes("timebase converge")
    ? `converged-boot-id=${bootId}\nconverged-reboot=ordered\n`
    : command.includes("timebase prove")
      ? `${printed({ host: /^host=(.*)$/m.exec(stdin)?.[1], timescale: "hub:node-1", checks })}\n`
      : "";

describe("a cluster of three hosts", () => {
  let folder: string;
  let servers: SshServer[];
  let stack: Stack;
  const sessions = () => servers.map((server) => server.sessions.length);

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "timebase-cost-"));
    servers = await Promise.all(names.map(() => startSshServer(0, answer)));
    stack = await testStack("cost", folder, program);
    await stack.up();
  }, 1_200_000);

  afterAll(async () => {
    await Promise.all(servers.map((server) => server.close()));
    rmSync(folder, { recursive: true });
  });

  const program = async () => {
    const endpointOf = (name: string, index: number) => {
      const { port = 0, hostKey = "", privateKey = "" } = servers[index] ?? {};
      const privateAddress = `10.80.0.${index + 1}`;
      const args = { address: "127.0.0.1", port, hostKey, privateKey: pulumi.secret(privateKey), privateAddress };
      return new SshHost(name, args).endpoint;
    };
    const hosts = names.map((name, index) => ({ name, endpoint: endpointOf(name, index) }));
    return { ready: new ExperimentCluster("lab", { hosts, network: "10.80.0.0/24" }).ready };
  };

  it("takes five resources and three sessions a host, two of them commands", async () => {
    const { resources } = await stateCost(stack, join(folder, "state"), names);
    expect(resources).toBe(5);
    // The third session copies the toolkit.
    expect(sessions()).toEqual([2, 2, 2]);
  });

  it("keeps the state of a host small, and the key out of it", async () => {
    const { bytes, zippedBytes } = await stateCost(stack, join(folder, "state"), names);
    // Six times the encrypted connection is the command provider's: 5.6 kB that no compression takes away.
    expect(bytes).toBeLessThan(21_000);
    expect(zippedBytes).toBeLessThan(6_500);
    const state = readFileSync(join(folder, "state/.pulumi/stacks/timebase-test/cost.json"), "utf8");
    expect(state).not.toContain("PRIVATE KEY");
  });

  it("is dialed by nobody when nothing changed", async () => {
    expect(changed(await stack.up())).toBe(0);
    expect(sessions()).toEqual([2, 2, 2]);
  });
});
