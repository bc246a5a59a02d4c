import type { UpResult } from "@pulumi/pulumi/automation";
import Table from "cli-table3";
import { type ClusterSummary, type HostSummary, Verdict } from "../components";

/** The cluster as one line of JSON. What is unknown is null, so that every key is always there. */
export function summaryJson(summary: ClusterSummary): string {
  return JSON.stringify({
    hosts: summary.hosts.map(hostJson),
    pairwiseBoundNs: summary.pairwiseBoundNs ?? null,
    timescale: summary.timescale ?? null,
    provedAt: summary.provedAt,
  });
}

function hostJson(host: HostSummary): Record<string, unknown> {
  return {
    name: host.name,
    clocksource: host.clocksource ?? null,
    bootParametersLive: host.bootParametersLive ?? null,
    rebooted: host.rebooted ?? null,
    guestPtp: host.guestPtp ?? "unknown",
    source: host.source ?? null,
    stratum: host.stratum ?? null,
    errorBoundNs: host.errorBoundNs ?? null,
    checks: host.checks,
  };
}

/** The bound, and the budget that it is held to. */
function errorBound({ errorBoundNs, errorBoundReason, checks }: HostSummary): string {
  const budget = checks.find(({ id }) => id === "time.bound")?.expected;
  return `${micros(errorBoundNs, errorBoundReason)}${budget === undefined ? "" : ` (${budget})`}`;
}

function bootParameters({ bootParametersLive, checks }: HostSummary): string {
  if (bootParametersLive === undefined) {
    return checks.some(({ verdict }) => verdict === Verdict.NotApplicable) ? "not applicable" : "unknown";
  }
  return bootParametersLive ? "live" : "not live";
}

/** The cluster as a table for people: one row a host. A proof is of its time, so the table says how old it is. */
export function summaryTable(summary: ClusterSummary, now = new Date()): string {
  const table = new Table({
    head: ["host", "clocksource", "boot parameters", "guest PTP", "time source", "error bound", "checks"],
    style: { head: [], border: [] },
  });
  for (const host of summary.hosts) {
    table.push([
      host.name,
      host.clocksource ?? "unknown",
      bootParameters(host),
      host.guestPtp ?? "unknown",
      host.source ?? "unknown",
      host.source === "itself" ? "defines the time" : errorBound(host),
      verdicts(host),
    ]);
  }
  const pair = micros(summary.pairwiseBoundNs, summary.pairwiseBoundReason);
  return [
    String(table),
    `Any two hosts differ by at most ${pair}. Timescale: ${summary.timescale ?? "none in common"}.`,
    `The oldest proof is ${age(now.getTime() - Date.parse(summary.provedAt))} old (${summary.provedAt}).`,
    ...doubts(summary.hosts),
  ].join("\n");
}

/** What did not pass, each once with all of its hosts, and what to do. */
function doubts(hosts: readonly HostSummary[]): string[] {
  const told = new Map<string, string[]>();
  for (const { name, checks } of hosts) {
    for (const { id, verdict, found, remedy } of checks) {
      if (verdict !== Verdict.Warn && verdict !== Verdict.Fail) continue;
      const text = `${verdict === Verdict.Fail ? "FAILED" : "warning"} ${id}: ${found}; what to do: ${remedy}`;
      told.set(text, [...(told.get(text) ?? []), name]);
    }
  }
  return [...told].map(([text, names]) => `${names.join(", ")}: ${text}`);
}

/** How many checks passed; and how many did not pass, by what they say instead. */
function verdicts({ checks }: HostSummary): string {
  const counted = Object.values(Verdict).map((verdict) => ({
    verdict,
    count: checks.filter((check) => check.verdict === verdict).length,
  }));
  const text = { pass: "passed", fail: "FAILED", warn: "with a warning", "not-applicable": "not applicable" } as const;
  return counted
    .filter(({ count }) => count > 0)
    .map(({ verdict, count }) => `${count} ${text[verdict]}`)
    .join(", ");
}

function age(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

function micros(ns: number | undefined, reason: string | undefined): string {
  return ns === undefined ? `unknown (${reason ?? "no reason given"})` : `${(ns / 1000).toFixed(1)} us`;
}

/** The number of resources that an update created, updated, replaced or deleted. */
export function changed({ summary }: UpResult): number {
  const { same: _, ...changes } = summary.resourceChanges ?? {};
  return Object.values(changes).reduce((sum, count) => sum + count, 0);
}
