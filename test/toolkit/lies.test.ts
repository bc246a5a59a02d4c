import fs from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bootIds, FakeHost, plans, synchronised } from "./FakeHost";

/** One lie that a naive check believes, and the check of ours that does not. */
interface Lie {
  check: string;
  naive: string;
  lie: (host: FakeHost) => void;
  plan?: string;
  found: string;
}

const [tracking, source] = synchronised.trim().split("\n") as [string, string];
const columns = (changes: Record<number, string>): string =>
  tracking
    .split(",")
    .map((value, index) => changes[index + 1] ?? value)
    .join(",");
const answer = (changes: Record<number, string>, sources = source): string => `${columns(changes)}\n${sources}\n`;
const chrony = (text: string) => (host: FakeHost) => host.chrony(text);
const converged = (bootId: string) => `${plans.all}converged-boot-id=${bootId}\nconverged-reboot=ordered\n`;

const lies: Lie[] = [
  {
    check: "boot.rebooted",
    naive: "sshd answers again, so the host was rebooted",
    lie: () => {},
    plan: converged(bootIds.after),
    found: "the boot from before",
  },
  {
    check: "boot.rebooted",
    naive: "the boot id is another one",
    lie: (host) => host.write("proc/sys/kernel/random/boot_id", "\n"),
    plan: converged(bootIds.before),
    found: "an unreadable one",
  },
  {
    check: "boot.parameters-live",
    naive: "the parameter is in the GRUB configuration",
    lie: (host) => host.write("proc/cmdline", "BOOT_IMAGE=/boot/vmlinuz root=/dev/vda1 ro\n"),
    found: "BOOT_IMAGE=/boot/vmlinuz root=/dev/vda1 ro",
  },
  {
    check: "boot.parameters-live",
    naive: "the parameter is on the command line; the last one counts",
    lie: (host) => host.write("proc/cmdline", "root=/dev/vda1 clocksource=tsc tsc=reliable clocksource=hpet\n"),
    found: "clocksource=hpet",
  },
  {
    check: "boot.persistent",
    naive: "the parameter is on the running kernel's command line",
    lie: (host) => host.write("boot/grub/grub.cfg", "menuentry x {\n\tlinux /boot/vmlinuz root=/dev/vda1 ro\n}\n"),
    found: "without clocksource=tsc tsc=reliable",
  },
  {
    check: "boot.persistent",
    naive: "the first entry has the parameter; the recovery entry has not",
    lie: (host) => {
      const [first] = host.read("boot/grub/grub.cfg").split("menuentry 'Debian GNU/Linux, recovery");
      host.write("boot/grub/grub.cfg", `${first}menuentry r {\n\tlinux /boot/vmlinuz root=/dev/vda1 ro single\n}\n`);
    },
    found: "without clocksource=tsc tsc=reliable",
  },
  {
    check: "boot.persistent",
    naive: "the parameter is in every entry; the last one counts",
    lie: (host) =>
      host.write("boot/grub/grub.cfg", host.read("boot/grub/grub.cfg").replace(/ single.*/, "$& tsc=unstable")),
    plan: plans.boot,
    found: "without tsc=reliable",
  },
  {
    check: "boot.persistent",
    naive: "the parameter is in every entry, until the next kernel update reads the drop-ins",
    lie: (host) => host.remove("etc/default/grub.d/zz-timebase.cfg"),
    found: "right until the next kernel update only",
  },
  {
    check: "clocksource.current",
    naive: "clocksource=tsc is on the command line",
    lie: (host) => host.write("sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet\n"),
    found: "hpet",
  },
  {
    check: "clocksource.available",
    naive: "the current clocksource is tsc",
    lie: (host) => host.write("sys/devices/system/clocksource/clocksource0/available_clocksource", "hpet acpi_pm\n"),
    found: "hpet acpi_pm",
  },
  {
    check: "time.owner",
    naive: "chronyd is active; so is a second one",
    lie: (host) => host.process(900, "chronyd", 800),
    found: "chronyd (500) chronyd (900)",
  },
  {
    check: "time.owner",
    naive: "chronyd is active; so is ntpd, in a container of its own",
    lie: (host) => host.process(901, "ntpd", 800),
    found: "chronyd (500) ntpd (901)",
  },
  {
    check: "time.owner",
    naive: "no rival runs; one is enabled for the next boot",
    lie: (host) => host.write("fake/units/ntpsec.service", "enabled inactive\n"),
    found: "ntpsec.service enabled inactive",
  },
  {
    check: "time.owner",
    naive: "chronyd runs; it is not enabled for the next boot",
    lie: (host) => host.write("fake/units/chrony.service", "disabled active\n"),
    found: "chrony is not enabled",
  },
  {
    check: "time.configuration",
    naive: "the selected source is the expected one; somebody has added another",
    lie: (host) => host.write("etc/chrony/chrony.conf", `${host.read("etc/chrony/chrony.conf")}pool their.example\n`),
    found: "it was changed, or is gone",
  },
  {
    check: "time.configuration",
    naive: "the file is right; chronyd reads another one",
    lie: (host) => host.write("proc/500/cmdline", "/usr/sbin/chronyd\0-F\x001\0-f\0/etc/chrony/mine.conf\0"),
    found: 'chronyd runs as "/usr/sbin/chronyd -F 1 -f /etc/chrony/mine.conf',
  },
  {
    check: "time.configuration",
    naive: "chronyd runs with the right file; it was told not to steer the clock",
    lie: (host) => host.write("proc/500/cmdline", "/usr/sbin/chronyd\0-x\0"),
    found: 'chronyd runs as "/usr/sbin/chronyd -x',
  },
  {
    check: "time.configuration",
    naive: "the file is right; chronyd was never restarted with it",
    lie: (host) => host.write("run/timebase.chrony-restart-due", ""),
    found: "it runs with an earlier configuration",
  },
  {
    check: "time.daemon",
    naive: "the configuration file is right",
    lie: (host) => host.remove("fake/chronyc"),
    found: "506 Cannot talk to daemon",
  },
  {
    check: "time.daemon",
    naive: "missing columns parse to 0, which is perfect",
    lie: chrony("0A4D0001,10.77.0.1,11\n"),
    found: "0A4D0001,10.77.0.1,11",
  },
  {
    check: "time.daemon",
    naive: "a column that is no number counts as 0",
    lie: chrony(answer({ 12: "nan" })),
    found: 'tracking column 12 is "nan"',
  },
  {
    check: "time.synchronised",
    naive: "leap status is Normal, bound 0: a server with only `local stratum 10`",
    lie: chrony(
      `7F7F0101,127.127.1.1,10,@NOW@.0,0.000000000,0.000000000,0.000000000,0.000,0.000,0.000,0.000000000,0.000000000,0.0,Normal\n`,
    ),
    found: "only its own clock (local reference)",
  },
  {
    check: "time.synchronised",
    naive: "chronyc answers, all figures 0: never synchronised",
    lie: chrony(
      "00000000,,0,0.000000000,0.000000000,0.0,0.0,0.000,0.000,0.000,1.000000000,1.000000000,0.0,Not synchronised\n",
    ),
    found: "never synchronised",
  },
  {
    check: "time.synchronised",
    naive: "waitsync is content and leap Normal in the first seconds",
    lie: chrony(answer({ 10: "1000000.000" })),
    found: "first seconds: frequency uncertain by 1000000.000 ppm",
  },
  {
    check: "time.synchronised",
    naive: "leap Normal long after the only server died",
    lie: chrony(answer({ 4: "1600000000.0" })),
    found: "stale: last update",
  },
  {
    check: "time.synchronised",
    naive: "the last update is not old: it is in the future",
    lie: chrony(answer({ 4: "9999999999.0" })),
    found: "in the future: the clock was set back",
  },
  {
    check: "time.synchronised",
    naive: "the offset is small",
    lie: chrony(answer({ 14: "Not synchronised" })),
    found: "not synchronised",
  },
  {
    check: "time.source",
    naive: "a dead server keeps its star",
    lie: chrony(answer({}, source.replace(",377,", ",0,"))),
    found: "10.77.0.1 does not answer (reach 0)",
  },
  {
    check: "time.source",
    naive: "synchronised, but to somebody else",
    lie: chrony(answer({}, source.replace("10.77.0.1", "203.0.113.9"))),
    found: "unexpected source 203.0.113.9",
  },
  {
    check: "time.source",
    naive: "synchronised to the right name, but by a device on this host",
    lie: chrony(answer({}, source.replace("^", "#"))),
    found: "10.77.0.1 is a refclock",
  },
  {
    check: "time.source",
    naive: "leap Normal, while every source is a falseticker",
    lie: chrony(answer({}, source.replace("*", "x"))),
    found: "0 selected sources: 10.77.0.1 falseticker",
  },
  {
    check: "time.bound",
    naive: "the last offset is 10 us; root delay and dispersion are not",
    lie: chrony(answer({ 11: "0.004", 12: "0.0005" })),
    found: "2512.3 us",
  },
  {
    check: "ptp.guest",
    naive: "/dev/kvm and a /dev/ptp0 are there",
    lie: (host) => {
      host.write("dev/ptp0", "");
      host.write("fake/probe", "unavailable KVM refuses the clock-pairing hypercall: not supported (-95)\n");
    },
    found: "unavailable: KVM refuses the clock-pairing hypercall: not supported (-95)",
  },
  {
    check: "ptp.guest",
    naive: "the clocksource is tsc; KVM is not there",
    lie: (host) => host.remove("dev/kvm"),
    found: "unknown: no /dev/kvm on this host",
  },
];

