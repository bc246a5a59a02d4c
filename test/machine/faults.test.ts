import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Stack } from "@pulumi/pulumi/automation";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CutPoint } from "../../rig/cut-points";
import { attempt, clockStack } from "../faults/support/Attempt";
import { Room } from "../faults/support/Room";
import { killSession } from "../faults/support/session";

// One of each group of `npm run test:faults`, but for reboots: all on one machine, one after the other, so that few boots and
// one recovery are enough. Each fault leaves the host half done for the next.
describe("a host to which all of this happens before it is proved once", () => {
  const folder = mkdtempSync(join(tmpdir(), "timebase-faults-"));
  let room: Room;
  let stack: Stack;
  let pristine: string;

  beforeAll(async () => {
    room = await Room.open("faults", folder);
    await room.prepare();
    stack = await clockStack(room.host, folder, { scope: "boot" });
    pristine = await room.host.configuration();
  });

  afterAll(async () => {
    await room?.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  /** An `up` that has stopped at this point. */
  async function stoppedAt(point: CutPoint) {
    const { stopped } = await room.arm(point);
    const up = attempt(stack);
    await stopped;
    return { up };
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
    const { up } = await stoppedAt({ when: "before", call: "basename /boot/vmlinuz-*" });
    await room.root(killSession);
    const first = await up;
    expect(first.ok).toBe(false);
    expect(first.output).toContain("cloud-init has ended with errors");
    await room.release();
  });

  test("the power is cut just before grub.cfg takes its place", async () => {
    const { up } = await stoppedAt({ when: "before", call: "mv -f -- /boot/grub/grub.cfg.timebase-new *" });
    await room.cutPower();
    expect((await up).ok).toBe(false);
    await room.powerOn();
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
