import type { HostEndpoint } from "../hosts/endpoint";
import { type BootConditions, type BootSection, tscBoot } from "../plan/boot";
import { GuestPtp, RebootPolicy, TimeRole } from "../plan/enums";
import type { GuestPtpSection } from "../plan/guestPtp";
import { defaultTimescale, type TimeKey, type TimePair, type TimeSection, type TimeSource } from "../plan/time";
import { kindsBootParameters } from "../plan/timeSourceKinds";
import type { PlanSections } from "./provenHost";

const DEFAULT_MAX_ERROR_MICROS = 1000;
const DEFAULT_SETTLE_SECONDS = 120;

/** Resolved arguments to the boot section, with their defaults. */
export function bootSection(
  inputs: { reboot?: RebootPolicy; sources?: readonly TimeSource[] } & BootConditions,
): BootSection {
  const kinds = (inputs.sources ?? []).map(({ kind }) => kind);
  return tscBoot(inputs.reboot ?? RebootPolicy.ToProve, inputs, kindsBootParameters(kinds));
}

/** Resolved arguments to the time section, with their defaults. */
export function timeSection(inputs: {
  endpoint: Pick<HostEndpoint, "name">;
  timeRole?: TimeRole;
  sources?: TimeSource[];
  allow?: string[];
  ptpAddress?: string;
  pairs?: TimePair[];
  keys?: TimeKey[];
  timescale?: string;
  maxErrorMicros?: number;
  maxClockErrorPpm?: number;
  settleTimeoutSeconds?: number;
}): TimeSection {
  const role = inputs.timeRole ?? TimeRole.Client;
  const sources = inputs.sources ?? [];
  return {
    role,
    sources,
    allow: inputs.allow ?? [],
    ptpAddress: inputs.ptpAddress ?? undefined,
    pairs: inputs.pairs ?? [],
    keys: inputs.keys ?? [],
    timescale: inputs.timescale ?? defaultTimescale(role, inputs.endpoint.name, sources),
    maxErrorMicros: inputs.maxErrorMicros ?? DEFAULT_MAX_ERROR_MICROS,
    maxClockErrorPpm: inputs.maxClockErrorPpm ?? undefined,
    settleSeconds: inputs.settleTimeoutSeconds ?? DEFAULT_SETTLE_SECONDS,
  };
}

/** Resolved arguments to the guest PTP section, with its default. */
export function guestPtpSection(inputs: { guestPtp?: GuestPtp }): GuestPtpSection {
  return { expectation: inputs.guestPtp ?? GuestPtp.Required };
}

/** All that one host of an experiment needs. */
export function allSections(
  inputs: Parameters<typeof bootSection>[0] & Parameters<typeof timeSection>[0] & Parameters<typeof guestPtpSection>[0],
): PlanSections {
  return { boot: bootSection(inputs), time: timeSection(inputs), guestPtp: guestPtpSection(inputs) };
}
