import { execFile, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import * as pulumi from "@pulumi/pulumi";
import type { Stack } from "@pulumi/pulumi/automation";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LocalVm, PtpVerification, SshHost } from "../../components";
import type { CutPoint } from "../../rig/cut-points";
import { trapImage } from "../../rig/image";
import { changed } from "../../rig/summary";
import { runsGuest } from "../../vm/accelerator";
import { livingProcess, processGone } from "../../vm/process";
import { machineFiles } from "../../vm/qemu";
import { machineFolder } from "../../vm/record";
import type { RunningVm } from "../../vm/up";
import { attempt, clockStack } from "../faults/support/Attempt";
import { Room } from "../faults/support/Room";
import { killSession } from "../faults/support/session";
import { TestHost } from "../rig/support/host";
import { testStack } from "../rig/support/stack";

// A machine of its own, so that the test meets no machine of its user; the cache of images is the user's.
const folder = mkdtempSync(join(tmpdir(), "timebase-machine-"));
process.env.XDG_STATE_HOME = join(folder, "machines");
const spec = {
  name: "vm-test",
  image: trapImage,
  cpus: 1,
  network: "vm-test",
  privateAddress: "10.78.0.1/24",
  firstBoot: ["touch /var/first-boot"],
};
const place = machineFolder(spec.name);
const pidFile = machineFiles(place).pid;
const qemu = () => livingProcess(pidFile);
let running: RunningVm;

afterAll(async () => {
  await machinery("down", spec);
  rmSync(folder, { recursive: true, force: true });
});

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
  // An `up` that is ended in this moment fails, and its error shows all that it printed.
  expect(stdout + stderr).not.toContain("PRIVATE KEY");
  return JSON.parse(stdout);
}

test("the guest that KVM is tested with runs to its end", async () => {
  expect(await runsGuest("tcg")).toBe(true);
});

// Neither of the command's providers ends anything but the shell when a Ctrl-C comes.
test("a machine whose making is interrupted is gone, and waited for no longer", async () => {
  const lost = { ...spec, name: "vm-interrupted" };
  const program = `TIMEBASE_CALLER=$$ '${process.execPath}' --import tsx '${join(__dirname, "../../vm/main.ts")}' up || exit $?`;
  const shell = spawn("/bin/sh", ["-c", program]);
  shell.stdin.end(JSON.stringify(lost));
  const [stdout, stderr] = [text(shell.stdout), text(shell.stderr)];
  const { pid } = machineFiles(machineFolder(lost.name));
  await expect.poll(() => livingProcess(pid), { timeout: 120_000 }).toBeDefined();
  const machine = livingProcess(pid) ?? 0;
  shell.kill("SIGKILL");
  expect(await stderr).toContain("interrupted: machine vm-interrupted, which was being made, is removed");
  expect(await stdout).toBe("");
  expect(await processGone(machine, 0)).toBe(true);
  expect(existsSync(machineFolder(lost.name))).toBe(false);
});

// That two of them reach each other is shown by the cluster's test, which has two.
describe("a machine", () => {
  let host: TestHost;

  beforeAll(async () => {
    running = await up(spec);
    host = TestHost.of(spec.name, running, folder);
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
    expect(statSync(place).mode & 0o777).toBe(0o700);
    const secrets = ["host_ed25519", "login_ed25519", "machine.json", "seed.iso"];
    expect(secrets.map((file) => statSync(join(place, file)).mode & 0o077)).toEqual([0, 0, 0, 0]);
  });

  test("is left alone by a second up", async () => {
    const before = qemu();
    expect(await up(spec)).toEqual(running);
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
    const { address, port, user, hostKey } = running;
    const stack = await testStack("ptp", folder, async () => {
      const privateKey = pulumi.secret(readFileSync(running.privateKeyFile, "utf8"));
      const { endpoint } = new SshHost(spec.name, { address, port, user, hostKey, privateKey });
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
});

// One of each group of `npm run test:faults`, but for reboots: all one after the other, so that few boots and one recovery are
// enough. Each fault leaves the host half done for the next.
describe("a host to which all of this happens before it is proved once", () => {
  let machine: Stack;
  let room: Room;
  let stack: Stack;
  let pristine: string;

  beforeAll(async () => {
    const { name, ...args } = spec;
    machine = await testStack("machine", folder, async () => void new LocalVm(name, args));
    // It is the stack's from now on.
    await machine.up();
    expect(await up(spec)).toEqual(running);
    expect(changed(await machine.up())).toBe(0);
    room = await Room.open(name, folder, args);
    await room.prepare();
    stack = await clockStack(room.host, folder, { scope: "boot" });
    pristine = await room.host.configuration();
  });

  /** An `up` that has stopped at this point. */
  async function stoppedAt(point: CutPoint) {
    const { stopped } = await room.arm(point);
    const cut = attempt(stack);
    await stopped;
    return { cut };
  }

  test("/boot cannot be written to", async () => {
    await room.root("mount --bind /boot /boot && mount -o remount,bind,ro /boot");
    const first = await attempt(stack);
    expect(first.ok).toBe(false);
    expect(first.said).toContain("what to do:");
    await room.root("umount /boot");
  });

  test("cloud-init has crashed without a result, and the session is cut in the middle of grub-mkconfig", async () => {
    await room.root("rm -f /run/cloud-init/disabled /run/cloud-init/result.json");
    const { cut } = await stoppedAt({ when: "before", call: "basename /boot/vmlinuz-*" });
    await room.root(killSession);
    const first = await cut;
    expect(first.ok).toBe(false);
    expect(first.output).toContain("cloud-init has ended with errors");
    // What the session ran goes on, and would meet the next cut point before the next run is connected.
    await room.root("pkill -KILL -f 'toolkit/timebase converge'");
    await room.release();
  });

  test("the power is cut just before grub.cfg takes its place, and the next up of the machine starts it on its disk", async () => {
    // Before there is anything of this run's that the sync would save.
    await room.host.succeeds("echo precious >kept && sync");
    const { cut } = await stoppedAt({ when: "before", call: "mv -f -- /boot/grub/grub.cfg.timebase-new *" });
    await room.cutPower();
    expect((await cut).ok).toBe(false);
    expect(changed(await machine.up())).toBeGreaterThan(0);
    expect(await room.host.run("cat kept; rm kept")).toBe("precious");
    expect(await room.host.clocksource()).toBe("hpet");
  });

  test("a plain up proves it, and destroy gives every byte back", async () => {
    const { ok, output, evidence } = await attempt(stack);
    expect(ok, output).toBe(true);
    // That an emulated TSC is no invariant one is a warning.
    expect(evidence?.checks.filter(({ verdict }) => verdict === "fail")).toEqual([]);
    expect(await room.host.clocksource()).toBe("tsc");
    await stack.destroy();
    expect(await room.host.configuration()).toBe(pristine);
  });
});

test("the machine leaves nothing behind, however often it is removed", async () => {
  const pid = qemu() ?? Number.NaN;
  expect(pid).toBeGreaterThan(0);
  for (let time = 0; time < 2; time++) expect((await machinery("down", { name: spec.name })).status).toBe(0);
  // A process that has ended stays in /proc, as a zombie, until its parent has taken note of it: in a container for ever.
  expect(await processGone(pid, 5_000)).toBe(true);
  expect(readdirSync(dirname(place))).toEqual([]);
});

async function pidByName(): Promise<string> {
  const { stdout } = await promisify(execFile)("pgrep", ["-f", `pidfile ${place}/`]);
  return stdout.trim();
}
