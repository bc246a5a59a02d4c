import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeHost, plans } from "./FakeHost";
import { shells } from "./shells";

/** A host on which the naive form of a precondition, a line of shell, holds; ours refuses, and nothing was changed. */
interface Precondition {
  what: string;
  naive: string;
  prepare: (host: FakeHost) => void;
  plan?: string;
  error: string;
  remedy: string;
}

const cpu = (flags: string, sockets = 1) =>
  Array.from(
    { length: sockets },
    (_, socket) => `processor\t: ${socket}\nphysical id\t: ${socket}\nflags\t\t: ${flags}\n`,
  );
const bareMetal = (host: FakeHost, flags = "tsc constant_tsc nonstop_tsc", sockets = 1) => {
  host.write("proc/cpuinfo", cpu(flags, sockets).join("\n"));
  host.write("sys/devices/system/clocksource/clocksource0/available_clocksource", "tsc hpet acpi_pm \n");
};
const clocksourceFlag = 'grep -qw tsc "$TIMEBASE_ROOT/proc/cpuinfo"';
const withoutTime = (bits: string) => `Name:\tsh\nCapEff:\t${bits}\nCapBnd:\t000001ffffffffff\n`;

const preconditions: Precondition[] = [
  {
    what: "a machine of three sockets",
    naive: `${clocksourceFlag} && grep -qw tsc "$TIMEBASE_ROOT"/sys/devices/system/clocksource/clocksource0/available_clocksource`,
    prepare: (host) => bareMetal(host, "tsc constant_tsc nonstop_tsc", 3),
    error: "tsc=reliable would be a lie on this machine: it has 3 sockets",
    remedy:
      "leave TscClocksource out for this host; or, if you know its TSC to be right (firmware, vendor), set force: true",
  },
  {
    what: "a TSC that the kernel has marked unstable, outside a virtual machine",
    naive: `${clocksourceFlag} && ! grep -qi unstable "$TIMEBASE_ROOT/proc/cmdline"`,
    prepare: (host) => {
      bareMetal(host);
      host.write("sys/devices/system/clocksource/clocksource0/available_clocksource", "hpet acpi_pm \n");
    },
    error: "its kernel has marked the TSC unstable (it offers hpet acpi_pm)",
    remedy: "leave TscClocksource out",
  },
  {
    what: "a CPU whose TSC changes its rate and stops, outside a virtual machine",
    naive: clocksourceFlag,
    prepare: (host) => bareMetal(host, "tsc rdtscp"),
    error: "the CPU lacks constant_tsc; the CPU lacks nonstop_tsc",
    remedy: "leave TscClocksource out",
  },
  {
    what: "a /boot that is mounted read-only",
    naive: 'test -w "$TIMEBASE_ROOT/boot/grub" || test "$(stat -c %a "$TIMEBASE_ROOT/boot/grub")" = 755',
    prepare: (host) => fs.mkdirSync(host.path("boot/grub/.timebase-writable")),
    error: "/boot/grub cannot be written to",
    remedy: "see `findmnt -T",
  },
  {
    what: "an /etc that cannot be written to",
    naive: 'test -w "$TIMEBASE_ROOT/etc"',
    prepare: (host) => fs.mkdirSync(host.path("etc/.timebase-writable")),
    plan: plans.time,
    error: "/etc cannot be written to",
    remedy: "see `findmnt -T",
  },
  {
    what: "a /var/lib that cannot be written to",
    naive: 'test -w "$TIMEBASE_ROOT/var/lib"',
    prepare: (host) => fs.mkdirSync(host.path("var/lib/.timebase-writable")),
    plan: plans.time,
    error: "/var/lib cannot be written to",
    remedy: "see `findmnt -T",
  },
  {
    what: "a /boot with room for the present grub.cfg and not for two",
    naive: 'test 1200 -gt $(($(wc -c <"$TIMEBASE_ROOT/boot/grub/grub.cfg") / 1024))',
    prepare: (host) => {
      fs.appendFileSync(host.path("boot/grub/grub.cfg"), `#${"-".repeat(200 * 1024)}\n`);
      host.write("fake/df", "/boot/grub 1200\n");
    },
    error: "/boot/grub is full: 1200 KiB are free, 1425 are needed",
    remedy: "make room there",
  },
  {
    what: "a /var/lib without room",
    naive: 'test -w "$TIMEBASE_ROOT/var/lib"',
    prepare: (host) => host.write("fake/df", "/var/lib 12\n"),
    plan: plans.time,
    error: "/var/lib is full: 12 KiB are free, 1024 are needed",
    remedy: "make room there",
  },
  {
    what: "root without CAP_SYS_TIME",
    naive: 'test "$(systemd-detect-virt --container)" = none',
    prepare: (host) => host.write("proc/self/status", withoutTime("000001fffdffffff")),
    plan: plans.time,
    error: "root may not set the clock here (CapEff in /proc/self/status lacks CAP_SYS_TIME)",
    remedy: "point the endpoint at the machine itself",
  },
  {
    what: "root of a user name space",
    naive: 'grep -q "CapEff:.*ffffffffff" "$TIMEBASE_ROOT/proc/self/status"',
    prepare: (host) => host.write("proc/self/uid_map", "         0     100000      65536\n"),
    plan: plans.time,
    error: "root here is root of a user name space only",
    remedy: "point the endpoint at the machine itself",
  },
  {
    what: "a kernel that is loaded for kexec",
    naive: 'test -f "$TIMEBASE_ROOT/boot/grub/grub.cfg"',
    prepare: (host) => host.write("sys/kernel/kexec_loaded", "1\n"),
    error: "/sys/kernel/kexec_loaded is 1",
    remedy: "unload it on the host: kexec -u",
  },
  {
    what: "a host that reboots by kexec",
    naive: 'test "$(cat "$TIMEBASE_ROOT/sys/kernel/kexec_loaded")" = 0',
    prepare: (host) => {
      host.write("sys/kernel/kexec_loaded", "0\n");
      host.write("etc/default/kexec", '# LOAD_KEXEC=false\nyes=true\n  export LOAD_KEXEC="$yes"\n');
    },
    error: "LOAD_KEXEC=true in /etc/default/kexec",
    remedy: "set LOAD_KEXEC=false there",
  },
  {
    what: "a reboot.target that is kexec.target",
    naive: 'test "$(cat "$TIMEBASE_ROOT/sys/kernel/kexec_loaded")" = 0',
    prepare: (host) => {
      host.write("sys/kernel/kexec_loaded", "0\n");
      fs.mkdirSync(host.path("etc/systemd/system"), { recursive: true });
      fs.symlinkSync("/lib/systemd/system/kexec.target", host.path("etc/systemd/system/reboot.target"));
    },
    error: "/etc/systemd/system/reboot.target is kexec.target",
    remedy: "remove that link",
  },
];

