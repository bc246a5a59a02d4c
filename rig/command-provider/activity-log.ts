/**
 * A count of what the plugin really did, for tests such as "a second `up` dials no host": when TIMEBASE_PROVIDER_LOG
 * names a file, one JSON line is appended to it for every dial, session, copy and local command.
 */
import { appendFileSync } from "node:fs";

export interface Activity {
  readonly event: "dial" | "session" | "copy" | "local";
  readonly urn: string;
  /** Absent for a local command. */
  readonly host?: string;
  readonly ok: boolean;
  /** Duration in milliseconds. */
  readonly ms: number;
}

/** Runs `work` and records how long it took and whether it succeeded. */
export async function recorded<T>(activity: Omit<Activity, "ok" | "ms">, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const record = (ok: boolean) => append({ ...activity, ok, ms: Math.round(performance.now() - started) });
  try {
    const result = await work();
    record(true);
    return result;
  } catch (error) {
    record(false);
    throw error;
  }
}

function append(activity: Activity): void {
  const file = process.env.TIMEBASE_PROVIDER_LOG;
  if (file) {
    appendFileSync(file, `${JSON.stringify(activity)}\n`);
  }
}
