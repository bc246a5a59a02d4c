import { type AddressInfo, createServer, type Server } from "node:net";
import { describe, expect, test } from "vitest";
import { copyFolder } from "../../../components/remote/hostCommands";
import { attempt, clockStack } from "../support/Attempt";
import { endsProved, sceneAt } from "../support/scene";

/** A file system of its own on /boot, as small as it has to be, for as long as the fault lasts. */
const ownBoot = `truncate -s $(($(du -sm /boot | cut -f1) + 16))M /root/boot.img
mkfs.ext4 -q -m 0 /root/boot.img
mount -o loop /root/boot.img /mnt
cp -a /boot/. /mnt
umount /mnt
mount -o loop /root/boot.img /boot`;

/** Holds dpkg's lock as apt does, by fcntl; flock(1) takes another kind. */
const holdLock = (seconds: number) => `systemd-run --quiet --unit=rig-lock python3 -c "
import fcntl, time
lock = open('/var/lib/dpkg/lock-frontend', 'w')
fcntl.lockf(lock, fcntl.LOCK_EX)
time.sleep(${seconds})"`;

describe("what a host lacks", () => {
  // Room for the toolkit's copy is left: without it the command provider's own error comes first.
  test("the disk is full but for 1 MiB", async () => {
    const scene = await sceneAt("live", { scope: "boot" });
    await scene.room.root(`tune2fs -m 0 "$(findmnt -no SOURCE /)"
fallocate -l "$(($(df --output=avail -k / | tail -1) - 1024))K" /filler
df /`);
    const first = await attempt(scene.stack);
    expect(first.said).toContain("what to do:");
    await scene.room.root("rm /filler");
    await endsProved(scene, "resources", "1. the disk is full but for 1 MiB", first);
  });

  test("/boot is full", async () => {
    const scene = await sceneAt("live", { scope: "boot" });
    await scene.room.root(`${ownBoot}\ndd if=/dev/zero bs=1k of=/boot/filler || :`);
    const first = await attempt(scene.stack);
    expect(first.said).toMatch(/error on faults: .*\/boot.* full/);
    expect(first.said).toContain("what to do:");
    await scene.room.root("umount /boot");
    await endsProved(scene, "resources", "2. /boot, a file system of its own, is full", first);
  });

  test("/boot cannot be written to", async () => {
    const scene = await sceneAt("live", { scope: "boot" });
    await scene.room.root("mount --bind /boot /boot && mount -o remount,bind,ro /boot");
    const first = await attempt(scene.stack);
    expect(first.said).toContain("error on faults: /boot/grub cannot be written to (Read-only file system)");
    expect(first.said).toContain("what to do:");
    await scene.room.root("umount /boot");
    await endsProved(scene, "resources", "3. /boot is mounted read-only", first);
  });

  test("somebody holds dpkg's lock for 60 s", async () => {
    const scene = await sceneAt("live");
    await scene.room.root(holdLock(60));
    const first = await attempt(scene.stack);
    expect(first.said).toBe("");
    await endsProved(scene, "resources", "4. the package manager's lock is held for 60 s", first);
  });

  test("somebody holds dpkg's lock for ever", async () => {
    const scene = await sceneAt("live");
    await scene.room.root(holdLock(86_400));
    const first = await attempt(scene.stack);
    expect(first.said).toContain("the package manager has been locked for");
    expect(first.said).toContain("by python3 (process");
    await scene.room.root("systemctl stop rig-lock");
    await endsProved(scene, "resources", "5. the package manager's lock is held for ever", first);
  });

  test("a mirror that does not answer", async () => {
    const scene = await sceneAt("live");
    const silent = await silentServer();
    // 10.0.2.2 is how QEMU's user network reaches this machine. As a proxy, so that the lists stay those of the mirror.
    const { port } = silent.address() as AddressInfo;
    await scene.room.root(`echo 'Acquire::http::Proxy "http://10.0.2.2:${port}";' >/etc/apt/apt.conf.d/98rig
mv /var/cache/apt/archives /root/archives && mkdir -p /var/cache/apt/archives/partial`);
    const first = await attempt(scene.stack);
    silent.close();
    expect(first.said).toContain("mirror");
    await scene.room.root(`rm /etc/apt/apt.conf.d/98rig
rm -r /var/cache/apt/archives && mv /root/archives /var/cache/apt/archives`);
    await endsProved(scene, "resources", "6. the mirror accepts connections and says nothing", first);
  });

  test("two ups of two stacks at once", async () => {
    const scene = await sceneAt("live", { scope: "boot" });
    const other = await clockStack(scene.room.host, scene.folder, { scope: "boot" });
    const { stopped } = await scene.room.arm({ when: "before", call: "basename /boot/vmlinuz-*" });
    const first = attempt(scene.stack);
    await stopped;
    let met = () => {};
    const waiting = new Promise<void>((resolve) => {
      met = resolve;
    });
    const second = attempt(other, (text) => text.includes("waiting for another timebase on this host") && met());
    await waiting;
    await scene.room.release();
    expect((await first).said).toBe("");
    const refused = await second;
    expect(refused.said).toContain("belongs to");
    // Of a component that was never converged nothing is in the state that would take its copy of the toolkit away.
    await scene.room.host.run(`rm -r ${copyFolder(`timebase-test/${other.name}/clock/clocksource`)}`);
    await endsProved(scene, "resources", "7. two `up`s of two stacks at once: what the other one said", refused);
  });
});

/** Takes every connection and never says a word. */
function silentServer(): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer(() => {}).listen(0, "127.0.0.1", () => resolve(server));
  });
}
