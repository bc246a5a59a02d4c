import { readdirSync, readFileSync } from "node:fs";

const SAMPLE_MILLIS = 20;

/** What the command lines and environments of the processes are that start while something is done. */
export async function processTextsDuring(work: () => Promise<unknown>): Promise<string> {
  const before = new Set(processes());
  const texts = new Set<string>();
  const timer = setInterval(() => {
    for (const pid of processes().filter((it) => !before.has(it))) {
      for (const file of ["cmdline", "environ"]) texts.add(textOf(`/proc/${pid}/${file}`));
    }
  }, SAMPLE_MILLIS);
  await work().finally(() => clearInterval(timer));
  return [...texts].join("\n");
}

function processes(): string[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name));
}

/** Empty when the process is gone meanwhile. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
