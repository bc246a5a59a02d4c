import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { type ExecaChildProcess, execa } from "execa";
import { type HostEndpoint, SshHost } from "../../../components";
import { type WatchedClock, watchClock } from "../../../rig/true-offset";
import { machineFiles } from "../../../vm/qemu";
import { machineFolder } from "../../../vm/record";
import type { RunningVm } from "../../../vm/up";

/** Files that programs of the system's write by themselves, at an installation or a boot. */
const writtenByTheSystem = [
  // By ldconfig and by systemd, of what is installed and when.
  "etc/ld.so.cache",
  "etc/.updated",
  // The accounts as they were before the last change: a daemon's package brings one, and takes it away.
  "etc/(passwd|group|shadow|gshadow)-",
  "boot/.*/grubenv",
];

/**
 * Packages that chrony's needs, on Debian 13 and Ubuntu 24.04, and that stay with a host that lacked them: somebody else may
 * have come to need them.
 */
const staying = ["libgnutls30t64", "libp11-kit0", "libtasn1-6", "tzdata-legacy"];

/**
 * Shell text that lists a host's configuration: checksum, mode and owner of files, and the folders and links of /etc;
 * services; packages by state and name, as the mirror may have newer ones by now; and what runs of the toolkit leave
 * behind: its folders, the copies that Pulumi makes, temporary files. Not the lock in /run: two can hold one that is removed.
 */
const configurationListing = `cd /
files=$(mktemp)
{
  find etc boot/grub2 boot/loader boot/efi -type f
  find boot/grub -maxdepth 1 -type f
} 2>/dev/null | grep -vxE '${writtenByTheSystem.join("|")}' | LC_ALL=C sort | tr '\\n' '\\0' >"$files"
xargs -0 stat -c '%n %a %U:%G' <"$files"
xargs -0 cksum <"$files"
rm "$files"
# Package tools and systemctl write the same link in two ways.
find etc ! -type f -printf '%p %m %u:%g %l\\n' | sed 's# /lib/# /usr/lib/#' | LC_ALL=C sort
systemctl is-enabled systemd-timesyncd chrony chronyd 2>&1
dpkg-query -W -f '\${db:Status-Abbrev}\${Package}\\n' | grep -vE ' (${staying.join("|")})$'
ls -d var/lib/timebase usr/local/lib/timebase usr/local/sbin/timebase usr/sbin/timebase home/*/.timebase-* \\
  tmp/tmp.* tmp/*timebase* run/timebase* 2>/dev/null | grep -vx run/timebase.lock
:
`;

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

  /** A virtual machine without a stack. */
  static of(name: string, { address, port, user, hostKey, privateKeyFile }: RunningVm, folder: string): TestHost {
    const privateKey = readFileSync(privateKeyFile, "utf8");
    return new TestHost({ name, address, port, user, hostKey, privateKey, privateAddress: address }, folder);
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

  /**
   * Everything that decides how the host boots and keeps time, all that is configured on it, and what is installed: who
   * leaves it as it was changes no byte of this.
   */
  configuration(): Promise<string> {
    return this.succeeds("sudo sh", configurationListing);
  }

  /** How many logins sshd has accepted since this boot, without the one that asks. */
  async logins(): Promise<number> {
    return Number(await this.run("sudo journalctl -b -u ssh | grep -c Accepted")) - 1;
  }
}
