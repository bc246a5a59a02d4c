import { describe, expect, test } from "vitest";
import type { CutPoint } from "../../../rig/cut-points";
import { attempt, type Scope } from "../support/Attempt";
import { endsProved, sceneAt } from "../support/scene";

/** Where the power is cut: places of converge in their order, each before or after one call of a program. */
const points: readonly [where: string, scope: Scope, point: CutPoint][] = [
  ["before anything was written", "boot", { when: "before", call: "cp -R * /usr/local/lib/timebase/*" }],
  ["the program half installed", "boot", { when: "after", call: "chown -R 0:0 /usr/local/lib/timebase/*" }],
  ["one of three sections remembered", "everything", { when: "after", call: "mv -f -- *plans/boot.timebase-new *" }],
  ["before the record of the drop-in", "boot", { when: "before", call: "mv -- */draft *zz-timebase.cfg" }],
  ["before the drop-in takes its place", "boot", { when: "before", call: "mv -f -- /etc/default/grub.d/*" }],
  ["the drop-in there, grub.cfg old", "boot", { when: "before", call: "grub-mkconfig -o *" }],
  ["in the middle of grub-mkconfig", "boot", { when: "before", call: "basename /boot/vmlinuz-*" }],
  ["before grub.cfg takes its place", "boot", { when: "before", call: "mv -f -- /boot/grub/grub.cfg.timebase-new *" }],
  ["after grub.cfg took its place", "boot", { when: "after", call: "mv -f -- /boot/grub/grub.cfg.timebase-new *" }],
  ["between configuration and reboot", "boot", { when: "before", call: "systemctl --quiet is-active ssh.socket" }],
  ["sshd closed, no reboot ordered yet", "boot", { when: "before", call: "systemd-run *timebase: reboot*" }],
  ["the rival disabled", "everything", { when: "after", call: "systemctl --quiet disable systemd-timesyncd*" }],
  ["while dpkg unpacks chrony", "everything", { when: "after", call: "dpkg-deb --fsys-tarfile *chrony*" }],
  ["while dpkg configures chrony", "everything", { when: "before", call: "systemctl --root=/ *preset chrony*" }],
  [
    "before chrony.conf takes its place",
    "everything",
    { when: "before", call: "mv -f -- /etc/chrony/chrony.conf.tim* *" },
  ],
  [
    "after chrony.conf took its place",
    "everything",
    { when: "after", call: "mv -f -- /etc/chrony/chrony.conf.tim* *" },
  ],
];

describe("a power cut", () => {
  test.each(points)("%s", async (where, scope, point) => {
    const scene = await sceneAt("fresh", { scope });
    // Nothing is written by the way: what was not made durable is lost for certain.
    await scene.room.root("sysctl -q vm.dirty_writeback_centisecs=0 vm.dirty_expire_centisecs=360000");
    const { stopped } = await scene.room.arm(point);
    const first = attempt(scene.stack);
    await stopped;
    await scene.room.cutPower();
    const cut = await first;
    expect(cut.ok).toBe(false);
    await scene.room.powerOn();
    const number = String(points.findIndex(([name]) => name === where) + 1).padStart(2, "0");
    await endsProved(scene, "power", `${number}. ${where}`, cut);
  });
});
