import type { Stack } from "@pulumi/pulumi/automation";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { type HostEvidence, parseEvidence } from "../../../components";
import { attempt, clockStack } from "../../faults/support/Attempt";
import { Room } from "../../faults/support/Room";
import { type MachineKind, recordSystems } from "../../faults/support/report";

export interface System {
  /** Name of its machine. */
  id: string;
  system: string;
  bootLoader: string;
  machine: MachineKind;
  /** What its machine is made of. */
  spec: () => Promise<Parameters<typeof Room.open>[2]>;
  /** Shell text that installs another kernel, which becomes the default one. */
  newKernel: string;
  /** Of the new kernel, in /proc/cmdline's BOOT_IMAGE. */
  newKernelName: RegExp;
  /** Shell text that makes the boot loader's configuration anew, as an administrator does. */
  regenerate: string;
}

/** The tests of one system, on a machine of its own. */
export function describeSystem(system: System): void {
  const { system: name, bootLoader, machine } = system;
  describe(`${name}, ${bootLoader}`, () => {
    const folder = inject("systemsFolder");
    const record = (check: string, found: string) =>
      recordSystems([{ system: name, bootLoader, machine, check, found }]);
    let room: Room;
    let stack: Stack;
    let pristine: string;

    /** What the host proves now, of its own plan. */
    const prove = async (): Promise<HostEvidence> =>
      parseEvidence(await room.host.run("sudo cat /var/lib/timebase/plans/boot | sudo timebase prove 2>/dev/null"));
    const failures = ({ checks }: HostEvidence) => checks.filter(({ verdict }) => verdict === "fail");
    const cmdline = () => room.root("cat /proc/cmdline");

    beforeAll(async () => {
      room = await Room.open(system.id, folder, await system.spec());
      await room.prepare();
      stack = await clockStack(room.host, folder);
      pristine = await room.host.configuration();
    });

    afterAll(async () => {
      await room?.remove();
    });

    test("is converged, rebooted once and proved", async () => {
      // A new kernel may have chosen tsc by itself, which lasts as long as its watchdog likes.
      expect(await cmdline()).not.toMatch(/clocksource=|tsc=/);
      const { ok, output, evidence } = await attempt(stack);
      expect(ok, output).toBe(true);
      expect(evidence).toMatchObject({ os: name, clocksource: "tsc", rebooted: true, bootParametersPersistent: true });
      expect(await room.host.clocksource()).toBe("tsc");
      expect(await cmdline()).toContain("clocksource=tsc tsc=reliable");
      const firmware = await room.root("test -d /sys/firmware/efi && echo efi || echo bios");
      expect(bootLoader.toLowerCase()).toContain(firmware);
      await record("1. `up`", `tsc live after one reboot, ${evidence?.checks.length} checks passed`);
    });

    test("is left alone by a second converge", async () => {
      const before = await room.host.configuration();
      const again = await room.host.run("sudo cat /var/lib/timebase/plans/boot | sudo timebase converge 2>&1");
      expect(again).toMatch(/converged-reboot=none$/);
      expect(again).not.toMatch(/wrote|adding|regenerating|restarting|stopping|rebooting/);
      expect(await room.host.configuration()).toBe(before);
      await record("2. a second converge", "changes nothing, orders no reboot");
    });

    test("is given back byte for byte", async () => {
      await stack.destroy();
      expect(await room.host.configuration()).toBe(pristine);
      await record("3. `destroy`", "every file as it was, byte for byte");
    });

    test("keeps its parameters over a kernel update", async () => {
      expect((await attempt(stack)).said).toBe("");
      await room.root(system.newKernel);
      await room.reboot();
      expect(await cmdline()).toMatch(system.newKernelName);
      const evidence = await prove();
      expect(failures(evidence)).toEqual([]);
      await record("4. a kernel update, and a reboot into it", `proved, on ${evidence.kernel}`);
    });

    test("keeps its parameters when its entries are made anew", async () => {
      await room.root(system.regenerate);
      await room.reboot();
      expect(failures(await prove())).toEqual([]);
      expect(await room.host.clocksource()).toBe("tsc");
      await record(`5. \`${system.regenerate}\`, and a reboot`, "proved");
    });

    test("boots without them after a revert", async () => {
      await stack.destroy();
      await room.reboot();
      expect(await cmdline()).not.toMatch(/clocksource=|tsc=/);
      // Which clocksource a new kernel chooses by itself is its own matter.
      expect(await cmdline()).toMatch(system.newKernelName);
      await record("6. `destroy`, and a reboot", "the new kernel runs without our parameters");
    });
  });
}
