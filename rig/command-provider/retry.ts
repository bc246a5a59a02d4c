import { setTimeout as sleep } from "node:timers/promises";
import { logStatus } from "./engine-log";

/** Seconds between attempts: 0.1, 0.15, 0.225, ... 5, 5, 5, as the real provider waits. */
const firstDelaySeconds = 0.1;
const delayGrowth = 1.5;
const longestDelaySeconds = 5;

export interface RetryOptions {
  /** What is tried, for status lines: "Dial", "Dial proxy". */
  readonly what: string;
  /** How many failures are followed by another attempt; -1 means any number. */
  readonly limit: number;
  readonly urn: string;
  /** Ends the waiting when the user cancels. */
  readonly cancelled: AbortSignal;
}

/** Calls `attempt` until it succeeds, it failed more than `limit` times, or the user cancels. */
export async function withRetry<T>(options: RetryOptions, attempt: () => Promise<T>): Promise<T> {
  const { what, limit, urn, cancelled } = options;
  let delaySeconds = firstDelaySeconds;
  for (let failures = 1; ; failures++) {
    if (cancelled.aborted) {
      throw new Error(`${what} was cancelled`);
    }
    try {
      return await attempt();
    } catch (error) {
      if (limit >= 0 && failures > limit) {
        throw new Error(`after ${limit} failed attempts: ${(error as Error).message}`);
      }
      void logStatus(urn, `${what} ${failures}/${limit < 0 ? "inf" : limit} failed: retrying`);
    }
    await sleep(delaySeconds * 1000, undefined, { signal: cancelled }).catch(() => undefined);
    delaySeconds = Math.min(delaySeconds * delayGrowth, longestDelaySeconds);
  }
}
