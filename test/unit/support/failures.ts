import { setTimeout } from "node:timers/promises";
import { expect } from "vitest";

const EVENT = "unhandledRejection";
/** Pulumi's runtime rejects every promise that depends on a failed one, some of them a few turns later. */
const SETTLE_MILLISECONDS = 50;

/**
 * Runs a program that must fail. Pulumi leaves the promises of a failed program unhandled, because its runner reports
 * them; here they are collected, and each of them must give the expected reason.
 */
export async function failing(reason: string, program: () => Promise<void>): Promise<void> {
  const listeners = process.rawListeners(EVENT);
  const reported: unknown[] = [];
  process.removeAllListeners(EVENT);
  process.on(EVENT, (error) => reported.push(error));
  try {
    await program();
    await setTimeout(SETTLE_MILLISECONDS);
  } finally {
    process.removeAllListeners(EVENT);
    for (const listener of listeners) {
      process.on(EVENT, listener as (...args: unknown[]) => void);
    }
  }
  expect(reported.map(String).filter((text) => !text.includes(reason))).toEqual([]);
}
