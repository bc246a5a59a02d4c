import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeHost, type Firmware, parameters, plans, synchronised } from "./FakeHost";
import { systems } from "./systems";

const toolkit = path.join(__dirname, "../../toolkit");

test("every row of the toolkit's table is in this matrix, with the same data", () => {
  const source = fs.readFileSync(path.join(toolkit, "lib/os.sh"), "utf8");
  const rows =
    /\bos_table='\n(.*?)'/s
      .exec(source)?.[1]
      ?.split("\n")
      .map((row) => row.split(/\s+/)) ?? [];
  expect(
    rows.map(([name, , cfg, vendor, , , conf, service, drift, , sbin]) => [
      name,
      cfg,
      vendor,
      conf,
      service,
      drift,
      sbin,
    ]),
  ).toEqual(
    systems.map(({ name, grubCfg, efiGrubCfg, sbin, chrony }) => [
      name,
      `/${grubCfg}`,
      efiGrubCfg.split("/")[3],
      `/${chrony.conf}`,
      chrony.service,
      chrony.drift,
      `/${sbin}`,
    ]),
  );
});

const firmwares: readonly Firmware[] = ["bios", "efi-stub", "efi"];
// By EFI one system of each boot loader, and all of them where `npm run test:faults` runs these tests again.
const byEfi = ["ubuntu-22.04", "amazon-linux-2", "amazon-linux-2023"];
const isRun = (name: string, firmware: Firmware) =>
  process.env.TIMEBASE_SHELLS !== undefined || firmware === "bios" || byEfi.includes(name);
const rows = systems.flatMap(({ name }) =>
  firmwares.filter((firmware) => isRun(name, firmware)).map((firmware) => ({ name, firmware })),
);

