import { type TimeKeyType, TimeRole, TimeSourceKind } from "./enums";
import type { PlanLine } from "./text";
import { canonicalAddress, kindTraits } from "./timeSourceKinds";

/** A symmetric key. */
export interface TimeKey {
  id: number;
  type: TimeKeyType;
  secret: string;
}

/** One time source, after its defaults are filled in or left to the host. */
export interface TimeSource {
  kind?: TimeSourceKind;
  address?: string;
  clockName?: string;
  iburst?: boolean;
  minPollLog2?: number;
  maxPollLog2?: number;
  interleaved?: boolean;
  prefer?: boolean;
  trust?: boolean;
  nts?: boolean;
  key?: TimeKey;
  errorMicros?: number;
}

/** Another host, whose clock this one measures against its own without following it. */
export interface TimePair {
  name: string;
  address: string;
  key?: TimeKey;
}

/** How the host gets its time, whom it serves, and how good the time must be. */
export interface TimeSection {
  role: TimeRole;
  sources: readonly TimeSource[];
  /** CIDRs whose hosts may ask this one for the time: those that follow it, and those that measure it. */
  allow: readonly string[];
  /** The address at which a hub serves network PTP. */
  ptpAddress?: string;
  /** The hosts that this one measures. */
  pairs: readonly TimePair[];
  /** The keys by which a hub authenticates its answers. */
  keys: readonly TimeKey[];
  /** `utc`, or `hub:<name>` when the cluster's own hub defines the time. */
  timescale: string;
  maxErrorMicros: number;
  /** Against the timescale, which may be another host's clock. Left to the host's default, for one clock, if it is not stated. */
  maxClockErrorPpm?: number;
  settleSeconds: number;
  /** Whether chronyd logs its updates, so that a proof tells what the bound was since the one before. */
  trackingLog?: boolean;
}

/** The budget of a host's error bound where none is stated, in microseconds. */
export const DEFAULT_MAX_ERROR_MICROS = 1000;

/** The timescale of hosts whose sources follow the world. */
export const UTC = "utc";

/** The timescale of a cluster whose hub follows nobody. */
export function hubTimescale(hub: string): string {
  return `hub:${hub}`;
}

/** The timescale of a host that did not state one: a hub without sources defines its own. */
export function defaultTimescale(role: TimeRole, host: string, sources: readonly TimeSource[]): string {
  switch (role) {
    case TimeRole.Client:
      return UTC;
    case TimeRole.Hub:
      return sources.length === 0 ? hubTimescale(host) : UTC;
    default:
      return role satisfies never;
  }
}

/**
 * A source as the host reads it: chrony's own configuration line for an address, else the kind, of which the host knows
 * the rest. The order of the options is fixed, so that equal plans are equal texts.
 */
export function timeSourceLine(source: TimeSource): string {
  const { kind = TimeSourceKind.Server, address } = source;
  const takesBurst = kindTraits(kind)?.takes.includes("iburst");
  const options = [
    address !== undefined && canonicalAddress(address),
    // The words of a plan's line are apart by spaces.
    source.clockName?.replaceAll(" ", "?"),
    (source.iburst ?? takesBurst) && "iburst",
    source.minPollLog2 !== undefined && `minpoll ${source.minPollLog2}`,
    source.maxPollLog2 !== undefined && `maxpoll ${source.maxPollLog2}`,
    source.interleaved && "xleave",
    source.prefer && "prefer",
    source.trust && "trust",
    source.nts && "nts",
    source.key && `key ${source.key.id}`,
    source.errorMicros !== undefined && `error-ns ${nanos(source.errorMicros)}`,
  ];
  return [kind, ...options.filter(Boolean)].join(" ");
}

function timePairLine({ name, address, key }: TimePair): string {
  return [name, canonicalAddress(address), key && `key ${key.id}`].filter(Boolean).join(" ");
}

function nanos(micros: number): string {
  return String(Math.round(micros * 1000));
}

/** The keys of a section, those of its sources and pairs among them, once each; the text of a key is chrony's own, too. */
function keyTexts({ keys, sources, pairs }: TimeSection): string[] {
  const all = [...keys, ...[...sources, ...pairs].flatMap(({ key }) => key ?? [])];
  return [...new Set(all.map(({ id, type, secret }) => `${id} ${type} ${secret}`))];
}

/** Whether the lines of the section are not for everybody's eyes. */
export function holdsKeys(section: TimeSection): boolean {
  return keyTexts(section).length > 0;
}

/** What a proof is given beside its plan that is to wait until all pairs are measured: when all hosts are there. */
export const AWAIT_PAIRS = "time-await-pairs=yes\n";

/** What a reading of the gate is given beside its plan: all hosts are read at once. */
export const TOGETHER = "time-together=yes\n";

/** What a proof is given beside its plan that waits for a bound, within the plan's time, and passes without. */
export function settleLine(micros: number | undefined): string {
  return micros === undefined ? "" : `time-settle-error-ns=${nanos(micros)}\n`;
}

/** The lines of the section. */
export function timeLines(section: TimeSection): PlanLine[] {
  return [
    ["time-role", section.role],
    ...section.sources.map((source): PlanLine => ["time-source", timeSourceLine(source)]),
    ...section.allow.map((network): PlanLine => ["time-allow", network]),
    ...(section.ptpAddress === undefined ? [] : [["time-ptp", section.ptpAddress] as const]),
    ...section.pairs.map((pair): PlanLine => ["time-pair", timePairLine(pair)]),
    ...keyTexts(section).map((key): PlanLine => ["time-key", key]),
    ["timescale", section.timescale],
    ["time-max-error-ns", nanos(section.maxErrorMicros)],
    ...(section.maxClockErrorPpm === undefined
      ? []
      : [["time-max-clock-error-ppm", String(section.maxClockErrorPpm)] as const]),
    ...(section.trackingLog ? [["time-tracking-log", "yes"] as const] : []),
    ["time-settle-seconds", String(section.settleSeconds)],
  ];
}
