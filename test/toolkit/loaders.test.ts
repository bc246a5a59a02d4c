import fs from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeHost, type Firmware, overriding, plans, synchronised } from "./FakeHost";
import { blsFolder } from "./systems";

// What the user has and what others do, with each boot loader.
const rows = ["debian-12", "amazon-linux-2", "amazon-linux-2023"].flatMap((name) =>
  (["bios", "efi"] satisfies Firmware[]).map((firmware) => ({ name, firmware })),
);

const third = "33333333-3333-4333-8333-333333333333";

describe.each(rows)("$name, $firmware", ({ name, firmware }) => {
  let host: FakeHost;
  beforeEach(() => {
    host = new FakeHost(name.startsWith("amazon") ? "bash" : "dash", name, firmware);
  });
  afterEach(() => host.destroy());

  /** Every place from which this boot loader takes parameters, with a contradiction put into it. */
  const places: Record<string, () => string> = {
    "etc/default/grub": () => {
      fs.appendFileSync(
        host.path("etc/default/grub"),
        '\nGRUB_CMDLINE_LINUX_DEFAULT="tsc=nowatchdog clocksource=hpet"\n',
      );
      return "etc/default/grub";
    },
  };
  const dropins = !name.startsWith("amazon");
  const bls = name === "amazon-linux-2023";
  /** Where the parameters of an entry begin. */
  const parameters = bls ? /^options /m : /^\s*linux\s+\S*vmlinuz\S*\s/m;
  if (dropins) {
    places["etc/default/grub.d"] = () => {
      host.write(
        "etc/default/grub.d/60-mine.cfg",
        '# mine\nGRUB_CMDLINE_LINUX_DEFAULT="tsc=nowatchdog clocksource=hpet"\n',
      );
      return "etc/default/grub.d/60-mine.cfg";
    };
  } else {
    places.entries = () => {
      const file = bls ? (host.entryFiles()[1] as string) : host.grubCfg;
      host.write(file, host.read(file).replace(parameters, "$&tsc=nowatchdog clocksource=hpet "));
      return file;
    };
  }
  if (bls) {
    places["etc/kernel/cmdline"] = () => {
      host.write("etc/kernel/cmdline", "root=UUID=1234 ro tsc=nowatchdog clocksource=hpet");
      return "etc/kernel/cmdline";
    };
  }

  /** By the kernel's rule, in the naive form: the last clocksource= counts, tsc=reliable is among the others. */
  const obeyed = (line: string): boolean =>
    line.match(/\bclocksource=\S*/g)?.at(-1) === "clocksource=tsc" && /(^|\s)tsc=reliable(\s|$)/.test(line);

  test.each(Object.keys(places))(
    "a contradiction in %s is refused with file and line, overridden, and given back",
    (place) => {
      const file = (places[place] as () => string)();
      if (dropins) host.regenerate();
      const line =
        host
          .read(file)
          .split("\n")
          .findIndex((text) => text.includes("clocksource=hpet")) + 1;
      const before = host.snapshot();
      const refused = host.run(["converge"], plans.boot);
      expect(refused.status).toBe(1);
      expect(refused.stderr).toContain(`${host.path(file)}, line ${line}: clocksource=hpet: a boot parameter of yours`);
      expect(host.snapshot()).toEqual(before);

      const theirs = host.commandLines().filter((text) => text.includes("tsc=nowatchdog clocksource=hpet")).length;
      host.converge(overriding(plans.boot));
      for (const text of host.commandLines()) expect(obeyed(text), text).toBe(true);
      // Nothing of theirs was replaced.
      expect(host.commandLines().filter((text) => text.includes("tsc=nowatchdog clocksource=hpet"))).toHaveLength(
        theirs,
      );
      host.reboot();
      const proof = host.run(["prove"], overriding(plans.boot));
      expect(proof.status, proof.stderr).toBe(0);
      const written = host.writes();
      host.converge(overriding(plans.boot));
      expect(host.writes()).toEqual(written);
      expect(host.run(["revert"], plans.boot).status).toBe(0);
      expect(host.snapshot()).toEqual(before);

      host.converge(overriding(plans.boot));
      host.reboot();
      host.installKernel("6.99.0");
      host.regenerate();
      fs.appendFileSync(host.path("etc/default/grub"), "\n# theirs\n");
      for (const text of host.commandLines()) expect(obeyed(text), text).toBe(true);
      expect(host.run(["prove"], overriding(plans.boot)).status).toBe(0);
      const reverted = host.run(["revert"], plans.boot);
      expect(reverted.status, reverted.stderr).toBe(0);
      expect(host.read(file)).toContain(place === "entries" ? "" : "tsc=nowatchdog clocksource=hpet");
      for (const text of host.commandLines()) expect(text).not.toMatch(/clocksource=tsc|tsc=reliable/);
      expect(host.read("etc/default/grub")).not.toMatch(/timebase|clocksource=tsc/);
    },
    120_000,
  );

  test("what the kernel obeys wherever it stands is refused even with override", () => {
    const file = (places["etc/default/grub"] as () => string)();
    host.write(file, host.read(file).replace("tsc=nowatchdog", "tsc=unstable"));
    expect(host.run(["converge"], overriding(plans.boot)).stderr).toContain(
      ': tsc=unstable: a boot parameter of yours makes "',
    );
  });

  test("what lives beside ours is no contradiction, and stays", () => {
    const file = (places[dropins ? "etc/default/grub.d" : "entries"] as () => string)();
    host.write(file, host.read(file).replace("tsc=nowatchdog clocksource=hpet", "tsc=nowatchdog tsc=noirqtime"));
    if (dropins) host.regenerate();
    host.converge(plans.boot);
    expect(host.commandLines().filter((text) => text.includes("tsc=nowatchdog tsc=noirqtime"))).not.toHaveLength(0);
    for (const text of host.commandLines()) expect(obeyed(text), text).toBe(true);
    host.reboot();
    expect(host.run(["prove"], plans.boot).status).toBe(0);
  });

  test("an entry that was marked unstable by the user is not obeyed, whatever stands last", () => {
    host.converge(plans.boot);
    for (const entry of bls ? host.entryFiles() : [host.grubCfg])
      host.write(entry, host.read(entry).replace(parameters, "$&notsc "));
    expect(host.run(["prove"], plans.boot).stderr).toMatch(/FAIL {2}boot.persistent .* without tsc=reliable/);
  });

  test("a /boot that is read-only, or full, is refused before anything is changed", () => {
    const folder = bls ? blsFolder : path.dirname(host.grubCfg);
    const probe = `${folder}/.timebase-writable`;
    fs.mkdirSync(host.path(probe));
    const before = host.snapshot();
    const run = host.run(["converge"], plans.all);
    expect(run.status).toBe(1);
    expect(run.stderr).toContain(`${host.path(folder)} cannot be written to`);
    expect(host.snapshot()).toEqual(before);
    fs.rmdirSync(host.path(probe));
    host.write("fake/df", `/${folder} 12\n`);
    const full = host.run(["converge"], plans.all);
    expect(full.stderr).toContain(`the file system of ${host.path(folder)} is full: 12 KiB are free`);
    host.remove("fake/df");
  });

  test("a revert that reboots proves that the old boot is back", () => {
    const before = host.snapshot();
    expect(host.run(["before", "record"], plans.boot).status).toBe(0);
    host.converge(plans.boot);
    host.reboot();
    const reverted = host.run(["revert", "--reboot", "record"], plans.boot);
    expect(reverted.status, reverted.stderr).toBe(0);
    expect(reverted.stderr).not.toContain("keeps its boot parameters");
    expect(host.run(["reverted", "record"], plans.boot).stderr).toContain("FAIL  boot.rebooted");
    host.reboot(third);
    const proof = host.run(["reverted", "record"], plans.boot);
    expect(proof.status, proof.stderr).toBe(0);
    expect(proof.stderr).toContain("ok    clocksource.restored     hpet");
    expect(host.snapshot()).toEqual(before);
  });

  test("status tells what others have made of our files, and what a revert does to each", () => {
    host.converge(plans.boot);
    host.reboot();
    host.chrony(synchronised);
    const clean = host.run(["status"], "");
    expect(clean.status, clean.stdout).toBe(0);
    expect(clean.stdout).not.toContain("drift");
    const { future } = host.system;
    expect(clean.stdout).toContain(`  undo  ${dropins ? "removes" : "restores"} ${host.path(future)}\n`);
    if (!dropins) {
      const entries = bls ? host.entryFiles() : [host.grubCfg];
      for (const entry of entries) expect(clean.stdout).toContain(`  undo  restores ${host.path(entry)}\n`);
    }
    fs.appendFileSync(host.path(future), "# theirs\n");
    const drifted = host.run(["status"], "");
    expect(drifted.stdout).toContain(`  drift ${host.path(future)} was changed by somebody else since`);
    // A file that stays the user's may change as long as ours is in it.
    expect(drifted.status).toBe(dropins ? 1 : 0);
    if (!dropins) expect(drifted.stdout).toContain(`  undo  takes what is ours out of ${host.path(future)}\n`);
    host.write(future, "# theirs\n");
    const lost = host.run(["status"], "");
    expect(lost.status).toBe(1);
    expect(lost.stdout).toContain("FAIL  boot.persistent");
  });
});
