import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { blsEntry, blsFolder, type FakeSystem, systemOf } from "./systems";

const toolkit = path.join(__dirname, "../../toolkit");
const fakes = path.join(__dirname, "fakes");

export const bootIds = {
  before: "11111111-1111-4111-8111-111111111111",
  after: "22222222-2222-4222-8222-222222222222",
};

const copying = { recursive: true, preserveTimestamps: true, verbatimSymlinks: true };

/** All of them, as root has on a machine of its own. */
const capabilities = "000001ffffffffff";

const ena = "sys/module/ena";

export interface Run {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Where GRUB reads its configuration: on BIOS, or by a stub or by itself on the EFI system partition. */
export type Firmware = "bios" | "efi-stub" | "efi";

/** A folder that looks like a freshly started cloud host, on which the real toolkit runs. */
export class FakeHost {
  readonly root: string;

  readonly system: FakeSystem;
  /** GRUB's configuration that this host boots by. */
  readonly grubCfg: string;

  /** @param shell the shell that interprets the toolkit: dash or bash. */
  constructor(
    readonly shell: string,
    system = "debian-12",
    firmware: Firmware = "bios",
  ) {
    this.system = systemOf(system);
    this.grubCfg = firmware === "efi" ? this.system.efiGrubCfg : this.system.grubCfg;
    this.root = fs.mkdtempSync(path.join(os.tmpdir(), "timebase-"));
    const text: Record<string, string> = {
      "proc/cpuinfo":
        "processor\t: 0\nvendor_id\t: AuthenticAMD\nphysical id\t: 0\nflags\t\t: fpu vme tsc msr svm constant_tsc nonstop_tsc hypervisor\n",
      "proc/cmdline":
        "BOOT_IMAGE=/boot/vmlinuz-6.1.0-41-cloud-amd64 root=/dev/vda1 ro audit=0 console=tty1 console=ttyS0\n",
      "proc/sys/kernel/random/boot_id": `${bootIds.before}\n`,
      "proc/1/stat": "1 (systemd) S 0 1 1 0 -1\n",
      "proc/1/comm": "systemd\n",
      "proc/self/status": `Name:\tsh\nCapEff:\t${capabilities}\nCapBnd:\t${capabilities}\n`,
      "proc/self/uid_map": "         0          0 4294967295\n",
      "proc/uptime": "100.00 150.00\n",
      "sys/devices/system/clocksource/clocksource0/current_clocksource": "hpet\n",
      "sys/devices/system/clocksource/clocksource0/available_clocksource": "hpet acpi_pm \n",
      "run/systemd/system/.keep": "",
      "etc/systemd/system/.keep": "",
      "usr/local/sbin/.keep": "",
      "usr/sbin/.keep": "",
      "usr/local/lib/.keep": "",
      "var/lib/.keep": "",
      "dev/kvm": "",
      calls: "",
      ...this.system.files,
    };
    if (firmware !== "bios") text["sys/firmware/efi/.keep"] = "";
    if (firmware === "efi-stub") {
      text[this.system.efiGrubCfg] =
        "search.fs_uuid 1234 root\nset prefix=($root)'/boot/grub'\nconfigfile $prefix/grub.cfg\n";
    }
    for (const [name, content] of Object.entries(text)) this.write(name, content);
    fs.mkdirSync(path.dirname(this.path(this.grubCfg)), { recursive: true });
    // The entries that are there are the user's: only the configuration is made.
    const entries = this.system.bls ? this.entryFiles().map((name) => [name, this.read(name)] as const) : [];
    this.regenerate();
    for (const [name, content] of entries) this.write(name, content);
    this.remove("etc/kernel");
    this.forgetCalls();
  }

