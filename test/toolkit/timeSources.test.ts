import { readFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TimeSourceKind } from "../../components";
import { TIME_SOURCE_KINDS } from "../../components/plan/timeSourceKinds";
import { bootIds, FakeHost, plans, synchronised } from "./FakeHost";
import { shells } from "./shells";
import {
  afterBoot,
  aws,
  boundFrom,
  conf,
  following,
  onCloud,
  onEna,
  proved,
  refclock,
  refusal,
  runFile,
  unit,
  withEna,
} from "./sources";

const awsNtp = "server 169.254.169.123 prefer iburst minpoll 4 maxpoll 4";

describe.each(shells)("time sources under %s", (shell) => {
  let host: FakeHost;
  beforeEach(() => {
    host = new FakeHost(shell);
  });
  afterEach(() => host.destroy());

  const refused = (plan: string) => refusal(host, plan);

  test("a cloud's NTP service is one line of chrony's configuration", () => {
    onCloud(host, "xen");
    host.converge(following(plans.time, "aws-ntp", "server time.aws.com iburst"));
    expect(host.read(conf)).toContain(`\n${awsNtp}\nserver time.aws.com iburst\n`);
    expect(host.exists(unit)).toBe(false);
    onCloud(host, "gcp");
    host.converge(following(plans.time, "gcp-ntp trust"));
    expect(host.read(conf)).toContain("\nserver metadata.google.internal prefer iburst trust\n");
  });

  test("the clock device of EC2 comes by the one reboot for the boot parameters", () => {
    onEna(host, true);
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
    const proof = proved(host, plan + answers);
    expect(proof).toMatchObject({ status: 0, stderr: "" });
    // 12 ns + 2 us + 10 us / 2 + what the driver says of its clock; the naive bound is 7012 ns.
    expect(proof.evidence).toMatchObject({
      source: "/dev/ptp0",
      sourceKind: "refclock",
      errorBoundNs: boundFrom(30468),
    });
    expect(proof.row("time.sources")).toMatchObject({ verdict: "pass", found: "ENA0 is /dev/ptp0 (ena-ptp-05)" });
    const again = host.converge(plan);
    expect(again.stdout).toBe(`converged-boot-id=${bootIds.after}\nconverged-reboot=none\n`);
  });

  test("only the device of the next boot: policy if-needed reboots for it, never reports it", () => {
    onEna(host, true);
    host.write("sys/devices/system/clocksource/clocksource0/available_clocksource", "hpet tsc \n");
    const plan = withEna(following(plans.all, "aws-phc"));
    const never = plan.replace("to-prove", "never");
    expect(host.converge(never).stdout).toContain("converged-reboot=pending");
    host.chrony("");
    const row = proved(host, never).row("time.sources");
    expect(row).toMatchObject({ verdict: "fail", remedy: expect.stringContaining("reboot this host") });
    expect(row.found).toContain("it comes by a boot with ena.phc_enable=1, which is still due");
    expect(host.converge(plan.replace("to-prove", "if-needed")).stdout).toContain("converged-reboot=ordered");
  });

  test("policy if-needed does not reboot for what auto would rather have", () => {
    onEna(host, true);
    host.write("sys/devices/system/clocksource/clocksource0/available_clocksource", "hpet tsc \n");
    const plan = withEna(following(plans.all, "auto")).replace("to-prove", "if-needed");
    expect(host.converge(plan).stdout).toContain("converged-reboot=none");
    expect(host.read(runFile)).toBe(`${awsNtp}\n`);
    host.reboot();
    expect(host.read(runFile)).toBe(aws(0));
  });

  test("a parameter of a module that does not run here is no boot parameter of this host", () => {
    onCloud(host, "gcp");
    host.write("fake/modules/ptp_kvm", "KVM virtual PTP");
    host.converge(withEna(following(plans.all, "auto")));
    for (const line of host.commandLines()) expect(line).not.toContain("ena");
    host.reboot();
    expect(host.read("proc/cmdline")).toContain("clocksource=tsc");
    expect(host.converge(withEna(following(plans.all, "auto"))).stdout).toContain("converged-reboot=none");
  });

  test("the last value of a module's parameter counts", () => {
    onEna(host, true);
    const plan = withEna(following(plans.all, "aws-phc"));
    const answered = afterBoot(host, plan, "ENA0", "ptp0");
    host.write("proc/cmdline", `${host.read("proc/cmdline").trim()} ena.phc_enable=0\n`);
    expect(proved(host, answered).row("boot.parameters-live")).toMatchObject({ verdict: "fail" });
  });

  test("the clock of a GCP host: its module is loaded, and the error that Google states is in the bound", () => {
    onCloud(host, "gcp");
    host.clock(0, "virtio NIC");
    host.write("fake/modules/ptp_kvm", "KVM virtual PTP");
    const plan = following(plans.time, "gcp-phc").replace("1000000", "1500000");
    host.converge(plan);
    expect(host.read(runFile)).toBe("refclock PHC /dev/ptp3 refid KVM0 poll -1 prefer\n");
    host.chrony(refclock("KVM0"));
    host.opened("ptp3");
    expect(proved(host, plan).evidence).toMatchObject({ source: "/dev/ptp3", errorBoundNs: boundFrom(1_007_012) });
    const vouched = plan.replace("gcp-phc", "gcp-phc trust error-ns 20000");
    host.converge(vouched);
    expect(host.read(runFile)).toBe("refclock PHC /dev/ptp3 refid KVM0 poll -1 prefer trust\n");
    expect(proved(host, vouched).evidence).toMatchObject({ errorBoundNs: boundFrom(27_012) });
  });

  // Naive: the best source that there is, which cannot be within the budget.
  test("a clock that may be off by the whole budget is none: auto takes the time service, and who names it is refused", () => {
    onCloud(host, "gcp");
    host.clock(0, "KVM virtual PTP");
    const why = "its clock may be off by 1000 us by itself, and maxErrorMicros allows 1000 us in all";
    expect(refused(following(plans.time, "gcp-phc"))).toContain(why);
    expect(host.converge(following(plans.time, "auto")).stderr).not.toContain("left out");
    expect(host.read(runFile)).toBe("server metadata.google.internal prefer iburst\n");
  });

  test("the clock of an Azure host, with the error that the program vouches for", () => {
    onCloud(host, "azure");
    host.clock(1, "hyperv");
    expect(refused(following(plans.time, "auto"))).toContain("nobody publishes how far its clock may be off");
    const plan = following(plans.time, "auto error-ns 500000");
    host.converge(plan);
    expect(host.read(runFile)).toBe("refclock PHC /dev/ptp1 refid HYV0 poll 3 dpoll -2 offset 0 prefer\n");
    host.chrony(refclock("HYV0"));
    host.opened("ptp1");
    const { evidence, row } = proved(host, plan);
    expect(evidence).toMatchObject({ errorBoundNs: boundFrom(507_012) });
    expect(row("time.sources").found).toBe("auto is azure-phc; HYV0 is /dev/ptp1 (hyperv)");
  });

  const refusals: [string, string[], (host: FakeHost) => void, string][] = [
    ["another cloud", ["aws-ntp"], (h) => onCloud(h, "gcp"), 'this machine is none of aws (sys_vendor "Google"'],
    ["no cloud", ["auto"], (h) => onCloud(h, "qemu"), 'aws, gcp, azure (sys_vendor "QEMU", product_name "Standard PC"'],
    ["no firmware that tells", ["auto"], () => {}, 'sys_vendor "", product_name ""'],
    ["no driver", ["aws-phc"], (h) => onCloud(h, "aws"), "its driver ena is not loaded"],
    [
      "a driver that is too old",
      ["aws-phc"],
      (h) => {
        onCloud(h, "aws");
        h.write("sys/module/ena/version", "2.8.0K\n");
      },
      "its driver ena 2.8.0K has no parameter phc_enable: it is too old",
    ],
    [
      "a machine without the device",
      ["aws-phc"],
      (h) => {
        onEna(h, false);
        h.write("sys/module/ena/parameters/phc_enable", "1\n");
      },
      "although its driver ena was loaded with phc_enable=1: this machine has none",
    ],
    ["a plan that sets no boot parameters", ["aws-phc"], (h) => onEna(h, true), "this plan sets no boot parameters"],
    [
      "a hypervisor that refuses",
      ["gcp-phc"],
      (h) => {
        onCloud(h, "gcp");
        h.write("fake/modules/ptp_kvm", "");
      },
      "its module ptp_kvm is not loaded (modprobe: ERROR: could not insert 'ptp_kvm': Operation not supported)",
    ],
    ["a kernel without the module", ["gcp-phc"], (h) => onCloud(h, "gcp"), "Module ptp_kvm not found"],
    [
      "a device of another clock",
      ["aws-phc"],
      (h) => {
        onCloud(h, "aws");
        h.clock(0, "KVM virtual PTP");
      },
      "there is no clock ena-ptp-* in /sys/class/ptp",
    ],
    [
      "a clock without its device",
      ["aws-phc"],
      (h) => {
        onCloud(h, "aws");
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
      const { status, row } = proved(host, plan);
      expect(status).toBe(0);
      expect(row("time.sources")).toMatchObject({ verdict: "warn", remedy: expect.stringContaining("take it out") });
      // Why its module was refused is known to who loads it.
      expect(row("time.sources").found).toContain(sources[0] === "gcp-phc" ? "module ptp_kvm is not loaded" : why);
    },
  );

  test("what the driver says of its clock is not for the program to say", () => {
    onEna(host, true);
    const answered = afterBoot(host, withEna(following(plans.all, "auto error-ns 5")), "ENA0", "ptp0");
    expect(proved(host, answered).evidence).toMatchObject({ errorBoundNs: boundFrom(30468), leapSeconds: "exact" });
  });

  test("what a cloud's sources do with leap seconds is the same to the host and to the program", () => {
    const table = readFileSync(path.join(__dirname, "../../toolkit/lib/time_sources.sh"), "utf8");
    const told = [...table.matchAll(/^(\S+) +(?:aws|gcp|azure|-) +(smeared|exact|unknown) /gm)];
    const known = Object.entries(TIME_SOURCE_KINDS).flatMap(([kind, { leapSeconds }]) =>
      kind === TimeSourceKind.Auto || leapSeconds === "by-address" ? [] : [[kind, leapSeconds]],
    );
    expect(told.map(([, kind, leap]) => [kind, leap]).sort()).toEqual(known.sort());
  });

  test("what a server at an address does with leap seconds is not the host's to know", () => {
    host.converge(plans.time);
    host.chrony(synchronised);
    expect(proved(host, plans.time).evidence).not.toHaveProperty("leapSeconds");
  });

  test("auto on EC2 without a clock device is its NTP service, and says why", () => {
    onEna(host, false);
    const plan = withEna(following(plans.all, "auto"));
    const answers = host.converge(plan).stdout;
    host.reboot();
    expect(host.read(runFile)).toBe(`${awsNtp}\n`);
    host.chrony(refclock("x").replaceAll(",x,", ",169.254.169.123,").replace("#", "^"));
    const { row, evidence } = proved(host, plan + answers);
    expect(evidence).toMatchObject({ source: "169.254.169.123", sourceKind: "server", leapSeconds: "smeared" });
    expect(row("time.sources")).toMatchObject({ verdict: "pass" });
    expect(row("time.sources").found).toMatch(/^auto is aws-ntp \(no aws-phc: .* this machine has none\)$/);
  });

  test.each(["Insert second", "Delete second"])("an announced leap second is a warning: %s", (announced) => {
    host.converge(plans.time);
    const server = refclock("x").replaceAll(",x,", ",10.77.0.1,").replace("#", "^");
    host.chrony(server.replace("Normal", announced));
    const { status, row } = proved(host, plans.time);
    expect(status).toBe(0);
    expect(row("time.leap")).toMatchObject({ verdict: "warn" });
    expect(row("time.leap").found).toContain(announced.toLowerCase());
    host.chrony(server);
    expect(proved(host, plans.time).row("time.leap")).toBeUndefined();
  });

  test("how far the clock itself may come to be off is chronyd's to know, and the proof's: 50 ppm, or what the plan says", () => {
    const drift = (plan: string) => {
      host.converge(plan);
      host.chrony(synchronised);
      return proved(host, plan).evidence.driftPpb;
    };
    // Skew and residual frequency.
    const own = 1234 + 10;
    expect(drift(plans.time)).toBe(50_000 + own);
    expect(host.read(conf)).toContain("\nmaxclockerror 50\n");
    const worse = `${plans.time}time-max-clock-error-ppm=200\n`;
    // chronyd was not told yet.
    expect(proved(host, worse).row("time.configuration")).toMatchObject({ verdict: "fail" });
    expect(drift(worse)).toBe(200_000 + own);
    expect(host.read(conf)).toContain("\nmaxclockerror 200\n");
    expect(drift(`${plans.time}time-max-clock-error-ppm=0.1\n`)).toBe(100 + own);
    host.forgetCalls();
    for (const no of ["", ".", "-1", "1e3", "5.0.5"]) {
      expect(refused(`${plans.time}time-max-clock-error-ppm=${no}\n`)).toContain(`"${no}" is not a number`);
    }
  });

  test.each([
    "phc /dev/ptp0",
    "aws_phc",
    "server",
    "gcp-phc2",
    "refclock PHC /dev/ptp0",
    "auto prefer",
    "azure-phc error-ns",
    "azure-phc error-ns ../x",
    "phc",
    "phc ../ptp0 error-ns 1",
    "phc my card error-ns 1",
    "phc - error-ns 1",
    "phc trust error-ns 1",
    "phc * error-ns 1",
  ])("%s is no source of a plan", (source) => {
    expect(refused(following(plans.time, source))).toContain(`"time-source=${source}" is not understood`);
  });
});
