import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { FakeHost, overriding, parameters, plans, synchronised } from "./FakeHost";

const names = ["amazon-linux-2", "amazon-linux-2023"];

/** What `sh` is there. */
const shell = "bash";

/** The extended attribute that stands for a label, after it was set; nothing where files cannot have one. */
const labelOf = (file: string, label = ""): string =>
  spawnSync(
    "python3",
    [
      "-c",
      "import os, sys; sys.argv[2] and os.setxattr(sys.argv[1], 'user.label', sys.argv[2].encode()); print(os.getxattr(sys.argv[1], 'user.label').decode(), end='')",
      file,
      label,
    ],
    { encoding: "utf8" },
  ).stdout;

describe("amazon linux", () => {
  let host: FakeHost;
  const start = (name: string, firmware: "bios" | "efi" = "bios") => {
    host = new FakeHost(shell, name, firmware);
  };
  afterEach(() => host.destroy());

  test("the end of Amazon Linux 2's support is told and proved as a warning, not refused", () => {
    start("amazon-linux-2");
    expect(host.converge(plans.boot).stderr).toContain(
      "warning: the support of amazon-linux-2 by its maker has ended on 2026-06-30",
    );
    host.reboot();
    const proof = host.run(["prove"], plans.boot);
    expect(proof.status, proof.stderr).toBe(0);
    expect(JSON.parse(proof.stdout).checks).toContainEqual(
      expect.objectContaining({ id: "system.support", verdict: "warn" }),
    );
    expect(
      JSON.parse(new FakeHost(shell, "amazon-linux-2023").run(["prove"], plans.boot).stdout).checks,
    ).not.toContainEqual(expect.objectContaining({ id: "system.support" }));
  });

  test("grubby that ends well and does nothing is noticed; GRUB's configuration stays as it was", () => {
    start("amazon-linux-2");
    host.write("fake/grubby-does-nothing", "");
    const before = host.read(host.grubCfg);
    const run = host.run(["converge"], plans.boot);
    expect(run.status).toBe(1);
    expect(run.stderr).toContain("is without clocksource=tsc tsc=reliable");
    expect(host.read(host.grubCfg)).toBe(before);
  });

  test("grubby that fails says why and what to do", () => {
    start("amazon-linux-2");
    host.write("fake/grubby-fails", "");
    const run = host.run(["converge"], plans.boot);
    expect(run.status).toBe(1);
    expect(run.stderr).toContain("No space left on device");
    expect(run.stderr).toContain("what to do: run `grubby --info=ALL` on the host");
  });

  test.each([
    ["", "/boot"],
    [" where /boot is a file system of its own", ""],
  ])(
    "values of our keys that one entry had, and another had not, come back to a file that was changed%s",
    (_where, boot) => {
      start("amazon-linux-2");
      host.write(host.grubCfg, host.read(host.grubCfg).replaceAll("/boot/vmlinuz", `${boot}/vmlinuz`));
      const [first, second] = host.read(host.grubCfg).split(/(?=menuentry.*5\.10)/) as [string, string];
      host.write(host.grubCfg, first.replace("rd.shell=0", "rd.shell=0 tsc=nowatchdog clocksource=hpet") + second);
      host.converge(overriding(plans.boot));
      const [both, ours] = host.commandLines();
      expect(both).toMatch(/rd\.shell=0 tsc=nowatchdog clocksource=hpet clocksource=tsc tsc=reliable$/);
      expect(ours).toMatch(/rd\.shell=0 clocksource=tsc tsc=reliable$/);
      fs.appendFileSync(host.path(host.grubCfg), "# theirs\n");
      expect(host.run(["revert"], plans.boot).status).toBe(0);
      const [old, other] = host.commandLines();
      expect(old).toMatch(/rd\.shell=0 tsc=nowatchdog clocksource=hpet$/);
      expect(other).not.toMatch(/tsc|hpet/);
      expect(host.read(host.grubCfg)).toContain("# theirs");
    },
  );

  test("/etc/kernel/cmdline gets them too, and is newer than GRUB's defaults; revert takes them out", () => {
    start("amazon-linux-2023");
    host.write("etc/kernel/cmdline", "root=UUID=1234 ro quiet");
    const before = host.snapshot();
    host.converge(plans.boot);
    expect(host.read("etc/kernel/cmdline")).toBe(`root=UUID=1234 ro quiet ${parameters}`);
    const time = (name: string) => fs.statSync(host.path(name), { bigint: true }).mtimeNs;
    expect(time("etc/kernel/cmdline")).toBeGreaterThan(time("etc/default/grub"));
    host.grubby("mine=1");
    host.write("etc/kernel/cmdline", `${host.read("etc/kernel/cmdline")} more=1\n`);
    expect(host.run(["revert"], plans.boot).status).toBe(0);
    expect(host.read("etc/kernel/cmdline")).toBe("root=UUID=1234 ro quiet mine=1 more=1\n");
    host.write("etc/kernel/cmdline", "root=UUID=1234 ro quiet");
    host.converge(plans.boot);
    host.write("etc/kernel/cmdline", "root=UUID=1234 ro quiet");
    expect(host.run(["prove"], plans.boot).stderr).toContain("right until the next kernel update only");
    host.converge(plans.boot);
    expect(host.run(["revert"], plans.boot).status).toBe(0);
    expect(host.snapshot()["etc/kernel/cmdline"]).toBe(before["etc/kernel/cmdline"]);
  });

  describe("without /etc/kernel/cmdline, where a new kernel's entry copies what the running one was given,", () => {
    const onHpetWithTsc = () =>
      host.write("sys/devices/system/clocksource/clocksource0/available_clocksource", "hpet tsc \n");
    const proved = (plan: string) => JSON.parse(host.run(["prove"], plan).stdout).bootParametersPersistent;

    test("parameters that are in all entries and not live are not persistent", () => {
      start("amazon-linux-2023");
      const never = plans.boot.replace("to-prove", "never");
      host.converge(never);
      const run = host.run(["prove"], never);
      expect(run.stderr).toContain(
        `right until the next kernel update only: ${host.path("proc/cmdline")}, from which a new kernel gets its parameters, is without ${parameters}`,
      );
      expect(host.run(["status"], "").stdout).toContain("next  pending reboot");
      // What the naive check would have missed.
      host.installKernel("6.99.0");
      expect(host.commandLines().filter((line) => !line.includes(parameters))).toHaveLength(1);
      host.converge(never);
      host.reboot();
      expect(proved(never)).toBe(true);
    });

    test("a running kernel that could switch by itself is rebooted all the same by policy if-needed", () => {
      start("amazon-linux-2023");
      onHpetWithTsc();
      const ifNeeded = plans.boot.replace("to-prove", "if-needed");
      expect(host.converge(ifNeeded).stdout).toContain("converged-reboot=ordered");
      host.reboot();
      host.installKernel("6.99.0");
      expect(proved(ifNeeded)).toBe(true);
    });

    test("and with it such a kernel is switched", () => {
      start("amazon-linux-2023");
      host.write("etc/kernel/cmdline", "root=UUID=1234 ro quiet\n");
      onHpetWithTsc();
      const ifNeeded = plans.boot.replace("to-prove", "if-needed");
      expect(host.converge(ifNeeded).stdout).toContain("converged-reboot=none");
      host.installKernel("6.99.0");
      expect(proved(ifNeeded)).toBe(true);
    });
  });

  test("a kernel command line that a package has brought is not changed; ours comes before it, and goes again", () => {
    start("amazon-linux-2023");
    host.write("usr/lib/kernel/cmdline", "ro quiet\n");
    const before = host.snapshot();
    host.converge(plans.boot);
    expect(host.read("etc/kernel/cmdline")).toBe(`ro quiet ${parameters}\n`);
    expect(host.run(["revert"], plans.boot).status).toBe(0);
    expect(host.snapshot()).toEqual(before);
  });

  // Where the file system of this computer has such things.
  test.each(names)("what a file has beside its mode and owner, as SELinux's label, stays with it on %s", (name) => {
    start(name);
    const files = ["etc/default/grub", ...(host.system.bls ? host.entryFiles() : [host.grubCfg])];
    const labels = () => files.map((file) => labelOf(host.path(file)));
    for (const file of files) labelOf(host.path(file), `of ${file}`);
    const before = labels();
    host.converge(plans.boot);
    expect(labels()).toEqual(before);
    expect(host.run(["revert"], plans.boot).status).toBe(0);
    expect(labels()).toEqual(before);
  });

  test("an entry of another system is not touched, one without options gets some", () => {
    start("amazon-linux-2023");
    host.write("boot/loader/entries/windows.conf", "title Windows\nefi /EFI/windows.efi\noptions x\n");
    host.write("boot/loader/entries/bare.conf", "title bare\nlinux /boot/vmlinuz-6.1\n");
    const before = host.snapshot();
    host.converge(plans.boot);
    expect(host.read("boot/loader/entries/windows.conf")).toBe("title Windows\nefi /EFI/windows.efi\noptions x\n");
    expect(host.read("boot/loader/entries/bare.conf")).toContain(`\noptions ${parameters}\n`);
    expect(host.run(["revert"], plans.boot).status).toBe(0);
    expect(host.snapshot()).toEqual(before);
  });

  test("a GRUB that does not read the entries is refused", () => {
    start("amazon-linux-2023");
    host.write(host.grubCfg, "menuentry x {\n\tlinux /boot/vmlinuz\n}\n");
    expect(host.run(["converge"], plans.boot).stderr).toContain("does not read the entries");
  });

  test("a host that was mended after a reboot without the parameters is rebooted for what it boots by now", () => {
    start("amazon-linux-2023");
    host.converge(plans.boot);
    host.write("proc/sys/kernel/random/boot_id", "22222222-2222-4222-8222-222222222222\n");
    host.remove("run/timebase.reboot");
    expect(host.run(["converge"], plans.boot).stderr).toContain("it was rebooted for");
    host.write(`boot/loader/entries/new.conf`, "linux /boot/vmlinuz-9\noptions ro\n");
    expect(host.converge(plans.boot).stdout).toContain("converged-reboot=ordered");
  });

  test.each(names)("chrony of %s: its own file, service and drift; not touched by package tools", (name) => {
    start(name);
    const before = host.snapshot();
    host.converge(plans.time);
    expect(host.read("etc/chrony.conf")).toContain("\ndriftfile /var/lib/chrony/drift\n");
    expect(host.calls()).toContain("systemctl restart chronyd");
    host.chrony(synchronised);
    expect(host.run(["prove"], plans.time)).toMatchObject({ status: 0 });
    expect(host.run(["revert"], plans.time).status).toBe(0);
    expect(host.snapshot()).toEqual(before);
    expect(host.calls().filter((call) => /^(yum|dnf)/.test(call))).toEqual([]);
  });

  const withoutChrony = (name: string) => {
    start(name);
    for (const file of ["etc/chrony.conf", "etc/chrony.keys", "fake/packages/chrony", "fake/units/chronyd.service"])
      host.remove(file);
  };

  test.each(names)("a chrony that %s lacks is installed, and goes without a trace", (name) => {
    withoutChrony(name);
    const before = host.snapshot();
    host.converge(plans.time);
    expect(host.read("fake/units/chronyd.service")).toBe("enabled active\n");
    host.write("var/lib/chrony/drift", "1.0 0.1\n");
    const run = host.run(["revert"], plans.time);
    expect(run.status, run.stderr).toBe(0);
    expect(host.snapshot()).toEqual(before);
    const calls = host.calls().filter((call) => /^(yum|dnf)/.test(call));
    expect(calls.map((call) => call.replace(/ .* (?=install|remove)/, " "))).toEqual(
      ["install", "remove"].map((verb) => `${name === "amazon-linux-2" ? "yum" : "dnf"} ${verb} chrony`),
    );
    for (const call of calls) expect(call).toContain("--setopt=exit_on_lock=True");
  });

  test("a configuration that was there without its package is the user's, before and after", () => {
    withoutChrony("amazon-linux-2");
    host.write("etc/chrony.conf", "server mine.example\n");
    const before = host.snapshot();
    host.converge(plans.time);
    expect(host.exists("etc/chrony.conf.rpmnew")).toBe(true);
    expect(host.run(["revert"], plans.time).status).toBe(0);
    host.remove("var/lib/chrony");
    expect(host.snapshot()).toEqual(before);
  });

  test("revert takes no package away that needs chrony", () => {
    withoutChrony("amazon-linux-2023");
    host.converge(plans.time);
    host.write("fake/packages/mine", "");
    host.write("fake/needs-chrony", "mine");
    expect(host.run(["revert"], plans.time).stderr).toContain("removing chrony would remove mine too");
    expect(host.exists("fake/packages/chrony")).toBe(true);
  });

  test("a package tool that ends well and installs nothing is noticed; one that fails says what to do", () => {
    withoutChrony("amazon-linux-2");
    host.write("fake/rpm-does-nothing", "");
    expect(host.run(["converge"], plans.time).stderr).toContain(
      "yum says that it has installed chrony, and it is not there",
    );
    host.remove("fake/rpm-does-nothing");
    host.write("fake/rpm-fails", "");
    const failed = host.run(["converge"], plans.time).stderr;
    expect(failed).toContain("Cannot find a valid baseurl");
    expect(failed).toContain("what to do: check the mirror that this host gets its packages from");
  });

  test("a chrony that is too old for this toolkit is refused before anything is changed", () => {
    start("amazon-linux-2");
    host.write("fake/chrony-version", "3.5");
    const before = host.snapshot();
    const run = host.run(["converge"], plans.all);
    expect(run.status).toBe(1);
    expect(run.stderr).toContain("chronyd (chrony) version 3.5");
    expect(run.stderr).toContain("what to do: update it: yum update chrony");
    expect(host.snapshot()).toEqual(before);
  });
});

