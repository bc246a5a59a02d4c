import fs from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bootIds, FakeHost, following, plans, refclock, withEna } from "./FakeHost";

const runFile = "run/chrony-dhcp/timebase.conf";
const unit = "etc/systemd/system/timebase-sources.service";
const conf = "etc/chrony/chrony.conf";
const awsNtp = "server 169.254.169.123 prefer iburst minpoll 4 maxpoll 4";
const aws = (number: number) => `refclock PHC /dev/ptp${number} refid ENA0 poll 0 delay 0.000010 prefer\n`;

interface Row {
  id: string;
  verdict: string;
  found: string;
  remedy: string;
}

describe.each(["dash", "bash"])("time sources under %s", (shell) => {
  let host: FakeHost;
  beforeEach(() => {
    host = new FakeHost(shell);
  });
  afterEach(() => host.destroy());

  const refused = (plan: string): string => {
    const before = host.snapshot();
    const run = host.run(["converge"], plan);
    expect(run.status).toBe(1);
    expect(run.stderr).toContain("what to do: ");
    expect(host.snapshot()).toEqual(before);
    expect(host.calls().filter((call) => /apt-get|systemctl (?!show|is-)/.test(call))).toEqual([]);
    return run.stderr;
  };
  const proved = (plan: string) => {
    const run = host.run(["prove"], plan);
    const evidence = JSON.parse(run.stdout);
    const row = (id: string): Row => evidence.checks.find((check: Row) => check.id === id);
    return { ...run, evidence, row };
  };
  /** Converge and the boot that it orders, after which chronyd follows this device. */
  const afterBoot = (plan: string, refid: string, device: string): string => {
    const { stdout } = host.converge(plan);
    host.reboot();
    host.chrony(refclock(refid));
    host.opened(device);
    return plan + stdout;
  };

  test("a cloud's NTP service is one line of chrony's configuration", () => {
    host.onCloud("xen");
    host.converge(following(plans.time, "aws-ntp", "server time.aws.com iburst"));
    expect(host.read(conf)).toContain(`\n${awsNtp}\nserver time.aws.com iburst\n`);
    expect(host.exists(unit)).toBe(false);
    host.onCloud("gcp");
    host.converge(following(plans.time, "gcp-ntp trust"));
    expect(host.read(conf)).toContain("\nserver metadata.google.internal prefer iburst trust\n");
  });

  test("the clock device of EC2 comes by the one reboot for the boot parameters", () => {
    host.withEna(true);
    const plan = withEna(following(plans.all, "aws-phc"));
    const answers = host.converge(plan).stdout;
    expect(answers).toContain("converged-reboot=ordered");
    for (const line of host.commandLines()) expect(line).toContain("ena.phc_enable=1");
    expect(host.read(conf)).not.toContain("refclock");
    expect(host.exists(runFile)).toBe(false);
    host.reboot();
    expect(host.read(runFile)).toBe(aws(0));
    host.chrony(refclock("ENA0"));
    host.opened("ptp0");
    const proof = proved(plan + answers);
    expect(proof).toMatchObject({ status: 0, stderr: "" });
    // 12 ns + 2 us + 10 us / 2 + what the driver says of its clock; the naive bound is 7012 ns.
    expect(proof.evidence).toMatchObject({ source: "/dev/ptp0", sourceKind: "refclock", errorBoundNs: 30468 });
    expect(proof.row("time.sources")).toMatchObject({ verdict: "pass", found: "ENA0 is /dev/ptp0 (ena-ptp-05)" });
    const again = host.converge(plan);
    expect(again.stdout).toBe(`converged-boot-id=${bootIds.after}\nconverged-reboot=none\n`);
  });

  test("only the device of the next boot: policy if-needed reboots for it, never reports it", () => {
    host.withEna(true);
    host.write("sys/devices/system/clocksource/clocksource0/available_clocksource", "hpet tsc \n");
    const plan = withEna(following(plans.all, "aws-phc"));
    const never = plan.replace("to-prove", "never");
    expect(host.converge(never).stdout).toContain("converged-reboot=pending");
    host.chrony("");
    const row = proved(never).row("time.sources");
    expect(row).toMatchObject({ verdict: "fail", remedy: expect.stringContaining("reboot this host") });
    expect(row.found).toContain("it comes by a boot with ena.phc_enable=1, which is still due");
    expect(host.converge(plan.replace("to-prove", "if-needed")).stdout).toContain("converged-reboot=ordered");
  });

  test("policy if-needed does not reboot for what auto would rather have", () => {
    host.withEna(true);
    host.write("sys/devices/system/clocksource/clocksource0/available_clocksource", "hpet tsc \n");
    const plan = withEna(following(plans.all, "auto")).replace("to-prove", "if-needed");
    expect(host.converge(plan).stdout).toContain("converged-reboot=none");
    expect(host.read(runFile)).toBe(`${awsNtp}\n`);
    host.reboot();
    expect(host.read(runFile)).toBe(aws(0));
  });

  test("a parameter of a module that does not run here is no boot parameter of this host", () => {
    host.onCloud("gcp");
    host.write("fake/modules/ptp_kvm", "KVM virtual PTP");
    host.converge(withEna(following(plans.all, "auto")));
    for (const line of host.commandLines()) expect(line).not.toContain("ena");
    host.reboot();
    expect(host.read("proc/cmdline")).toContain("clocksource=tsc");
    expect(host.converge(withEna(following(plans.all, "auto"))).stdout).toContain("converged-reboot=none");
  });

  test("the last value of a module's parameter counts", () => {
    host.withEna(true);
    const plan = withEna(following(plans.all, "aws-phc"));
    const answered = afterBoot(plan, "ENA0", "ptp0");
    host.write("proc/cmdline", `${host.read("proc/cmdline").trim()} ena.phc_enable=0\n`);
    expect(proved(answered).row("boot.parameters-live")).toMatchObject({ verdict: "fail" });
  });

  test("the clock of a GCP host: its module is loaded, and the error that Google states is in the bound", () => {
    host.onCloud("gcp");
    host.clock(0, "virtio NIC");
    host.write("fake/modules/ptp_kvm", "KVM virtual PTP");
    const plan = following(plans.time, "gcp-phc").replace("1000000", "1500000");
    host.converge(plan);
    expect(host.read(runFile)).toBe("refclock PHC /dev/ptp3 refid KVM0 poll -1 prefer\n");
    host.chrony(refclock("KVM0"));
    host.opened("ptp3");
    expect(proved(plan).evidence).toMatchObject({ source: "/dev/ptp3", errorBoundNs: 1_007_012 });
    const vouched = plan.replace("gcp-phc", "gcp-phc trust error-ns 20000");
    host.converge(vouched);
    expect(host.read(runFile)).toBe("refclock PHC /dev/ptp3 refid KVM0 poll -1 prefer trust\n");
    expect(proved(vouched).evidence).toMatchObject({ errorBoundNs: 27_012 });
  });

  test("the clock of an Azure host, with the error that the program vouches for", () => {
    host.onCloud("azure");
    host.clock(1, "hyperv");
    expect(refused(following(plans.time, "auto"))).toContain("nobody publishes how far its clock may be off");
    const plan = following(plans.time, "auto error-ns 500000");
    host.converge(plan);
    expect(host.read(runFile)).toBe("refclock PHC /dev/ptp1 refid HYV0 poll 3 dpoll -2 offset 0 prefer\n");
    host.chrony(refclock("HYV0"));
    host.opened("ptp1");
    const { evidence, row } = proved(plan);
    expect(evidence).toMatchObject({ errorBoundNs: 507_012 });
    expect(row("time.sources").found).toBe("auto is azure-phc; HYV0 is /dev/ptp1 (hyperv)");
  });

  const refusals: [string, string[], (host: FakeHost) => void, string][] = [
    ["another cloud", ["aws-ntp"], (h) => h.onCloud("gcp"), 'this machine is none of aws (sys_vendor "Google"'],
    ["no cloud", ["auto"], (h) => h.onCloud("qemu"), 'aws, gcp, azure (sys_vendor "QEMU", product_name "Standard PC"'],
    ["no firmware that tells", ["auto"], () => {}, 'sys_vendor "", product_name ""'],
    ["no driver", ["aws-phc"], (h) => h.onCloud("aws"), "its driver ena is not loaded"],
    [
      "a driver that is too old",
      ["aws-phc"],
      (h) => {
        h.onCloud("aws");
        h.write("sys/module/ena/version", "2.8.0K\n");
      },
      "its driver ena 2.8.0K has no parameter phc_enable: it is too old",
    ],
    [
      "a machine without the device",
      ["aws-phc"],
      (h) => {
        h.withEna(false);
        h.write("sys/module/ena/parameters/phc_enable", "1\n");
      },
      "although its driver ena was loaded with phc_enable=1: this machine has none",
    ],
    ["a plan that sets no boot parameters", ["aws-phc"], (h) => h.withEna(true), "this plan sets no boot parameters"],
    [
      "a hypervisor that refuses",
      ["gcp-phc"],
      (h) => {
        h.onCloud("gcp");
        h.write("fake/modules/ptp_kvm", "");
      },
      "its module ptp_kvm is not loaded (modprobe: ERROR: could not insert 'ptp_kvm': Operation not supported)",
    ],
    ["a kernel without the module", ["gcp-phc"], (h) => h.onCloud("gcp"), "Module ptp_kvm not found"],
    [
      "a device of another clock",
      ["aws-phc"],
      (h) => {
        h.onCloud("aws");
        h.clock(0, "KVM virtual PTP");
      },
      "there is no clock ena-ptp-* in /sys/class/ptp",
    ],
    [
      "a clock without its device",
      ["aws-phc"],
      (h) => {
        h.onCloud("aws");
        h.clock(0, "ena-ptp-05");
        h.remove("dev/ptp0");
      },
      "there is no clock ena-ptp-* in /sys/class/ptp",
    ],
  ];
  test.each(refusals)(
    "%s: refused before any change, or left out where there is another source",
    (_, sources, make, why) => {
      make(host);
      expect(refused(following(plans.time, ...sources))).toContain(why);
      if (sources.includes("auto")) return;
      const plan = following(plans.time, ...sources, "server 10.77.0.1 iburst");
      expect(host.converge(plan).stderr).toContain("left out: ");
      expect(host.read(conf)).toContain("server 10.77.0.1 iburst\n");
      expect(host.read(conf)).not.toContain("refclock");
      host.chrony(refclock("ENA0").replaceAll("ENA0", "10.77.0.1").replace("454E4130", "0A4D0001").replace("#", "^"));
      const { status, row } = proved(plan);
      expect(status).toBe(0);
      expect(row("time.sources")).toMatchObject({ verdict: "warn", remedy: expect.stringContaining("take it out") });
      // Why its module was refused is known to who loads it.
      expect(row("time.sources").found).toContain(sources[0] === "gcp-phc" ? "module ptp_kvm is not loaded" : why);
    },
  );

  test("auto on EC2 without a clock device is its NTP service, and says why", () => {
    host.withEna(false);
    const plan = withEna(following(plans.all, "auto"));
    const answers = host.converge(plan).stdout;
    host.reboot();
    expect(host.read(runFile)).toBe(`${awsNtp}\n`);
    host.chrony(refclock("x").replaceAll(",x,", ",169.254.169.123,").replace("#", "^"));
    const { row, evidence } = proved(plan + answers);
    expect(evidence).toMatchObject({ source: "169.254.169.123", sourceKind: "server" });
    expect(row("time.sources")).toMatchObject({ verdict: "pass" });
    expect(row("time.sources").found).toMatch(/^auto is aws-ntp \(no aws-phc: .* this machine has none\)$/);
  });

  describe("chronyd never dies of a missing device:", () => {
    const plan = following(plans.time, "aws-phc", "server 10.77.0.1 iburst");
    const ready = () => {
      host.withEna(true);
      host.clock(2, "ena-ptp-05", "23456");
      host.converge(plan);
      expect(host.read(runFile)).toBe(aws(2));
    };

    test("a boot without the device leaves no line that names it, in any file that chronyd reads", () => {
      ready();
      host.remove("sys/class/ptp");
      host.remove("dev/ptp2");
      host.reboot();
      expect(host.exists(runFile)).toBe(false);
      expect(host.read(conf)).not.toContain("refclock");
      expect(host.read("fake/units/chrony.service")).toBe("enabled active\n");
    });

    test("a restart without the device too, also when the toolkit is gone", () => {
      ready();
      host.remove("sys/class/ptp");
      const toolkit = fs.realpathSync(host.path("usr/local/lib/timebase/current"));
      fs.renameSync(toolkit, `${toolkit}.gone`);
      expect(host.exists(runFile)).toBe(true);
      host.startChrony();
      expect(host.exists(runFile)).toBe(false);
    });

    test("a device that another number has now is found by its clock", () => {
      ready();
      host.remove("sys/class/ptp");
      host.clock(2, "KVM virtual PTP");
      host.clock(4, "ena-ptp-05", "23456");
      host.reboot();
      expect(host.read(runFile)).toBe(aws(4));
    });

    test("a device that udev is still finding is waited for", () => {
      ready();
      host.remove("sys/class/ptp");
      host.write(
        "fake/udev",
        'mkdir -p "$TIMEBASE_ROOT/sys/class/ptp/ptp5"; echo ena-ptp-05 >"$TIMEBASE_ROOT/sys/class/ptp/ptp5/clock_name"; : >"$TIMEBASE_ROOT/dev/ptp5"\n',
      );
      host.reboot();
      expect(host.calls()).toContain("udevadm settle --timeout=30");
      expect(host.read(runFile)).toBe(aws(5));
    });

    test("a device that comes after chronyd's start is told by the proof, and taken by the next converge", () => {
      host.withEna(true);
      host.write("sys/module/ena/parameters/phc_enable", "1\n");
      host.converge(plan);
      host.clock(2, "ena-ptp-05", "23456");
      host.chrony(refclock("ENA0"));
      expect(proved(plan).row("time.sources")).toMatchObject({
        verdict: "fail",
        found: expect.stringContaining("chronyd was started with no device; this host has refclock PHC /dev/ptp2"),
      });
      host.forgetCalls();
      host.converge(plan);
      expect(host.calls()).toContain("systemctl restart chrony");
      expect(host.read(runFile)).toBe(aws(2));
    });
  });

  interface Lie {
    naive: string;
    lie: () => void;
    check: string;
    found: string;
    bound?: null;
  }
  const bound = "sys/class/ptp/ptp0/device/phc_error_bound";
  const lies: Lie[] = [
    {
      naive: "phc_enable is 1",
      lie: () => {
        host.remove("sys/class/ptp");
        host.remove(runFile);
      },
      check: "time.sources",
      found: "although its driver ena was loaded with phc_enable=1: this machine has none",
    },
    {
      naive: "the device of chrony's line is there; it is another clock now",
      lie: () => {
        host.clock(0, "KVM virtual PTP");
        host.clock(1, "ena-ptp-05", "23456");
      },
      check: "time.sources",
      found: "chronyd was started with refclock PHC /dev/ptp0",
    },
    {
      naive: "the line is right; chronyd has opened another device",
      lie: () => host.opened("ptp1"),
      check: "time.sources",
      found: "chronyd does not have /dev/ptp0 open",
    },
    {
      naive: "chronyd follows the device; it has not read it of late",
      lie: () => host.chrony(refclock("ENA0").replace(",377,", ",0,")),
      check: "time.source",
      found: "ENA0 does not answer (reach 0)",
    },
    {
      naive: "synchronised; by a server, not by the device",
      lie: () => host.chrony(refclock("ENA0").replace("#", "^")),
      check: "time.source",
      found: "ENA0 is a server",
    },
    {
      naive: "synchronised; by a device that is not in the plan",
      lie: () => host.chrony(refclock("PHC0")),
      check: "time.source",
      found: "unexpected source PHC0",
    },
    {
      naive: "chrony's bound is 7 us; the device's own error cannot be read",
      lie: () => host.remove(bound),
      check: "time.bound",
      found: 'unknown: the error of /dev/ptp0 itself is unknown: phc_error_bound of /dev/ptp0 says ""',
      bound: null,
    },
    {
      naive: "chrony's bound is 7 us; the device is 4 s off by its own word",
      lie: () => host.write(bound, "4000000000\n"),
      check: "time.bound",
      found: "4000007.0 us",
    },
  ];
  test.each(lies)("the proof is not fooled: $naive", ({ lie, check, found, bound }) => {
    host.withEna(true);
    const answered = afterBoot(withEna(following(plans.all, "aws-phc")), "ENA0", "ptp0");
    expect(proved(answered).status).toBe(0);
    lie();
    const { status, row, evidence } = proved(answered);
    expect(status).toBe(1);
    expect(row(check)).toMatchObject({ verdict: "fail" });
    expect(row(check).found).toContain(found);
    expect(row(check).remedy.length).toBeGreaterThan(10);
    if (bound === null) expect(evidence.errorBoundNs).toBeNull();
  });

  test("an error of the device that is no figure makes the bound unknown, whatever chrony's is", () => {
    host.withEna(true);
    const answered = afterBoot(withEna(following(plans.all, "aws-phc")), "ENA0", "ptp0");
    for (const text of ["garbage", "-5", "1e3", "0", "4294967295", "99999999999", "1 2", "0x10"]) {
      host.write(bound, `${text}\n`);
      const { row, evidence } = proved(answered);
      expect(row("time.bound")).toMatchObject({
        verdict: "fail",
        found: `unknown: the error of /dev/ptp0 itself is unknown: phc_error_bound of /dev/ptp0 says "${text}"`,
      });
      expect(evidence.errorBoundNs).toBeNull();
    }
  });

  test("an announced leap second is a warning", () => {
    host.converge(plans.time);
    const server = refclock("x").replaceAll(",x,", ",10.77.0.1,").replace("#", "^");
    host.chrony(server.replace("Normal", "Insert second"));
    const { status, row } = proved(plans.time);
    expect(status).toBe(0);
    expect(row("time.leap")).toMatchObject({ verdict: "warn" });
    expect(row("time.leap").found).toContain("insert second");
    host.chrony(server);
    expect(proved(plans.time).row("time.leap")).toBeUndefined();
  });

  test("a plan that drops its devices takes their files away, and revert gives every byte back", () => {
    host.withEna(true);
    host.clock(0, "ena-ptp-05", "23456");
    for (const file of ["etc/chrony/chrony.conf"]) host.write(file, "pool mine.example\n");
    host.write("fake/packages/chrony", "");
    host.write("fake/units/chrony.service", "enabled active\n");
    const before = host.snapshot();
    const plan = following(plans.time, "aws-phc");
    host.converge(plan);
    const written = host.writes();
    host.converge(plan);
    expect(host.writes()).toEqual(written);
    host.converge(plans.time);
    expect(host.exists(unit)).toBe(false);
    expect(host.exists(runFile)).toBe(false);
    expect(fs.readdirSync(host.path("etc/systemd/system"))).toEqual([".keep"]);
    expect(host.read(conf)).not.toContain("confdir");
    host.converge(plan);
    expect(host.run(["revert"], plan).status).toBe(0);
    expect(host.snapshot()).toEqual(before);
    expect(host.exists(runFile)).toBe(false);
  });

  test("revert takes the module's parameter out of every entry", () => {
    host.withEna(true);
    const before = host.commandLines();
    afterBoot(withEna(following(plans.all, "aws-phc")), "ENA0", "ptp0");
    expect(host.run(["revert"], plans.all).status).toBe(0);
    expect(host.commandLines()).toEqual(before);
  });

  test("status names what a revert takes away, and changes made by others since", () => {
    host.withEna(true);
    host.clock(0, "ena-ptp-05", "23456");
    host.converge(following(plans.time, "aws-phc"));
    host.chrony(refclock("ENA0"));
    host.opened("ptp0");
    fs.appendFileSync(host.path(unit), "# mine\n");
    const { stdout } = host.run(["status"], "");
    expect(stdout).toContain(`  undo  removes ${host.path(unit)}`);
    expect(stdout).toContain(`  drift ${host.path(unit)} was changed by somebody else since`);
  });

  test.each(["phc /dev/ptp0", "aws_phc", "server", "gcp-phc2", "refclock PHC /dev/ptp0"])(
    "%s is no source of a plan",
    (source) => {
      expect(refused(following(plans.time, source))).toContain(`"time-source=${source}" is not understood`);
    },
  );
});

test.each(["amazon-linux-2", "amazon-linux-2023"])("%s: the drop-in is of its own service", (name) => {
  const host = new FakeHost("bash", name);
  host.withEna(true);
  const before = host.snapshot();
  const plan = withEna(following(plans.all, "aws-phc"));
  host.converge(plan);
  expect(host.exists("etc/systemd/system/chronyd.service.d/timebase.conf")).toBe(true);
  for (const line of host.commandLines()) expect(line).toContain("ena.phc_enable=1");
  host.reboot();
  expect(host.read(runFile)).toBe(aws(0));
  expect(path.isAbsolute(host.read(unit).match(/^ExecStart=\/bin\/sh (.*) sources$/m)?.[1] ?? "")).toBe(true);
  expect(host.run(["revert"], plan).status).toBe(0);
  const dev = (entries: Record<string, string>) =>
    Object.fromEntries(Object.entries(entries).filter(([file]) => !file.startsWith("dev")));
  expect(dev(host.snapshot())).toEqual(dev(before));
  host.destroy();
});
