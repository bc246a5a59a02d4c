import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Stack } from "@pulumi/pulumi/automation";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ExperimentCluster, SshHost, TimeKeyType } from "../../components";
import { testStack } from "../rig/support/stack";
import { printed } from "../unit/support/evidence";
import { type SshServer, startSshServer } from "./command-provider/ssh-server";

// What becomes of a time source's key on the real engine: the hosts are SSH servers that answer as the toolkit does.

const bootId = "11111111-1111-4111-8111-111111111111";
const secrets = ["000102030405060708090a0b0c0d0e0f", "ffeeddccbbaa99887766554433221100"] as const;

describe("the key of a cluster", () => {
  let folder: string;
  let servers: SshServer[];
  let stack: Stack;
  let secret: string = secrets[0];
  /** What the hosts were told, and by which commands. */
  const told: { command: string; stdin: string }[] = [];
  const answer = (command: string, stdin: string) => {
    told.push({ command, stdin });
    if (command.includes("timebase converge")) return `converged-boot-id=${bootId}\nconverged-reboot=none\n`;
    const host = /^host=(.*)$/m.exec(stdin)?.[1];
    return command.includes("timebase prove") ? `${printed({ host, timescale: "hub:node-1" })}\n` : "";
  };

  async function program() {
    const hosts = servers.map(({ port, hostKey, privateKey }, index) => {
      const [name, privateAddress] = [`node-${index + 1}`, `10.77.0.${index + 1}`];
      const args = { address: "127.0.0.1", port, hostKey, privateKey, privateAddress };
      return { name, endpoint: new SshHost(name, args).endpoint };
    });
    const key = { id: 5, type: TimeKeyType.Aes128, secret: `HEX:${secret}` };
    const { summary, ready } = new ExperimentCluster("c", { hosts, key });
    return { summary, ready };
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "timebase-keys-"));
    servers = await Promise.all([0, 1].map(() => startSshServer(0, answer)));
    stack = await testStack("keys", folder, program);
  }, 1_200_000);

  afterAll(async () => {
    await Promise.all(servers.map((server) => server.close()));
    rmSync(folder, { recursive: true });
  });

  test("reaches the hosts on standard input only, and is in the state, the output and the preview as a secret", async () => {
    for (const known of secrets) {
      secret = known;
      const preview = await stack.preview({ diff: true });
      told.length = 0;
      const { stdout, stderr, outputs } = await stack.up({ diff: true });
      expect(outputs.ready).toMatchObject({ value: true, secret: false });
      // Another key is another plan: both hosts converge and prove again.
      for (const verb of ["converge", "prove"]) {
        const sessions = told.filter(({ command }) => command.includes(`timebase ${verb}`));
        expect(sessions).toHaveLength(2);
        for (const { stdin } of sessions) expect(stdin).toContain(`\ntime-key=5 AES128 HEX:${known}\n`);
      }
      const state = readFileSync(join(folder, "state/.pulumi/stacks/timebase-test/keys.json"), "utf8");
      const seen = [
        state,
        preview.stdout,
        preview.stderr,
        stdout,
        stderr,
        ...told.map(({ command }) => command),
      ].join();
      for (const hidden of secrets) expect(seen).not.toContain(hidden);
    }
  });
});
