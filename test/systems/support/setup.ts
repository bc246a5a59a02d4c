import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    systemsFolder: string;
  }
}

/** One folder for the machines of all systems, so that none takes another one's address. */
export default function setup(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), "timebase-systems-"));
  project.provide("systemsFolder", folder);
  return () => rmSync(folder, { recursive: true, force: true });
}
