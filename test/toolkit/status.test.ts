import fs from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeHost, parameters, plans, synchronised } from "./FakeHost";
import { shells } from "./shells";

const dropin = "etc/default/grub.d/zz-timebase.cfg";

describe.each(shells)("status under %s", (shell) => {
  let host: FakeHost;
  beforeEach(() => {
    host = new FakeHost(shell);
  });
  afterEach(() => host.destroy());

  const status = () => host.run(["status"], "");
  const converged = () => {
    host.converge(plans.all);
    host.reboot();
    host.chrony(synchronised);
  };

  test("says that nothing is managed", () => {
    expect(status()).toMatchObject({ status: 0, stdout: expect.stringContaining("manages nothing on this host") });
  });

  test("shows each section with owner, plan, live state and what a revert would give back, on one screen", () => {
    converged();
    const { status: code, stdout, stderr } = status();
    expect(stderr).toBe("");
    expect(stdout.replaceAll(host.root, "").replace(/\d+\.\d us/, "N us")).toBe(
      `timebase on fake-host: debian-12, kernel 6.1.0-41-cloud-amd64, clocksource tsc
boot of test/stack/node-1, planned: ${parameters}, reboot to-prove
  ok    boot.persistent          ${parameters}
  ok    boot.parameters-live     ${parameters}
  ok    clocksource.available    tsc hpet acpi_pm
  ok    clocksource.current      tsc
  ok    clocksource.reliable     an invariant TSC
  undo  removes /etc/default/grub.d/zz-timebase.cfg
  undo  restores /boot/grub/grub.cfg
  undo  the clocksource before was hpet; it is back after a boot
time of test/stack/node-1, planned: client of hub:hub, from server 10.77.0.1 iburst minpoll 0 maxpoll 0 xleave, within 1000 us
  ok    time.owner               chronyd
  ok    time.configuration       as planned
  ok    time.daemon              chronyd answers
  ok    time.source              10.77.0.1
  ok    time.synchronised        synchronised
  ok    time.undisturbed         as chronyd left it
  ok    time.bound               N us
  undo  removes /etc/chrony/chrony.conf
  undo  makes systemd-timesyncd.service enabled and active again
  undo  removes the package chrony
  undo  installs the package systemd-timesyncd again
ptp of test/stack/node-1, planned: a PTP clock for microVMs, required
  ok    ptp.guest                available
everything is as planned
`,
    );
    expect(code).toBe(0);
  });

  // The naive question, whether every check of the proof still holds, is answered with yes.
  test("a file that somebody has changed is drift, whatever the checks say", () => {
    converged();
    fs.writeFileSync(host.path("var/lib/timebase/files/boot/theirs"), "");
    host.write("var/lib/timebase/files/boot/%other/path", `${host.path("etc/other")}\n`);
    host.write("var/lib/timebase/files/boot/%other/ours", "ours\n");
    host.write("var/lib/timebase/files/boot/%other/was", "theirs\n");
    host.write("etc/other", "ours\n");
    expect(status().status).toBe(0);
    for (const [text, what] of [
      ["ours, and more\n", "was changed by somebody else since"],
      ["theirs\n", "is again what it was before timebase"],
    ] as const) {
      host.write("etc/other", text);
      const drifted = status();
      expect(drifted.status).toBe(1);
      expect(drifted.stdout).not.toContain("  FAIL  ");
      expect(drifted.stdout).toContain(`  drift ${host.path("etc/other")} ${what}`);
    }
    host.remove("etc/other");
    expect(status().stdout).toContain(`  drift ${host.path("etc/other")} is gone`);
  });

  test("drift of each section is shown in its own place", () => {
    converged();
    host.remove(dropin);
    fs.appendFileSync(host.path("etc/chrony/chrony.conf"), "pool their.example\n");
    host.remove("dev/kvm");
    const { status: code, stdout } = status();
    expect(code).toBe(1);
    const [, boot = "", time = "", ptp = ""] = stdout.split(/^(?=boot of|time of|ptp of)/m);
    expect(boot).toContain("FAIL  boot.persistent");
    expect(boot).toContain(`  drift ${host.path(dropin)} is gone`);
    expect(time).toContain("FAIL  time.configuration");
    expect(time).toContain("chrony.conf was changed by somebody else since");
    expect(ptp).toContain("FAIL  ptp.guest");
    expect(boot).not.toContain("time.");
  });

  test("two owners are two owners", () => {
    host.converge(plans.boot);
    host.reboot();
    host.converge(plans.time.replace("owner=test/stack/node-1", "owner=test/stack/time"));
    const { stdout } = status();
    expect(stdout).toContain("boot of test/stack/node-1,");
    expect(stdout).toContain("time of test/stack/time,");
  });

  test("a reboot that is pending, or under way, is said", () => {
    host.converge(plans.boot.replace("to-prove", "never"));
    expect(status()).toMatchObject({ status: 1, stdout: expect.stringContaining("next  pending reboot") });
    host.converge(plans.boot);
    expect(status().stdout).toContain("next  a reboot was ordered and is under way");
  });

  test("changes nothing, takes no lock, and waits for nobody who holds it", () => {
    converged();
    host.write("var/lib/timebase/reboot", "the record of an ordered reboot\n");
    host.write("run/timebase.lock", "");
    const [before, files] = [host.writes(), host.snapshot()];
    const lock = host.read("run/timebase.lock");
    host.forgetCalls();
    expect(status().status).toBe(0);
    expect(host.writes()).toEqual(before);
    expect(host.snapshot()).toEqual(files);
    expect(host.read("run/timebase.lock")).toBe(lock);
    expect(host.calls().filter((call) => !/^systemctl (show|--quiet is-)/.test(call))).toEqual([]);
  });

  test("a proof does away with the record of the reboot that it has seen", () => {
    converged();
    expect(host.exists("var/lib/timebase/reboot")).toBe(true);
    host.run(["prove"], plans.boot);
    expect(host.exists("var/lib/timebase/reboot")).toBe(false);
  });
});
