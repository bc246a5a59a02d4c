import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { stopMachine } from "../../../vm/down";
import { attempt, clockStack } from "./Attempt";
import { placeOf, Room, readdress } from "./Room";

declare module "vitest" {
  interface ProvidedContext {
    /** Of the sweep's machines, one for each worker. */
    roomFolders: string[];
  }
}

/**
 * The machines of the sweep, each with two snapshots: `fresh`, as an installation leaves it, and `live`, the same host
 * whose running kernel has the parameters although nothing configures them: what needs no reboot is tested from there.
 *
 * TIMEBASE_ROOM names a folder that keeps the machines from run to run, for who writes tests.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const kept = process.env.TIMEBASE_ROOM;
  const folder = kept ?? mkdtempSync(join(tmpdir(), "timebase-faults-"));
  const folders = Array.from({ length: project.config.maxWorkers }, (_, index) => join(folder, `room-${index + 1}`));
  project.provide("roomFolders", folders);
  for (const [index, room] of folders.entries()) {
    const prepared = join(room, "prepared");
    if (existsSync(prepared)) continue;
    if (index === 0) await furnish(room);
    else await (await Room.open("faults", folders[0] as string, undefined, "live")).copyTo(room);
    writeFileSync(prepared, "");
  }
  // Here, once for all: workers that each look for a free address find the same one.
  for (const room of folders) await stopMachine(placeOf("faults", room));
  await readdress(folders.map((room) => placeOf("faults", room)));
  return async () => {
    for (const room of folders) await stopMachine(placeOf("faults", room));
    if (kept === undefined) rmSync(folder, { recursive: true, force: true });
  };
}

async function furnish(folder: string): Promise<void> {
  const room = await Room.open("faults", folder);
  await room.prepare();
  await room.snapshot("fresh");
  const stack = await clockStack(room.host, folder);
  const { ok, said } = await attempt(stack);
  if (!ok) throw new Error(`a host to which nothing happened was not proved:\n${said}`);
  await stack.destroy();
  await room.prepare();
  await room.snapshot("live");
}
