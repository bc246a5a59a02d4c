import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { FakeHost, plans, synchronised } from "./FakeHost";
import { shells } from "./shells";

/** One lie that a naive check, a line of shell in the host's root, believes; and the check of ours that does not. */
export interface Lie {
  check: string;
  naive: string;
  believes: string;
  lie: (host: FakeHost) => void;
  plan?: string;
  found: string;
}

/** A host on which everything is true. */
export interface TrueHost {
  host: FakeHost;
  /** What its converge has answered. */
  answers: string;
}

/**
 * Under each shell: the proof of a host on which everything was true is not fooled by any of the lies, of which there is one
 * for each of its checks at least; and more tests.
 * @param ids of which checks the lies are
 */
export function describeProof(theme: string, ids: RegExp, lies: Lie[], more: (truth: TrueHost) => void): void {
  describe.each(shells)(`prove ${theme} under %s`, (shell) => {
    const truth = {} as TrueHost;
    beforeAll(() => {
      truth.host = new FakeHost(shell);
      truth.answers = truth.host.run(["converge"], plans.all).stdout;
      truth.host.reboot();
      truth.host.chrony(synchronised);
      truth.host.save();
    });
    beforeEach(() => truth.host.restore());
    afterAll(() => truth.host.destroy());

    test("has no check without a naive form that is fooled", () => {
      const { stdout } = truth.host.run(["prove"], plans.all + truth.answers);
      const checks: string[] = JSON.parse(stdout).checks.map(({ id }: { id: string }) => id);
      const fooled = new Set(lies.map(({ check }) => check));
      expect(checks.filter((id) => ids.test(id) && !fooled.has(id))).toEqual([]);
    });

    test.each(lies)("$check is not fooled: $naive", ({ check, believes, lie, plan, found }) => {
      lie(truth.host);
      const naive = spawnSync("sh", ["-c", believes], { cwd: truth.host.root, env: truth.host.environment() });
      expect(naive.status, believes).toBe(0);
      const run = truth.host.run(["prove"], plan ?? plans.all + truth.answers);
      expect(run.status).toBe(1);
      const failed = JSON.parse(run.stdout).checks.find((row: { id: string }) => row.id === check);
      expect(failed).toMatchObject({ verdict: "fail" });
      expect(failed.found).toContain(found);
      expect(failed.remedy.length).toBeGreaterThan(10);
      expect(run.stderr).toContain(`FAIL  ${check}`);
    });

    more(truth);
  });
}
