import fs from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeHost, plans } from "./FakeHost";
import { shells } from "./shells";

interface Refusal {
  what: string;
  prepare: (host: FakeHost) => void;
  plan?: string;
  error: string;
  remedy: string;
}

const refusals: Refusal[] = [
  {
    what: "a system without a row",
    prepare: (host) => host.write("etc/os-release", "ID=fedora\nVERSION_ID=41\n"),
    error: "system fedora-41 is not supported",
    remedy: "use one of: ubuntu-22.04",
  },
  {
    what: "another system than the program declares",
    prepare: () => {},
    plan: plans.all.replace("host=node-1", "host=node-1\nos=ubuntu-22.04"),
    error: "the program declares ubuntu-22.04, but this host runs debian-12",
    remedy: 'declare operatingSystem: "debian-12"',
  },
  {
    what: "a host without systemd",
    prepare: (host) => host.remove("run/systemd/system"),
    error: "systemd is not the running init",
    remedy: "boot this host with systemd",
  },
  {
    what: "a container",
    prepare: (host) => host.write("fake/container", "docker\n"),
    error: "this is a container (docker)",
    remedy: "point the endpoint at that machine",
  },
  {
    what: "another architecture",
    prepare: (host) => host.write("fake/machine", "aarch64\n"),
    error: "the tsc clocksource does not exist on aarch64",
    remedy: "use an x86-64 host; or set required: false",
  },
  {
    what: "a CPU without a TSC",
    prepare: (host) => host.write("proc/cpuinfo", "flags\t: fpu vme constant_tsc_not\n"),
    error: "no time stamp counter",
    remedy: "use a machine type",
  },
  {
    what: "a parameter of the user's that contradicts ours",
    prepare: (host) =>
      host.write("etc/default/grub.d/60-mine.cfg", '# mine\nGRUB_CMDLINE_LINUX_DEFAULT="quiet clocksource=hpet"\n'),
    error: "60-mine.cfg, line 2: clocksource=hpet",
    remedy: "remove it there",
  },
  {
    what: "a plan of another version",
    prepare: () => {},
    plan: "timebase-plan=2\nowner=x\n",
    error: "does not start with timebase-plan=1",
    remedy: "send a plan",
  },
  {
    what: "an unknown key",
    prepare: () => {},
    plan: `${plans.all}colour=red\n`,
    error: '"colour=red" is not understood',
    remedy: "update",
  },
  {
    what: "an empty plan",
    prepare: () => {},
    plan: "",
    error: "does not start with timebase-plan=1",
    remedy: "send a plan",
  },
  {
    what: "a number that is none",
    prepare: () => {},
    plan: plans.all.replace("time-max-error-ns=1000000", "time-max-error-ns=1e6"),
    error: '"1e6" is not a whole number',
    remedy: "update",
  },
];

describe.each(shells)("converge under %s refuses, before anything is changed,", (shell) => {
  let host: FakeHost;
  beforeEach(() => {
    host = new FakeHost(shell);
  });
  afterEach(() => host.destroy());

  test.each(refusals)("$what", ({ prepare, plan, error, remedy }) => {
    prepare(host);
    const before = host.snapshot();
    const run = host.run(["converge"], plan ?? plans.all);
    expect(run.status).toBe(1);
    expect(run.stdout).toBe("");
    expect(run.stderr).toContain(error);
    expect(run.stderr).toContain(`what to do: ${remedy}`);
    expect(host.snapshot()).toEqual(before);
  });

  test("a second owner of a section", () => {
    expect(host.run(["converge"], plans.boot).status).toBe(0);
    host.reboot();
    const before = host.snapshot();
    const run = host.run(["converge"], plans.all.replace("owner=test/stack/node-1", "owner=other/stack/node-1"));
    expect(run.status).toBe(1);
    expect(run.stderr).toContain(
      'the boot section of this host belongs to "test/stack/node-1", not to "other/stack/node-1"',
    );
    expect(host.snapshot()).toEqual(before);
  });

  test("a second owner, and tells what its stack leaves behind when it is given up", () => {
    const other = plans.boot.replace("owner=test/stack/node-1", "owner=other/stack/node-1");
    host.converge(plans.boot);
    expect(host.run(["converge"], other).stderr).not.toContain("rm -r");
    const copy = host.path("home/.timebase-0123456789ab");
    fs.cpSync(path.join(__dirname, "../../toolkit"), path.join(copy, "toolkit"), { recursive: true });
    host.reboot();
    const { stderr } = host.run(["converge"], other, path.join(copy, "toolkit/timebase"));
    expect(stderr).toContain(`if this one is given up, remove its copy of the toolkit from the host: rm -r ${copy}\n`);
    // It is needed until then: the engine makes it once only.
    expect(host.run(["revert"], plans.boot).status).toBe(0);
    expect(host.run(["converge"], other, path.join(copy, "toolkit/timebase")).status).toBe(0);
  });

  test("a host without a GRUB configuration, although it has GRUB's defaults", () => {
    host.remove("boot/grub/grub.cfg");
    const before = host.snapshot();
    const run = host.run(["converge"], plans.all);
    expect(run.status).toBe(1);
    expect(run.stderr).toContain("this host does not boot by GRUB");
    expect(host.snapshot()).toEqual(before);
  });

  test("but not a cloud-init that ended with errors", () => {
    host.write("run/cloud-init/result.json", '{"v1": {"errors": ["locale"]}}');
    const run = host.run(["converge"], plans.all);
    expect(run.status).toBe(0);
    expect(run.stderr).toContain("cloud-init has ended with errors");
  });

  test("nor one that crashed without a result", () => {
    host.remove("run/cloud-init/result.json");
    expect(host.run(["converge"], plans.all).status).toBe(0);
  });

  test("and waits for a cloud-init that is still at work", async () => {
    host.remove("run/cloud-init/result.json");
    host.write("fake/system-state", "starting");
    const run = host.start(["converge"], plans.all);
    await run.until("waiting for cloud-init");
    expect(host.exists("etc/default/grub.d/zz-timebase.cfg")).toBe(false);
    host.write("run/cloud-init/result.json", '{"v1": {"errors": []}}');
    const { status, stderr } = await run;
    expect(status).toBe(0);
    expect(stderr).toContain("waiting for cloud-init, 0 of 900 s");
  });
});

test("wrong usage is exit status 2, help is 0", () => {
  const host = new FakeHost("dash");
  expect(host.run(["convege"], "")).toMatchObject({ status: 2 });
  expect(host.run(["prove", "--fast"], "")).toMatchObject({ status: 2 });
  expect(host.run(["--help"], "").stdout).toContain("usage: timebase");
  host.destroy();
});
