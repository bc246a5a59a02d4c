import { bootLines } from "./boot";
import { guestPtpLines } from "./guestPtp";
import type { HostPlan } from "./HostPlan";
import { timeLines } from "./time";

/** One `key=value` line before it is text. */
export type PlanLine = readonly [key: string, value: string];

const PRINTABLE_ASCII = /^[\x20-\x7e]+$/;

/**
 * Renders a plan as the text that a host reads on stdin (contract 1 of docs/architecture.md).
 *
 * The input validation refuses unprintable values long before this; here is the last door, because one newline in a
 * value would be a further instruction to root on the host.
 */
export function renderPlan(plan: HostPlan): string {
  const lines: PlanLine[] = [
    ["timebase-plan", "1"],
    ["owner", plan.owner],
    ["host", plan.host],
    ...optionalLine("generation", plan.generation),
    ...optionalLine("os", plan.os),
    ...(plan.boot ? bootLines(plan.boot) : []),
    ...(plan.time ? timeLines(plan.time) : []),
    ...(plan.guestPtp ? guestPtpLines(plan.guestPtp) : []),
  ];
  return lines.map(renderLine).join("");
}

function optionalLine(key: string, value: string | undefined): PlanLine[] {
  return value === undefined ? [] : [[key, value]];
}

function renderLine([key, value]: PlanLine): string {
  if (!PRINTABLE_ASCII.test(value)) {
    throw new Error(`plan key "${key}": the value must be one non-empty line of printable ASCII characters`);
  }
  return `${key}=${value}\n`;
}
