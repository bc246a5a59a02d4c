import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeHost, plans, synchronised } from "./FakeHost";
import { shells } from "./shells";

// Every wait has a limit, by a clock that nobody steps, and says how it goes.

describe.each(shells)("waiting under %s", (shell) => {
  let host: FakeHost;
  beforeEach(() => {
    host = new FakeHost(shell);
  });
  afterEach(() => host.destroy());

  /** Each call of this program takes so many seconds of the host's clock, and none of ours. */
  const takes = (program: string, seconds: number, status = 0) =>
    host.meanwhile(
      program,
      `IFS=. read -r up rest <"$TIMEBASE_ROOT/proc/uptime"
echo "$((up + ${seconds})).00 1.00" >"$TIMEBASE_ROOT/proc/uptime"
exit ${status}`,
    );
  const lines = (stderr: string, start: string) =>
    stderr.split("\n").filter((line) => line.startsWith(`timebase: ${start}`));

  test("another timebase that never ends is named, after a limit, before anything is changed", () => {
    host.write("run/timebase.lock", "converge of other/stack/node-1, process 77\n");
    takes("flock", 200, 1);
    const before = host.snapshot();
    const { status, stderr } = host.run(["converge"], plans.all);
    expect(status).toBe(1);
    expect(lines(stderr, "waiting")).toEqual([
      "timebase: waiting for another timebase on this host (converge of other/stack/node-1, process 77), 200 of 600 s",
    ]);
    expect(stderr).toContain(
      "another timebase still runs here after 600 s: converge of other/stack/node-1, process 77\ntimebase: what to do: wait for it",
    );
    expect(host.snapshot()).toEqual(before);
  });

  test("a cloud-init that never ends is given up after a limit, before anything is changed", () => {
    host.remove("run/cloud-init/result.json");
    host.write("fake/system-state", "starting");
    takes("sleep", 300);
    const before = host.snapshot();
    const { status, stderr } = host.run(["converge"], plans.all);
    expect(status).toBe(1);
    expect(lines(stderr, "waiting")).toEqual(
      [0, 300, 600].map((seconds) => `timebase: waiting for cloud-init, ${seconds} of 900 s`),
    );
    expect(stderr).toContain("cloud-init did not finish within 900 s");
    expect(host.snapshot()).toEqual(before);
  });

  test("the whole run has a limit, after which nothing of it is left", () => {
    host.holdPackages();
    // Of the toolkit's own time only; what it limits itself is shorter.
    host.meanwhile("timeout", 'case "$*" in "-k 10 14400 "*) shift 3; exec timeout -k 10 3 "$@" ;; esac');
    const { TIMEBASE_LIMITED: _, ...environment } = host.environment();
    const { status, stderr } = spawnSync(shell, [path.join(__dirname, "../../toolkit/timebase"), "converge"], {
      input: plans.time,
      encoding: "utf8",
      env: environment,
    });
    expect(status).toBe(124);
    expect(lines(stderr, "waiting for the package manager")).toHaveLength(1);
    expect(fs.readdirSync(host.path("run")).filter((name) => name.startsWith("timebase-work"))).toEqual([]);
    host.write("proc/locks", "");
    host.remove("fake/bin");
    host.converge(plans.time);
  });

  describe("for the error bound", () => {
    const settling = `${plans.time.replace("settle-seconds=0", "settle-seconds=20")}`;
    const settle = (answer: string) => {
      host.converge(settling);
      host.chrony(answer);
      takes("sleep", 3);
      return host.run(["prove"], settling);
    };

    test("says every 5 s what it is, and what it is to be", () => {
      const { status, stderr } = settle(synchronised.replace("0.000412000", "0.004"));
      expect(status).toBe(1);
      const said = lines(stderr, "settling");
      expect(said).toHaveLength(3);
      for (const [line, seconds] of [6, 12, 18].entries()) {
        const trend = line === 0 ? "" : " \\(steady\\)";
        expect(said[line]).toMatch(
          new RegExp(`^timebase: settling: bound 2[1-9]\\d\\d us${trend}, budget 1000 us, ${seconds} of 20 s$`),
        );
      }
    });

    test("says why it is unknown", () => {
      expect(lines(settle(synchronised.replace("Normal", "Not synchronised")).stderr, "settling")).toContain(
        "timebase: settling: bound unknown (not synchronised), budget 1000 us, 6 of 20 s",
      );
    });

    test("says nothing where it holds at once", () => {
      expect(settle(synchronised)).toMatchObject({ status: 0, stderr: "" });
      expect(host.read("proc/uptime")).toBe("100.00 150.00\n");
    });
  });
});
