import { isIPv6 } from "node:net";
import { TimeSourceKind } from "./enums";
import { makeStrict } from "./strictEnums";
import type { TimeSource } from "./time";

/** What a source does with a leap second. Sources that differ are apart by up to a second around it. */
export enum LeapSeconds {
  /** Spread over a day, so that the time is wrong by up to half a second meanwhile. */
  Smeared = "smeared",
  /** Stepped, or inserted as announced. */
  Exact = "exact",
  /** Nobody documents it. */
  Unknown = "unknown",
}

makeStrict({ LeapSeconds });

/** An argument of a source beside its kind. */
export type TimeSourceOption = Exclude<keyof TimeSource, "kind">;

/** All of them. */
export const TIME_SOURCE_OPTIONS = [
  "address",
  "clockName",
  "iburst",
  "minPollLog2",
  "maxPollLog2",
  "interleaved",
  "prefer",
  "trust",
  "nts",
  "key",
  "errorMicros",
] as const satisfies readonly TimeSourceOption[];

/** What is known of a kind of source without any host. */
interface KindTraits {
  leapSeconds: LeapSeconds | "by-address";
  /** The arguments that make sense for it; all others are refused. */
  takes: readonly TimeSourceOption[];
  /** The arguments that it cannot do without, each with the reason. */
  needs: Readonly<Partial<Record<TimeSourceOption, string>>>;
  /** Whether a host can have no more than one of it. */
  once: boolean;
  /** How far its device itself may be off where neither the driver nor the program says it, in microseconds. */
  ownErrorMicros?: number;
  /** Kernel boot parameters without which its device does not exist. */
  bootParameters: readonly string[];
}

const byAddress = {
  leapSeconds: "by-address",

  takes: ["address", "iburst", "minPollLog2", "maxPollLog2", "interleaved", "prefer", "trust", "nts", "key"],
  needs: { address: "" },
  once: false,
  bootParameters: [],
} as const satisfies KindTraits;

/**
 * A module's parameter on the kernel's command line reaches the module wherever it is loaded, also in an initramfs, which
 * a file in /etc/modprobe.d does only after the initramfs was made anew (Linux, Documentation/admin-guide/
 * kernel-parameters.rst). The driver has its clock turned off by default (ENA Linux driver, README, "PHC activation").
 */
const ENA_CLOCK = "ena.phc_enable=1";

/**
 * Every kind of source. Leap seconds: Amazon's and Google's time services smear (their documentation), Amazon's clock
 * device does not; of the clocks of Google's and Azure's hosts nothing is documented. The error of Amazon's device is told
 * by its driver, Google's is designed for 1 ms (Compute Engine, "Configure accurate time").
 */
export const TIME_SOURCE_KINDS = {
  [TimeSourceKind.Server]: byAddress,
  [TimeSourceKind.Pool]: byAddress,
  [TimeSourceKind.AwsNtp]: {
    leapSeconds: LeapSeconds.Smeared,
    takes: ["trust"],
    needs: {},
    once: true,
    bootParameters: [],
  },
  [TimeSourceKind.AwsPhc]: {
    leapSeconds: LeapSeconds.Exact,
    takes: ["trust"],
    needs: {},
    once: true,
    bootParameters: [ENA_CLOCK],
  },
  [TimeSourceKind.GcpNtp]: {
    leapSeconds: LeapSeconds.Smeared,
    takes: ["trust"],
    needs: {},
    once: true,
    bootParameters: [],
  },
  [TimeSourceKind.GcpPhc]: {
    leapSeconds: LeapSeconds.Unknown,
    takes: ["trust", "errorMicros"],
    needs: {},
    once: true,
    ownErrorMicros: 1000,
    bootParameters: [],
  },
  [TimeSourceKind.AzurePhc]: {
    leapSeconds: LeapSeconds.Unknown,
    takes: ["trust", "errorMicros"],
    needs: {
      errorMicros: "how far the clock of an Azure host may be off is not published: give what you can vouch for",
    },
    once: true,
    bootParameters: [],
  },
  [TimeSourceKind.Phc]: {
    leapSeconds: LeapSeconds.Exact,
    takes: ["clockName", "trust", "errorMicros"],
    needs: {
      clockName: "it tells which device is meant: see /sys/class/ptp/*/clock_name on the host",
      errorMicros: "a device does not tell how far it may be off: give what its maker or your monitoring vouches for",
    },
    once: true,
    bootParameters: [],
  },
  [TimeSourceKind.Ptp]: {
    leapSeconds: "by-address",
    takes: ["address", "trust", "errorMicros"],
    needs: { address: "" },
    once: true,
    bootParameters: [],
  },
  [TimeSourceKind.Auto]: {
    leapSeconds: LeapSeconds.Unknown,
    takes: ["errorMicros"],
    needs: {},
    once: true,
    bootParameters: [ENA_CLOCK],
  },
} as const satisfies Record<TimeSourceKind, KindTraits>;

/** What is known of a kind; undefined of what is none, or is not known yet. */
export function kindTraits(kind: unknown): KindTraits | undefined {
  return Object.entries(TIME_SOURCE_KINDS).find(([known]) => known === kind)?.[1];
}

/** Addresses of sources that smear leap seconds over a day (the operators' documentation). All others do not. */
const SMEARED_ADDRESSES = [
  /^169\.254\.169\.123$/,
  /^fd00:ec2::123$/,
  /^time\.aws\.com$/i,
  /^metadata\.google\.internal$/i,
  /^169\.254\.169\.254$/, // the same
  /^time[1-4]?\.google\.com$/i,
  /^216\.239\.35\.(0|4|8|12)$/,
  /^time[1-5]?\.facebook\.com$/i,
] as const;

/** As chronyd names it when it is asked for its sources: RFC 5952. Only IPv6 has more than one way to be written. */
export function canonicalAddress(address: string): string {
  // A zone is refused elsewhere, and no part of a URL.
  return isIPv6(address) && !address.includes("%") ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
}

/** What a source of this kind, at this address if it has one, does with leap seconds. */
export function leapSecondsOf(kind: TimeSourceKind, address: string | undefined): LeapSeconds {
  const { leapSeconds } = TIME_SOURCE_KINDS[kind];
  if (leapSeconds !== "by-address") {
    return leapSeconds;
  }
  const canonical = canonicalAddress(address ?? "");
  return SMEARED_ADDRESSES.some((pattern) => pattern.test(canonical)) ? LeapSeconds.Smeared : LeapSeconds.Exact;
}

/** The boot parameters that these kinds of sources need, once each. */
export function kindsBootParameters(kinds: readonly unknown[]): string[] {
  return [...new Set(kinds.flatMap((kind) => kindTraits(kind)?.bootParameters ?? []))];
}
