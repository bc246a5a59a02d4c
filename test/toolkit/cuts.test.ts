import fs from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { FakeHost, plans } from "./FakeHost";
import { shells } from "./shells";

const conf = "etc/chrony/chrony.conf";
const later = plans.time.replace("10.77.0.1", "10.77.0.2");

// Between the record of what is written and the write, a file is as it was before, which is no change of the user's.
describe.each(shells)("a write that is cut, under %s,", (shell) => {
  let host: FakeHost;
  afterEach(() => host.destroy());

  /** A converge that is killed when it is about to put this file in its place. */
  const cutAt = (file: string, plan: string) => {
    host.meanwhile("sync", `case "$*" in "$TIMEBASE_ROOT"/${file}.timebase-new) cut ;; esac`);
    expect(host.run(["converge"], plan).status).toBe(null);
    host.remove("fake/bin");
  };
  const kept = () => fs.readdirSync(host.path("etc/chrony")).filter((name) => name.includes("kept-by"));

  test.each([
    ["the first one, over what the package has brought", []],
    ["a second one", [plans.time]],
    ["a third one, after a second one that was cut", [plans.time, "cut"]],
  ])("%s, is gone on with: nothing is taken for the user's", (_which, done) => {
    for (const next of ["converge", "revert"]) {
      host = new FakeHost(shell);
      const before = host.snapshot();
      for (const plan of done) {
        if (plan === "cut") cutAt(conf, plans.time.replace("10.77.0.1", "10.77.0.3"));
        else host.converge(plan);
      }
      cutAt(conf, later);
      expect(host.run(["status"], "").stdout).not.toContain("somebody else");
      if (next === "converge") {
        expect(host.converge(later).stderr).not.toContain("somebody else");
        expect(host.read(conf)).toContain("server 10.77.0.2");
        expect(kept()).toEqual([]);
      }
      const run = host.run(["revert"], later);
      expect(run.status, run.stderr).toBe(0);
      expect(run.stderr).not.toContain("somebody else");
      expect(host.snapshot()).toEqual(before);
      if (next === "converge") host.destroy();
    }
  });

  test("over a change of the user's, keeps the change, once", () => {
    host = new FakeHost(shell);
    host.converge(plans.time);
    fs.appendFileSync(host.path(conf), "server added.by.somebody\n");
    cutAt(conf, later);
    host.converge(later);
    expect(kept()).toEqual(["chrony.conf.kept-by-timebase"]);
    expect(host.read(`${conf}.kept-by-timebase`)).toContain("added.by.somebody");
    // Also when he puts it back.
    fs.renameSync(host.path(`${conf}.kept-by-timebase`), host.path(conf));
    host.converge(later);
    expect(host.read(`${conf}.kept-by-timebase`)).toContain("added.by.somebody");
  });

  test.each(["amazon-linux-2", "amazon-linux-2023"])(
    "of other parameters into a boot entry of %s, leaves none of the earlier ones to the user",
    (system) => {
      for (const next of ["converge", "revert"]) {
        host = new FakeHost(shell, system);
        const before = host.snapshot();
        host.converge(plans.boot);
        host.reboot();
        const other = plans.boot.replace("tsc=reliable", "tsc=nowatchdog");
        cutAt(host.system.bls ? (host.entryFiles()[0] as string) : host.grubCfg, other);
        if (next === "converge") {
          host.converge(other);
          for (const line of host.commandLines()) expect(line).not.toContain("tsc=reliable");
        }
        expect(host.run(["revert"], other).status).toBe(0);
        expect(host.snapshot()).toEqual(before);
        if (next === "converge") host.destroy();
      }
    },
  );

  test("of GRUB's configuration, by the program that makes it, leaves nothing beside it", () => {
    host = new FakeHost(shell);
    const before = host.snapshot();
    host.meanwhile("grub-mkconfig", 'for file in "$2" "$2.new"; do echo half >"$file"; done; cut; exit 1');
    expect(host.run(["converge"], plans.boot).status).toBe(null);
    host.remove("fake/bin");
    expect(host.run(["revert"], plans.boot).status).toBe(0);
    expect(host.snapshot()).toEqual(before);
  });

  test("of GRUB's configuration, by a program that goes on all the same, does not get into the next one", () => {
    host = new FakeHost(shell);
    const before = host.snapshot();
    // The first one writes just when the second one has made its own.
    host.meanwhile(
      "grub-mkconfig",
      `first=$TIMEBASE_ROOT/fake/first
if [ -e "$first" ]; then
  grub-mkconfig "$@"
  echo half >"$(cat "$first")"
  exit 0
fi
echo "$2" >"$first"
cut; exit 1`,
    );
    expect(host.run(["converge"], plans.boot).status).toBe(null);
    host.converge(plans.boot);
    for (const line of host.commandLines()) expect(line).toContain("clocksource=tsc");
    expect(host.run(["revert"], plans.boot).status).toBe(0);
    expect(host.snapshot()).toEqual(before);
  });

  // grub2-mkconfig makes it anew, from GRUB's defaults, where it is the older one.
  test.each([
    ["newer", "ro mine=1"],
    ["older", "root=UUID=1234 ro"],
  ])("of GRUB's defaults leaves a kernel command line that is %s than them as it is to them", (which, content) => {
    host = new FakeHost(shell, "amazon-linux-2023");
    host.write("etc/kernel/cmdline", "ro mine=1\n");
    const defaults = host.read("etc/default/grub");
    host.converge(plans.boot);
    // Put back from somewhere, with its time.
    host.write("etc/default/grub", defaults);
    const seconds = which === "newer" ? -60 : 60;
    const time = fs.statSync(host.path("etc/kernel/cmdline")).mtimeMs / 1000 + seconds;
    fs.utimesSync(host.path("etc/default/grub"), time, time);
    host.meanwhile("sync", `case "$*" in "$TIMEBASE_ROOT"/etc/default) cut ;; esac`);
    expect(host.run(["converge"], plans.boot).status).toBe(null);
    host.remove("fake/bin");
    expect(host.read("etc/default/grub")).not.toBe(defaults);
    host.converge(plans.boot);
    host.regenerate();
    expect(host.read("etc/kernel/cmdline")).toContain(content);
  });
});
