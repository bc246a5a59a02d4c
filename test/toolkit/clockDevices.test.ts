import fs from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeHost, plans } from "./FakeHost";
import { shells } from "./shells";
import {
  afterBoot,
  aws,
  boundFrom,
  conf,
  following,
  onEna,
  proved,
  refclock,
  refusal,
  runFile,
  unit,
  withEna,
} from "./sources";

// The clock devices of a host: chronyd follows the one that the plan means, and none when it is not there.

describe.each(shells)("clock devices under %s", (shell) => {
  let host: FakeHost;
  beforeEach(() => {
    host = new FakeHost(shell);
  });
  afterEach(() => host.destroy());

  describe("chronyd never dies of a missing device:", () => {
    const plan = following(plans.time, "aws-phc", "server 10.77.0.1 iburst");
    const ready = () => {
      onEna(host, true);
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

    test("a device that udev is still finding is waited for, and nothing else is", () => {
      ready();
      expect(host.calls().join()).not.toContain("udevadm");
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
      onEna(host, true);
      host.write("sys/module/ena/parameters/phc_enable", "1\n");
      host.converge(plan);
      host.clock(2, "ena-ptp-05", "23456");
      host.chrony(refclock("ENA0"));
      expect(proved(host, plan).row("time.sources")).toMatchObject({
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
      found: "40000",
    },
  ];
  test.each(lies)("the proof is not fooled: $naive", ({ lie, check, found, bound }) => {
    onEna(host, true);
    const answered = afterBoot(host, withEna(following(plans.all, "aws-phc")), "ENA0", "ptp0");
    expect(proved(host, answered).status).toBe(0);
    lie();
    const { status, row, evidence } = proved(host, answered);
    expect(status).toBe(1);
    expect(row(check)).toMatchObject({ verdict: "fail" });
    expect(row(check).found).toContain(found);
    expect(row(check).remedy.length).toBeGreaterThan(10);
    if (bound === null) expect(evidence.errorBoundNs).toBeNull();
  });

  test("an error of the device that is no figure makes the bound unknown, whatever chrony's is", () => {
    onEna(host, true);
    const answered = afterBoot(host, withEna(following(plans.all, "aws-phc")), "ENA0", "ptp0");
    for (const text of ["garbage", "-5", "1e3", "0", "4294967295", "99999999999", "1 2", "0x10"]) {
      host.write(bound, `${text}\n`);
      const { row, evidence } = proved(host, answered);
      expect(row("time.bound")).toMatchObject({
        verdict: "fail",
        found: `unknown: the error of /dev/ptp0 itself is unknown: phc_error_bound of /dev/ptp0 says "${text}"`,
      });
      expect(evidence.errorBoundNs).toBeNull();
    }
  });

  describe("a card that the plan names", () => {
    const plan = following(plans.time, "phc ice-0000:01:00.0-clk error-ns 500000");
    const line = (number: number) => `refclock PHC /dev/ptp${number} refid CARD poll 0 delay 0.000010 prefer\n`;

    test("is found by its name on any machine, and its error is in the bound", () => {
      host.clock(0, "mlx5_ptp");
      host.clock(3, "ice-0000:01:00.0-clk");
      host.converge(plan);
      expect(host.read(runFile)).toBe(line(3));
      host.chrony(refclock("CARD"));
      host.opened("ptp3");
      const { status, row, evidence } = proved(host, plan);
      expect([status, row("time.sources").found]).toEqual([0, "CARD is /dev/ptp3 (ice-0000:01:00.0-clk)"]);
      expect(evidence.errorBoundNs).toEqual(boundFrom(507_012));
    });

    test.each([
      [36, false],
      [37, false],
      [-37, true],
      [29, true],
      [46, true],
      [3600, true],
    ])("is refused as one of TAI where it is %s s ahead: %s", (ahead, isTaken) => {
      host.clock(3, "ice-0000:01:00.0-clk");
      host.write("fake/clock-ahead", `${ahead}\n`);
      if (isTaken) host.converge(plan);
      else expect(refusal(host, plan)).toContain(`is ${ahead} s ahead of this host's: it tells TAI, and UTC is needed`);
    });

    test("may have blanks in its name", () => {
      host.clock(1, "My card 1");
      host.converge(following(plans.time, "phc My?card?1 error-ns 250"));
      expect(host.read(runFile)).toBe(line(1));
    });

    test("is refused where it is missing, where several have its name, and without an error", () => {
      host.clock(0, "mlx5_ptp");
      expect(refusal(host, plan)).toContain("phc: there is no clock ice-0000:01:00.0-clk in /sys/class/ptp");
      host.clock(1, "mlx5_ptp");
      const ambiguous = following(plans.time, "phc mlx5_ptp error-ns 250");
      expect(refusal(host, ambiguous)).toContain("phc: several devices are called mlx5_ptp: ptp0 ptp1");
      expect(refusal(host, following(plans.time, "phc mlx5_ptp"))).toContain(
        "the program does not say it (errorMicros)",
      );
    });
  });

  test("a plan that drops its devices takes their files away, and revert gives every byte back", () => {
    onEna(host, true);
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
    // That one is masked.
    expect(fs.readdirSync(host.path("etc/systemd/system"))).toEqual([".keep", "systemd-timesyncd.service"]);
    expect(host.read(conf)).not.toContain("confdir");
    host.converge(plan);
    expect(host.run(["revert"], plan).status).toBe(0);
    expect(host.snapshot()).toEqual(before);
    expect(host.exists(runFile)).toBe(false);
  });

  // The drop-in is what makes systemd want the unit, so it has to have read of it.
  test("a converge or a revert that is cut where systemd reads its units anew is finished by the next one", () => {
    onEna(host, true);
    host.clock(0, "ena-ptp-05", "23456");
    const before = host.snapshot();
    const plan = following(plans.time, "aws-phc");
    const cut = (verb: string) => {
      host.meanwhile("systemctl", 'case "$1" in daemon-reload) cut && exit 1 ;; esac');
      expect(host.run([verb], plan).status).not.toBe(0);
      host.remove("fake/bin/systemctl");
      host.forgetCalls();
    };
    cut("converge");
    host.converge(plan);
    const calls = host.calls();
    expect(calls).toContain("systemctl daemon-reload");
    expect(calls.indexOf("systemctl daemon-reload")).toBeLessThan(calls.indexOf("systemctl restart chrony"));
    expect(host.read(runFile)).toBe(aws(0));
    cut("revert");
    expect(host.run(["revert"], plan).status).toBe(0);
    expect(host.calls()).toContain("systemctl daemon-reload");
    expect(host.snapshot()).toEqual(before);
  });

  test("revert takes the module's parameter out of every entry", () => {
    onEna(host, true);
    const before = host.commandLines();
    afterBoot(host, withEna(following(plans.all, "aws-phc")), "ENA0", "ptp0");
    expect(host.run(["revert"], plans.all).status).toBe(0);
    expect(host.commandLines()).toEqual(before);
  });

  test("status names what a revert takes away, and changes made by others since", () => {
    onEna(host, true);
    host.clock(0, "ena-ptp-05", "23456");
    host.converge(following(plans.time, "aws-phc"));
    host.chrony(refclock("ENA0"));
    host.opened("ptp0");
    fs.appendFileSync(host.path(unit), "# mine\n");
    const { stdout } = host.run(["status"], "");
    expect(stdout).toContain(`  undo  removes ${host.path(unit)}`);
    expect(stdout).toContain(`  drift ${host.path(unit)} was changed by somebody else since`);
  });
});

test.each(["amazon-linux-2", "amazon-linux-2023"])("%s: the drop-in is of its own service", (name) => {
  const host = new FakeHost("bash", name);
  onEna(host, true);
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
