import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type CutPoint, cutPointArming, cutPointRelease, cutPointSetup } from "../../../rig/cut-points";
import { trapImage } from "../../../rig/image";
import { askQemu } from "../../../rig/qmp";
import { chooseAccelerator } from "../../../vm/accelerator";
import { canBind, candidateAddresses, chooseAddress } from "../../../vm/address";
import { bannerComes } from "../../../vm/banner";
import { stopMachine } from "../../../vm/down";
import { placesIn } from "../../../vm/places";
import { livingProcess, processGone } from "../../../vm/process";
import { machineFiles, qemuArguments } from "../../../vm/qemu";
import { readRecord, writeRecord } from "../../../vm/record";
import { run } from "../../../vm/run";
import { type ImageSpec, withDefaults } from "../../../vm/spec";
import { type RunningVm, up } from "../../../vm/up";
import { TestHost } from "../../rig/support/host";

const bootMillis = 600_000;

const stateHome = (folder: string) => join(folder, "machines");

/** Where a machine of this folder is. */
export const placeOf = (name: string, folder: string) =>
  join(placesIn({ XDG_STATE_HOME: stateHome(folder) }, "").machines, name);

/**
 * One machine that faults happen to. It is booted once; a snapshot of its memory and its disk lets each fault start from
 * the same running host within seconds.
 */
export class Room {
  private constructor(
    private readonly name: string,
    /** The machine's folder. */
    private readonly place: string,
    private readonly machine: RunningVm,
    readonly host: TestHost,
  ) {}

  /**
   * A machine that runs, is made if it is not there, and keeps its keys in `folder`. One that is off starts at the
   * snapshot, if it is given, else it boots. Names begin with a letter.
   */
  static async open(
    name: string,
    folder: string,
    spec: { image: Partial<ImageSpec>; user?: string } = { image: trapImage },
    snapshot?: string,
  ): Promise<Room> {
    process.env.XDG_STATE_HOME = stateHome(folder);
    const place = placeOf(name, folder);
    if (snapshot !== undefined) await startQemu(place, ["-loadvm", snapshot]);
    const machine = await up(withDefaults({ name, cpus: 1, ...spec }));
    return new Room(name, place, machine, TestHost.of(name, machine, folder));
  }

  /** Makes another machine of this one, snapshots and all. Both are off then. */
  async copyTo(folder: string): Promise<void> {
    await this.powerOff();
    const copy = placeOf(this.name, folder);
    mkdirSync(dirname(copy), { recursive: true });
    const { status, stderr } = await run("cp", ["-a", this.place, copy]);
    if (status !== 0) throw new Error(`${this.name} cannot be copied: ${stderr}`);
  }

  /** Waits for the first boot's end, and sets the cut points up. */
  async prepare(): Promise<void> {
    await this.host.cloudInitEnd();
    await this.root(`${cutPointSetup()}sync`);
  }

  /** Runs a text as root, by a path that meets no cut point. Every command of it has to succeed. */
  async root(text: string): Promise<string> {
    return this.host.succeeds("sudo env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin sh -eu 2>&1", text);
  }

  async snapshot(name: string): Promise<void> {
    await this.monitor(`savevm ${name}`);
  }

  /** The machine as it was at the snapshot, whatever has become of it, with the time of now. */
  async restore(name: string): Promise<void> {
    if (this.pid === undefined) await startQemu(this.place, ["-loadvm", name]);
    else await this.monitor(`loadvm ${name}`);
    await this.answers();
    // Its clock stood still since the snapshot.
    await this.root(`date -s @${Date.now() / 1000}`);
  }

  /** A power cut: what the machine had not written is lost. */
  async cutPower(): Promise<void> {
    const { pid } = this;
    if (pid === undefined) throw new Error(`${this.name} does not run`);
    process.kill(pid, "SIGKILL");
    if (!(await processGone(pid, 10_000))) throw new Error(`${this.name} survives SIGKILL`);
  }

  /** Starts the machine on its disk and waits until it lets its user in. */
  async powerOn(): Promise<void> {
    await startQemu(this.place);
    await this.answers();
  }

