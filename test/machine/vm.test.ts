import { execFile, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import * as pulumi from "@pulumi/pulumi";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LocalVm, PtpVerification, SshHost } from "../../components";
import { trapImage } from "../../rig/image";
import { changed } from "../../rig/summary";
import { runsGuest } from "../../vm/accelerator";
import { livingProcess, processGone } from "../../vm/process";
import { machineFiles } from "../../vm/qemu";
import type { RunningVm } from "../../vm/up";
import { TestHost } from "../rig/support/host";
import { testStack } from "../rig/support/stack";

// Machines of their own, so that the test meets no machine of its user; the cache of images is the user's.
const state = mkdtempSync(join(tmpdir(), "vm-test-"));
process.env.XDG_STATE_HOME = state;
const spec = {
  name: "vm-test",
  image: trapImage,
  cpus: 1,
  network: "vm-test",
  privateAddress: "10.78.0.1/24",
  firstBoot: ["touch /var/first-boot"],
};
const folder = join(state, "timebase", "vms", spec.name);
const pidFile = machineFiles(folder).pid;
const qemu = () => livingProcess(pidFile);

interface Ran {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Runs the machinery as a Pulumi command does: a program of its own, the spec on stdin. */
async function machinery(command: string, spec: object): Promise<Ran> {
  const program = join(__dirname, "../../vm/main.ts");
  const child = spawn(process.execPath, ["--import", "tsx", program, command]);
  child.stdin.end(JSON.stringify(spec));
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  const [stdout, stderr, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { status, stdout, stderr };
}

async function up(spec: object): Promise<RunningVm> {
  const { status, stdout, stderr } = await machinery("up", spec);
  expect(status, stderr).toBe(0);
  expect(stdout.split("\n")).toHaveLength(2);
  return JSON.parse(stdout);
}

test("the guest that KVM is tested with runs to its end", async () => {
  expect(await runsGuest("tcg")).toBe(true);
});

// That two of them reach each other is shown by the cluster's test, which has two.
describe("a machine", () => {
  let machine: RunningVm;
  let host: TestHost;

  beforeAll(async () => {
    machine = await up(spec);
    host = new TestHost({ ...machine, name: spec.name, privateAddress: machine.address }, state);
  });

  afterAll(async () => {
    await machinery("down", spec);
    rmSync(state, { recursive: true, force: true });
  });

  test("lets its user in by the pinned host key, with sudo, under its own name", async () => {
    expect(await host.run("sudo id -un; hostname")).toBe("root\nvm-test");
  });

  test("finishes cloud-init without an error, first-boot commands included", async () => {
    await host.cloudInitEnd();
    const whole = "grep -c '\"errors\": \\[\\]' /run/cloud-init/result.json";
    expect(await host.run(`${whole}; ls /var/first-boot`)).toBe("1\n/var/first-boot");
    expect(await host.run("systemctl --failed --no-legend")).toBe("");
  });

  test("has what a cloud's machine has", async () => {
    expect(await host.run("test -c /dev/kvm && echo kvm; systemctl is-enabled systemd-timesyncd")).toBe("kvm\nenabled");
    expect(await host.run("ls / | grep timebase || echo clean")).toBe("clean");
    expect(Number(await host.run("df --output=size -BG / | tail -1 | tr -dc 0-9"))).toBeGreaterThan(6);
  });

  test("keeps its keys to its user", () => {
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    const secrets = ["host_ed25519", "login_ed25519", "machine.json", "seed.iso"];
    expect(secrets.map((file) => statSync(join(folder, file)).mode & 0o077)).toEqual([0, 0, 0, 0]);
  });

  test("is left alone by a second up", async () => {
    const before = qemu();
    expect(await up(spec)).toEqual(machine);
    expect(qemu()).toBe(before);
  });

  test("is not changed into another machine", async () => {
    const { status, stdout, stderr } = await machinery("up", { ...spec, user: "other" });
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("differs in user");
    expect(stderr).toContain('what to do: remove it with "down"');
  });

  test("does not believe a pid file that another process inherited", async () => {
    writeFileSync(pidFile, `${process.pid}\n`);
    expect(qemu()).toBeUndefined();
    writeFileSync(pidFile, `${await pidByName()}\n`);
    expect(qemu()).toBeDefined();
  });

  test("is told what guest PTP takes while its clocksource is hpet, and is left as it was", async () => {
    const before = await host.configuration();
    const { address, port, user, hostKey, privateKey } = machine;
    const stack = await testStack("ptp", state, async () => {
      const key = pulumi.secret(privateKey);
      const { endpoint } = new SshHost(spec.name, { address, port, user, hostKey, privateKey: key });
      new PtpVerification("guests", { endpoint });
    });
    const refused = await stack.up().catch(String);
    expect(refused).toContain("FAIL  ptp.guest");
    expect(refused).toContain("found unavailable: KVM refuses the clock-pairing hypercall");
    expect(refused).toContain(
      "what to do: KVM serves guests only while the host's clocksource is tsc, here it is hpet",
    );
    await stack.destroy();
    expect(await host.configuration()).toBe(before);
  });

  test("that was killed is healed by the next up, on its own disk", async () => {
    const { name, ...args } = spec;
    const stack = await testStack("machine", state, async () => void new LocalVm(name, args));
    // It is the stack's from now on.
    await stack.up();
    expect(await up(spec)).toEqual(machine);
    expect(changed(await stack.up())).toBe(0);
    await host.run("echo precious >kept && sync");
    process.kill(qemu() ?? Number.NaN, "SIGKILL");
    expect(changed(await stack.up())).toBeGreaterThan(0);
    expect(await host.run("cat kept")).toBe("precious");
    expect(await host.clocksource()).toBe("hpet");
  });

  test("leaves nothing behind, however often it is removed", async () => {
    const pid = qemu() ?? Number.NaN;
    expect(pid).toBeGreaterThan(0);
    for (let time = 0; time < 2; time++) expect((await machinery("down", { name: spec.name })).status).toBe(0);
    // A process that has ended stays in /proc, as a zombie, until its parent has taken note of it: in a container for ever.
    expect(await processGone(pid, 5_000)).toBe(true);
    expect(readdirSync(join(state, "timebase", "vms"))).toEqual([]);
  });
});

async function pidByName(): Promise<string> {
  const { stdout } = await promisify(execFile)("pgrep", ["-f", `pidfile ${folder}/`]);
  return stdout.trim();
}
