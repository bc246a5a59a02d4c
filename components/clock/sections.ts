import type { HostEndpoint } from "../hosts/endpoint";
import { type BootConditions, type BootSection, tscBoot } from "../plan/boot";
import { GuestPtp, RebootPolicy, TimeRole } from "../plan/enums";
import type { GuestPtpSection } from "../plan/guestPtp";
import {
  DEFAULT_MAX_ERROR_MICROS,
  defaultTimescale,
  hubTimescale,
  type TimeKey,
  type TimePair,
  type TimeSection,
  type TimeSource,
  UTC,
} from "../plan/time";
import { kindsBootParameters } from "../plan/timeSourceKinds";
import type { PlanSections } from "./provenHost";

const DEFAULT_SETTLE_SECONDS = 120;
const DEFAULT_MAX_CLOCK_ERROR_PPM = 50;

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
  trackingLog?: boolean;
}): TimeSection {
  const role = inputs.timeRole ?? TimeRole.Client;
  const sources = inputs.sources ?? [];
  const timescale = inputs.timescale ?? defaultTimescale(role, inputs.endpoint.name, sources);
  return {
    role,
    sources,
    allow: inputs.allow ?? [],
    ptpAddress: inputs.ptpAddress ?? undefined,
    pairs: inputs.pairs ?? [],
    keys: inputs.keys ?? [],
    timescale,
    maxErrorMicros: inputs.maxErrorMicros ?? DEFAULT_MAX_ERROR_MICROS,
    maxClockErrorPpm: clockErrorPpm(inputs.endpoint.name, timescale, inputs.maxClockErrorPpm ?? undefined),
    settleSeconds: inputs.settleTimeoutSeconds ?? DEFAULT_SETTLE_SECONDS,
    trackingLog: inputs.trackingLog ?? undefined,
  };
}

/**
 * How much the frequency of a host's clock may come to differ from its timescale's. That of a hub which follows nobody is a
 * clock like its own, which nothing corrects either: the two may go apart by twice as much.
 */
function clockErrorPpm(host: string, timescale: string, stated?: number): number | undefined {
  const followsClock = timescale !== UTC && timescale !== hubTimescale(host);
  return followsClock ? 2 * (stated ?? DEFAULT_MAX_CLOCK_ERROR_PPM) : stated;
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
