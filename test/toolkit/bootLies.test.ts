import { expect, test } from "vitest";
import { bootIds, type FakeHost, plans } from "./FakeHost";
import { describeProof, type Lie } from "./lies";
import { boundFrom } from "./sources";

const converged = (bootId: string) => `${plans.all}converged-boot-id=${bootId}\nconverged-reboot=ordered\n`;

const live = "grep -q clocksource=tsc proc/cmdline";
const current = "grep -qx tsc sys/devices/system/clocksource/clocksource0/current_clocksource";
/** Of the entries for Linux, every one has what a boot is to have. */
const everyEntry = "! grep '^[[:blank:]]*linux.*vmlinuz' boot/grub/grub.cfg | grep -v 'clocksource=tsc tsc=reliable'";

const lies: Lie[] = [
  {
    check: "system",
    naive: "the system is one of the same maker",
    believes: ". etc/os-release && [ $ID = debian ]",
    lie: () => {},
    plan: plans.all.replace("host=node-1\n", "$&os=debian-13\n"),
    found: "debian-12",
  },
  {
    check: "boot.rebooted",
    naive: "sshd answers again, so the host was rebooted",
    believes: "systemctl is-active ssh",
    lie: () => {},
    plan: converged(bootIds.after),
    found: "the boot from before",
  },
  {
    check: "boot.rebooted",
    naive: "the boot id is another one",
    believes: `[ "$(cat proc/sys/kernel/random/boot_id)" != ${bootIds.before} ]`,
    lie: (host) => host.write("proc/sys/kernel/random/boot_id", "\n"),
    plan: converged(bootIds.before),
    found: "an unreadable one",
  },
  {
    check: "boot.parameters-live",
    naive: "the parameter is in the GRUB configuration",
    believes: everyEntry,
    lie: (host) => host.write("proc/cmdline", "BOOT_IMAGE=/boot/vmlinuz root=/dev/vda1 ro\n"),
    found: "BOOT_IMAGE=/boot/vmlinuz root=/dev/vda1 ro",
  },
  {
    check: "boot.parameters-live",
    naive: "the parameter is on the command line; the last one counts",
    believes: live,
    lie: (host) => host.write("proc/cmdline", "root=/dev/vda1 clocksource=tsc tsc=reliable clocksource=hpet\n"),
    found: "clocksource=hpet",
  },
  {
    check: "boot.parameters-live",
    naive: "tsc is the clocksource, as if for good: it was switched to",
    believes: current,
    lie: (host) => host.write("proc/cmdline", "BOOT_IMAGE=/boot/vmlinuz root=/dev/vda1 ro\n"),
    plan: plans.all.replace("reboot=to-prove", "reboot=never"),
    found: "pending reboot",
  },
  {
    check: "boot.persistent",
    naive: "the parameter is on the running kernel's command line",
    believes: live,
    lie: (host) => host.write("boot/grub/grub.cfg", "menuentry x {\n\tlinux /boot/vmlinuz root=/dev/vda1 ro\n}\n"),
    found: "without clocksource=tsc tsc=reliable",
  },
  {
    check: "boot.persistent",
    naive: "the first entry has the parameter; the recovery entry has not",
    believes: "grep -m 1 vmlinuz boot/grub/grub.cfg | grep clocksource=tsc",
    lie: (host) => {
      const [first] = host.read("boot/grub/grub.cfg").split("menuentry 'Debian GNU/Linux, recovery");
      host.write("boot/grub/grub.cfg", `${first}menuentry r {\n\tlinux /boot/vmlinuz root=/dev/vda1 ro single\n}\n`);
    },
    found: "without clocksource=tsc tsc=reliable",
  },
  {
    check: "boot.persistent",
    naive: "the parameter is in every entry; the last one counts",
    believes: everyEntry,
    lie: (host) =>
      host.write("boot/grub/grub.cfg", host.read("boot/grub/grub.cfg").replace(/ single.*/, "$& tsc=unstable")),
    plan: plans.boot,
    found: "without tsc=reliable",
  },
  {
    check: "boot.persistent",
    naive: "the parameter is in every entry, until the next kernel update reads the drop-ins",
    believes: everyEntry,
    lie: (host) => host.remove("etc/default/grub.d/zz-timebase.cfg"),
    found: "right until the next kernel update only",
  },
  ...["GRUB_CMDLINE_LINUX=", 'GRUB_CMDLINE_LINUX_DEFAULT="quiet clocksource=hpet"', "exit"].map((line) => ({
    check: "boot.persistent",
    naive: `our drop-in is as it was, and every entry right, until ${line} of a later file counts`,
    believes: `grep -q clocksource=tsc etc/default/grub.d/zz-timebase.cfg && ${everyEntry}`,
    lie: (host: FakeHost) => host.write("etc/default/grub.d/zzz.cfg", `${line}\n`),
    found: "right until the next kernel update only: sourced by sh",
  })),
  {
    check: "clocksource.current",
    naive: "clocksource=tsc is on the command line",
    believes: live,
    lie: (host) => host.write("sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet\n"),
    found: "hpet",
  },
  {
    check: "clocksource.available",
    naive: "the current clocksource is tsc",
    believes: current,
    lie: (host) => host.write("sys/devices/system/clocksource/clocksource0/available_clocksource", "hpet acpi_pm\n"),
    found: "hpet acpi_pm",
  },
  {
    check: "clocksource.reliable",
    naive: "the flags of the CPU promise a TSC that is right, and the kernel uses it",
    believes: `grep -q 'constant_tsc.*nonstop_tsc' proc/cpuinfo && ${current}`,
    lie: (host) => {
      const cpu = (n: number) => `processor\t: ${n}\nphysical id\t: ${n}\nflags\t\t: tsc constant_tsc nonstop_tsc\n`;
      host.write("proc/cpuinfo", [0, 1, 2].map(cpu).join("\n"));
    },
    found: "it has 3 sockets",
  },
  {
    check: "ptp.guest",
    naive: "/dev/kvm and a /dev/ptp0 are there",
    believes: "[ -e dev/kvm ] && [ -e dev/ptp0 ]",
    lie: (host) => {
      host.write("dev/ptp0", "");
      host.write("fake/probe", "unavailable KVM refuses the clock-pairing hypercall: not supported (-95)\n");
    },
    found: "unavailable: KVM refuses the clock-pairing hypercall: not supported (-95)",
  },
  {
    check: "ptp.guest",
    naive: "the clocksource is tsc; KVM is not there",
    believes: current,
    lie: (host) => host.remove("dev/kvm"),
    found: "unknown: no /dev/kvm on this host",
  },
];

