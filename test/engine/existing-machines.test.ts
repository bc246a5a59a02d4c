import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Stack } from "@pulumi/pulumi/automation";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { keyPair } from "../../rig/cloud/keyPair";
import { loopbackNetworks } from "../../rig/cloud-provider/machines";
import { changed } from "../../rig/summary";
import { exampleStack } from "../examples/support/exampleStack";
import { changeRecorder } from "./changes";
import { healthyHost } from "./command-provider/healthy-host";
import { SSH_PORT, type SshServer, startSshServer } from "./command-provider/ssh-server";

// The programs for machines that exist, as a user copies them, on the real engine. The machines are SSH servers that only
// say that all is well: no clock is proved.

describe("on the real engine", () => {
  let folder: string;
  let network: string;
  const login = keyPair();
  const addressOf = (n: number) => network.replace("0/24", String(n));
  const start = (n: number, user: string, hostKey = keyPair()) =>
    startSshServer(SSH_PORT, healthyHost, { address: addressOf(n), user, login, hostKey });
  const commandsOf = ({ sessions }: SshServer) => sessions.map(({ command }) => command);
  const CONVERGED = expect.stringMatching(/timebase converge$/);
  const PROVED = expect.stringMatching(/timebase prove/);
  const REVERTED = expect.stringMatching(/timebase revert/);

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "timebase-existing-"));
    // One that no stand-in for a cloud has, whose tests run beside this one.
    network = loopbackNetworks(folder).aws.replace("127.78.", "127.80.");
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  async function stackOf(name: string, config: Record<string, string>): Promise<Stack> {
    const stack = await exampleStack(name, folder, config, (env) => ({ ...env, SSH_AUTH_SOCK: "" }));
    await stack.setConfig("privateKey", { value: login.privateKey, secret: true });
    return stack;
  }

  describe("existing-hosts", () => {
    const names = ["rack-1", "rack-2"];
    const keys = names.map(() => keyPair());
    let bastion: SshServer;
    let servers: SshServer[];
    let stack: Stack;
    const rackOf = (names: string[]) =>
      JSON.stringify({
        hosts: Object.fromEntries(names.map((name, n) => [name, addressOf(n + 1)])),
        network,
        bastion: addressOf(9),
      });

    beforeAll(async () => {
      bastion = await start(9, "jump");
      servers = await Promise.all(keys.map((key, n) => start(n + 1, "admin", key)));
      const hostKeys = Object.fromEntries(keys.map(({ publicKey }, n) => [names[n], publicKey]));
      const config = { bastionHostKey: bastion.hostKey, hostKeys: JSON.stringify(hostKeys), rack: rackOf(names) };
      stack = await stackOf("existing-hosts", config);
    }, 1_200_000);
    afterAll(() => Promise.all([bastion, ...servers].map((server) => server.close())));

    test("is ready by one up, by way of the bastion, and starts the experiment", async () => {
      const { outputs } = await stack.up();
      expect(outputs.ready).toMatchObject({ value: true, secret: false });
      expect(servers.map(commandsOf)).toEqual(names.map(() => [CONVERGED, PROVED, PROVED]));
      expect(bastion.sessions).toEqual([]);
      expect([...new Set(bastion.forwards)].sort()).toEqual(names.map((_, n) => `${addressOf(n + 1)}:22`));
      const { deployment } = await stack.exportStack();
      const experiment = deployment.resources.find(({ urn }: { urn: string }) => urn.endsWith("::experiment"));
      expect(experiment.outputs.stdout).toContain("the experiment starts");
    });

    test("changes nothing by a second up", async () => {
      expect(changed(await stack.up())).toBe(0);
      expect(servers.map(commandsOf)).toEqual(names.map(() => [CONVERGED, PROVED, PROVED]));
    });

    test("takes back what is on a host that leaves, and leaves the others alone", async () => {
      await stack.setConfig("rack", { value: rackOf(["rack-1"]) });
      const { changes, onEvent } = changeRecorder();
      await stack.up({ onEvent });
      // Nor is there a pair any more, for which the other one was read.
      expect(changes.filter(({ name, op }) => !/rack-2|-together$/.test(name) || op !== "delete")).toEqual([]);
      expect(servers.map(commandsOf)).toEqual([
        [CONVERGED, PROVED, PROVED],
        [CONVERGED, PROVED, PROVED, REVERTED],
      ]);
    });

    test("has no session with a machine that shows another host key", async () => {
      await servers[0]?.close();
      const other = await start(1, "admin");
      const again = { replace: ["**::rack-rack-1-prove"] };
      await expect(stack.up(again)).rejects.toThrow("ssh: handshake failed: ssh: host key mismatch");
      expect(other.sessions).toEqual([]);
      await other.close();
      servers[0] = await start(1, "admin", keys[0]);
    });

    test("leaves nothing behind, here or on a host", async () => {
      await stack.destroy();
      const { deployment } = await stack.exportStack();
      expect(deployment.resources ?? []).toEqual([]);
      expect(servers.map(commandsOf)).toEqual([[REVERTED], [CONVERGED, PROVED, PROVED, REVERTED]]);
    });
  });

  describe("in-your-stack", () => {
    let servers: SshServer[];
    let stack: Stack;
    const STARTED = "sudo systemctl start experiment";

    beforeAll(async () => {
      servers = await Promise.all([11, 12].map((n) => start(n, "ubuntu")));
      stack = await stackOf("in-your-stack", { address: addressOf(11), hostKey: servers[0]?.hostKey ?? "" });
    }, 1_200_000);
    afterAll(() => Promise.all(servers.map((server) => server.close())));

    test("starts the experiment on a clock that is said to be proved", async () => {
      const { outputs } = await stack.up();
      expect([outputs.clocksource?.value, outputs.errorBoundNs?.value]).toEqual(["tsc", 150_000]);
      expect(servers.map(commandsOf)).toEqual([[CONVERGED, PROVED, STARTED], []]);
    });

    test("changes nothing by a second up", async () => {
      expect(changed(await stack.up())).toBe(0);
      expect(servers.map(commandsOf)).toEqual([[CONVERGED, PROVED, STARTED], []]);
    });

    test("does all of it on another machine at another address, and comes no more to the old one", async () => {
      await stack.setConfig("address", { value: addressOf(12) });
      await stack.setConfig("hostKey", { value: servers[1]?.hostKey ?? "" });
      await stack.up();
      expect(servers.map(commandsOf)).toEqual([
        [CONVERGED, PROVED, STARTED],
        [CONVERGED, PROVED, STARTED],
      ]);
    });

    test("leaves nothing behind", async () => {
      await stack.destroy();
      const { deployment } = await stack.exportStack();
      expect(deployment.resources ?? []).toEqual([]);
      expect(servers.map(commandsOf)).toEqual([
        [CONVERGED, PROVED, STARTED],
        [CONVERGED, PROVED, STARTED, REVERTED],
      ]);
    });
  });
});