  path(name: string): string {
    return path.join(this.root, name);
  }
  read(name: string): string {
    return fs.readFileSync(this.path(name), "utf8");
  }
  write(name: string, content: string): void {
    fs.mkdirSync(path.dirname(this.path(name)), { recursive: true });
    fs.writeFileSync(this.path(name), content);
    // What systemd knows of is a file, too.
    const unit = /^fake\/units\/(.*)/.exec(name)?.[1];
    if (unit !== undefined) this.write(`usr/lib/systemd/system/${unit}`, "");
  }
  exists(name: string): boolean {
    return fs.existsSync(this.path(name));
  }
  remove(name: string): void {
    fs.rmSync(this.path(name), { recursive: true, force: true });
  }
  calls(): string[] {
    return this.read("calls").split("\n").filter(Boolean);
  }
  forgetCalls(): void {
    this.write("calls", "");
  }
  /** Keeps the host as it is, so that `restore` gives it back: sooner than converging another one. */
  save(): void {
    fs.cpSync(this.root, this.saved, copying);
  }
  restore(): void {
    fs.rmSync(this.root, { recursive: true, force: true });
    fs.cpSync(this.saved, this.root, copying);
  }
  private get saved(): string {
    return `${this.root}.saved`;
  }
  destroy(): void {
    for (const folder of [this.root, this.saved]) fs.rmSync(folder, { recursive: true, force: true });
  }

  run(verb: string[], stdin: string, program = path.join(toolkit, "timebase")): Run {
    const result = spawnSync(this.shell, [program, ...verb], {
      input: stdin,
      encoding: "utf8",
      cwd: this.root,
      env: this.environment(),
    });
    return { status: result.status, stdout: result.stdout, stderr: result.stderr };
  }

  /** The same without waiting, for a test that changes the host in the meantime. */
  start(verb: string[], stdin: string): Promise<Run> & { until: (said: string) => Promise<void> } {
    const child = spawn(this.shell, [path.join(toolkit, "timebase"), ...verb], {
      cwd: this.root,
      env: this.environment(),
    });
    const run: Run = { status: null, stdout: "", stderr: "" };
    child.stdout.on("data", (data) => (run.stdout += data));
    child.stderr.on("data", (data) => (run.stderr += data));
    child.stdin.end(stdin);
    const ended = new Promise<Run>((resolve) => child.on("close", (status) => resolve({ ...run, status })));
    // Until it has said so; it takes as long as this computer is busy.
    const until = async (said: string) => {
      while (!run.stderr.includes(said))
        await Promise.race([once(child.stderr, "data"), ended.then(() => Promise.reject(new Error(run.stderr)))]);
    };
    return Object.assign(ended, { until });
  }

  /** What the toolkit runs with; without it, it would work on this machine. */
  environment(): Record<string, string> {
    const path = `${this.path("fake/bin")}:${fakes}:${process.env.PATH}`;
    return { PATH: path, TIMEBASE_ROOT: this.root, TIMEBASE_LIMITED: "1", HOME: this.root };
  }

  /** What happens on the host just before this program does its work, at each call of it: a text for sh, which can end the
   *  program, or kill the toolkit by `cut`. */
  meanwhile(program: string, script: string): void {
    this.write(`fake/bin/${program}`, `#!/bin/sh\nPATH=\${PATH#*:}\n${script}\nexec ${program} "$@"\n`);
    fs.chmodSync(this.path(`fake/bin/${program}`), 0o755);
  }

  /** A converge that has to succeed. */
  converge(plan: string): Run {
    const run = this.run(["converge"], plan);
    if (run.status !== 0 || run.stderr.includes("error on")) throw new Error(`converge failed: ${run.stderr}`);
    return run;
  }

