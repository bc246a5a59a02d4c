import type { Stack } from "@pulumi/pulumi/automation";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { type HostEvidence, parseEvidence, RebootPolicy } from "../../../components";
import { attempt, clockStack } from "../../faults/support/Attempt";
import { Room } from "../../faults/support/Room";
import { type MachineKind, recordSystems } from "../../faults/support/report";
import type { Check } from "./systems";

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

/**
 * Shell text that gives a machine of its user a clocksource that its boots always come to. Left to itself, the kernel of an
 * emulated machine takes tsc, until its watchdog distrusts it, at some time or never. With our parameters it is ours.
 */
const distrustTsc = `cat >/etc/systemd/system/distrust-tsc.service <<'UNIT'
[Unit]
DefaultDependencies=no
Before=sysinit.target
ConditionKernelCommandLine=!clocksource=tsc
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'echo hpet >/sys/devices/system/clocksource/clocksource0/current_clocksource'
[Install]
WantedBy=sysinit.target
UNIT
systemctl daemon-reload
systemctl enable --now distrust-tsc
`;

/** The tests of one system, on a machine of its own. */
export function describeSystem(system: System): void {
  const { system: name, bootLoader, machine } = system;
  describe(`${name}, ${bootLoader}`, () => {
    const folder = inject("systemsFolder");
    const record = (check: Check, found: string) =>
      recordSystems([{ system: name, bootLoader, machine, check, found }]);
    let room: Room;
    let stack: Stack;
    let pristine: string;
    let clocksource: string;

    /** What the host proves now, of its own plan. */
    const prove = async (): Promise<HostEvidence> =>
      parseEvidence(await room.host.run("sudo cat /var/lib/timebase/plans/boot | sudo timebase prove 2>/dev/null"));
    const failures = ({ checks }: HostEvidence) => checks.filter(({ verdict }) => verdict === "fail");
    const cmdline = () => room.root("cat /proc/cmdline");

    beforeAll(async () => {
      room = await Room.open(system.id, folder, await system.spec());
      await room.prepare();
      await room.root(distrustTsc);
      stack = await clockStack(room.host, folder, { revertReboot: true });
      pristine = await room.host.configuration();
      clocksource = await room.host.clocksource();
      expect(clocksource).toBe("hpet");
    });

    afterAll(async () => {
      await room?.remove();
    });

    test("is converged, rebooted once and proved", async () => {
      expect(await cmdline()).not.toMatch(/clocksource=|tsc=/);
      const { ok, output, evidence } = await attempt(stack);
      expect(ok, output).toBe(true);
      expect(evidence).toMatchObject({ os: name, clocksource: "tsc", rebooted: true, bootParametersPersistent: true });
      expect(await room.host.clocksource()).toBe("tsc");
      expect(await cmdline()).toContain("clocksource=tsc tsc=reliable");
      const firmware = await room.root("test -d /sys/firmware/efi && echo efi || echo bios");
      expect(bootLoader.toLowerCase()).toContain(firmware);
      const checksThat = (wanted: string) =>
        evidence?.checks.filter(({ verdict }) => verdict === wanted).map(({ id }) => id) ?? [];
      const warnings = checksThat("warn").join(", ") || "nothing";
      await record(
        "1. `up`",
        `tsc live after one reboot; ${checksThat("pass").length} checks passed, warned of: ${warnings}`,
      );
    });

    test("tells its administrator how it is", async () => {
      const screen = await room.host.run("sudo timebase status");
      expect(screen).toMatch(new RegExp(`^timebase on .*: ${name}, kernel .*, clocksource tsc\\n`));
      const planned = "planned: clocksource=tsc tsc=reliable, reboot to-prove";
      expect(screen).toContain(`\nboot of timebase-test/${stack.name}/clock, ${planned}\n`);
      expect(screen).toMatch(/\n {2}ok {4}boot\.parameters-live /);
      expect(screen).toMatch(/\n {2}undo {2}the clocksource before was /);
      expect(screen).toMatch(/\neverything is as planned$/);
      await record("2. `sudo timebase status`", "owner, plan, live state, and what a revert gives back");
    });

    test("is left alone by a second converge", async () => {
      const before = await room.host.configuration();
      const again = await room.host.run("sudo cat /var/lib/timebase/plans/boot | sudo timebase converge 2>&1");
      expect(again).toMatch(/converged-reboot=none$/);
      expect(again).not.toMatch(/wrote|adding|regenerating|restarting|stopping|rebooting/);
      expect(await room.host.configuration()).toBe(before);
      await record("3. a second converge", "changes nothing, orders no reboot");
    });

    test("is given back byte for byte, and boots with its old clocksource", async () => {
      const boot = await room.host.bootId();
      await stack.destroy();
      expect(await room.host.bootId()).not.toBe(boot);
      expect(await cmdline()).not.toMatch(/clocksource=|tsc=/);
      expect(await room.host.clocksource()).toBe(clocksource);
      expect(await room.host.configuration()).toBe(pristine);
      await record(
        "4. `destroy` with `revertReboot`",
        `every file as it was, byte for byte; rebooted without our parameters, on ${clocksource} again`,
      );
    });

    test("keeps its parameters over a kernel update that comes before its reboot", async () => {
      stack = await clockStack(room.host, folder, { reboot: RebootPolicy.Never });
      expect((await attempt(stack)).said).toMatch(/boot\.parameters-live .*found pending reboot/);
      expect(await cmdline()).not.toMatch(/clocksource=|tsc=/);
      await room.root(system.newKernel);
      await room.reboot();
      expect(await cmdline()).toMatch(system.newKernelName);
      const evidence = await prove();
      expect(failures(evidence)).toEqual([]);
      await record(
        "5. `up` with `RebootPolicy.Never`, a kernel update, and a reboot into it",
        `"pending reboot", then proved, on ${evidence.kernel}`,
      );
    });

    test("keeps its parameters when its entries are made anew", async () => {
      await room.root(system.regenerate);
      await room.reboot();
      expect(failures(await prove())).toEqual([]);
      expect(await room.host.clocksource()).toBe("tsc");
      await record("6. the boot loader's configuration made anew, and a reboot", `\`${system.regenerate}\`: proved`);
    });

    test("boots without them after a revert", async () => {
      await stack.destroy();
      await room.reboot();
      expect(await cmdline()).not.toMatch(/clocksource=|tsc=/);
      // Which clocksource a new kernel chooses by itself is its own matter.
      expect(await cmdline()).toMatch(system.newKernelName);
      await record("7. `destroy`, and a reboot", "the new kernel runs without our parameters");
    });
  });
}
