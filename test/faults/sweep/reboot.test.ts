import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { RebootPolicy } from "../../../components";
import { type Attempt, attempt, engineProcesses } from "../support/Attempt";
import { Room } from "../support/Room";
import { endsProved, type Scene, sceneAt } from "../support/scene";

/** The first `up`, once the machine is between the two boots. */
async function upToReboot({ room, stack }: Scene): Promise<{ first: Promise<Attempt> }> {
  const rebooted = room.consoleSays(Room.restarting, room.console().length, 600_000);
  const first = attempt(stack);
  await rebooted;
  return { first };
}

describe("the reboot", () => {
  test("the machine that runs Pulumi is killed in mid-reboot", async () => {
    const scene = await sceneAt("fresh", { scope: "boot" });
    const { first } = await upToReboot(scene);
    for (const pid of engineProcesses()) process.kill(pid, "SIGKILL");
    const cut = await first;
    expect(cut.ok).toBe(false);
    // The engine's lock on its own state; its error says what to do.
    await scene.stack.cancel();
    await endsProved(scene, "reboot", "1. the machine that runs Pulumi is killed in mid-reboot (`pulumi cancel`)", cut);
  });

  test("it does not happen, and the door opens again within 3 minutes", async () => {
    const scene = await sceneAt("fresh", { scope: "boot" });
    await scene.room.root("systemctl mask --quiet --runtime reboot.target");
    const rebooted = scene.room.consoleSays(Room.restarting, scene.room.console().length, 900_000);
    const first = attempt(scene.stack);
    await scene.room.door("closed");
    const closed = performance.now();
    await scene.room.door("open");
    expect((performance.now() - closed) / 1000).toBeLessThan(180);
    // What held it up goes away; the proof that fails now orders the reboot once more.
    await scene.room.root("systemctl unmask --quiet --runtime reboot.target");
    const cut = await first;
    expect(cut.said).toContain("the boot from before: the ordered reboot did not happen");
    await rebooted;
    await endsProved(scene, "reboot", "2. the reboot does not happen; sshd is open again within 3 minutes", cut);
  });

  test("the host is away for 3 minutes more", async () => {
    const scene = await sceneAt("fresh", { scope: "boot" });
    const { first } = await upToReboot(scene);
    await scene.room.freeze("stop");
    await sleep(180_000);
    await scene.room.freeze("cont");
    const late = await first;
    expect(late.said).toBe("");
    await endsProved(scene, "reboot", "3. the host comes back 3 minutes late", late);
  });

  test("the host never comes back", async () => {
    const scene = await sceneAt("fresh", { scope: "boot", rebootTimeoutSeconds: 60 });
    const { first } = await upToReboot(scene);
    await scene.room.cutPower();
    const gone = performance.now();
    const cut = await first;
    // In the words of the command provider, which knows the host by its address only.
    expect(cut.said).toContain(`dial tcp ${scene.room.host.endpoint.address}`);
    expect((performance.now() - gone) / 1000).toBeLessThan(120);
    await scene.room.powerOn();
    await endsProved(scene, "reboot", "4. the host does not come back (limit 60 s), and is started by hand", cut);
  });

  test("the host comes back with another host key", async () => {
    const scene = await sceneAt("fresh", { scope: "boot", rebootTimeoutSeconds: 240 });
    const key = "/etc/ssh/ssh_host_ed25519_key";
    // As late as at the shutdown: sshd reads its keys for each session.
    await scene.room.root(`mkdir /root/keys && cp -p ${key} ${key}.pub /root/keys
printf '%s\\n' 'rm ${key}' 'ssh-keygen -q -t ed25519 -N "" -f ${key}' sync >/root/rekey
systemd-run --quiet --unit=rig-rekey --remain-after-exit --property=ExecStop="/bin/sh /root/rekey" true`);
    const cut = await attempt(scene.stack);
    expect(cut.said).toContain("host key mismatch");
    await scene.room.host.runUnpinned("sudo sh -c 'cp -p /root/keys/* /etc/ssh/'");
    await endsProved(scene, "reboot", "5. the host comes back with another host key, and gets its own back", cut);
  });

  test("the host comes back on another boot entry", async () => {
    const scene = await sceneAt("fresh", { scope: "boot" });
    await scene.room.root(`cat >>/etc/grub.d/40_custom <<'ENTRY'
menuentry "Rescue" --id rescue {
  search --no-floppy --label root --set=root
  linux /vmlinuz root=LABEL=root ro console=ttyS0 audit=0 loglevel=5
  initrd /initrd.img
}
ENTRY
grub-editenv /boot/grub/grubenv set next_entry=rescue
update-grub`);
    const pristine = await scene.room.host.configuration();
    const cut = await attempt(scene.stack);
    // By its name: what the running kernel was given is that entry's, word for word.
    expect(cut.said).toMatch(
      /boot\.parameters-live .*found BOOT_IMAGE=\/vmlinuz root=LABEL=root ro console=ttyS0 audit=0/,
    );
    expect(cut.said).toMatch(/what to do: .*GRUB's entry "Rescue"/);
    await scene.room.reboot();
    await endsProved({ ...scene, pristine }, "reboot", "6. the host comes back on another boot entry", cut);
  });

  // No fault, and so no row: it has to do without one.
  test("is spared by RebootPolicy.IfNeeded, where the running kernel can be switched", async () => {
    const { room, stack } = await sceneAt("fresh", { scope: "boot", reboot: RebootPolicy.IfNeeded });
    const { host } = room;
    // A user's kernel that offers tsc, and was told to use another one.
    await room.root(`echo 'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX tsc=reliable"' >/etc/default/grub.d/90-user.cfg
update-grub`);
    await room.reboot();
    await room.root("echo hpet >/sys/devices/system/clocksource/clocksource0/current_clocksource");
    expect(await host.clocksource()).toBe("hpet");
    const [pristine, boot] = [await host.configuration(), await host.bootId()];
    const { ok, output, evidence } = await attempt(stack);
    expect(ok, output).toBe(true);
    expect(evidence).toMatchObject({ rebooted: false, bootParametersLive: false, bootParametersPersistent: true });
    expect(evidence?.checks.find(({ id }) => id === "boot.parameters-live")).toMatchObject({
      verdict: "warn",
      found: "configured, not yet booted",
    });
    expect(await host.clocksource()).toBe("tsc");
    expect(await room.root("cat /proc/cmdline")).not.toContain("clocksource=tsc");
    await stack.destroy();
    expect(await host.configuration()).toBe(pristine);
    expect(await host.clocksource()).toBe("hpet");
    expect(await host.bootId()).toBe(boot);
  });
});