// Amazon Linux has bash as sh, the others dash.
describe.each(rows)("$name, $firmware", ({ name, firmware }) => {
  let host: FakeHost;
  beforeEach(() => {
    host = new FakeHost(name.startsWith("amazon") ? "bash" : "dash", name, firmware);
  });
  afterEach(() => host.destroy());

  const without = (line: string): string =>
    line
      .replaceAll(/ ?\b(clocksource=tsc|tsc=reliable)\b/g, "")
      .replaceAll(/ +/g, " ")
      .trim();
  const persistent = () =>
    JSON.parse(host.run(["prove"], plans.boot).stdout).checks.find(
      (row: { id: string }) => row.id === "boot.persistent",
    );

  test("every entry gets the parameters and keeps the user's own", () => {
    const before = host.commandLines();
    expect(before.length).toBeGreaterThan(1);
    host.converge(plans.boot);
    for (const line of host.commandLines()) expect(line).toContain(parameters);
    expect(host.commandLines().map(without)).toEqual(before.map(without));
  });

  test("the boot after it proves it, and a second converge writes nothing", () => {
    host.converge(plans.all);
    host.reboot();
    host.chrony(synchronised);
    const proof = host.run(["prove"], plans.all);
    expect(proof.status, proof.stderr).toBe(0);
    expect(JSON.parse(proof.stdout)).toMatchObject({
      os: name,
      bootParametersPersistent: true,
      bootParametersLive: true,
    });
    host.forgetCalls();
    const before = host.writes();
    expect(host.converge(plans.all).stdout).toContain("converged-reboot=none");
    expect(host.writes()).toEqual(before);
    expect(host.calls().filter((call) => !/^systemctl .*(is-active|is-enabled|show)/.test(call))).toEqual([]);
  });

  test("the other configuration, which it does not boot by, stays as it is", () => {
    const other = firmware === "efi" ? host.system.grubCfg : host.system.efiGrubCfg;
    host.write(other, "configfile $prefix/grub.cfg\n");
    const before = host.snapshot()[other];
    host.converge(plans.boot);
    expect(host.snapshot()[other]).toBe(before);
  });

  test("a later kernel has them too", () => {
    host.converge(plans.boot);
    host.reboot();
    host.installKernel("6.99.0");
    expect(host.commandLines().filter((line) => line.includes(parameters))).toHaveLength(host.commandLines().length);
    expect(persistent()).toMatchObject({ verdict: "pass" });
  });

  test("a configuration that is made anew has them too", () => {
    host.converge(plans.boot);
    host.regenerate();
    for (const line of host.commandLines()) expect(line).toContain(parameters);
    expect(persistent()).toMatchObject({ verdict: "pass" });
  });

  test("revert gives every byte, mode and link back", () => {
    fs.chmodSync(host.path("etc/default/grub"), 0o640);
    fs.renameSync(host.path("etc/default/grub"), host.path("etc/default/grub.mine"));
    fs.symlinkSync("grub.mine", host.path("etc/default/grub"));
    // As the image's maker made it: nothing on this host would make the same again.
    fs.appendFileSync(host.path(host.grubCfg), "# made elsewhere\n");
    fs.chmodSync(host.path(host.grubCfg), 0o444);
    const before = host.snapshot();
    host.converge(plans.all);
    host.reboot();
    const run = host.run(["revert"], plans.all);
    expect(run.status, run.stderr).toBe(0);
    expect(host.snapshot()).toEqual(before);
  });

  test("revert after a new kernel and an edit of the user's: ours is gone, theirs stays", () => {
    host.converge(plans.boot);
    host.reboot();
    host.installKernel("6.99.0");
    fs.appendFileSync(host.path("etc/default/grub"), '\nGRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX mine=1"\n# mine');
    if (host.system.mkconfig === "grub2-mkconfig") host.grubby("mine=1");
    else host.regenerate();
    const entries = host.commandLines().length;
    const run = host.run(["revert"], plans.boot);
    expect(run.status, run.stderr).toBe(0);
    expect(host.commandLines()).toHaveLength(entries);
    for (const line of host.commandLines()) {
      expect(line).toContain("mine=1");
      expect(line).not.toMatch(/\btsc/);
    }
    expect(host.read("etc/default/grub")).toMatch(/mine=1"\n# mine$/);
    expect(host.read("etc/default/grub")).not.toMatch(/tsc|timebase/);
    host.regenerate();
    for (const line of host.commandLines()) expect(line).not.toMatch(/\btsc/);
  });

  test("a parameter of ours that was there before us is still there after us", () => {
    const own = 'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX tsc=reliable"\n';
    fs.appendFileSync(host.path("etc/default/grub"), `\n${own}`);
    host.regenerate();
    const before = host.snapshot();
    host.converge(plans.boot);
    expect(host.run(["revert"], plans.boot).status).toBe(0);
    expect(host.snapshot()).toEqual(before);
    host.converge(plans.boot);
    host.reboot();
    host.installKernel("6.99.0");
    expect(host.run(["revert"], plans.boot).status).toBe(0);
    for (const line of host.commandLines()) {
      expect(line).toContain("tsc=reliable");
      expect(line).not.toContain("clocksource=tsc");
    }
  });

  test("what an earlier converge left behind when it was cut is finished, and taken back", () => {
    const before = host.snapshot();
    const cut = host.system.mkconfig === "grub-mkconfig" ? "fake/grub-mkconfig-fails" : "fake/grubby-fails";
    host.write(cut, "");
    const run = host.run(["converge"], plans.boot);
    expect(run.status).toBe(host.system.bls ? 0 : 1);
    host.remove(cut);
    host.converge(plans.boot);
    for (const line of host.commandLines()) expect(line).toContain(parameters);
    expect(host.run(["revert"], plans.boot).status).toBe(0);
    expect(host.snapshot()).toEqual(before);
  });

  test("prove is not fooled by a running kernel that has them, while the entries have not", () => {
    const entries = host.commandLines();
    host.write("proc/cmdline", `BOOT_IMAGE=/boot/vmlinuz ${parameters}\n`);
    expect(entries.join()).not.toContain("tsc");
    expect(persistent()).toMatchObject({ verdict: "fail", found: expect.stringContaining("without clocksource=tsc") });
  });

  test("prove is not fooled by one entry that has them, while another has not", () => {
    host.converge(plans.boot);
    const names = host.system.bls ? host.entryFiles().slice(1) : [host.grubCfg];
    for (const file of names) {
      const text = host.read(file);
      const at = text.lastIndexOf(` ${parameters}`);
      host.write(file, text.slice(0, at) + text.slice(at + parameters.length + 1));
    }
    expect(persistent()).toMatchObject({ verdict: "fail", found: expect.stringContaining("without") });
  });

  test("prove is not fooled by an entry whose last word is another's", () => {
    host.converge(plans.boot);
    for (const file of host.system.bls ? host.entryFiles() : [host.grubCfg])
      host.write(
        file,
        host.read(file).replace(/^((options|\s*linux\s+\S*vmlinuz\S*)[ \t].*)$/m, "$1 clocksource=hpet"),
      );
    expect(persistent()).toMatchObject({ verdict: "fail", found: expect.stringContaining("without clocksource=tsc") });
  });

  test("prove is not fooled by entries that are right until the next kernel update", () => {
    host.converge(plans.boot);
    host.reboot();
    const future = host.read(host.system.future);
    host.write(
      host.system.future,
      future
        .replace("# timebase end", "unset $os_grub_variable GRUB_CMDLINE_LINUX GRUB_CMDLINE_LINUX_DEFAULT")
        .replace(/^(GRUB.*) tsc=reliable"$/m, '$1"'),
    );
    expect(persistent()).toMatchObject({
      verdict: "fail",
      found: expect.stringContaining("right until the next kernel update only"),
    });
    host.converge(plans.boot);
    expect(persistent()).toMatchObject({ verdict: "pass" });
  });

  test("what our messages advise, `sudo timebase`, is found by the sudo of this system, and nowhere else", () => {
    const others = ["usr/local/sbin", "usr/sbin"].filter((folder) => folder !== host.system.sbin);
    const before = host.snapshot();
    // As an earlier version had it.
    const program = host.path("usr/local/lib/timebase/current/timebase");
    for (const folder of others) fs.symlinkSync(program, host.path(`${folder}/timebase`));
    host.converge(plans.guestPtp);
    for (const folder of others) expect(host.snapshot()[`${folder}/timebase`]).toBeUndefined();
    const secure = spawnSync("timebase", ["status"], {
      env: { ...host.environment(), PATH: `${host.path(host.system.sbin)}:${host.environment().PATH}` },
      encoding: "utf8",
    });
    expect(secure.stdout).toContain("ptp of test/stack/node-1");
    for (const folder of others) fs.symlinkSync(program, host.path(`${folder}/timebase`));
    expect(host.run(["revert"], plans.guestPtp).status).toBe(0);
    expect(host.snapshot()).toEqual(before);
  });

  test("a host that lacks what it boots by is refused before anything is changed", () => {
    host.remove(host.grubCfg);
    if (firmware !== "bios") host.remove("boot/efi");
    const before = host.snapshot();
    const run = host.run(["converge"], plans.all);
    expect(run.status).toBe(1);
    expect(run.stderr).toContain(`this host does not boot by GRUB as ${name} does`);
    expect(host.snapshot()).toEqual(before);
  });

  test("what is to be done about chronyd names this system's own service and file", () => {
    host.converge(plans.time);
    const remedies = () =>
      host
        .run(["prove"], plans.time)
        .stderr.match(/what to do: .*/g)
        ?.join("\n") ?? "";
    const { service } = host.system.chrony;
    host.chrony(synchronised);
    host.remove("fake/chronyc");
    expect(remedies()).toContain(`see \`systemctl status ${service}\` and \`journalctl -u ${service}\` on the host`);
    host.write("proc/500/cmdline", "/usr/sbin/chronyd\0-x\0");
    expect(remedies()).toContain(
      `(${service === "chronyd" ? "OPTIONS in /etc/sysconfig/chronyd" : "DAEMON_OPTS in /etc/default/chrony"})`,
    );
  });

  test("a chronyd that is masked is not wanted here: nothing is changed, and the error says so", () => {
    const { service } = host.system.chrony;
    host.write("etc/systemd/system/other.service", "");
    const mask = `etc/systemd/system/${service}.service`;
    fs.symlinkSync("/dev/null", host.path(mask));
    const before = host.snapshot();
    const run = host.run(["converge"], plans.all);
    expect(run.status).toBe(1);
    expect(run.stderr).toContain(`${service} is masked: somebody does not want it to run here`);
    expect(run.stderr).toContain(`what to do: allow it on the host: systemctl unmask ${service}`);
    expect(host.calls().filter((call) => /stop|disable|install/.test(call))).toEqual([]);
    expect(host.snapshot()).toEqual(before);
    // In between.
    host.remove(mask);
    host.write(`fake/units/${service}.service`, "disabled inactive\n");
    host.meanwhile(
      "systemctl",
      `case "$*" in "--quiet enable "*) echo masked inactive >"$TIMEBASE_ROOT/fake/units/${service}.service" ;; esac`,
    );
    host.write("fake/packages/chrony", "");
    const late = host.run(["converge"], plans.time);
    expect(late.status).toBe(1);
    expect(late.stderr).toContain(`Unit file /etc/systemd/system/${service}.service is masked.`);
    expect(late.stderr).toContain(`${service} could not be enabled (why is above)`);
    expect(late.stderr).toContain(`systemctl unmask ${service}`);
  });
});