describe.each(["dash", "bash"])("prove under %s", (shell) => {
  let host: FakeHost;
  let answers: string;
  beforeEach(() => {
    host = new FakeHost(shell);
    answers = host.run(["converge"], plans.all).stdout;
    host.reboot();
    host.chrony(synchronised);
  });
  afterEach(() => host.destroy());

  test("holds on a host where everything is true", () => {
    const run = host.run(["prove", "--repair"], plans.all + answers);
    expect(run).toMatchObject({ status: 0, stderr: "" });
    expect(JSON.parse(run.stdout)).toMatchObject({
      rebooted: true,
      errorBoundNs: 319346,
      source: "10.77.0.1",
      guestPtp: "available",
    });
  });

  test.each(lies)("$check is not fooled: $naive", ({ check, lie, plan, found }) => {
    lie(host);
    const run = host.run(["prove"], plan ?? plans.all + answers);
    expect(run.status).toBe(1);
    const failed = JSON.parse(run.stdout).checks.find((row: { id: string }) => row.id === check);
    expect(failed).toMatchObject({ verdict: "fail" });
    expect(failed.found).toContain(found);
    expect(failed.remedy.length).toBeGreaterThan(10);
    expect(run.stderr).toContain(`FAIL  ${check}`);
  });

  test("a daemon in a container that may not set the clock owns nothing", () => {
    host.process(900, "chronyd", 800);
    host.write("proc/900/status", "Name:\tchronyd\nCapEff:\t0000000000003400\n");
    host.process(901, "ntpd", 801);
    fs.mkdirSync(host.path("proc/901/ns"));
    fs.symlinkSync("user:[4026532000]", host.path("proc/901/ns/user"));
    expect(host.run(["prove"], plans.all + answers)).toMatchObject({ status: 0 });
  });

  test("a source that is polled slowly is not stale for having been selected a moment ago", () => {
    const old = String(Math.floor(Date.now() / 1000) - 60);
    const slow = source.replace("^,*,10.77.0.1,10,0,", "^,*,10.77.0.1,10,6,");
    host.chrony(answer({ 4: `${old}.5`, 13: "5.0" }, slow));
    expect(host.run(["prove"], plans.all + answers)).toMatchObject({ status: 0 });
    host.chrony(answer({ 4: `${old}.5`, 13: "5.0" }));
    expect(host.run(["prove"], plans.all + answers).stderr).toMatch(/stale: last update [56]\d s ago/);
  });

  test("a bound that is not known is null with a reason, not 0", () => {
    host.chrony(answer({ 14: "Not synchronised" }));
    const evidence = JSON.parse(host.run(["prove"], plans.all).stdout);
    expect(evidence).toMatchObject({ errorBoundNs: null, errorBoundReason: "not synchronised" });
  });

  test("a hub has no error against the timescale that it defines, and only then", () => {
    const local =
      "7F7F0101,127.127.1.1,10,@NOW@.0,0.000000000,0.000000000,0.000000000,0.000,0.000,0.000,0.000000000,0.000000000,0.0,Normal\n";
    host.chrony(local);
    const evidence = JSON.parse(host.run(["prove"], plans.hub).stdout);
    expect(evidence).toMatchObject({
      errorBoundNs: 0,
      source: "itself",
      sourceKind: "itself",
      timescale: "hub:node-1",
    });
    host.chrony(synchronised);
    expect(host.run(["prove"], plans.hub).stderr).toContain("FAIL  time.source");
  });

  test("all checks run: every failure is shown, with what to do", () => {
    host.write("proc/cmdline", "root=/dev/vda1\n");
    host.remove("fake/chronyc");
    host.remove("dev/kvm");
    const { stderr } = host.run(["prove"], plans.all + answers);
    for (const check of ["boot.parameters-live", "time.daemon", "time.bound", "ptp.guest"])
      expect(stderr).toContain(`FAIL  ${check}`);
  });

  test("--repair mends what converge can mend, and still fails", () => {
    host.remove("etc/default/grub.d/zz-timebase.cfg");
    host.write("boot/grub/grub.cfg", "");
    const run = host.run(["prove", "--repair"], plans.all + answers);
    expect(run.status).toBe(1);
    expect(run.stderr).toContain("converged; run `pulumi up` again to prove it");
    expect(host.run(["prove"], plans.all + answers).status).toBe(0);
  });

  test("guest PTP that is only reported does not fail the proof", () => {
    host.remove("dev/kvm");
    const run = host.run(["prove"], plans.guestPtp.replace("required", "reported"));
    expect(run.status).toBe(0);
    expect(JSON.parse(run.stdout)).toMatchObject({ guestPtp: "unknown", guestPtpReason: "no /dev/kvm on this host" });
  });

  test("odd characters in what a host says do not break the evidence", () => {
    host.write("proc/cmdline", 'root="a b" \\ \u0001 clocksource=hpet\n');
    const evidence = JSON.parse(host.run(["prove"], plans.boot).stdout);
    expect(JSON.stringify(evidence.checks)).toContain("clocksource=hpet");
  });
});
