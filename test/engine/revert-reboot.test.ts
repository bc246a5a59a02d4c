import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { LocalWorkspace, type Stack } from "@pulumi/pulumi/automation";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { ensureEngine } from "../../rig/engine";
import { FakeHost } from "../toolkit/FakeHost";
import { type SshServer, startSshServer } from "./command-provider/ssh-server";

// The library, the engine, SSH and the toolkit are real; the host is a folder that looks like one, and boots between two
// sessions when a reboot was ordered.

const bootIds = ["44444444-4444-4444-8444-444444444444", "55555555-5555-4555-8555-555555555555"];

describe("a component with revertReboot, on the real engine,", () => {
  let host: FakeHost;
  let server: SshServer;
  let folder: string;
  let stack: Stack;
  const verbs: string[] = [];
  let boots = 0;

  beforeAll(async () => {
    const engine = await ensureEngine();
    host = new FakeHost("dash");
    for (const [key, value] of Object.entries(host.environment())) vi.stubEnv(key, value);
    server = await startSshServer();
    const push = server.sessions.push.bind(server.sessions);
    server.sessions.push = (...sessions) => {
      for (const { command } of sessions) {
        if (host.exists("run/timebase.reboot")) {
          host.reboot(bootIds[boots]);
          boots += 1;
        }
        verbs.push(
          /(before|converge|prove|revert|reverted)( --\w+)?(?= \.timebase|$|\n)/.exec(command)?.[0] ?? command,
        );
      }
      return push(...sessions);
    };
    folder = mkdtempSync(join(tmpdir(), "timebase-program-"));
    for (const name of ["node_modules", "tsconfig.json", "package.json"]) {
      symlinkSync(resolve(__dirname, "../..", name), join(folder, name));
    }
    writeFileSync(
      join(folder, "Pulumi.yaml"),
      'name: test\nruntime: { name: nodejs, options: { typescript: false, nodeargs: "--import tsx" } }\nmain: index.ts\n',
    );
    program(true);
    const endpoint = { name: "node-1", address: "127.0.0.1", port: server.port, user: "u" };
    stack = await LocalWorkspace.createStack(
      { stackName: "test", workDir: folder },
      {
        pulumiCommand: engine.pulumi,
        envVars: {
          ...engine.env,
          PULUMI_BACKEND_URL: `file://${folder}`,
          PULUMI_CONFIG_PASSPHRASE: "test",
          SSH_AUTH_SOCK: "",
          ENDPOINT: JSON.stringify({ ...endpoint, privateKey: server.privateKey, hostKey: server.hostKey }),
        },
      },
    );
  }, 1_200_000);

  afterAll(async () => {
    vi.unstubAllEnvs();
    await server.close();
    host.destroy();
    rmSync(folder, { recursive: true });
  });

  const program = (revertReboot: boolean) =>
    writeFileSync(
      join(folder, "index.ts"),
      `import { TscClocksource } from ${JSON.stringify(resolve(__dirname, "../../components"))};
       const endpoint = JSON.parse(process.env.ENDPOINT as string);
       new TscClocksource("tsc", { endpoint, revertReboot: ${revertReboot} });`,
    );
  const copy = () => host.snapshot();
  const run = async (work: () => Promise<unknown>) => {
    verbs.length = 0;
    await work();
    return [...verbs];
  };

  it("remembers, converges, reboots and proves", async () => {
    expect(await run(() => stack.up())).toEqual(["before", "converge", "prove --repair"]);
    expect(boots).toBe(1);
  });

  it("can lose revertReboot without losing anything on the host", async () => {
    const before = copy();
    program(false);
    expect(await run(() => stack.up())).toEqual(["converge", "prove --repair", "reverted"]);
    program(true);
    expect(await run(() => stack.up())).toEqual(["before", "converge"]);
    expect(copy()).toEqual(before);
    expect(boots).toBe(1);
  });

  it("reverts, reboots and then proves that the old clocksource is back", async () => {
    expect(await run(() => stack.destroy())).toEqual(["revert --reboot", "reverted"]);
    expect(boots).toBe(2);
    expect(host.exists("etc/default/grub.d/zz-timebase.cfg")).toBe(false);
    expect(host.exists("var/lib/timebase")).toBe(false);
  });
});
