import { spawnSync } from "node:child_process";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeHost, plans } from "./FakeHost";
import { shells } from "./shells";

// What cloud-init leaves since version 23.4 (canonical/cloud-init, cloudinit/cmd/main.py: status_wrapper): recoverable errors
// are in status.json only, and make `cloud-init status` end with 2 instead of 0.
const stage = (errors: string[] = [], recoverable: Record<string, string[]> = {}) => ({
  errors,
  finished: 1732547549.8567138,
  recoverable_errors: recoverable,
  start: 1732547549.4562278,
});
const deprecated = { DEPRECATED: ["Deprecated cloud-config provided: users.0.lock-passwd: Default: ``true``."] };
const written = (v1: object) => `${JSON.stringify({ v1 }, null, 1)}\n`;

describe.each(shells)("under %s, a cloud-init that has ended", (shell) => {
  let host: FakeHost;

  /** Its last stage has these errors; an earlier one had something deprecated in its user data. */
  const ended = (errors: string[]) => {
    const datasource = "DataSourceNoCloud [seed=/dev/vdb]";
    const stages = { init: stage([], deprecated), "init-local": stage(), "modules-config": stage() };
    host.write(
      "run/cloud-init/status.json",
      written({ datasource, ...stages, "modules-final": stage(errors), stage: null }),
    );
    host.write("run/cloud-init/result.json", written({ datasource, errors }));
    host.meanwhile("cloud-init", `echo "cloud-init $*" >>"$TIMEBASE_ROOT/calls"; exit ${errors.length > 0 ? 1 : 2}`);
  };
  const naive = (text: string) => spawnSync("sh", ["-c", text], { cwd: host.root, env: host.environment() }).status;

  beforeEach(() => {
    host = new FakeHost(shell);
  });
  afterEach(() => host.destroy());

  test("with recoverable errors, exit status 2, holds nobody up", () => {
    ended([]);
    expect(naive("cloud-init status --wait")).toBe(2);
    host.forgetCalls();
    const { stderr } = host.converge(plans.all);
    expect(stderr).not.toContain("cloud-init");
    expect(host.calls().join("\n")).not.toContain("cloud-init");
  });

  test("with an error is told of, and is not judged either", () => {
    ended(["('scripts_user', RuntimeError('Runparts: 1 failures (runcmd) in 1 attempted commands'))"]);
    expect(naive(`grep -q '"errors": \\[\\]' run/cloud-init/status.json`)).toBe(0);
    expect(host.converge(plans.all).stderr).toContain("cloud-init has ended with errors");
  });
});
