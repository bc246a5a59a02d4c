import fs from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeHost, plans } from "./FakeHost";
import { shells } from "./shells";

// Somebody else's package transaction: GRUB's configuration and a reboot wait for it, and what it writes is not lost.

describe.each(shells)("a kernel that somebody is installing, under %s", (shell) => {
  let host: FakeHost;
  beforeEach(() => {
    host = new FakeHost(shell);
  });
  afterEach(() => host.destroy());

  /** A run that has to wait for him: it has done nothing by then, and succeeds when he is done. */
  const waits = async (verb: string, plan: string, nothingDone: () => boolean, meanwhile = () => {}) => {
    host.holdPackages();
    const running = host.start([verb], plan);
    await running.until("waiting for the package manager");
    expect(nothingDone()).toBe(true);
    meanwhile();
    host.write("proc/locks", "");
    const run = await running;
    expect(run.status, run.stderr).toBe(0);
    expect(run.stderr).toContain("waiting for the package manager, held by unattended-upgr");
    return run;
  };
  const kernels = () => host.commandLines().join("\n");
  /** It is there, and its entries are made, when ours have just been made for the first time. */
  const comesAfterOurs = (before = ":", after = ":") =>
    host.meanwhile(
      "grub-mkconfig",
      `cd "$TIMEBASE_ROOT"
[ -e fake/begun ] || {
  touch fake/begun
  grub-mkconfig "$@"
  ${before}
  echo 6.99.0 >>fake/kernels
  grub-mkconfig -o ${host.grubCfg}
  ${after}
  exit 0
}`,
    );

  test("is waited for before GRUB's configuration is made", async () => {
    const before = host.read(host.grubCfg);
    await waits(
      "converge",
      plans.boot,
      () => host.read(host.grubCfg) === before,
      () => host.installKernel("6.99.0"),
    );
    expect(kernels()).toMatch(/6\.99\.0 .*clocksource=tsc/);
  });

  test("is waited for before a boot entry of Amazon Linux is written", async () => {
    host.destroy();
    host = new FakeHost(shell, "amazon-linux-2023");
    const before = kernels();
    host.write("run/yum.pid", "700\n");
    host.process(700, "dnf");
    const running = host.start(["converge"], plans.boot);
    await running.until("waiting for the package manager");
    expect(kernels()).toBe(before);
    host.installKernel("6.99.0");
    host.remove("proc/700");
    expect((await running).status).toBe(0);
    for (const line of host.commandLines()) expect(line).toContain("clocksource=tsc");
  });

  test("and has begun since ours is being made, is in the one that takes its place", () => {
    host.holdPackages();
    fs.renameSync(host.path("proc/locks"), host.path("fake/locks"));
    comesAfterOurs("cp fake/locks proc/locks", "{ sleep 1; : >proc/locks; } >/dev/null 2>&1 9>&- &");
    host.converge(plans.boot);
    expect(kernels()).toMatch(/6\.99\.0 .*clocksource=tsc/);
  });

  // Without a lock: naive is to look for who holds the package tools.
  test("and whose entries were made by hand since ours are being made, is in the configuration that takes its place", () => {
    comesAfterOurs();
    host.converge(plans.boot);
    expect(kernels()).toMatch(/6\.99\.0 .*clocksource=tsc/);
  });

  test("is not waited for when a power cut has left the number of a process that is another's by now", () => {
    host.destroy();
    host = new FakeHost(shell, "amazon-linux-2023");
    host.write("run/yum.pid", "700\n");
    host.process(700, "sshd");
    expect(host.converge(plans.boot).stderr).not.toContain("waiting for");
  });

  test("is waited for before a reboot", async () => {
    host.converge(plans.boot.replace("to-prove", "never"));
    const run = await waits("converge", plans.boot, () => !host.calls().join().includes("systemd-run"));
    expect(run.stdout).toContain("converged-reboot=ordered");
    expect(host.calls().at(-1)).toBe("systemctl reboot");
  });

  test("is waited for before a revert", async () => {
    host.converge(plans.boot);
    await waits(
      "revert",
      plans.boot,
      () => kernels().includes("clocksource=tsc"),
      () => host.installKernel("6.99.0"),
    );
    expect(kernels()).toContain("6.99.0");
    expect(kernels()).not.toContain("tsc");
  });
});
