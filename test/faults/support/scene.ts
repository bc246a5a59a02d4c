import type { Stack } from "@pulumi/pulumi/automation";
import { expect, inject } from "vitest";
import { type Attempt, attempt, clockStack } from "./Attempt";
import type { Fault, FaultGroup } from "./faults";
import { Room } from "./Room";
import { recordFault } from "./report";

/** The sweep's machine at a snapshot, a stack for it, and what its configuration is before anything is done. */
export interface Scene {
  folder: string;
  room: Room;
  stack: Stack;
  pristine: string;
}

const machine = "Debian 12, GRUB, BIOS (real)";

export async function sceneAt(
  snapshot: "fresh" | "live",
  options: Parameters<typeof clockStack>[2] = {},
): Promise<Scene> {
  const folder = inject("roomFolders")[Number(process.env.VITEST_POOL_ID) - 1] as string;
  const room = await Room.open("faults", folder, undefined, snapshot);
  await room.restore(snapshot);
  return {
    folder,
    room,
    stack: await clockStack(room.host, folder, options),
    pristine: await room.host.configuration(),
  };
}

/**
 * What every fault ends in: a plain second `up` proves the host, which is read back past the product; and after
 * `destroy` its files are what they were before the first, byte for byte.
 */
export async function endsProved<Group extends FaultGroup>(
  { room, stack, pristine }: Scene,
  group: Group,
  fault: Fault<Group>,
  first: Attempt,
) {
  const second = await attempt(stack);
  expect(second.ok, second.output).toBe(true);
  const { checks = [], rebooted } = second.evidence ?? {};
  expect(checks.map(({ id }) => id)).toContain("clocksource.current");
  // That an emulated TSC is no invariant one is a warning.
  expect(checks.filter(({ verdict }) => verdict === "fail")).toEqual([]);
  expect(await room.host.clocksource()).toBe("tsc");
  expect(await room.root("cat /proc/cmdline")).toContain("audit=0 loglevel=5 clocksource=tsc tsc=reliable");
  await stack.destroy();
  expect(await room.host.configuration()).toBe(pristine);
  await recordFault({
    group,
    fault,
    machine,
    said: first.ok ? "proved" : first.said || "nothing",
    second: rebooted ? "proved, after one reboot" : "proved, without a reboot",
  });
}
