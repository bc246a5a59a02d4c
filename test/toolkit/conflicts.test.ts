import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeHost, overriding, parameters, plans } from "./FakeHost";
import { shells } from "./shells";

const override = overriding(plans.boot);
const mine = "etc/default/grub.d/60-mine.cfg";
const commandLine = "proc/cmdline";

describe.each(shells)("a parameter of the user's, under %s,", (shell) => {
  let host: FakeHost;
  beforeEach(() => {
    host = new FakeHost(shell);
  });
  afterEach(() => host.destroy());

  const refused = (plan: string, error: string) => {
    const before = host.snapshot();
    const run = host.run(["converge"], plan);
    expect(run.status).toBe(1);
    expect(run.stderr).toContain(error);
    expect(host.snapshot()).toEqual(before);
  };

  test.each([
    ["in a drop-in", mine, '# mine\nGRUB_CMDLINE_LINUX_DEFAULT="quiet clocksource=hpet"\n', 2, "clocksource=hpet"],
    ["without quotes", mine, "GRUB_CMDLINE_LINUX=clocksource=kvm-clock\n", 1, "clocksource=kvm-clock"],
    ["on a continued line", mine, 'GRUB_CMDLINE_LINUX="a \\\nclocksource=hpet"\n', 2, "clocksource=hpet"],
    ["after a # that is no comment", mine, 'GRUB_CMDLINE_LINUX="a#b clocksource=hpet"\n', 1, "clocksource=hpet"],
    ["after a quoted #", mine, "GRUB_CMDLINE_LINUX='a # clocksource=hpet'\n", 1, "clocksource=hpet"],
    ["by its old name", "etc/default/grub", "\nGRUB_CMDLINE_LINUX='clock=pmtmr'", 2, "clock=pmtmr"],
    ["that appends", mine, 'export GRUB_CMDLINE_LINUX+=" clocksource=acpi_pm"\n', 1, "clocksource=acpi_pm"],
  ])("%s, is named with file and line", (_, file, text, line, word) => {
    host.write(file, text);
    refused(plans.boot, `${host.path(file)}, line ${line}: ${word}: a boot parameter of yours contradicts`);
  });

  test.each([
    ["the same, its value in quotes", "GRUB_CMDLINE_LINUX=clocksource='tsc'\n"],
    ["a comment", "# GRUB_CMDLINE_LINUX=clocksource=hpet\nGRUB_TIMEOUT=5 # not clocksource=hpet\n"],
    ["the same", 'GRUB_CMDLINE_LINUX_DEFAULT="clocksource=tsc"\n'],
    ["what tsc= adds up with", 'GRUB_CMDLINE_LINUX_DEFAULT="tsc=nowatchdog tsc=noirqtime tsc=recalibrate"\n'],
    ["a name that only ends alike", 'GRUB_CMDLINE_LINUX="my.clocksource=hpet xtsc=unstable"\n'],
  ])("%s is no conflict, and the proof holds beside it", (_, text) => {
    host.write(mine, text);
    host.converge(plans.boot);
    host.reboot();
    expect(host.run(["prove"], plans.boot)).toMatchObject({ status: 0 });
  });

  test.each([
    ["continues in the middle", 'GRUB_CMDLINE_LINUX="a clock\\\nsource=hpet"\n'],
    ["is half in quotes", "GRUB_CMDLINE_LINUX=clock'source=hpet'\n"],
    ["has a variable in it", 'x=source\nGRUB_CMDLINE_LINUX="clock$x=hpet"\n'],
    ["is what a command prints", 'GRUB_CMDLINE_LINUX_DEFAULT="quiet $(echo clock)source=hpet"\n'],
    [
      "is for a system that lsb_release names",
      "[ `lsb_release -i -s` = Debian ] && GRUB_CMDLINE_LINUX=clock''source=hpet\n",
    ],
    [
      "is for one that it names by itself",
      "[ `lsb_release -c -s` = bookworm ] && GRUB_CMDLINE_LINUX=clock''source=hpet\n",
    ],
  ])("that %s, is found where the shell has put it together", (_, text) => {
    host.meanwhile("lsb_release", "echo bookworm; exit");
    host.write(mine, text);
    refused(plans.boot, `${host.path(mine)}, sourced by sh: clocksource=hpet: a boot parameter of yours contradicts`);
    host.converge(override);
  });

  test("is looked for without the lsb_release that GRUB's file asks for a title", () => {
    host.meanwhile("lsb_release", `: >${host.path("asked")}; exit`);
    const ask = "GRUB_DISTRIBUTOR=`lsb_release -i -s 2> /dev/null || echo Debian`\n";
    host.write("etc/default/grub", ask);
    host.converge(plans.boot);
    host.remove("asked"); // grub-mkconfig has asked
    host.converge(plans.boot);
    expect(host.exists("asked")).toBe(false);
    host.write("etc/default/grub", `${ask}lsb_release -a\n`);
    host.converge(plans.boot);
    expect(host.exists("asked")).toBe(true);
  });

  test("that comes while somebody else is waited for, is found all the same", async () => {
    host.holdPackages();
    const before = host.snapshot();
    const running = host.start(["converge"], plans.boot);
    await running.until("waiting for the package manager");
    host.write(mine, 'GRUB_CMDLINE_LINUX="clocksource=hpet"\n');
    host.write("proc/locks", "");
    const { status, stderr } = await running;
    expect([status, stderr]).toEqual([1, expect.stringContaining("60-mine.cfg, line 1: clocksource=hpet")]);
    host.remove(mine);
    expect(host.snapshot()).toEqual(before);
  });

  // The naive rule, that the last of a key wins, passes in the first case and fails in the second.
  test.each([
    ["tsc=unstable tsc=reliable clocksource=tsc", 1],
    ["notsc tsc=reliable clocksource=tsc", 1],
    ["tsc=reliable clocksource=tsc clock=hpet", 1],
    ["tsc=reliable tsc=nowatchdog clock=pmtmr clocksource=tsc", 0],
    ["-- clocksource=tsc tsc=reliable", 1],
    ["clocksource=tsc -- tsc=reliable", 1],
    ["clocksource=tsc tsc=reliable -- clocksource=hpet notsc", 0],
  ])("on the running kernel: %s", (words, status) => {
    host.converge(plans.boot);
    host.reboot();
    host.write(commandLine, `root=/dev/vda1 ${words}\n`);
    const run = host.run(["prove"], plans.boot);
    expect(run.status).toBe(status);
    expect(JSON.parse(run.stdout).bootParametersLive).toBe(status === 0);
  });

  test("override puts ours last into every entry, and the revert gives theirs back", () => {
    host.write(mine, 'GRUB_CMDLINE_LINUX="clocksource=hpet"\nGRUB_CMDLINE_LINUX_DEFAULT="quiet clocksource=acpi_pm"\n');
    host.regenerate();
    const before = host.snapshot();
    host.converge(override);
    const entries = host.read("boot/grub/grub.cfg").match(/linux\s.*vmlinuz.*/g) ?? [];
    expect(entries).toHaveLength(2);
    for (const entry of entries) {
      const last = entry
        .split(/\s+/)
        .filter((word) => word.startsWith("clocksource="))
        .at(-1);
      expect(last).toBe("clocksource=tsc");
    }
    expect(entries[0]).toContain(`quiet clocksource=acpi_pm ${parameters}`);
    host.reboot();
    expect(host.run(["prove"], override)).toMatchObject({ status: 0 });
    expect(host.run(["revert"], override)).toMatchObject({ status: 0 });
    expect(host.snapshot()).toEqual(before);
    expect(host.read("boot/grub/grub.cfg")).toContain("quiet clocksource=acpi_pm");
  });

  test("taking override away makes the conflict an error again, and leaves the host as it is", () => {
    host.write(mine, 'GRUB_CMDLINE_LINUX="clocksource=hpet"\n');
    host.converge(override);
    host.reboot();
    refused(plans.boot, "60-mine.cfg, line 1: clocksource=hpet");
  });

  test.each(["tsc=unstable", "notsc"])("%s is refused even with override: no order takes it back", (word) => {
    host.write(mine, `GRUB_CMDLINE_LINUX="${word}"\n`);
    refused(override, `line 1: ${word}: a boot parameter of yours makes "${parameters}" void`);
  });

  test("on the running kernel that is in no file is named; override reboots it away", () => {
    host.write(commandLine, "root=/dev/vda1 clocksource=acpi_pm\n");
    refused(plans.boot, "the running kernel was booted with clocksource=acpi_pm");
    expect(host.converge(override).stdout).toContain("converged-reboot=ordered");
  });

  test("parameters that somebody adds in the meantime stay at the revert", () => {
    host.converge(plans.boot);
    host.reboot();
    host.write("etc/default/grub.d/70-theirs.cfg", 'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX mitigations=off"\n');
    host.write(
      "etc/default/grub",
      `${host.read("etc/default/grub")}\nGRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX iommu=pt"\n`,
    );
    expect(host.run(["revert"], plans.boot)).toMatchObject({ status: 0 });
    for (const entry of host.read("boot/grub/grub.cfg").match(/linux\s.*vmlinuz.*/g) ?? []) {
      expect(entry).toContain("audit=0 iommu=pt mitigations=off");
      expect(entry).not.toContain("tsc");
    }
  });
});