describe.each(shells)("under %s", (shell) => {
  let host: FakeHost;
  beforeEach(() => {
    host = new FakeHost(shell);
  });
  afterEach(() => host.destroy());

  test.each(preconditions)(
    "$what is refused, before anything is changed",
    ({ naive, prepare, plan, error, remedy }) => {
      prepare(host);
      const environment = { TIMEBASE_ROOT: host.root, PATH: `${__dirname}/fakes:${process.env.PATH}` };
      expect(spawnSync("sh", ["-c", naive], { env: environment }).status).toBe(0);
      const before = host.snapshot();
      const run = host.run(["converge"], plan ?? plans.all);
      expect(run).toMatchObject({ status: 1, stdout: "" });
      expect(run.stderr).toContain(error);
      expect(run.stderr).toContain(`what to do: ${remedy}`);
      expect(host.snapshot()).toEqual(before);
    },
  );

  test.each([
    ["with the room that it has", "/boot/grub 0\n", "the file system of ROOT/boot/grub is full: 0 KiB are free, "],
    [
      "where it has room, but not for a file more",
      "",
      "ROOT/boot/grub cannot be written to (No space left on device)\n",
    ],
  ])("a /boot on which not even a probe has room is called full, %s", (_how, df, error) => {
    host.write("fake/df", df);
    fs.symlinkSync("/dev/full", host.path("boot/grub/.timebase-writable"));
    expect(host.run(["converge"], plans.boot).stderr).toContain(error.replace("ROOT", host.root));
  });

  test("what a hypervisor shows of a TSC is no refusal: the proof warns", () => {
    host.write("proc/cpuinfo", cpu("tsc hypervisor", 4).join("\n"));
    host.converge(plans.boot);
    host.reboot();
    const run = host.run(["prove"], plans.boot);
    expect(run.status).toBe(0);
    const reliable = JSON.parse(run.stdout).checks.find(({ id }: { id: string }) => id === "clocksource.reliable");
    expect(reliable).toMatchObject({
      verdict: "warn",
      found:
        "a virtual machine: the CPU lacks constant_tsc; the CPU lacks nonstop_tsc; it has 4 sockets, whose TSCs may drift apart",
    });
  });

  test("a hypervisor that hides its flag is found all the same", () => {
    bareMetal(host, "tsc");
    host.write("fake/vm", "kvm\n");
    expect(host.run(["converge"], plans.boot).status).toBe(0);
  });

  test("force goes on, and the proof tells what was forced; a proof without it fails", () => {
    bareMetal(host, "tsc constant_tsc nonstop_tsc", 4);
    const forced = plans.boot.replace("reboot=", "boot-force=yes\nreboot=");
    host.converge(forced);
    host.reboot();
    const run = host.run(["prove"], forced);
    expect(run.status).toBe(0);
    expect(run.stdout).toContain("forced: it has 4 sockets");
    expect(host.run(["prove"], plans.boot).stderr).toContain("FAIL  clocksource.reliable");
  });

  test("a crash kernel (kdump) is no reboot by kexec", () => {
    host.write("sys/kernel/kexec_loaded", "0\n");
    host.write("sys/kernel/kexec_crash_loaded", "1\n");
    host.write("etc/default/kexec", "LOAD_KEXEC=true\nLOAD_KEXEC=false\n");
    host.converge(plans.boot);
  });

  // Whoever installs a kernel makes the boot entries too.
  test.each([
    ["all", plans.all],
    ["boot parameters only", plans.boot],
  ])(
    "a lock of dpkg that is held for ever is named, after a limit, before anything is changed: %s",
    async (_, plan) => {
      host.holdPackages();
      const before = host.snapshot();
      const running = host.start(["converge"], plan);
      await running.until("waiting for the package manager");
      host.write("proc/uptime", "750.00 1.00\n");
      const { status, stderr } = await running;
      expect(status).toBe(1);
      expect(stderr).toContain(
        "waiting for the package manager, held by unattended-upgr (process 700, /var/lib/dpkg/lock-frontend), 0 of 600 s",
      );
      expect(stderr).toContain("the package manager has been locked for 650 s by unattended-upgr (process 700");
      expect(host.snapshot()).toEqual(before);
    },
  );

  test("a lock of dpkg that is let go is waited for", async () => {
    host.holdPackages();
    const running = host.start(["converge"], plans.time);
    await running.until("waiting for the package manager");
    expect(host.exists("fake/packages/chrony")).toBe(false);
    host.write("proc/locks", "");
    expect((await running).status).toBe(0);
    expect(host.exists("fake/packages/chrony")).toBe(true);
  });

  test("a lock of the same inode on another file system holds nobody up, and nor does one without need", () => {
    host.holdPackages();
    host.remove("proc/700/fd/3");
    host.converge(plans.all);
    host.reboot();
    fs.symlinkSync(host.path("var/lib/dpkg/lock-frontend"), host.path("proc/700/fd/3"));
    expect(host.converge(plans.all).stderr).not.toContain("waiting");
  });

  describe("where tsc does not exist", () => {
    beforeEach(() => host.write("fake/machine", "aarch64\n"));
    const optional = (plan: string) => plan.replace("reboot=", "boot-required=no\nreboot=");

    test("a clocksource that is not required is not applicable; the rest of the plan is made so and proved", () => {
      const before = host.snapshot();
      const run = host.converge(optional(plans.all));
      expect(run.stdout).toContain("converged-reboot=none\n");
      expect(host.calls().join("\n")).not.toMatch(/grub-mkconfig|systemd-run/);
      expect(host.exists("etc/default/grub.d/zz-timebase.cfg")).toBe(false);
      expect(host.read("etc/chrony/chrony.conf")).toContain("server 10.77.0.1");
      host.write("sys/devices/system/clocksource/clocksource0/current_clocksource", "arch_sys_counter\n");
      host.write("fake/probe", "available\n");
      const proof = JSON.parse(host.run(["prove"], optional(plans.all) + run.stdout).stdout);
      expect(proof).toMatchObject({ clocksource: "arch_sys_counter", bootParametersLive: null, guestPtp: "available" });
      expect(proof.checks.filter(({ id }: { id: string }) => /^(boot|clocksource)/.test(id))).toEqual([
        {
          id: "clocksource.applicable",
          verdict: "not-applicable",
          expected: "tsc",
          found: "the tsc clocksource does not exist on aarch64 (it has arch_sys_counter, always)",
          remedy: "",
        },
      ]);
      const { stdout } = host.run(["status"], "");
      expect(stdout.match(/boot of test\/stack\/node-1: not applicable, the tsc .* on aarch64/g)).toHaveLength(1);
      expect(host.run(["revert"], optional(plans.all)).status).toBe(0);
      expect(host.snapshot()).toEqual(before);
    });

    test("a plan of a clocksource alone passes, and changes nothing of the system's", () => {
      const run = host.converge(optional(plans.boot));
      expect(host.run(["prove"], optional(plans.boot) + run.stdout).status).toBe(0);
      expect(host.calls().join("\n")).not.toMatch(/grub-mkconfig|systemd-run/);
    });
  });

  test("not requiring a tsc is no way around it where it exists", () => {
    host.converge(plans.boot.replace("reboot=", "boot-required=no\nreboot="));
    expect(host.exists("etc/default/grub.d/zz-timebase.cfg")).toBe(true);
  });
});

// Where mounting is allowed, the real thing.
const mayMount = spawnSync("unshare", ["-m", "true"]).status === 0;
test.skipIf(!mayMount)("a file system that is really mounted read-only is refused although it says 755", () => {
  const host = new FakeHost("dash");
  try {
    const before = host.snapshot();
    const toolkit = `${__dirname}/../../toolkit/timebase`;
    const boot = host.path("boot/grub");
    const run = spawnSync(
      "unshare",
      [
        "-m",
        "sh",
        "-c",
        `mount --bind ${boot} ${boot} && mount -o remount,bind,ro ${boot} && exec sh ${toolkit} converge`,
      ],
      {
        input: plans.all,
        encoding: "utf8",
        env: { PATH: `${__dirname}/fakes:${process.env.PATH}`, TIMEBASE_ROOT: host.root, TIMEBASE_LIMITED: "1" },
      },
    );
    expect(run.stderr).toMatch(/boot\/grub cannot be written to \(Read-only file system\)/);
    expect(host.snapshot()).toEqual(before);
  } finally {
    host.destroy();
  }
});
