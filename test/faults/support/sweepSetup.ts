import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { attempt, clockStack } from "./Attempt";
import { Room } from "./Room";

declare module "vitest" {
  interface ProvidedContext {
    roomFolder: string;
  }
}

/**
 * The machine of the sweep with its two snapshots: `fresh`, as an installation leaves it, and `live`, the same host whose
 * running kernel has the parameters although nothing configures them: what needs no reboot is tested from there.
 *
 * TIMEBASE_ROOM names a folder that keeps the machine from run to run, for who writes tests.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const kept = process.env.TIMEBASE_ROOM;
  const folder = kept ?? mkdtempSync(join(tmpdir(), "timebase-faults-"));
  mkdirSync(folder, { recursive: true });
  project.provide("roomFolder", folder);
  const room = await Room.open("faults", folder);
  const snapshots = await room.snapshots();
  if (!snapshots.includes("fresh")) {
    await room.prepare();
    await room.snapshot("fresh");
  }
  if (!snapshots.includes("live")) {
    await room.restore("fresh");
    const stack = await clockStack(room.host, folder);
    const { ok, said } = await attempt(stack);
    if (!ok) throw new Error(`a host to which nothing happened was not proved:\n${said}`);
    await stack.destroy();
    await room.prepare();
    await room.snapshot("live");
  }
  return async () => {
    if (kept !== undefined) return room.powerOff();
    await room.remove();
    rmSync(folder, { recursive: true, force: true });
  };
}
