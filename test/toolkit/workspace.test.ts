import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeHost, plans } from "./FakeHost";
import { shells } from "./shells";

// What the toolkit writes for itself while it runs, among it keys, stays nowhere, however the run ends.

const program = path.join(__dirname, "../../toolkit/timebase");

describe.each(shells)("the folder for temporary files, under %s,", (shell) => {
  let host: FakeHost;
  beforeEach(() => {
    host = new FakeHost(shell);
    fs.mkdirSync(host.path("tmp"));
  });
  afterEach(() => host.destroy());

  const environment = () => ({ ...host.environment(), TMPDIR: host.path("tmp") });
  const left = () => [
    ...fs.readdirSync(host.path("run")).filter((name) => name.startsWith("timebase-work")),
    ...fs.readdirSync(host.path("tmp")),
  ];
  /** What of it is there when systemctl is called. */
  const seen = () => {
    host.meanwhile(
      "systemctl",
      'ls -d "$TIMEBASE_ROOT"/run/timebase-work.* "$TMPDIR"/* >"$TIMEBASE_ROOT/fake/seen" 2>/dev/null',
    );
    const run = spawnSync(shell, [program, "converge"], { input: plans.time, env: environment() });
    expect(run.status).toBe(0);
    return host.read("fake/seen").trim();
  };

  test("is in memory, is root's alone, and goes with the run", () => {
    expect(seen()).toMatch(new RegExp(`^${host.path("run/timebase-work.")}\\w+$`));
    expect(left()).toEqual([]);
    host.meanwhile("systemctl", 'stat -c %a "$TIMEBASE_ROOT"/run/timebase-work.* >"$TIMEBASE_ROOT/fake/seen"');
    host.converge(plans.time);
    expect(host.read("fake/seen")).toBe("700\n");
  });

  test("is where temporary files are otherwise, if /run takes none", () => {
    host.meanwhile("mktemp", "[ $# = 1 ] || exit 1");
    expect(seen()).toMatch(new RegExp(`^${host.path("tmp/tmp.")}\\w+$`));
    expect(left()).toEqual([]);
  });

  test.each(["converge", "prove", "status", "revert"])("goes with a session that is cut: %s", (verb) => {
    host.converge(plans.time);
    // A naive shell ends at its next word to nobody, without more ado. Nobody is there from its first word on.
    const script = `cd "$TIMEBASE_ROOT/fake" && mkfifo pipe && { true <pipe & exec 3>pipe; wait; }
      "$@" >&3 2>&1
      echo $? >status`;
    const words = ["-c", script, "sh", shell, program, verb];
    const other = plans.time.replace("10.77.0.1", "10.77.0.2");
    expect(spawnSync("sh", words, { input: other, env: environment() }).status).toBe(0);
    expect(host.read("fake/status")).toBe("141\n");
    expect(left()).toEqual([]);
  });

  test.each(["HUP", "INT", "TERM"])("goes with a run that is ended by SIG%s", (signal) => {
    host.meanwhile("systemctl", `kill -${signal} $(sed 's/.*process //' "$TIMEBASE_ROOT/run/timebase.lock")`);
    expect(host.run(["converge"], plans.time).status).toBeGreaterThan(128);
    expect(left()).toEqual([]);
  });
});