  private fake(program: string, ...args: string[]): void {
    const { status, stderr } = spawnSync(path.join(fakes, program), args, {
      env: this.environment(),
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`${program} failed: ${stderr}`);
  }

  /** What the user, or a package, does to make the boot configuration anew. */
  regenerate(): void {
    this.fake(this.system.mkconfig, "-o", this.path(this.grubCfg));
  }

  /** What the user does to give every entry a parameter, by the tool of Amazon Linux. */
  grubby(parameter: string): void {
    const file = this.system.bls ? [] : ["-c", this.path(this.grubCfg)];
    this.fake("grubby", ...file, "--update-kernel=ALL", `--args=${parameter}`);
  }

  /** The files of BLS entries. */
  entryFiles(): string[] {
    return fs.readdirSync(this.path(blsFolder)).map((name) => `${blsFolder}/${name}`);
  }

  /** What the entries for Linux give the kernel, as GRUB would read them. */
  commandLines(): string[] {
    if (!this.system.bls) return this.read(this.grubCfg).match(/^\s*linux\s+\S*vmlinuz.*/gm) ?? [];
    return this.entryFiles().map((name) =>
      (this.read(name).match(/^options\b.*/gm) ?? []).map((line) => line.slice("options ".length)).join(" "),
    );
  }

  /** What the package of a new kernel does: Debian's runs grub-mkconfig, Amazon Linux 2's copies the default entry,
   *  Amazon Linux 2023's takes /etc/kernel/cmdline or the running kernel's command line. */
  installKernel(version: string): void {
    if (this.system.bls) {
      const running = this.read("proc/cmdline")
        .trim()
        .split(" ")
        .filter((word) => !word.startsWith("BOOT_IMAGE="));
      const options = this.exists("etc/kernel/cmdline") ? this.read("etc/kernel/cmdline").trim() : running.join(" ");
      this.write(`${blsFolder}/0123-${version}.conf`, blsEntry(version, options));
    } else if (this.system.mkconfig === "grub-mkconfig") {
      this.write("fake/kernels", `${version}\n${this.read("fake/kernels")}`);
      this.regenerate();
    } else {
      const [before, entry, after] = this.read(this.grubCfg).split(/(menuentry [^}]*}\n)(.*)/s) as [
        string,
        string,
        string,
      ];
      const [kernel] = this.read("fake/kernels").split("\n") as [string];
      this.write(this.grubCfg, before + entry.replaceAll(kernel, version) + entry + after);
    }
  }

  /** What a boot does: the parameters of the first entry become live, with or without tsc; daemons that are enabled start,
   *  and what is in /run is forgotten. */
  reboot(bootId = bootIds.after): void {
    const cmdline = this.commandLines()[0]?.replace(/^\s*linux\s+/, "") ?? "";
    this.write("proc/cmdline", `BOOT_IMAGE=${this.system.bls ? "/boot/vmlinuz " : ""}${cmdline}\n`);
    this.write("proc/sys/kernel/random/boot_id", `${bootId}\n`);
    if (/clocksource=tsc/.test(cmdline)) this.onTsc();
    else this.onHpet();
    for (const unit of ["fake/units/ssh.service", "fake/units/sshd.service"]) {
      if (this.exists(unit)) this.write(unit, "enabled active\n");
    }
    for (const forgotten of [
      "timebase.reboot",
      "timebase.clocksource",
      "timebase.chrony-restart-due",
      "timebase.released",
      "chrony-dhcp",
    ])
      this.remove(`run/${forgotten}`);
    if (/ena\.phc_enable=1/.test(cmdline) && this.exists(ena)) {
      this.write(`${ena}/parameters/phc_enable`, "1\n");
      if (this.exists("fake/ena-has-a-clock")) this.clock(0, "ena-ptp-05", "23456");
    }
    if (this.exists(`etc/systemd/system/${this.system.chrony.service}.service.d`)) this.startChrony();
  }

  /** What starts chronyd, at a boot or by hand. */
  startChrony(): void {
    this.fake("systemctl", "restart", this.system.chrony.service);
  }

  /** A clock device; some drivers tell its error, in nanoseconds. */
  clock(number: number, name: string, error?: string): void {
    const folder = `sys/class/ptp/ptp${number}`;
    this.write(`${folder}/clock_name`, `${name}\n`);
    this.write(`dev/ptp${number}`, "");
    if (error !== undefined) this.write(`${folder}/device/phc_error_bound`, `${error}\n`);
  }

  /** chronyd has opened this device. */
  opened(device: string): void {
    fs.rmSync(this.path("proc/500/fd"), { recursive: true, force: true });
    fs.mkdirSync(this.path("proc/500/fd"), { recursive: true });
    fs.symlinkSync(`/dev/${device}`, this.path("proc/500/fd/7"));
  }

  onHpet(): void {
    this.write("sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet\n");
    this.write("sys/devices/system/clocksource/clocksource0/available_clocksource", "hpet acpi_pm \n");
  }

  onTsc(): void {
    this.write("sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n");
    this.write("sys/devices/system/clocksource/clocksource0/available_clocksource", "tsc hpet acpi_pm \n");
  }

  /** Adds a process to the fake /proc, one that may set the clock. */
  process(pid: number, comm: string, parent = 1): void {
    this.write(`proc/${pid}/stat`, `${pid} (${comm}) S ${parent} ${pid} ${pid} 0 -1\n`);
    this.write(`proc/${pid}/comm`, `${comm}\n`);
  }

