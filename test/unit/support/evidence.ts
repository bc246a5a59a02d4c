import { type HostEvidence, parseEvidence } from "../../../components";

/** What a healthy client prints: the example of docs/architecture.md. */
export const PRINTED = {
  format: 1,
  host: "node-2",
  owner: "demo/local/cluster-node-2",
  asOf: "2026-11-23T18:25:32Z",
  os: "debian-12",
  kernel: "6.1.0-41-cloud-amd64",
  bootId: "0a1b2c3d-0000-4000-8000-000000000001",
  rebooted: true,
  clocksource: "tsc",
  availableClocksources: ["tsc", "hpet", "acpi_pm"],
  bootParametersLive: true,
  bootParametersPersistent: true,
  guestPtp: "available",
  guestPtpReason: "",
  source: "10.77.0.11",
  sourceKind: "server",
  stratum: 11,
  timescale: "hub:node-1",
  errorBoundNs: 412_000,
  errorBoundReason: "",
  driftPpb: 1500,
  checks: [{ id: "clocksource.current", verdict: "pass", expected: "tsc", found: "tsc", remedy: "" }],
};

/** The line that a host would print, with some fields changed. */
export function printed(changes: Partial<Record<keyof typeof PRINTED | "pairs", unknown>> = {}): string {
  return JSON.stringify({ ...PRINTED, ...changes });
}

/** The same, parsed. */
export function evidence(changes: Partial<Record<keyof typeof PRINTED, unknown>> = {}): HostEvidence {
  return parseEvidence(printed(changes));
}
