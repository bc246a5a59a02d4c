import fs from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bootIds, FakeHost, parameters, plans } from "./FakeHost";
import { shells } from "./shells";

describe.each(shells)("converge under %s", (shell) => {
  let host: FakeHost;
  beforeEach(() => {
    host = new FakeHost(shell);
  });
  afterEach(() => host.destroy());

  const converge = (plan = plans.all) => host.converge(plan);

  test("puts the parameters into every entry, recovery too, and keeps the user's own and the cloud image's", () => {
    const files = ["etc/default/grub", "etc/default/grub.d/50-cloudimg-settings.cfg"];
    const before = files.map((file) => host.read(file));
    converge();
    const entries = host.read("boot/grub/grub.cfg").match(/linux\s.*vmlinuz.*/g);
    expect(entries).toHaveLength(2);
    for (const entry of entries ?? []) expect(entry).toContain(`audit=0 ${parameters}`);
    expect(entries?.[0]).toContain("console=tty1 console=ttyS0");
    expect(files.map((file) => host.read(file))).toEqual(before);
  });

  test("the naive edit of /etc/default/grub is lost to the cloud image's drop-in; ours is not", () => {
    host.write("etc/default/grub", `GRUB_CMDLINE_LINUX_DEFAULT="${parameters}"\n`);
    const naive = host.run(["prove"], plans.boot);
    expect(naive.status).toBe(1);
    expect(naive.stderr).toContain("FAIL  boot.persistent");
    converge(plans.boot);
    host.reboot();
    expect(host.run(["prove"], plans.boot).status).toBe(0);
  });

  test("orders one reboot with the door closed: timer first, then sshd, then the reboot", () => {
    const run = converge();
    expect(run.stdout).toBe(`converged-boot-id=${bootIds.before}\nconverged-reboot=ordered\n`);
    const door = host.calls().filter((call) => /systemd-run|systemctl (stop ssh|reboot)/.test(call));
    expect(door).toEqual([
      "systemd-run --quiet --description=timebase: open sshd again --on-active=150 --timer-property=AccuracySec=100ms systemctl start ssh.service",
      "systemctl stop ssh.service",
      expect.stringContaining(
        "systemd-run --quiet --description=timebase: reboot --on-active=2 --timer-property=AccuracySec=100ms sh -c ",
      ),
      "systemctl reboot",
    ]);
  });

  test("a reboot that cannot be ordered opens the door again and fails", () => {
    host.write("fake/reboot-order-fails", "");
    const run = host.run(["converge"], plans.all);
    expect(run.status).toBe(1);
    expect(run.stderr).toContain("the reboot could not be ordered");
    expect(host.read("fake/units/ssh.service")).toContain("active");
  });

  test("a second converge writes nothing, regenerates nothing, restarts nothing, and orders no reboot", () => {
    converge();
    host.reboot();
    host.forgetCalls();
    const before = host.writes();
    const again = converge();
    expect(again.stdout).toBe(`converged-boot-id=${bootIds.after}\nconverged-reboot=none\n`);
    expect(host.writes()).toEqual(before);
    expect(host.calls().filter((call) => /grub-mkconfig|restart|systemd-run|apt-get|stop|disable/.test(call))).toEqual(
      [],
    );
  });

  test("a host that came back without the parameters is not rebooted again and again", () => {
    converge();
    host.write("proc/sys/kernel/random/boot_id", `${bootIds.after}\n`);
    host.forgetCalls();
    const run = host.run(["converge"], plans.all);
    expect(run.status).toBe(1);
    expect(run.stderr).toContain("it was rebooted for");
    expect(run.stderr).toContain("what to do: it boots something else than");
    expect(host.calls().join()).not.toContain("reboot");
  });

  test.each([
    ["'My own'", "/boot/vmlinuz-mine", "My own"],
    ['"It\'s mine" --class mine', "(hd0,gpt1)/boot/vmlinuz-mine", "It's mine"],
    ["mine", "/boot/vmlinuz-mine", "mine"],
  ])("and the entry that it was booted by is named: %s", (entry, image, title) => {
    // GRUB reads this one too.
    host.write(
      "boot/grub/custom.cfg",
      `menuentry other {\n\tlinux /boot/vmlinuz-mine root=/dev/vda1 ro\n}\nmenuentry ${entry} {\n\tlinux\t/boot/vmlinuz-mine root=/dev/vda1  ro mine\\1 \n}\n`,
    );
    converge(plans.boot);
    host.write("proc/sys/kernel/random/boot_id", `${bootIds.after}\n`);
    host.write("proc/cmdline", `BOOT_IMAGE=${image} root=/dev/vda1 ro mine\\1\n`);
    const named = `it was booted by GRUB's entry "${title}", which lacks them`;
    expect(host.run(["prove"], plans.boot).stderr).toContain(named);
    expect(host.run(["converge"], plans.boot).stderr).toContain(named);
  });

  test("a boot by another way, long after the parameters were live, is mended by a reboot", () => {
    converge(plans.boot);
    host.reboot();
    expect(host.run(["prove"], plans.boot).status).toBe(0);
    host.write("proc/cmdline", "root=/dev/vda1\n");
    expect(converge(plans.boot).stdout).toContain("converged-reboot=ordered");
  });

  test("a reboot that was ordered and never happened is ordered again", () => {
    converge();
    host.forgetCalls();
    expect(converge().stdout).toContain("converged-reboot=ordered");
  });

  // GRUB does not replay the journal of a file system: the boot after a power cut may be of the old configuration.
  test("a power cut before the ordered reboot is not taken for it, and an ordered reboot is not ordered twice", () => {
    const running = host.read("proc/cmdline");
    const bootsTheOld = (bootId: string) => {
      host.reboot(bootId);
      host.write("proc/cmdline", running);
      host.onHpet();
    };
    host.write("fake/power-fails-before-the-reboot", "");
    converge(plans.boot);
    bootsTheOld(bootIds.after);
    host.remove("fake/power-fails-before-the-reboot");
    expect(converge(plans.boot).stdout).toContain("converged-reboot=ordered");
    bootsTheOld("11111111-2222-3333-4444-555555555555");
    const refused = host.run(["converge"], plans.boot);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain("it was rebooted for");
    expect(host.run(["revert"], plans.boot).status).toBe(0);
    expect(host.exists("var/lib/timebase")).toBe(false);
  });

  test("reboot never: nothing live changes, and the answer is pending", () => {
    const run = converge(plans.boot.replace("to-prove", "never"));
    expect(run.stdout).toContain("converged-reboot=pending");
    expect(host.calls().filter((call) => /systemd-run|stop/.test(call))).toEqual([]);
    expect(host.read("sys/devices/system/clocksource/clocksource0/current_clocksource")).toBe("hpet\n");
  });

  test("reboot if-needed: the running kernel is switched where tsc is available", () => {
    host.write("sys/devices/system/clocksource/clocksource0/available_clocksource", "hpet tsc \n");
    const run = converge(plans.boot.replace("to-prove", "if-needed"));
    expect(run.stdout).toContain("converged-reboot=none");
    expect(host.read("sys/devices/system/clocksource/clocksource0/current_clocksource")).toBe("tsc");
    const proof = host.run(["prove"], plans.boot.replace("to-prove", "if-needed") + run.stdout);
    expect(proof.status).toBe(0);
    expect(JSON.parse(proof.stdout)).toMatchObject({ bootParametersLive: false, bootParametersPersistent: true });
    expect(proof.stdout).toContain("configured, not yet booted");
  });

  test("reboot if-needed: reboots where tsc is not available", () => {
    expect(converge(plans.boot.replace("to-prove", "if-needed")).stdout).toContain("converged-reboot=ordered");
  });

  test("a sysfs store that succeeds without effect is noticed", () => {
    host.write("sys/devices/system/clocksource/clocksource0/available_clocksource", "hpet tsc \n");
    const current = "sys/devices/system/clocksource/clocksource0/current_clocksource";
    host.remove(current);
    fs.symlinkSync("/dev/null", host.path(current));
    const run = host.run(["converge"], plans.boot.replace("to-prove", "if-needed"));
    expect(run.status).toBe(1);
    expect(run.stderr).toContain("the kernel refused to switch its clocksource to tsc");
  });

  test("chrony gets the plan's sources only, and systemd-timesyncd is stopped", () => {
    converge(plans.time);
    const directives = host
      .read("etc/chrony/chrony.conf")
      .split("\n")
      .filter((line) => line && !line.startsWith("#"));
    expect(directives).toEqual([
      "server 10.77.0.1 iburst minpoll 0 maxpoll 0 xleave",
      "driftfile /var/lib/chrony/chrony.drift",
      "ntsdumpdir /var/lib/chrony",
      "makestep 0.1 3",
      "rtcsync",
      "combinelimit 0",
      "maxclockerror 50",
    ]);
    expect(host.calls()).toContain("systemctl stop systemd-timesyncd.service");
  });

  test("a hub that defines the timescale serves its network and nothing else", () => {
    converge(plans.hub);
    expect(host.read("etc/chrony/chrony.conf")).toContain("\nallow 10.77.0.0/24\nlocal stratum 10\n");
  });

  test("a failed installation of chrony says what to do", () => {
    host.write("fake/apt-get-fails", "");
    const run = host.run(["converge"], plans.time);
    expect(run.status).toBe(1);
    expect(run.stderr).toContain("E: Unable to fetch some archives");
    expect(run.stderr).toContain("what to do: check the mirror that this host");
  });

  test.each([
    "E: Failed to fetch http://mirror/chrony.deb  Connection timed out [IP: 192.0.2.1 80]",
    "E: Failed to fetch http://mirror/chrony.deb  Connection failed [IP: 192.0.2.1 80]",
    "E: Failed to fetch http://mirror/chrony.deb  Temporary failure resolving 'mirror'",
    "E: Failed to fetch http://mirror/chrony.deb  Could not connect to mirror:80 (192.0.2.1). - connect (111: Connection refused)",
  ])("a mirror that does not answer is asked once, not for its lists too: %s", (error) => {
    host.write("fake/mirror-silent", `${error}\n`);
    const run = host.run(["converge"], plans.time);
    expect(run.status).toBe(1);
    expect(run.stderr).toContain("the package mirror does not answer");
    expect(run.stderr).toContain("what to do: check the mirror that this host gets its packages from");
    expect(host.calls().filter((call) => call.startsWith("apt-get") && call.includes("update"))).toEqual([]);
    host.remove("fake/mirror-silent");
    converge(plans.time);
  });

  test("converge keeps what somebody else made of our file, each version of it", () => {
    const dropin = "etc/default/grub.d/zz-timebase.cfg";
    converge(plans.boot);
    for (const edit of ["# one\n", "# two\n", "# two\n"]) {
      fs.appendFileSync(host.path(dropin), edit);
      expect(converge(plans.boot).stderr).toContain("was changed by somebody else since");
      expect(host.read(dropin)).not.toContain(edit);
    }
    expect(host.read(`${dropin}.kept-by-timebase`)).toContain("# one");
    expect(host.read(`${dropin}.kept-by-timebase.2`)).toContain("# two");
    expect(host.exists(`${dropin}.kept-by-timebase.3`)).toBe(false);
  });

  test("a chrony of the user's own that is on hold counts as installed, and stays", () => {
    host.write("fake/packages/chrony", "held");
    host.write("fake/units/chrony.service", "enabled active\n");
    host.write("etc/chrony/chrony.conf", "pool mine.example\n");
    converge(plans.time);
    expect(host.run(["revert"], plans.time).status).toBe(0);
    expect(host.calls().filter((call) => call.startsWith("apt-get"))).toEqual([]);
    expect(host.read("etc/chrony/chrony.conf")).toBe("pool mine.example\n");
  });

  test("what is installed can be read by everybody, whatever root's umask is", () => {
    const umask = process.umask(0o077);
    try {
      converge();
    } finally {
      process.umask(umask);
    }
    for (const name of ["usr/local/lib/timebase", "etc/default/grub.d/zz-timebase.cfg"]) {
      expect(fs.statSync(host.path(name)).mode & 0o044, name).toBe(0o044);
    }
  });

  test("an installation that was cut is finished first", () => {
    host.write("fake/dpkg-interrupted", "");
    converge(plans.time);
    expect(host.calls()).toContain("dpkg --force-confold --configure -a");
    expect(host.exists("fake/packages/chrony")).toBe(true);
  });

  test("a chronyd that was not restarted with its new configuration is restarted by the next converge", () => {
    host.write("fake/systemctl-restart-fails", "");
    expect(host.run(["converge"], plans.time).stderr).toContain("chrony does not start");
    host.remove("fake/systemctl-restart-fails");
    host.forgetCalls();
    converge(plans.time);
    converge(plans.time);
    expect(host.calls().filter((call) => call.includes("restart"))).toEqual(["systemctl restart chrony"]);
  });

  test("chronyd is not restarted just before a reboot, which starts it with its new configuration", () => {
    converge(plans.all);
    expect(host.calls().join()).not.toContain("restart chrony");
    expect(host.exists("run/timebase.chrony-restart-due")).toBe(true);
    host.reboot();
    converge(plans.all);
    expect(host.calls().join()).not.toContain("restart chrony");
  });

  test("a GRUB configuration without the parameters does not take the place of the live one", () => {
    const live = host.read("boot/grub/grub.cfg");
    host.write("fake/grub-drops-parameters", "");
    const run = host.run(["converge"], plans.boot);
    expect(run.status).toBe(1);
    expect(run.stderr).toContain("is without clocksource=tsc tsc=reliable");
    expect(host.read("boot/grub/grub.cfg")).toBe(live);
    expect(fs.readdirSync(host.path("boot/grub"))).toEqual(["grub.cfg"]);
  });

  test("who waited for the lock behind an ordered reboot is not cut by it", () => {
    converge(plans.boot);
    const other = plans.time.replace("owner=test/stack/node-1", "owner=test/stack/time");
    const run = host.run(["converge"], other);
    expect(run.status).toBe(1);
    expect(run.stderr).toContain('"test/stack/node-1" has just ordered a reboot of this host');
    expect(host.exists("etc/chrony/chrony.conf")).toBe(false);
    host.reboot();
    converge(other);
  });

  test("a reboot that was ordered and never came holds nobody up for ever", () => {
    converge(plans.boot);
    host.write("proc/uptime", "300.00 350.00\n");
    converge(plans.time.replace("owner=test/stack/node-1", "owner=test/stack/time"));
  });

  test("a copy of which a power cut has emptied a module changes nothing", () => {
    const copy = host.path("home/toolkit");
    fs.cpSync(path.join(__dirname, "../../toolkit"), copy, { recursive: true });
    fs.writeFileSync(path.join(copy, "lib/chrony.sh"), "");
    const before = host.writes();
    const run = host.run(["converge"], plans.boot, path.join(copy, "timebase"));
    expect(run.status).toBe(1);
    expect(run.stderr).toContain("lib/chrony.sh is empty");
    expect(run.stderr).toContain('run `pulumi up --replace "**-toolkit"`');
    expect(host.writes()).toEqual(before);
  });

  test("an installation that was cut before its command was there is finished", () => {
    converge(plans.boot);
    host.remove("usr/local/sbin/timebase");
    host.write("usr/local/lib/timebase/123/timebase", "old");
    host.reboot();
    converge(plans.boot);
    expect(fs.readlinkSync(host.path("usr/local/sbin/timebase"))).toContain("current/timebase");
    expect(host.exists("usr/local/lib/timebase/123")).toBe(false);
  });

  test("a program of somebody else's with our name stays", () => {
    host.write("usr/local/sbin/timebase", "theirs");
    expect(converge(plans.boot).stderr).toContain("is somebody else's and stays");
    expect(host.run(["revert"], plans.boot).status).toBe(0);
    expect(host.read("usr/local/sbin/timebase")).toBe("theirs");
  });

  test("the installed program is one whole version, and works from where it is", () => {
    host.write("usr/local/lib/timebase/123/timebase", "an older version");
    fs.symlinkSync("123", host.path("usr/local/lib/timebase/current"));
    converge();
    expect(fs.readdirSync(host.path("usr/local/lib/timebase"))).toHaveLength(2);
    expect(fs.readlinkSync(host.path("usr/local/sbin/timebase"))).toBe(
      host.path("usr/local/lib/timebase/current/timebase"),
    );
    host.reboot();
    const before = host.writes();
    const again = host.run(["converge"], plans.all, host.path("usr/local/sbin/timebase"));
    expect(again.status, again.stderr).toBe(0);
    expect(host.writes()).toEqual(before);
  });
});

test("whatever the user wrote into /etc/default/grub is the same byte for byte, after converge and after revert", () => {
  const line = fc.oneof(
    fc.constantFrom(
      'GRUB_CMDLINE_LINUX="audit=0"',
      "GRUB_CMDLINE_LINUX='a b' # c",
      "GRUB_TERMINAL=serial",
      "",
      "# it's $HOME \\",
      'GRUB_CMDLINE_LINUX="one \\\ntwo"',
    ),
    fc.stringMatching(/^# [ -~]{0,40}$/),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 8 }), fc.boolean(), (lines, newline) => {
      const host = new FakeHost("dash");
      try {
        const text = lines.join("\n") + (newline ? "\n" : "");
        host.write("etc/default/grub", text);
        const run = host.run(["converge"], plans.boot);
        expect(run.status, run.stderr).toBe(0);
        expect(host.read("etc/default/grub")).toBe(text);
        expect(host.run(["revert"], plans.boot).status).toBe(0);
        expect(host.read("etc/default/grub")).toBe(text);
      } finally {
        host.destroy();
      }
    }),
    { numRuns: 15 },
  );
});
