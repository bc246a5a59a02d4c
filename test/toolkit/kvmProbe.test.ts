import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const probe = join(__dirname, "../../toolkit/lib/kvm_clock_pairing.py");
const kvm = join(__dirname, "fakes/kvm.py");

// Amazon Linux 2 has Python 2.7 only. Where these tests run without it, the fake KVM is as strict as it.
const pythons = ["python3", "python2.7"].filter((python) => spawnSync(python, ["-c", ""]).status === 0);

describe.each(pythons)("the probe of KVM's clock pairing, by %s", (python) => {
  test.each([
    ["an answer and a time", 0, 1_764_000_000, "available"],
    ["an answer without a time", 0, 0, "unavailable KVM answered the clock-pairing hypercall without a time"],
    [
      "the refusal of a host whose clocksource is not tsc",
      -95,
      0,
      "unavailable KVM refuses the clock-pairing hypercall: not supported (-95)",
    ],
    ["another refusal", -1000, 0, "unavailable KVM refuses the clock-pairing hypercall: status -1000"],
  ])("%s", (_, status, seconds, said) => {
    const ran = spawnSync(python, ["-ES", kvm, probe, String(status), String(seconds)], { encoding: "utf8" });
    expect(ran).toMatchObject({ status: 0, stdout: `${said}\n`, stderr: "" });
  });

  test("what is no KVM is an error, not an answer", () => {
    const ran = spawnSync(python, ["-ES", probe, "/dev/null"], { encoding: "utf8" });
    expect(ran).toMatchObject({ status: 1, stdout: "" });
  });
});
