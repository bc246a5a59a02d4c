import fs from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeHost, plans } from "./FakeHost";
import { shells } from "./shells";

describe.each(shells)("revert under %s", (shell) => {
  let host: FakeHost;
  beforeEach(() => {
    host = new FakeHost(shell);
  });
  afterEach(() => host.destroy());

  const converge = (plan = plans.all) => host.converge(plan);

  test("a revert where GRUB's configuration could not be made does not make it", () => {
    host.write("fake/grub-mkconfig-fails", "");
    expect(host.run(["converge"], plans.boot).status).toBe(1);
    expect(host.run(["revert"], plans.boot)).toMatchObject({ status: 0 });
  });

  test("revert gives every byte, mode and link back, and the rival", () => {
    const before = host.snapshot();
    converge();
    host.reboot();
    expect(host.run(["revert"], plans.all).status).toBe(0);
    expect(host.snapshot()).toEqual(before);
    expect(host.read("fake/units/systemd-timesyncd.service")).toBe("enabled active\n");
  });

  // Naive: a rival that is disabled and stopped is started by whoever wants it, and by `timedatectl set-ntp true`.
  test("a rival that stays installed is masked until the revert, but for one of the user's own in /etc", () => {
    for (const name of ["usr/lib/systemd/system/ntpsec.service", "etc/systemd/system/ntp.service"]) {
      host.write(name, "[Service]\n");
      host.write(`fake/units/${path.basename(name)}`, "enabled active\n");
    }
    // An instance is no file.
    host.write("fake/units/phc2sys@.service", "static inactive\n");
    host.write("fake/units/phc2sys@*.service", "enabled active\n");
    host.remove("usr/lib/systemd/system/phc2sys@*.service");
    const before = host.snapshot();
    converge(plans.time);
    expect(host.read("fake/units/ntpsec.service")).toBe("masked inactive\n");
    expect(fs.readlinkSync(host.path("etc/systemd/system/ntpsec.service"))).toBe("/dev/null");
    expect(host.read("fake/units/ntp.service")).toBe("disabled inactive\n");
    expect(host.read("fake/units/phc2sys@*.service")).toBe("masked inactive\n");
    expect(host.run(["status"], "").stdout).toContain("undo  unmasks ntpsec.service\n");
    host.forgetCalls();
    converge(plans.time);
    expect(host.calls().join()).not.toMatch(/ (mask|disable) /);
    expect(host.run(["revert"], plans.time)).toMatchObject({ status: 0 });
    expect(host.snapshot()).toEqual(before);
    for (const unit of ["ntpsec", "ntp"]) expect(host.read(`fake/units/${unit}.service`)).toBe("enabled active\n");
  });

  test("revert takes a folder away that was made for a file of ours, also when it was cut; not one that others use", () => {
    host.remove("etc/default/grub.d");
    const before = host.snapshot();
    converge(plans.boot);
    host.meanwhile("rmdir", "cut");
    expect(host.run(["revert"], plans.boot).status).toBe(null);
    host.remove("fake/bin");
    expect(host.run(["revert"], plans.boot).status).toBe(0);
    expect(host.snapshot()).toEqual(before);
    converge(plans.boot);
    host.write("etc/default/grub.d/60-mine.cfg", "# mine\n");
    expect(host.run(["revert"], plans.boot).status).toBe(0);
    expect(host.exists("etc/default/grub.d/60-mine.cfg")).toBe(true);
  });

  test("revert after a second converge keeps what the user gave GRUB in between", () => {
    host.converge(plans.boot);
    host.write("etc/default/grub.d/60-mine.cfg", 'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX mine=1"\n');
    // An entry that has lost ours makes converge make all of them anew.
    host.write(host.grubCfg, host.read(host.grubCfg).replace("clocksource=tsc", ""));
    host.converge(plans.boot);
    expect(host.run(["revert"], plans.boot).status).toBe(0);
    for (const line of host.commandLines()) {
      expect(line).toContain("mine=1");
      expect(line).not.toMatch(/\btsc/);
    }
  });

  test("revert with a chrony of the user's own gives back its configuration through its link", () => {
    host.write("fake/packages/chrony", "");
    host.write("fake/units/chrony.service", "enabled active\n");
    host.write("etc/chrony/real.conf", "pool mine.example iburst");
    fs.chmodSync(host.path("etc/chrony/real.conf"), 0o600);
    fs.symlinkSync("real.conf", host.path("etc/chrony/chrony.conf"));
    const before = host.snapshot();
    converge(plans.time);
    expect(host.read("etc/chrony/real.conf")).toContain("server 10.77.0.1");
    expect(host.run(["revert"], plans.time).status).toBe(0);
    expect(host.snapshot()).toEqual(before);
    expect(host.calls()).toContain("systemctl restart chrony");
  });

  test("revert keeps what somebody else made of our file", () => {
    host.write("fake/packages/chrony", "");
    host.write("etc/chrony/chrony.conf", "pool mine.example\n");
    converge(plans.time);
    fs.appendFileSync(host.path("etc/chrony/chrony.conf"), "server added.by.somebody\n");
    const run = host.run(["revert"], plans.time);
    expect(run.stderr).toContain("was changed by somebody else since");
    expect(host.read("etc/chrony/chrony.conf")).toBe("pool mine.example\n");
    expect(host.read("etc/chrony/chrony.conf.kept-by-timebase")).toContain("added.by.somebody");
  });

  test("revert that was cut gives everything back when it is run again, and keeps what it kept", () => {
    const before = host.snapshot();
    converge();
    host.reboot();
    fs.appendFileSync(host.path("etc/chrony/chrony.conf"), "server added.by.somebody\n");
    host.write("fake/apt-get-fails", "");
    expect(host.run(["revert"], plans.all).status).toBe(1);
    host.remove("fake/apt-get-fails");
    expect(host.run(["revert"], plans.all).status).toBe(0);
    const after = host.snapshot();
    expect(after["etc/chrony/chrony.conf.kept-by-timebase"]).toBeDefined();
    // With a file of the user's in it, the folder is not purged with the package.
    for (const file of ["", "/chrony.keys", "/chrony.conf.kept-by-timebase"]) delete after[`etc/chrony${file}`];
    expect(after).toEqual(before);
  });

  test("revert leaves the configuration of a chrony that the user had removed and not purged", () => {
    host.write("etc/chrony/chrony.conf", "pool mine.example\n");
    host.write("etc/chrony/chrony.keys", "# keys\n");
    const before = host.snapshot();
    converge(plans.time);
    expect(host.run(["revert"], plans.time).status).toBe(0);
    expect(host.snapshot()).toEqual(before);
    expect(host.exists("fake/packages/chrony")).toBe(false);
  });

  test("revert keeps a folder of chrony's with files of the user's, which purging would remove", () => {
    converge(plans.time);
    host.write("etc/chrony/sources.d/mine.sources", "server mine.example\n");
    fs.appendFileSync(host.path("etc/chrony/chrony.keys"), "1 secret\n");
    expect(host.run(["revert"], plans.time).status).toBe(0);
    expect(host.exists("fake/packages/chrony")).toBe(false);
    expect(host.read("etc/chrony/sources.d/mine.sources")).toBe("server mine.example\n");
    expect(host.read("etc/chrony/chrony.keys")).toContain("secret");
    expect(host.exists("etc/chrony/chrony.conf")).toBe(false);
  });

  test("revert leaves the daemon that somebody has put into chrony's place", () => {
    converge(plans.time);
    host.remove("fake/packages/chrony");
    host.write("fake/packages/ntpsec", "");
    const run = host.run(["revert"], plans.time);
    expect(run.status, run.stderr).toBe(0);
    expect(run.stderr).toContain("systemd-timesyncd stays away: it would remove ntpsec");
    expect(host.exists("fake/packages/ntpsec")).toBe(true);
  });

  test("revert takes no package away that needs chrony", () => {
    converge(plans.time);
    host.write("fake/packages/mine", "");
    host.write("fake/needs-chrony", "mine");
    const run = host.run(["revert"], plans.time);
    expect(run.status).toBe(1);
    expect(run.stderr).toContain("removing chrony would remove mine too");
    expect(host.exists("fake/packages/mine")).toBe(true);
    host.remove("fake/packages/mine");
    expect(host.run(["revert"], plans.time).status).toBe(0);
  });

  test("revert leaves a chrony of the user's own as it ran, or did not", () => {
    host.write("fake/packages/chrony", "");
    host.write("fake/units/chrony.service", "disabled inactive\n");
    host.write("etc/chrony/chrony.conf", "pool mine.example\n");
    converge(plans.time);
    expect(host.read("fake/units/chrony.service")).toBe("enabled active\n");
    expect(host.run(["revert"], plans.time).status).toBe(0);
    expect(host.read("fake/units/chrony.service")).toBe("disabled inactive\n");
  });

  test("revert --all needs no plan", () => {
    const before = host.snapshot();
    converge();
    host.reboot();
    expect(host.run(["revert"], "").status).toBe(1);
    expect(host.run(["revert", "--all"], "").status).toBe(0);
    expect(host.snapshot()).toEqual(before);
  });

  test("revert after a converge that died in the middle gives everything back", () => {
    const before = host.snapshot();
    host.write("fake/grub-mkconfig-fails", "");
    expect(host.run(["converge"], plans.all).status).toBe(1);
    host.remove("fake/grub-mkconfig-fails");
    expect(host.run(["revert"], plans.all).status).toBe(0);
    expect(host.snapshot()).toEqual(before);
  });

  test("revert that was cut while it removed the program is gone on with by the copy, not by half a program", () => {
    const before = host.snapshot();
    converge();
    host.reboot();
    const installed = "usr/local/lib/timebase";
    host.meanwhile(
      "rm",
      `case "$*" in *" $TIMEBASE_ROOT/${installed} "*) rm "$TIMEBASE_ROOT"/${installed}/[0-9]*/lib/boot.sh; cut ;; esac`,
    );
    expect(host.run(["revert"], plans.all).status).toBe(null);
    host.remove("fake/bin");
    // As the command of the resource does.
    const program = host.exists(`${installed}/current/timebase`)
      ? host.path(`${installed}/current/timebase`)
      : undefined;
    const run = host.run(["revert"], plans.all, program);
    expect(run.status, run.stderr).toBe(0);
    expect(host.snapshot()).toEqual(before);
  });

  test("revert on a host that was never converged changes nothing", () => {
    const before = host.snapshot();
    expect(host.run(["revert"], plans.all).status).toBe(0);
    expect(host.snapshot()).toEqual(before);
  });

  test("a section that the owner's new plan has no longer is taken back", () => {
    converge();
    host.reboot();
    converge(plans.boot);
    expect(host.exists("etc/chrony/chrony.conf")).toBe(false);
    expect(host.exists("etc/default/grub.d/zz-timebase.cfg")).toBe(true);
  });
});
