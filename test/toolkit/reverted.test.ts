import fs from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeHost, plans } from "./FakeHost";
import { shells } from "./shells";

const current = "sys/devices/system/clocksource/clocksource0/current_clocksource";
const third = "33333333-3333-4333-8333-333333333333";

describe.each(shells)("a revert that reboots, under %s,", (shell) => {
  let host: FakeHost;
  beforeEach(() => {
    host = new FakeHost(shell);
  });
  afterEach(() => host.destroy());

  // In the order of the engine: before, converge, prove; then the deletes in reverse.
  const run = (...verb: string[]) => host.run(verb, plans.boot);
  const record = () => host.read("before");
  const converged = () => {
    expect(run("before", "before").status).toBe(0);
    host.converge(plans.boot);
    host.reboot();
  };
  /** What the reboot after the revert does to the host. */
  const backAgain = () => {
    host.write("proc/cmdline", "BOOT_IMAGE=/boot/vmlinuz-6.1.0-41-cloud-amd64 root=/dev/vda1 ro audit=0\n");
    host.write(current, "hpet\n");
    host.write("proc/sys/kernel/random/boot_id", `${third}\n`);
    host.remove("run/timebase.reboot");
  };

  test("reboots with the door closed, and proves that the old clocksource is back", () => {
    const before = host.snapshot();
    converged();
    host.forgetCalls();
    const reverted = run("revert", "--reboot", "before");
    expect(reverted.status, reverted.stderr).toBe(0);
    expect(reverted.stderr).not.toContain("keeps its boot parameters");
    expect(host.calls().filter((call) => /systemd-run|systemctl stop/.test(call))).toEqual([
      expect.stringContaining("systemctl start ssh.service"),
      "systemctl stop ssh.service",
      expect.stringContaining("systemctl reboot"),
    ]);
    backAgain();
    const proof = run("reverted", "before");
    expect(proof.status, proof.stderr).toBe(0);
    expect(proof.stderr).toContain("ok    clocksource.restored     hpet");
    expect(host.exists("before")).toBe(false);
    expect(host.snapshot()).toEqual(before);
  });

  test("a record that was never written is made of what converge has remembered", () => {
    // `before` ran on a copy of the toolkit that a power cut had emptied, and succeeded.
    host.converge(plans.boot);
    host.reboot();
    host.forgetCalls();
    const reverted = run("revert", "--reboot", "before");
    expect(reverted.status, reverted.stderr).toBe(0);
    expect(host.calls().join()).toContain("systemctl reboot");
    expect(record()).toContain("clocksource=hpet\n");
    backAgain();
    expect(run("reverted", "before").status).toBe(0);
  });

  test.each([
    [
      "boot.rebooted",
      "sshd answers, so it has rebooted",
      () => host.write("proc/sys/kernel/random/boot_id", "22222222-2222-4222-8222-222222222222\n"),
    ],
    ["boot.rebooted", "the boot id is another one", () => host.write("proc/sys/kernel/random/boot_id", "\n")],
    [
      "boot.parameters-gone",
      "the parameters are in no file",
      () => host.write("proc/cmdline", "root=/dev/vda1 clocksource=tsc\n"),
    ],
    ["clocksource.restored", "the parameters are gone from the command line", () => host.write(current, "acpi_pm\n")],
  ])("%s is not fooled: %s", (check, _, lie) => {
    converged();
    expect(run("revert", "--reboot", "before").status).toBe(0);
    backAgain();
    lie();
    const proof = run("reverted", "before");
    expect(proof.status).toBe(1);
    expect(proof.stderr).toContain(`FAIL  ${check}`);
    // So that the next destroy can prove it again.
    backAgain();
    expect(run("reverted", "before").status).toBe(0);
  });

  test("the record is of before the first change, whatever runs later", () => {
    converged();
    const first = record();
    expect(first).toContain("clocksource=hpet\n");
    expect(run("before", "before").status).toBe(0);
    expect(record()).toBe(first);
    // Set by a later `up`, on a host that has been converged without it.
    host.remove("before");
    expect(run("before", "before").status).toBe(0);
    expect(record()).toBe(first);
  });

  test("a record that a refused converge has left is written anew", () => {
    expect(run("before", "before").status).toBe(0);
    host.write("boot/grub/.timebase-writable/.keep", "");
    expect(run("converge").status).toBe(1);
    host.remove("boot/grub/.timebase-writable");
    host.write(current, "acpi_pm\n");
    converged();
    expect(record()).toContain("clocksource=acpi_pm\n");
  });

  test("a record whose revert was cut is not: the kernel still has our parameters", () => {
    converged();
    host.write("fake/reboot-order-fails", "");
    expect(run("revert", "--reboot", "before").status).toBe(1);
    expect(run("before", "before").status).toBe(0);
    expect(record()).toContain("clocksource=hpet\n");
  });

  test("a host that an older version converged has no record: the proof says what it cannot know", () => {
    converged();
    host.remove("before");
    host.remove("var/lib/timebase/facts/boot");
    expect(run("before", "before").status).toBe(0);
    expect(run("revert", "--reboot", "before").status).toBe(0);
    backAgain();
    const proof = run("reverted", "before");
    expect(proof.status).toBe(0);
    expect(proof.stderr).toContain("warn  clocksource.restored");
  });

  test("parameters of ours that the user had set too are none that must go", () => {
    fs.writeFileSync(host.path("proc/cmdline"), "root=/dev/vda1 clocksource=tsc tsc=reliable\n");
    host.onTsc();
    converged();
    host.forgetCalls();
    expect(run("revert", "--reboot", "before").stderr).toContain("no reboot is needed");
    expect(host.calls().join("\n")).not.toContain("reboot");
    expect(run("reverted", "before").status).toBe(0);
  });

  test("a revert that was cut before its reboot orders it when it is run again", () => {
    converged();
    host.write("fake/reboot-order-fails", "");
    expect(run("revert", "--reboot", "before").status).toBe(1);
    host.remove("fake/reboot-order-fails");
    host.forgetCalls();
    expect(run("revert", "--reboot", "before").status).toBe(0);
    expect(host.calls().join("\n")).toContain("systemctl reboot");
    expect(record().match(/^reverted-/gm)).toHaveLength(2);
  });

  test("taking revertReboot away reverts nothing, and leaves the copy and its record", () => {
    converged();
    const proof = run("reverted", "before");
    expect(proof.status).toBe(0);
    expect(proof.stderr).toContain("nothing was reverted");
    expect(host.exists("before")).toBe(true);
    host.remove("before");
    expect(run("reverted", "before").status).toBe(0);
    expect(record()).toContain("clocksource=hpet");
  });

  test("without it the running kernel keeps its parameters, and is told to", () => {
    host.converge(plans.boot);
    host.reboot();
    host.forgetCalls();
    expect(run("revert").stderr).toContain("keeps its boot parameters until this host's next boot");
    expect(host.calls().join("\n")).not.toContain("reboot");
  });

  describe("a running kernel that was switched without a boot", () => {
    const ifNeeded = plans.boot.replace("to-prove", "if-needed");
    const revert = () => host.run(["revert"], ifNeeded);
    beforeEach(() => {
      host.write("sys/devices/system/clocksource/clocksource0/available_clocksource", "hpet tsc \n");
      expect(host.converge(ifNeeded).stdout).toContain("converged-reboot=none");
    });

    test("is switched back, and has no boot parameters to keep", () => {
      expect(host.run(["status"], "").stdout).toContain(
        "undo  the clocksource before was hpet; the running kernel is switched back to it",
      );
      // A second one finds tsc.
      host.converge(ifNeeded);
      const run = revert();
      expect(run.stderr).toContain("switched the running kernel back to hpet");
      expect(run.stderr).not.toContain("keeps");
      expect(host.read(current)).toBe("hpet");
    });

    test("stays on what somebody else has switched it to, or the next boot has chosen", () => {
      host.write(current, "acpi_pm\n");
      expect(revert().stderr).not.toMatch(/switched|keeps/);
      expect(host.read(current)).toBe("acpi_pm\n");
      host.onHpet();
      host.converge(plans.boot);
      host.reboot();
      host.write("proc/cmdline", "root=/dev/vda1 ro\n");
      expect(revert().stderr).not.toMatch(/switched|keeps/);
      expect(host.read(current)).toBe("tsc\n");
    });
  });

  test("nothing is said of parameters that never were live", () => {
    host.converge(plans.boot.replace("to-prove", "never"));
    expect(run("revert").stderr).not.toContain("keeps its boot parameters");
  });

  test("wrong usage is refused", () => {
    for (const verb of [["revert", "--reboot"], ["before"], ["reverted", "a", "b"]]) {
      expect(run(...verb)).toMatchObject({ status: 2 });
    }
  });
});