  /** A process holds a lock of dpkg, as the kernel tells it. */
  holdPackages(pid = 700): void {
    const lock = "var/lib/dpkg/lock-frontend";
    this.write(lock, "");
    const { ino } = fs.statSync(this.path(lock));
    this.process(pid, "unattended-upgr");
    fs.mkdirSync(this.path(`proc/${pid}/fd`), { recursive: true });
    fs.symlinkSync(this.path(lock), this.path(`proc/${pid}/fd/3`));
    this.write(
      "proc/locks",
      `1: FLOCK  ADVISORY  WRITE 1 00:19:7 0 EOF\n2: POSIX  ADVISORY  WRITE ${pid} fe:01:${ino} 0 EOF\n`,
    );
  }

  /** chronyd runs, as a daemon and its helper, and answers like this; it has measured since the clock was set the last time. */
  chrony(answer: string): void {
    const selected = /^[#^=],[*],([^,]*)/m.exec(answer)?.[1] ?? "";
    const refid = /^([0-9A-F]+),/m.exec(answer)?.[1] ?? "";
    this.write("run/timebase.clock-looked", `1700000000000000000 0 ${selected}/${refid} 0 9\n`);
    this.process(500, "chronyd");
    this.write("proc/500/cmdline", "/usr/sbin/chronyd\0-F\x001\0");
    this.process(501, "chronyd", 500);
    this.write("fake/chronyc", answer);
  }

  /** Every file that is the user's, with content, mode and link target: what revert must give back. */
  snapshot(): Record<string, string> {
    const entries: Record<string, string> = {};
    const skipped = /^(calls|fake|proc|sys|run)(\/|$)/;
    const visit = (name: string): void => {
      if (skipped.test(name)) return;
      const stat = fs.lstatSync(this.path(name));
      const mode = (stat.mode & 0o7777).toString(8);
      if (stat.isSymbolicLink()) entries[name] = `link ${fs.readlinkSync(this.path(name))}`;
      else if (stat.isDirectory()) {
        if (name) entries[name] = `folder ${mode}`;
        for (const child of fs.readdirSync(this.path(name))) visit(name ? `${name}/${child}` : child);
      } else entries[name] = `file ${mode} ${fs.readFileSync(this.path(name)).toString("base64")}`;
    };
    visit("");
    return entries;
  }

  /** Inode and modification time of every file: equal before and after means that nothing was written. */
  writes(): Record<string, string> {
    const entries: Record<string, string> = {};
    for (const name of Object.keys(this.snapshot())) {
      const stat = fs.lstatSync(this.path(name), { bigint: true });
      if (stat.isFile()) entries[name] = `${stat.ino} ${stat.mtimeNs}`;
    }
    return entries;
  }
}

export const parameters = "clocksource=tsc tsc=reliable";

const header = "timebase-plan=1\nowner=test/stack/node-1\nhost=node-1\n";
const boot = "clocksource=tsc\nboot-parameter=clocksource=tsc\nboot-parameter=tsc=reliable\nreboot=to-prove\n";
const time =
  "time-role=client\ntime-source=server 10.77.0.1 iburst minpoll 0 maxpoll 0 xleave\ntimescale=hub:hub\ntime-max-error-ns=1000000\ntime-settle-seconds=0\n";

export const plans = {
  boot: header + boot,
  time: header + time,
  hub: `${header}time-role=hub\ntime-allow=10.77.0.0/24\ntimescale=hub:node-1\ntime-max-error-ns=1000000\ntime-settle-seconds=0\n`,
  guestPtp: `${header}guest-ptp=required\n`,
  all: `${header}${boot}${time}guest-ptp=required\n`,
};

/** The plan with `override`. */
export const overriding = (plan: string): string => plan.replace("reboot=", "boot-override=yes\nreboot=");

/** `chronyc -N -c -m tracking sources` of chrony 4.3 on a synchronised client. */
export const synchronised =
  "0A4D0001,10.77.0.1,11,@NOW@.123456789,-0.000012345,0.000010000,0.000020000,-12.345,0.010,1.234,0.000412000,0.000101000,1.0,Normal\n" +
  "^,*,10.77.0.1,10,0,377,1,-0.000010000,-0.000012000,0.000250000\n";
