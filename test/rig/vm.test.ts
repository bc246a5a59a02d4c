import { execFile, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { livingProcess, processGone } from "../../vm/process";
import { machineFiles } from "../../vm/qemu";
import type { RunningVm } from "../../vm/up";

// Machines of their own, so that the test meets no machine of its user; the cache of images is the user's.
const state = mkdtempSync(join(tmpdir(), "vm-test-"));
const environment = { ...process.env, XDG_STATE_HOME: state };
const folder = (name: string) => join(state, "timebase", "vms", name);
const qemuOf = (name: string) => livingProcess(machineFiles(folder(name)).pid);

const specs = [1, 2].map((number) => ({
  name: `vm-test-${number}`,
  network: "vm-test",
  privateAddress: `10.78.0.${number}/24`,
  firstBoot: ["touch /var/first-boot"],
}));
const [one, two] = specs as [(typeof specs)[0], (typeof specs)[0]];

interface Ran {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Runs the machinery as a Pulumi command does: a program of its own, the spec on stdin. */
async function machinery(command: string, spec: object): Promise<Ran> {
  const program = join(__dirname, "../../vm/main.ts");
  const child = spawn(process.execPath, ["--import", "tsx", program, command], { env: environment });
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

/** Runs a command on a machine by OpenSSH, which trusts nothing but the pinned host key. */
async function on(vm: RunningVm, command: string): Promise<string> {
  const keys = mkdtempSync(join(state, "ssh-"));
  const host = vm.port === 22 ? vm.address : `[${vm.address}]:${vm.port}`;
  writeFileSync(join(keys, "known_hosts"), `${host} ${vm.hostKey}\n`);
  writeFileSync(join(keys, "key"), vm.privateKey, { mode: 0o600 });
  const options = [
    "StrictHostKeyChecking=yes",
    `UserKnownHostsFile=${join(keys, "known_hosts")}`,
    "IdentitiesOnly=yes",
    "BatchMode=yes",
    "ConnectTimeout=60",
  ].flatMap((option) => ["-o", option]);
  const login = ["-i", join(keys, "key"), "-p", String(vm.port), `${vm.user}@${vm.address}`];
  const { stdout } = await promisify(execFile)("ssh", ["-F", "none", ...options, ...login, command]);
  return stdout.trim();
}

describe("two machines on a private network", () => {
  let machines: [RunningVm, RunningVm];

  beforeAll(async () => {
    machines = await Promise.all([up(one), up(two)]);
  });

  afterAll(async () => {
    await Promise.all(specs.map((spec) => machinery("down", spec)));
    rmSync(state, { recursive: true, force: true });
  });

  test("let their user in by the pinned host key, with sudo, under their own names", async () => {
    expect(await on(machines[0], "sudo id -un; hostname")).toBe("root\nvm-test-1");
    expect(machines[0].address).not.toBe(machines[1].address);
    expect(machines[0].hostKey).not.toBe(machines[1].hostKey);
  });

  test("finish cloud-init without an error, first-boot commands included", async () => {
    expect(await on(machines[0], "cloud-init status --wait > /dev/null; cloud-init status; ls /var/first-boot")).toBe(
      "status: done\n/var/first-boot",
    );
    expect(await on(machines[0], "systemctl --failed --no-legend")).toBe("");
  });

  test("have what a cloud's machine has", async () => {
    expect(await on(machines[0], "test -c /dev/kvm && echo kvm; systemctl is-enabled systemd-timesyncd")).toBe(
      "kvm\nenabled",
    );
    expect(await on(machines[0], "ls / | grep timebase || echo clean")).toBe("clean");
    expect(Number(await on(machines[0], "df --output=size -BG / | tail -1 | tr -dc 0-9"))).toBeGreaterThan(6);
    expect(await on(machines[0], "cat /etc/machine-id")).not.toBe(await on(machines[1], "cat /etc/machine-id"));
  });

  test("reach each other and the distribution's archive", async () => {
    expect(await on(machines[0], "ping -c 2 -W 10 10.78.0.2")).toContain(" 0% packet loss");
    expect(await on(machines[0], "sudo apt-get update 2>&1 | grep -cE '^(Err|W|E):' || true")).toBe("0");
  });

  test("keep their keys to their user", () => {
    expect(statSync(folder(one.name)).mode & 0o777).toBe(0o700);
    const secrets = ["host_ed25519", "login_ed25519", "machine.json", "seed.iso"];
    expect(secrets.map((file) => statSync(join(folder(one.name), file)).mode & 0o077)).toEqual([0, 0, 0, 0]);
  });

  test("are left alone by a second up", async () => {
    const before = qemuOf(one.name);
    const start = performance.now();
    expect(await up(one)).toEqual(machines[0]);
    expect(performance.now() - start).toBeLessThan(5_000);
    expect(qemuOf(one.name)).toBe(before);
  });

  test("are not changed into another machine", async () => {
    const { status, stdout, stderr } = await machinery("up", { ...one, user: "other" });
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("differs in user");
    expect(stderr).toContain('what to do: remove it with "down"');
  });

  test("heal on their own disk when they were killed", async () => {
    await on(machines[0], "echo precious > kept && sync");
    const killed = qemuOf(one.name) ?? Number.NaN;
    process.kill(killed, "SIGKILL");
    const healed = await up({ ...one, incarnation: "2" });
    expect(healed).toEqual({ ...machines[0], incarnation: "2" });
    expect(qemuOf(one.name)).not.toBe(killed);
    expect(await on(healed, "cat kept")).toBe("precious");
  });

  test("do not believe a pid file that another process inherited", async () => {
    writeFileSync(machineFiles(folder(two.name)).pid, `${process.pid}\n`);
    expect(qemuOf(two.name)).toBeUndefined();
    writeFileSync(machineFiles(folder(two.name)).pid, `${await pidByName(two.name)}\n`);
    expect(qemuOf(two.name)).toBeDefined();
  });

  test("leave nothing behind, however often they are removed", async () => {
    const processes = specs.map(({ name }) => qemuOf(name));
    expect(processes).not.toContain(undefined);
    for (const spec of [one, two, one]) expect((await machinery("down", { name: spec.name })).status).toBe(0);
    // A process that has ended stays in /proc, as a zombie, until its parent has taken note of it: in a container for ever.
    expect(await Promise.all(processes.map((pid) => processGone(Number(pid), 5_000)))).toEqual([true, true]);
    expect(readdirSync(join(state, "timebase", "vms"))).toEqual([]);
  });
});

async function pidByName(name: string): Promise<string> {
  const { stdout } = await promisify(execFile)("pgrep", ["-f", `pidfile ${folder(name)}/`]);
  return stdout.trim();
}