describeProof("of boot, clocksource and guests", /^(?!time\.)/, lies, (truth) => {
  test("holds on a host where everything is true", () => {
    const run = truth.host.run(["prove", "--repair"], plans.all + truth.answers);
    expect(run).toMatchObject({ status: 0, stderr: "" });
    expect(JSON.parse(run.stdout)).toMatchObject({
      rebooted: true,
      errorBoundNs: boundFrom(319_346),
      source: "10.77.0.1",
      guestPtp: "available",
    });
  });

  test("all checks run: every failure is shown, with what to do", () => {
    truth.host.write("proc/cmdline", "root=/dev/vda1\n");
    truth.host.remove("fake/chronyc");
    truth.host.remove("dev/kvm");
    const { stderr } = truth.host.run(["prove"], plans.all + truth.answers);
    for (const check of ["boot.parameters-live", "time.daemon", "time.bound", "ptp.guest"])
      expect(stderr).toContain(`FAIL  ${check}`);
  });

  test("--repair mends what converge can mend, and still fails", () => {
    truth.host.remove("etc/default/grub.d/zz-timebase.cfg");
    truth.host.write("boot/grub/grub.cfg", "");
    const run = truth.host.run(["prove", "--repair"], plans.all + truth.answers);
    expect(run.status).toBe(1);
    expect(run.stderr).toContain("converged; run `pulumi up` again to prove it");
    expect(truth.host.run(["prove"], plans.all + truth.answers).status).toBe(0);
  });

  test("guest PTP that is only reported does not fail the proof", () => {
    truth.host.remove("dev/kvm");
    const run = truth.host.run(["prove"], plans.guestPtp.replace("required", "reported"));
    expect(run.status).toBe(0);
    expect(JSON.parse(run.stdout)).toMatchObject({ guestPtp: "unknown", guestPtpReason: "no /dev/kvm on this host" });
  });

  test("a KVM that udev is still loading is waited for", () => {
    truth.host.remove("dev/kvm");
    truth.host.write("fake/udev", ': >"$TIMEBASE_ROOT/dev/kvm"\n');
    const run = truth.host.run(["prove"], plans.guestPtp);
    expect(run.status, run.stderr).toBe(0);
  });

  test("odd characters in what a host says do not break the evidence", () => {
    truth.host.write("proc/cmdline", 'root="a b" \\ \u0001 clocksource=hpet\n');
    const evidence = JSON.parse(truth.host.run(["prove"], plans.boot).stdout);
    expect(JSON.stringify(evidence.checks)).toContain("clocksource=hpet");
  });
});
