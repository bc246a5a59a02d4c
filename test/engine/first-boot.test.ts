import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { Stack } from "@pulumi/pulumi/automation";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Delivery, ExperimentCluster, type ExperimentClusterArgs, firstBootPlan, Topology } from "../../components";
import { firstBootDigest } from "../../components/hosts/cloud/firstBoot";
import { CONVERGE_COMMAND, PROVE_COMMAND, REVERT_COMMAND } from "../../components/remote/firstBoot";
import { changed } from "../../rig/summary";
import { testStack } from "../rig/support/stack";
import { printed } from "../unit/support/evidence";
import { type SshServer, startSshServer } from "./command-provider/ssh-server";

// Who dials when, which the engine and the command provider decide. The hosts are SSH servers that answer as a host does that has
// converged at its first boot.

const names = ["node-1", "node-2"];
const words = { [CONVERGE_COMMAND]: "converge", [PROVE_COMMAND]: "prove", [REVERT_COMMAND]: "revert" };
const answer = (command: string, stdin: string) =>
  command === PROVE_COMMAND ? `${printed({ host: /^host=(.*)$/m.exec(stdin)?.[1], timescale: "utc" })}\n` : "";

describe("a cluster whose hosts converge at their first boot", () => {
  let folder: string;
  let servers: SshServer[];
  let stack: Stack;
  let clock: Omit<ExperimentClusterArgs, "hosts"> = {
    delivery: Delivery.CloudInit,
    toolkitUrl: "https://example.test/toolkit",
    topology: Topology.Provider,
  };
  let generation = "i-1";
  const said = () =>
    servers.map(({ sessions }) => sessions.splice(0).map(({ command }) => words[command ?? ""] ?? command));

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "timebase-first-boot-"));
    servers = await Promise.all(names.map(() => startSshServer(0, answer)));
    stack = await testStack("first-boot", folder, program);
  }, 1_200_000);

  afterAll(async () => {
    await Promise.all(servers.map((server) => server.close()));
    rmSync(folder, { recursive: true });
  });

  const program = async () => {
    const hosts = names.map((name, index) => {
      const { port = 0, hostKey = "", privateKey = "" } = servers[index] ?? {};
      const firstBoot = firstBootPlan("lab", name, clock).apply(firstBootDigest);
      const address = "127.0.0.1";
      return {
        name,
        endpoint: { name, address, port, hostKey, privateKey: pulumi.secret(privateKey), generation, firstBoot },
      };
    });
    return { ready: new ExperimentCluster("lab", { hosts, ...clock }).ready };
  };

  test("is made by one session a host, which proves it", async () => {
    await stack.up();
    expect(said()).toEqual([["prove"], ["prove"]]);
  });

  test("is dialed by nobody when nothing changed", async () => {
    expect(changed(await stack.up())).toBe(0);
    expect(said()).toEqual([[], []]);
  });

  test("takes another budget, and another machine, by SSH", async () => {
    clock = { ...clock, maxErrorMicros: 900 };
    await stack.up();
    expect(said()).toEqual([
      ["converge", "prove"],
      ["converge", "prove"],
    ]);
    generation = "i-2";
    await stack.up();
    expect(said()[0]).toEqual(["converge", "prove"]);
  });

  test("has no key in its state, and little in it", () => {
    const state = readFileSync(join(folder, "state/.pulumi/stacks/timebase-test/first-boot.json"), "utf8");
    expect(state).not.toContain("PRIVATE KEY");
  });

  test("is reverted when it goes and its machines stay", async () => {
    await stack.destroy();
    expect(said()).toEqual([["revert"], ["revert"]]);
  });
});
