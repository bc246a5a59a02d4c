import { existsSync, readdirSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";

/** Who holds a stack, as the engine writes it down in the state's folder. */
export interface LockHolder {
  pid: number;
  hostname: string;
  timestamp: string;
}

/** The holders of all stacks of a state in a folder. */
export function lockHolders(state: string): LockHolder[] {
  const locks = join(state, ".pulumi/locks");
  if (!existsSync(locks)) return [];
  return readdirSync(locks, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".json"))
    .map((entry) => JSON.parse(readFileSync(join(entry.parentPath, entry.name), "utf8")) as LockHolder);
}

/** Whether the engine that took the lock may still run. A number is used again, so the name counts too. */
export function mayRun({ pid, hostname: host }: LockHolder, name = commandOf(pid)): boolean {
  return host !== hostname() || name === "pulumi";
}

function commandOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return undefined;
  }
}

/**
 * Makes sure that nobody holds the stack: of a run that was ended in the middle the lock is left, and is taken away; a run
 * that goes on is an error.
 */
export async function freeStack(state: string, cancel: () => Promise<void>): Promise<void> {
  const holders = lockHolders(state);
  const [running] = holders.filter((holder) => mayRun(holder));
  if (running !== undefined) {
    throw new Error(
      `another run of the demo is at work since ${running.timestamp} (process ${running.pid} on ${running.hostname}): ` +
        "wait for its end, or end it",
    );
  }
  if (holders.length > 0) await cancel();
}
