import fs from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { FakeHost, plans } from "./FakeHost";
import { shells } from "./shells";

const systems = [
  ["dash", "debian-12"],
  ["bash", "ubuntu-24.04"],
  ["bash", "amazon-linux-2"],
] as const;

// Amazon Linux without its chrony.
describe.each(systems)("whose chrony it is, under %s on %s:", (shell, system) => {
  let host: FakeHost;
  const start = () => {
    host = new FakeHost(shell, system);
    for (const file of ["etc/chrony.conf", "etc/chrony.keys", "fake/packages/chrony", "fake/units/chronyd.service"])
      host.remove(file);
    if (system.startsWith("amazon")) host.write("fake/removed-by-chrony", "systemd-timesyncd");
  };
  const failure = system.startsWith("amazon") ? "fake/rpm-fails" : "fake/apt-get-fails";
  afterEach(() => host.destroy());

  /** What the user does after our installation has failed. */
  const installByHand = () => {
    host.write("fake/packages/chrony", "");
    host.write(`fake/units/${host.system.chrony.service}.service`, "enabled active\n");
    host.write(host.system.chrony.conf, "pool mine.example iburst\n");
  };

  test.each(["fails", "is cut before anything is installed"])(
    "one that the user installs by hand, after ours %s, is his: it stays, with its configuration",
    (how) => {
      start();
      host.write(how === "fails" ? failure : "fake/cut-in-installation", "");
      expect(host.run(["converge"], plans.time).status).toBe(how === "fails" ? 1 : null);
      host.remove(failure);
      host.remove("fake/cut-in-installation");
      installByHand();
      const before = host.snapshot();
      host.converge(plans.time);
      expect(host.read(host.system.chrony.conf)).toContain("server 10.77.0.1");
      const run = host.run(["revert"], plans.time);
      expect(run.status, run.stderr).toBe(0);
      expect(host.read(host.system.chrony.conf)).toBe("pool mine.example iburst\n");
      expect(host.exists("fake/packages/chrony")).toBe(true);
      expect(host.read(`fake/units/${host.system.chrony.service}.service`)).toBe("enabled active\n");
      const after = host.snapshot();
      for (const name of Object.keys(before)) {
        if (/timebase/.test(name)) delete before[name];
      }
      expect(after).toEqual(before);
    },
  );

  test.each(["fake/cut-after-installation", "fake/cut-after-packages"])(
    "one of ours that was cut (%s) goes without a trace",
    (cut) => {
      for (const next of ["converge", "revert"]) {
        start();
        const before = host.snapshot();
        host.write(cut, "");
        expect(host.run(["converge"], plans.time).status).toBe(null);
        host.remove(cut);
        expect(host.exists("fake/packages/chrony")).toBe(true);
        if (next === "converge") {
          const run = host.converge(plans.time);
          expect(run.stderr).not.toContain("somebody else");
        }
        host.remove("fake/removed-by-chrony");
        const run = host.run(["revert"], plans.time);
        expect(run.status, run.stderr).toBe(0);
        expect(run.stderr).not.toContain("configuration stays");
        expect(run.stderr).not.toContain("somebody else");
        expect(host.snapshot()).toEqual(before);
        if (next === "converge") host.destroy();
      }
    },
  );
});

test.each(shells)("one that comes with what somebody else is just installing is his, under %s", (shell) => {
  const host = new FakeHost(shell);
  host.holdPackages();
  const locks = host.read("proc/locks");
  host.write("proc/locks", "");
  host.write("fake/locks", locks);
  // After the preconditions were looked at.
  host.meanwhile(
    "systemctl",
    `cd "$TIMEBASE_ROOT"
[ "$1" != stop ] || {
  cp fake/locks proc/locks
  { sleep 1; mkdir -p etc/chrony; echo "pool mine.example" >etc/chrony/chrony.conf; echo enabled active >fake/units/chrony.service
    touch fake/packages/chrony; : >proc/locks; } >/dev/null 2>&1 9>&- &
}`,
  );
  expect(host.converge(plans.time).stderr).toContain("waiting for the package manager, held by unattended-upgr");
  expect(host.read("etc/chrony/chrony.conf")).toContain("server 10.77.0.1");
  host.remove("fake/bin");
  expect(host.run(["revert"], plans.time).status).toBe(0);
  expect(host.exists("fake/packages/chrony")).toBe(true);
  expect(host.read("etc/chrony/chrony.conf")).toBe("pool mine.example\n");
  expect(host.read("fake/units/chrony.service")).toBe("enabled active\n");
  host.destroy();
});

describe.each(shells)("a record under %s", (shell) => {
  let host: FakeHost;
  afterEach(() => host.destroy());

  test("of which no write has come is not what a revert gives back", () => {
    host = new FakeHost(shell);
    host.write("fake/packages/chrony", "");
    host.write("fake/units/chrony.service", "enabled active\n");
    host.write("etc/chrony/chrony.conf", "pool old.example\n");
    const record = `var/lib/timebase/files/time/${host.path("etc/chrony/chrony.conf").replaceAll("/", "%")}`;
    host.write(`${record}/path`, `${host.path("etc/chrony/chrony.conf")}\n`);
    fs.copyFileSync(host.path("etc/chrony/chrony.conf"), host.path(`${record}/was`));
    host.write("etc/chrony/chrony.conf", "pool new.example\n");
    host.converge(plans.time);
    expect(host.run(["revert"], plans.time).status).toBe(0);
    expect(host.read("etc/chrony/chrony.conf")).toBe("pool new.example\n");
  });

  test("of chrony's files is made after a cut too: revert purges none of the user's", () => {
    host = new FakeHost(shell);
    host.write("fake/cut-after-packages", "");
    expect(host.run(["converge"], plans.time).status).toBe(null);
    host.remove("fake/cut-after-packages");
    host.write("etc/chrony/sources.d/mine.sources", "server mine.example\n");
    host.converge(plans.time);
    const run = host.run(["revert"], plans.time);
    expect(run.stderr).toContain("configuration stays");
    expect(host.read("etc/chrony/sources.d/mine.sources")).toBe("server mine.example\n");
    expect(host.exists("etc/chrony/chrony.conf")).toBe(false);
    expect(host.exists("fake/packages/chrony")).toBe(false);
  });
});
