/** The rig's own folder for engine, plugins and their state; nothing of the user's Pulumi installation is touched. */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { lock } from "proper-lockfile";
import type { Progress } from "../engine";

export function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "pulumi-timebase");
}

/** One process at a time prepares the engine; the others wait for it, as long as a build takes. */
export async function withLock<T>(folder: string, progress: Progress, work: () => Promise<T>): Promise<T> {
  mkdirSync(folder, { recursive: true });
  const release = await lock(folder, { lockfilePath: join(folder, "lock"), stale: 15_000 }).catch((error) => {
    if ((error as NodeJS.ErrnoException).code !== "ELOCKED") {
      throw error;
    }
    progress("waiting for another process that prepares the engine");
    return lock(folder, {
      lockfilePath: join(folder, "lock"),
      stale: 15_000,
      retries: { retries: 1800, minTimeout: 500, maxTimeout: 500 },
    });
  });
  try {
    return await work();
  } finally {
    await release();
  }
}

/** What a kept folder must hold: a folder that a crash or a full disk left incomplete is made anew. */
interface Manifest {
  readonly origin: string;
  /** Size in bytes of every file in `bin`. */
  readonly sizes: Readonly<Record<string, number>>;
}

/** Fills a folder under another name and gives it its own name when it is complete. */
export async function keep(folder: string, origin: string, fill: (unfinished: string) => Promise<void>): Promise<void> {
  const unfinished = `${folder}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(join(unfinished, "bin"), { recursive: true });
  await fill(unfinished);
  const manifest: Manifest = { origin, sizes: fileSizes(unfinished) };
  writeFileSync(join(unfinished, "manifest.json"), JSON.stringify(manifest));
  rmSync(folder, { recursive: true, force: true });
  renameSync(unfinished, folder);
}

/** Where a kept folder came from, or undefined if there is none or it is damaged. */
export function keptOrigin(folder: string): string | undefined {
  try {
    const manifest = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8")) as Manifest;
    const intact = JSON.stringify(manifest.sizes) === JSON.stringify(fileSizes(folder));
    return intact ? manifest.origin : undefined;
  } catch {
    return undefined;
  }
}

function fileSizes(folder: string): Record<string, number> {
  const bin = join(folder, "bin");
  return Object.fromEntries(
    readdirSync(bin)
      .sort()
      .map((name) => [name, statSync(join(bin, name)).size]),
  );
}
