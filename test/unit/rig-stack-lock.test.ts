import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { freeStack, type LockHolder, lockHolders, mayRun } from "../../rig/stack-lock";

// As the engine writes it: a file for each update, in folders by organization, project and stack.
const held = (more: Partial<LockHolder> = {}) => ({
  pid: 2 ** 22 + 1,
  username: "somebody",
  hostname: hostname(),
  timestamp: "2026-11-25T14:00:00Z",
  ...more,
});

let state: string;
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), "stack-lock-"));
});
afterEach(() => rmSync(state, { recursive: true, force: true }));

function lock(holder: object): void {
  const folder = join(state, ".pulumi/locks/organization/timebase/local");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "5c0d.json"), JSON.stringify(holder));
}

describe("a stack", () => {
  test("that nobody holds is left alone", async () => {
    const cancel = vi.fn(async () => {});
    await freeStack(state, cancel);
    expect(lockHolders(state)).toEqual([]);
    expect(cancel).not.toHaveBeenCalled();
  });

  test("of a run that was ended in the middle is freed", async () => {
    const cancel = vi.fn(async () => {});
    lock(held());
    await freeStack(state, cancel);
    expect(cancel).toHaveBeenCalledOnce();
  });

  test("that another machine holds is not: nobody here can see whether it still runs", async () => {
    const cancel = vi.fn(async () => {});
    lock(held({ hostname: "elsewhere" }));
    await expect(freeStack(state, cancel)).rejects.toThrow(
      "another run of the demo is at work since 2026-11-25T14:00:00Z (process 4194305 on elsewhere): wait for its end",
    );
    expect(cancel).not.toHaveBeenCalled();
  });
});

test("a holder may run when its process is the engine, not when its number belongs to another program by now", () => {
  expect(mayRun(held({ pid: process.pid }))).toBe(false);
  expect(mayRun(held(), "pulumi")).toBe(true);
  expect(mayRun(held(), "bash")).toBe(false);
  expect(mayRun(held(), undefined)).toBe(false);
});
