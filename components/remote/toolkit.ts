import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";

/**
 * The folder that is copied to every host. The package ships it once, at its root: this file is two folders below it in
 * the sources, and three in `dist`.
 */
export function toolkitFolder(): string {
  const candidates = ["../../toolkit", "../../../toolkit"].map((path) => join(__dirname, path));
  const found = candidates.find((folder) => existsSync(join(folder, "timebase")));
  if (found === undefined) {
    throw new Error("the package pulumi-timebase is incomplete: its folder toolkit is missing; install it again");
  }
  return found;
}

/** Changes when any file of the toolkit does, so that a new toolkit converges and proves the hosts again. */
export function toolkitDigest(folder: string): string {
  const hash = createHash("sha256");
  for (const { name, path } of filesOf(folder)) {
    hash.update(`${name}\0`).update(readFileSync(path)).update("\0");
  }
  return hash.digest("hex").slice(0, 12);
}

/** The files of a folder, in the order of their names in it. */
export function filesOf(folder: string): { name: string; path: string }[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => ({ name: relative(folder, path).split(sep).join("/"), path }));
}
