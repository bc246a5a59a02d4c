import { describe, expect, test } from "vitest";
import type { CutPoint } from "../../../rig/cut-points";
import { attempt, engineProcesses, type Scope } from "../support/Attempt";
import { endsProved, sceneAt } from "../support/scene";
import { killSession } from "../support/session";

const points: readonly [where: string, scope: Scope, point: CutPoint][] = [
  ["before anything was written", "boot", { when: "before", call: "cp -R * /usr/local/lib/timebase/*" }],
  ["before the drop-in takes its place", "boot", { when: "before", call: "mv -f -- /etc/default/grub.d/*" }],
  ["in the middle of grub-mkconfig", "boot", { when: "before", call: "basename /boot/vmlinuz-*" }],
  ["after grub.cfg took its place", "boot", { when: "after", call: "mv -f -- /boot/grub/grub.cfg.timebase-new *" }],
  ["while dpkg unpacks chrony", "everything", { when: "after", call: "dpkg-deb --fsys-tarfile *chrony*" }],
  ["before chronyd is restarted", "everything", { when: "before", call: "systemctl restart chrony" }],
];

describe("the session is cut", () => {
  test.each(points)("%s", async (where, scope, point) => {
    const scene = await sceneAt("live", { scope });
    const { stopped } = await scene.room.arm(point);
    const first = attempt(scene.stack);
    await stopped;
    await scene.room.root(killSession);
    const cut = await first;
    expect(cut.ok).toBe(false);
    // What was at work goes on meanwhile, as it would: the second `up` meets it.
    await scene.room.release();
    const number = String(points.findIndex(([name]) => name === where) + 1).padStart(2, "0");
    await endsProved(scene, "session", `${number}. the SSH session is cut ${where}`, cut);
  });

  test("Ctrl-C of up, in the middle of grub-mkconfig", async () => {
    const scene = await sceneAt("live", { scope: "boot" });
    const { stopped } = await scene.room.arm({ when: "before", call: "basename /boot/vmlinuz-*" });
    const first = attempt(scene.stack);
    await stopped;
    process.kill(engineProcesses()[0] ?? Number.NaN, "SIGINT");
    await scene.room.release();
    const cut = await first;
    expect(cut.ok).toBe(false);
    await endsProved(scene, "session", "07. Ctrl-C of `up`, in the middle of grub-mkconfig", cut);
  });
});
