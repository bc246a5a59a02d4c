import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeHost, plans, synchronised } from "./FakeHost";

// A release upgrade makes a system of the host that the toolkit's table does not have.
describe.each(["ubuntu-24.04", "amazon-linux-2", "amazon-linux-2023"])("%s, upgraded to a later release", (name) => {
  let host: FakeHost;
  let before: Record<string, string>;
  beforeEach(() => {
    host = new FakeHost(name.startsWith("amazon") ? "bash" : "dash", name);
    before = host.snapshot();
    host.converge(plans.all);
    host.reboot();
    host.chrony(synchronised);
    const release = host
      .read("etc/os-release")
      .replaceAll(/24\.04|2023|"2"/g, "25.10")
      .replaceAll('""', '"');
    host.write("etc/os-release", release);
    before["etc/os-release"] = host.snapshot()["etc/os-release"] as string;
  });
  afterEach(() => host.destroy());

  const upgraded = name.startsWith("amazon") ? "amazon-linux-25.10" : "ubuntu-25.10";

  test("what cannot be looked at is not proved, and the proof says what to do", () => {
    const run = host.run(["prove"], plans.boot);
    expect(run.status).toBe(1);
    expect(run.stderr).not.toContain("not found");
    const proof = JSON.parse(run.stdout);
    expect(proof.bootParametersPersistent).toBe(false);
    expect(proof.checks).toContainEqual(
      expect.objectContaining({
        id: "system",
        verdict: "fail",
        found: upgraded,
        expected: expect.stringMatching(/^one of: ubuntu-22\.04, .*, amazon-linux-2023$/),
        remedy: expect.stringContaining("take timebase off it"),
      }),
    );
    expect(proof.checks).toContainEqual(
      expect.objectContaining({ id: "boot.persistent", verdict: "fail", found: "unreadable" }),
    );
    const status = host.run(["status"], "");
    expect(status.status).toBe(1);
    expect(status.stdout).toContain("FAIL  system");
  });

  test("revert gives every byte back, as on the system that was converged", () => {
    const run = host.run(["revert"], plans.all);
    expect(run.status, run.stderr).toBe(0);
    expect(host.snapshot()).toEqual(before);
  });

  test("a revert that cannot know which system it was says what to do, changes nothing, and works then", () => {
    host.remove("var/lib/timebase/system");
    const converged = host.snapshot();
    const run = host.run(["revert"], plans.all);
    expect(run.status).toBe(1);
    expect(run.stderr).toContain(`system ${upgraded} is not supported, and ${host.path("var/lib/timebase/system")}`);
    expect(run.stderr).toContain("what to do: write its name to that file, one of: ubuntu-22.04, ");
    expect(host.snapshot()).toEqual(converged);
    host.write("var/lib/timebase/system", `${name}\n`);
    expect(host.run(["revert"], plans.all).status).toBe(0);
    expect(host.snapshot()).toEqual(before);
  });

  test("a revert where nothing was set changes nothing", () => {
    expect(host.run(["revert"], plans.all).status).toBe(0);
    expect(host.run(["revert"], plans.all).status).toBe(0);
    expect(host.snapshot()).toEqual(before);
  });
});