// What follows it is init's: whoever puts ours at the end of the line finds it there, and the kernel does not.
describe("a -- of the user's", () => {
  let host: FakeHost;
  const start = (system: string) => {
    host = new FakeHost("dash", system);
  };
  afterEach(() => host.destroy());
  const entry = (words: string) => {
    const file = host.system.bls ? (host.entryFiles()[1] as string) : host.grubCfg;
    host.write(
      file,
      host.read(file).replace(host.system.bls ? /^(options .*)$/m : /^(\s*linux\s+\S*vmlinuz.*)$/m, `$1 ${words}`),
    );
    return file;
  };
  const defaults = (text: string) => {
    host.write("etc/default/grub", text);
    return "etc/default/grub";
  };
  const cmdline = () => {
    host.write("etc/kernel/cmdline", "root=UUID=1234 ro -- 3\n");
    return "etc/kernel/cmdline";
  };

  test.each<[string, string, () => string]>([
    ["debian-12", "the defaults", () => defaults('GRUB_CMDLINE_LINUX="audit=0 -- 3"\n')],
    ["debian-12", "a continued line", () => defaults('GRUB_CMDLINE_LINUX="a \\\n-- 3"\n')],
    ["amazon-linux-2", "what comes before ours", () => defaults("GRUB_CMDLINE_LINUX='-- 3'\n")],
    ["amazon-linux-2", "the defaults", () => defaults("GRUB_CMDLINE_LINUX_DEFAULT='-- 3'\n")],
    ["amazon-linux-2", "an entry", () => entry("-- 3")],
    ["amazon-linux-2", "an entry, half given", () => entry("clocksource=tsc -- tsc=reliable")],
    ["amazon-linux-2023", "the defaults", () => defaults("GRUB_CMDLINE_LINUX='-- 3'\n")],
    ["amazon-linux-2023", "an entry", () => entry("-- 3")],
    ["amazon-linux-2023", "the kernel's command line", () => cmdline()],
  ])("on %s in %s is refused with file and line before anything is changed", (system, _place, put) => {
    start(system);
    const file = host.path(put());
    const before = host.snapshot();
    for (const plan of [plans.boot, override]) {
      const run = host.run(["converge"], plan);
      expect(run.status).toBe(1);
      expect(run.stderr).toMatch(/, line \d+: --: what follows it is init's/);
      expect(run.stderr).toContain(`${file}, line `);
      expect(run.stderr).toContain("what to do: put these parameters before it there");
      expect(host.snapshot()).toEqual(before);
    }
  });

  test.each<[string, string, () => string]>([
    ["debian-12", "comes after ours", () => defaults('GRUB_CMDLINE_LINUX_DEFAULT="quiet -- 3"\n')],
    [
      "debian-12",
      "is no boot parameter",
      () => defaults(': -- a\nGRUB_TERMINAL="-- x"\n# GRUB_CMDLINE_LINUX="-- 3"\n'),
    ],
    ["debian-12", "is only part of a word", () => defaults("GRUB_CMDLINE_LINUX='--x a=-- 3'\n")],
    ["amazon-linux-2", "has ours before it", () => entry(`${parameters} -- clocksource=hpet`)],
    ["amazon-linux-2023", "has ours before it", () => entry(`${parameters} -- clocksource=hpet`)],
  ])("on %s that %s is none, and the proof holds, also after another converge", (system, _what, put) => {
    start(system);
    put();
    host.converge(plans.boot);
    host.reboot();
    host.regenerate();
    host.converge(plans.boot);
    const run = host.run(["prove"], plans.boot);
    expect(run.status, run.stderr).toBe(0);
  });

  test.each(["debian-12", "amazon-linux-2", "amazon-linux-2023"])(
    "on %s, put before ours into an entry, is found by the proof",
    (system) => {
      start(system);
      host.converge(plans.boot);
      host.reboot();
      for (const file of host.system.bls ? host.entryFiles() : [host.grubCfg])
        host.write(file, host.read(file).replaceAll(` ${parameters}`, ` -- ${parameters}`));
      const run = host.run(["prove"], plans.boot);
      expect(run.status).toBe(1);
      expect(run.stderr).toMatch(/FAIL {2}boot.persistent .* without clocksource=tsc tsc=reliable/);
    },
  );
});

// Those of each boot loader are in the matrix of systems.
describe("where the boot loader does not look", () => {
  test.each([
    ["amazon-linux-2", "etc/default/grub.d/60-mine.cfg", "GRUB_CMDLINE_LINUX=clocksource=hpet\n"],
    ["amazon-linux-2", "boot/loader/entries/a.conf", "linux /boot/vmlinuz\noptions clocksource=hpet\n"],
    ["debian-12", "boot/loader/entries/a.conf", "linux /boot/vmlinuz\noptions clocksource=hpet\n"],
    ["amazon-linux-2023", "boot/loader/entries/a.conf", "title other\nefi /x.efi\noptions clocksource=hpet\n"],
    ["amazon-linux-2023", "boot/loader/entries/a.conf", "title clocksource=hpet\nlinux /boot/vmlinuz\n"],
  ])("on %s, %s is no conflict", (system, file, text) => {
    const host = new FakeHost("dash", system);
    host.write(file, text);
    host.converge(plans.boot);
    host.destroy();
  });

  test("on amazon-linux-2 an entry of the user's own script is none, on amazon-linux-2023 GRUB's environment is one", () => {
    const own = new FakeHost("dash", "amazon-linux-2");
    const entry = "menuentry 'clocksource=hpet' {\n\tlinux /boot/vmlinuz-mine clocksource=hpet\n}\n";
    const text = `${own.read(own.grubCfg)}### BEGIN /etc/grub.d/40_custom ###\n${entry}### END /etc/grub.d/40_custom ###\n`;
    own.write(own.grubCfg, text);
    own.converge(plans.boot);
    expect(own.read(own.grubCfg)).toContain(entry);
    own.destroy();
    const host = new FakeHost("dash", "amazon-linux-2023");
    host.write("boot/grub2/grubenv", "# GRUB Environment Block\nkernelopts=clocksource=xen ro\n");
    expect(host.run(["converge"], plans.boot).stderr).toContain("boot/grub2/grubenv, line 2: clocksource=xen");
    host.destroy();
  });
});
