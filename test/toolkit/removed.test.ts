import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeHost, plans } from "./FakeHost";

const snapshot = "var/lib/timebase/packages-before";
const timesyncd = "fake/packages/systemd-timesyncd";

// Amazon Linux without its chrony, where an installation removes nothing by itself.
describe.each([
  ["dash", "debian-12"],
  ["bash", "ubuntu-24.04"],
  ["bash", "amazon-linux-2"],
  ["dash", "amazon-linux-2023"],
])("what an installation has removed, under %s on %s,", (shell, system) => {
  let host: FakeHost;
  const start = () => {
    host = new FakeHost(shell, system);
    for (const file of ["etc/chrony.conf", "fake/packages/chrony", "fake/units/chronyd.service"]) host.remove(file);
    if (system.startsWith("amazon")) host.write("fake/removed-by-chrony", "systemd-timesyncd");
    host.write(timesyncd, "");
  };
  const tool = { "amazon-linux-2": "yum", "amazon-linux-2023": "dnf" }[system] ?? "apt-get";
  const simulated = () => host.calls().filter((call) => /^apt-get .* -s /.test(call));
  afterEach(() => host.destroy());

  test("is found by looking, not by simulating, and comes back", () => {
    start();
    host.converge(plans.time);
    expect(simulated()).toEqual([]);
    expect(host.exists(timesyncd)).toBe(false);
    expect(host.exists(snapshot)).toBe(false);
    expect(host.read("var/lib/timebase/facts/time").match(/^removed .*/gm)).toEqual(["removed systemd-timesyncd"]);
    host.remove("fake/removed-by-chrony");
    expect(host.run(["revert"], plans.time).status).toBe(0);
    expect(host.exists(timesyncd)).toBe(true);
  });

  test.each(["converge", "revert"])(
    "comes back too when the converge was cut right after it, and a %s follows",
    (next) => {
      start();
      host.write("fake/cut-after-installation", "");
      expect(host.run(["converge"], plans.time).status).toBe(null);
      host.remove("fake/cut-after-installation");
      expect(host.exists(timesyncd)).toBe(false);
      expect(host.exists("fake/packages/chrony")).toBe(true);
      if (next === "converge") {
        host.converge(plans.time);
        expect(host.exists(snapshot)).toBe(false);
      }
      host.remove("fake/removed-by-chrony");
      const run = host.run(["revert"], plans.time);
      expect(run.status, run.stderr).toBe(0);
      expect(host.exists(timesyncd)).toBe(true);
      expect(host.exists("fake/packages/chrony")).toBe(false);
    },
  );

  test("a package that the user removes later stays away", () => {
    start();
    host.write("fake/packages/theirs", "");
    host.converge(plans.time);
    host.remove("fake/packages/theirs");
    host.converge(plans.time);
    host.remove("fake/removed-by-chrony");
    expect(host.run(["revert"], plans.time).status).toBe(0);
    expect(host.exists("fake/packages/theirs")).toBe(false);
    expect(host.exists(timesyncd)).toBe(true);
  });

  // Lists of what is installed before and after would call it ours.
  test("so does one that somebody else removes while our tools wait for him", () => {
    start();
    host.write("fake/packages/theirs", "");
    host.meanwhile(tool, 'rm -f "$TIMEBASE_ROOT/fake/packages/theirs"');
    host.converge(plans.time);
    expect(host.exists("fake/packages/theirs")).toBe(false);
    expect(host.read("var/lib/timebase/facts/time").match(/^removed .*/gm)).toEqual(["removed systemd-timesyncd"]);
  });

  test("so does one that he removes after an installation that failed", () => {
    start();
    host.write("fake/packages/theirs", "");
    const failure = system.startsWith("amazon") ? "fake/rpm-fails" : "fake/apt-get-fails";
    host.write(failure, "");
    expect(host.run(["converge"], plans.time).status).toBe(1);
    host.remove(failure);
    expect(host.exists(snapshot)).toBe(false);
    host.remove("fake/packages/theirs");
    host.converge(plans.time);
    expect(host.read("var/lib/timebase/facts/time")).not.toContain("theirs");
  });

  test("is not guessed from a list that cannot be read", () => {
    start();
    host.write("fake/packages-unreadable", "");
    const run = host.run(["converge"], plans.time);
    expect(run.status).toBe(1);
    expect(run.stderr).toContain("the list of installed packages cannot be read");
    expect(host.exists("fake/packages/chrony")).toBe(false);
  });

  test("nothing is removed when it cannot be known what would go with it", () => {
    start();
    host.converge(plans.time);
    host.remove("fake/removed-by-chrony");
    host.write("fake/simulation-fails", "");
    const run = host.run(["revert"], plans.time);
    expect(run.status).toBe(1);
    expect(run.stderr).toContain("cannot be known");
    expect(run.stderr).toContain("what to do: see what");
    expect(host.exists("fake/packages/chrony")).toBe(true);
    host.remove("fake/simulation-fails");
    expect(host.run(["revert"], plans.time).status).toBe(0);
    expect(host.exists(timesyncd)).toBe(true);
  });

  test("does not block the revert when the mirror has dropped it", () => {
    start();
    host.converge(plans.time);
    host.remove("fake/removed-by-chrony");
    host.write("fake/dropped-by-mirror", "systemd-timesyncd");
    const run = host.run(["revert"], plans.time);
    expect(run.status, run.stderr).toBe(0);
    expect(run.stderr).toContain("systemd-timesyncd stays away: the package mirror of this host does not know it");
    expect(host.exists("fake/packages/chrony")).toBe(false);
  });
});

// yum and dnf say that somebody else holds the lock; apt waits by itself.
describe.each([
  ["dash", "amazon-linux-2", "yum"],
  ["bash", "amazon-linux-2023", "dnf"],
])("a lock that is held for ever, under %s on %s,", (shell, system, tool) => {
  let host: FakeHost;
  beforeEach(() => {
    host = new FakeHost(shell, system);
    for (const file of ["etc/chrony.conf", "fake/packages/chrony", "fake/units/chronyd.service"]) host.remove(file);
    host.write(timesyncd, "");
  });
  afterEach(() => host.destroy());

  const failsForEver = () => {
    host.write("fake/rpm-locked", "for ever");
    host.meanwhile(tool, 'echo 750.00 1.00 >"$TIMEBASE_ROOT/proc/uptime"');
    const run = host.run(["converge"], plans.time);
    expect(run.status).toBe(1);
    expect(run.stderr).toContain("the package manager has been locked for 650 s by another program");
    for (const file of ["fake/rpm-locked", "fake/bin"]) host.remove(file);
    host.write("proc/uptime", "100.00 150.00\n");
  };
  const facts = () => host.read("var/lib/timebase/facts/time");

  test("leaves no list by which what the user removes later would be ours", () => {
    failsForEver();
    expect(host.exists(snapshot)).toBe(false);
    host.remove(timesyncd);
    host.converge(plans.time);
    expect(facts()).not.toContain("removed");
  });

  test("leaves the list of a run that was cut, as its installation may still go on", () => {
    host.write("fake/cut-in-installation", "");
    expect(host.run(["converge"], plans.time).status).toBe(null);
    host.remove("fake/cut-in-installation");
    failsForEver();
    host.remove(timesyncd);
    host.converge(plans.time);
    expect(facts()).toContain("removed systemd-timesyncd");
  });
});
