import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { type ExecaChildProcess, execa } from "execa";
import { type HostEndpoint, SshHost } from "../../../components";
import { type WatchedClock, watchClock } from "../../../rig/true-offset";
import { machineFiles } from "../../../vm/qemu";
import { machineFolder } from "../../../vm/record";

/** A host of the test, reached past the product: what the product claims is compared with what is seen here. */
export class TestHost {
  private readonly ssh: string[];

  constructor(
    readonly endpoint: HostEndpoint,
    folder: string,
  ) {
    const keys = join(folder, `keys-${endpoint.name}`);
    mkdirSync(keys, { recursive: true });
    const port = endpoint.port === 22 ? endpoint.address : `[${endpoint.address}]:${endpoint.port}`;
    writeFileSync(join(keys, "known_hosts"), `${port} ${endpoint.hostKey}\n`);
    writeFileSync(join(keys, "key"), endpoint.privateKey ?? "", { mode: 0o600 });
    this.ssh = [
      ...["-F", "none", "-i", join(keys, "key"), "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes"],
      ...["-o", `UserKnownHostsFile=${join(keys, "known_hosts")}`, "-o", "ConnectTimeout=60"],
      // A session that a reboot cut would wait for ever.
      ...["-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3"],
      ...["-p", String(endpoint.port), `${endpoint.user}@${endpoint.address}`],
    ];
  }

  /** Runs a command; returns what it printed, also when it failed. */
  async run(command: string, input = ""): Promise<string> {
    return (await this.ended(command, input)).stdout.trim();
  }

  /** The same of a command that has to succeed. */
  async succeeds(command: string, input = ""): Promise<string> {
    const { exitCode, stdout, stderr } = await this.ended(command, input);
    if (exitCode !== 0) throw new Error(`status ${exitCode} of: ${command}\n${input}\n${stdout}\n${stderr}`);
    return stdout.trim();
  }

  private async ended(command: string, input: string) {
    const ending = await execa("ssh", [...this.ssh, command], { input, reject: false, timeout: 1_200_000 });
    if (ending.timedOut) throw new Error(`did not end in time: ${command}\n${input}`);
    return ending;
  }

  /** Starts a command that goes on. */
  start(command: string): ExecaChildProcess {
    return execa("ssh", [...this.ssh, command]);
  }

  /** The same on a host whose key is not the pinned one. */
  async runUnpinned(command: string): Promise<string> {
    const anyKey = ["-o", "UserKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=no"];
    const { stdout } = await execa("ssh", [...anyKey, ...this.ssh, command], { timeout: 60_000 });
    return stdout.trim();
  }

  /** Not by `cloud-init status --wait`: it starts a Python every quarter of a second, which an emulated boot feels. */
  async cloudInitEnd(): Promise<void> {
    await this.run("until [ -e /run/cloud-init/result.json ] || [ -e /run/cloud-init/disabled ]; do sleep 1; done");
  }

  /** The host in a program of a user of existing machines: without a machine behind it in that stack. */
  asSshHost(): SshHost {
    const { machineUrn: _, generation: __, ...endpoint } = this.endpoint;
    return new SshHost(endpoint.name ?? "", { ...endpoint, privateKey: pulumi.secret(endpoint.privateKey ?? "") });
  }

  /** Its clock, seen from outside; for a virtual machine in this process's folder of machines. */
  watchedClock(): Promise<WatchedClock> {
    const folder = machineFolder(this.endpoint.name ?? "");
    return watchClock(folder, machineFiles(folder).monitor, (command) => this.start(command));
  }

  bootId(): Promise<string> {
    return this.run("cat /proc/sys/kernel/random/boot_id");
  }

  clocksource(): Promise<string> {
    return this.run("cat /sys/devices/system/clocksource/clocksource0/current_clocksource");
  }

  /** Checksums of everything that decides how the host boots and keeps time, except what a regeneration dates. */
  configuration(): Promise<string> {
    return this.run(
      "sudo sh -c 'cd / && find etc/default/grub etc/default/grub.d etc/kernel/cmdline etc/chrony etc/chrony.conf" +
        " etc/systemd/timesyncd.conf boot/grub/grub.cfg boot/grub2 boot/loader boot/efi -type f 2>/dev/null" +
        ' | grep -v grubenv | sort | xargs stat -c "%n %a %U" | tee /run/files; cut -d" " -f1 /run/files | xargs cksum;' +
        " systemctl is-enabled systemd-timesyncd chrony chronyd 2>&1;" +
        " ls -d var/lib/timebase usr/local/lib/timebase usr/local/sbin/timebase home/*/.timebase-* 2>/dev/null'",
    );
  }

  /** How many logins sshd has accepted since this boot, without the one that asks. */
  async logins(): Promise<number> {
    return Number(await this.run("sudo journalctl -b -u ssh | grep -c Accepted")) - 1;
  }
}