  /** Reboots the machine by its own means, and waits for it. */
  async reboot(): Promise<void> {
    const restarting = this.consoleSays(Room.restarting, this.console().length, bootMillis);
    // Whether the session ends before the machine does is a matter of chance.
    await this.host.run("sudo systemctl reboot");
    await restarting;
    await this.answers();
  }

  /** What the kernel says last before the next boot. */
  static readonly restarting = /reboot: Restarting system/;

  /** Stops the machine's processors, or lets them go on: for whoever waits, it hangs. */
  async freeze(command: "stop" | "cont"): Promise<void> {
    await this.monitor(command);
  }

  /** Makes a run stop at this point; the promise is fulfilled when it has. */
  async arm(point: CutPoint): Promise<{ stopped: Promise<string> }> {
    const from = this.console().length;
    await this.root(cutPointArming(point));
    return { stopped: this.consoleSays(/rig: stopped (.*)/, from, bootMillis) };
  }

  async release(): Promise<void> {
    await this.root(cutPointRelease);
  }

  /** Waits until the console has a line; returns what the pattern's group has. */
  async consoleSays(pattern: RegExp, from: number, limitMillis: number): Promise<string> {
    const end = performance.now() + limitMillis;
    for (;;) {
      const found = pattern.exec(this.console().slice(from));
      if (found) return (found[1] ?? found[0]).trim();
      if (performance.now() > end) throw new Error(`the console of ${this.name} never said ${pattern}`);
      await sleep(100);
    }
  }

  console(): string {
    return readFileSync(this.files.console, "latin1");
  }

  async answers(): Promise<void> {
    if (!(await bannerComes(this.machine, bootMillis, () => this.pid !== undefined))) {
      throw new Error(`${this.name} does not answer; its console ends with:\n${this.console().slice(-2000)}`);
    }
  }

  /** Waits until sshd accepts nobody any more, or somebody again. */
  async door(state: "open" | "closed"): Promise<void> {
    const end = performance.now() + bootMillis;
    while ((await bannerComes(this.machine, 1, () => true)) !== (state === "open")) {
      if (performance.now() > end) throw new Error(`the door of ${this.name} never was ${state}`);
      await sleep(500);
    }
  }

  async powerOff(): Promise<void> {
    await stopMachine(this.place);
  }

  async remove(): Promise<void> {
    await this.powerOff();
    rmSync(this.place, { recursive: true, force: true });
  }

  get pid(): number | undefined {
    return livingProcess(this.files.pid);
  }

  /** A command of QEMU's monitor for people, whose errors are in what it prints. */
  private async monitor(command: string): Promise<string> {
    const request = { execute: "human-monitor-command", arguments: { "command-line": command } };
    const printed = String((await askQemu(this.files.monitor, [request]))[0]);
    if (/^Error/m.test(printed)) throw new Error(`QEMU, "${command}": ${printed.trim()}`);
    return printed;
  }

  private get files() {
    return machineFiles(this.place);
  }
}

/** Gives each of these machines, which are off, an address that is free: its own, if it is. */
export async function readdress(places: readonly string[]): Promise<void> {
  const taken: string[] = [];
  for (const place of places) {
    const record = readRecord(place);
    if (record === undefined) throw new Error(`there is no machine in ${place}`);
    const ssh = await chooseAddress([record.ssh.address, ...candidateAddresses()], taken, canBind);
    writeRecord(place, { ...record, ssh });
    taken.push(ssh.address);
  }
}

/** Starts a machine that is off, without waiting for anything. */
async function startQemu(place: string, more: readonly string[] = []): Promise<void> {
  const files = machineFiles(place);
  if (livingProcess(files.pid) !== undefined) return;
  const record = readRecord(place);
  if (record === undefined) throw new Error(`there is no machine in ${place}`);
  const args = qemuArguments(record.spec, record.ssh, files, await chooseAccelerator());
  const { status, stderr } = await run("qemu-system-x86_64", [...args, ...more]);
  if (status !== 0) throw new Error(`the machine in ${place} does not start: ${stderr}`);
}