test("the lock of the package tools is waited for, and the wait is told", () => {
  const host = new FakeHost("dash", "amazon-linux-2");
  for (const file of ["etc/chrony.conf", "fake/packages/chrony"]) host.remove(file);
  host.write("fake/rpm-locked", "");
  expect(host.converge(plans.time).stderr).toContain(
    "waiting for the package manager, held by another program, 0 of 600 s",
  );
  expect(host.exists("fake/packages/chrony")).toBe(true);
  host.destroy();
}, 60000);

test("who holds yum for ever is named, after a limit, before anything is changed", async () => {
  const host = new FakeHost("dash", "amazon-linux-2");
  for (const file of ["etc/chrony.conf", "fake/packages/chrony"]) host.remove(file);
  host.write("run/yum.pid", "700\n");
  host.process(700, "yum");
  const before = host.snapshot();
  const running = host.start(["converge"], plans.all);
  await running.until("waiting for the package manager");
  host.write("proc/uptime", "750.00 1.00\n");
  const { status, stderr } = await running;
  expect(status).toBe(1);
  expect(stderr).toContain("waiting for the package manager, held by yum (process 700, /run/yum.pid), 0 of 600 s");
  expect(stderr).toContain("the package manager has been locked for 650 s by yum (process 700");
  expect(host.snapshot()).toEqual(before);
  host.remove("proc/700");
  host.converge(plans.time);
  host.destroy();
}, 60000);
