import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FakeHost, plans, synchronised } from "./FakeHost";
import { shells } from "./shells";
import { proved } from "./sources";

// A clock that is handed to a tool which makes it wrong, and taken back.

const record = "run/timebase.released";

describe.each(shells)("a released clock under %s", (shell) => {
  let host: FakeHost;
  let plan: string;
  beforeEach(() => {
    host = new FakeHost(shell);
    plan = plans.time + host.converge(plans.time).stdout;
    host.chrony(synchronised);
    host.forgetCalls();
  });
  afterEach(() => host.destroy());

  const stopped = () => {
    for (const name of ["proc/500", "proc/501", "fake/chronyc"]) host.remove(name);
  };
  const started = () => host.chrony(synchronised);
  const changes = () => host.calls().filter((call) => /^systemctl (stop|start|restart|disable|enable|mask)/.test(call));
  const release = () => {
    const run = host.run(["release"], "");
    stopped();
    return run;
  };

  test("is stopped and not disabled, and nothing of it outlives a boot", () => {
    const before = host.snapshot();
    expect(proved(host, plan).status).toBe(0);
    expect(release()).toMatchObject({ status: 0, stdout: "" });
    expect(changes()).toEqual(["systemctl stop chrony"]);
    expect(host.snapshot()).toEqual(before);
    const since = host.read(record);
    expect(since).toMatch(/^by \S+ since 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ\n$/);
    expect(host.run(["release"], "").stderr).toContain(`this clock is released already, ${since}`);
    expect(host.read(record)).toBe(since);
    host.reboot();
    started();
    expect(proved(host, plan).row("time.released")).toBeUndefined();
  });

  test("fails the proof and the status, also when somebody has started chronyd, and no repair takes it back", () => {
    release();
    for (const running of [false, true]) {
      if (running) started();
      host.forgetCalls();
      const { status, row } = proved(host, plan);
      expect(status).toBe(1);
      expect(row("time.released")).toMatchObject({
        verdict: "fail",
        found: `released ${host.read(record).trim()}`,
        remedy: expect.stringContaining("sudo timebase resume"),
      });
      // One thing is wrong, and one thing is to be done.
      const looked = host.run(["status"], "");
      expect(looked).toMatchObject({ status: 1, stdout: expect.stringContaining("FAIL  time.released") });
      expect(looked.stdout.match(/ {2}FAIL {2}|pulumi up|resume/g)).toEqual(["  FAIL  ", "resume"]);
      // What a naive check asks, whether the daemon is well, is answered with yes.
      if (running) {
        const kept = host.read(record);
        host.remove(record);
        expect(proved(host, plan).status).toBe(0);
        host.write(record, kept);
      }
      const repaired = host.run(["prove", "--repair"], plan);
      expect(repaired.stderr).toMatch(
        /the clock of this host was released by .*\n.*sudo timebase resume\n.*could not be repaired/,
      );
      expect(changes()).toEqual([]);
    }
    expect(host.run(["converge"], plans.time)).toMatchObject({ status: 1, stdout: "" });
    expect(changes()).toEqual([]);
    // What is no matter of the clock goes on.
    expect(host.run(["converge"], plans.boot).status).toBe(0);
  });

  test("is taken back by a chronyd that starts anew, and proved by what is remembered", () => {
    release();
    host.forgetCalls();
    started();
    const run = host.run(["resume"], "");
    expect(run.status).toBe(0);
    expect(run.stdout).toContain("time of test/stack/node-1");
    expect(run.stdout).toMatch(/^everything is as planned/m);
    expect(changes()).toEqual(["systemctl restart chrony"]);
    expect(host.exists(record)).toBe(false);
    expect(proved(host, plan).status).toBe(0);
    host.forgetCalls();
    expect(host.run(["resume"], "").status).toBe(0);
    expect(changes()).toEqual([]);
  });

  test("is not taken for proved when it does not come back", () => {
    release();
    const run = host.run(["resume"], "");
    expect(run.status).toBe(1);
    expect(run.stdout).toContain("FAIL  time.bound");
    expect(run.stdout).not.toMatch(/^everything is as planned/m);
  });

  test("is waited for until its bound is under the budget", async () => {
    host.converge(plans.time.replace("settle-seconds=0", "settle-seconds=60"));
    release();
    const resuming = host.start(["resume"], "");
    // chronyd runs again, and has not answered yet.
    await vi.waitUntil(() => !host.exists(record), { timeout: 30_000 });
    started();
    expect(await resuming).toMatchObject({ status: 0, stdout: expect.stringMatching(/^everything is as planned/m) });
  });

  test("stays released when chronyd does not start", () => {
    release();
    host.meanwhile("systemctl", '[ "$1" != restart ] || exit 1');
    const run = host.run(["resume"], "");
    expect(run.status).toBe(1);
    expect(run.stderr).toContain("chrony does not start");
    expect(host.exists(record)).toBe(true);
  });

  test("is forgotten by the revert", () => {
    release();
    expect(host.run(["revert"], plans.time).status).toBe(0);
    expect(host.exists(record)).toBe(false);
  });

  test("was managed before", () => {
    host.run(["revert"], plans.time);
    for (const verb of ["release", "resume"]) {
      const run = host.run([verb], "");
      expect(run).toMatchObject({
        status: 1,
        stderr: expect.stringContaining("does not manage the time of this host"),
      });
      expect(host.run([verb, "now"], "")).toMatchObject({ status: 2 });
    }
    expect(host.exists(record)).toBe(false);
  });
});
