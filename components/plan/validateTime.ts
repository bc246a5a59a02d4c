import { GuestPtp, TimeRole, TimeSourceKind } from "./enums";
import { DEFAULT_MAX_ERROR_MICROS, hubTimescale, UTC } from "./time";
import { kindTraits, type LeapSeconds, leapSecondsOf, TIME_SOURCE_OPTIONS } from "./timeSourceKinds";
import {
  at,
  each,
  type Fields,
  fields,
  flag,
  type InputErrors,
  isRecord,
  listOf,
  must,
  numberFrom,
  oneOf,
  optional,
  PENDING,
  type Rule,
  required,
  wholeNumberFrom,
} from "./validate";
import { address, ipv4Address } from "./validateAddress";
import { hostName } from "./validateHost";
import { timeNetworks } from "./validateNetworks";
import { keysFit, partKeys, timeKey } from "./validateTimeKey";

/** chrony's own maximum of `minpoll` when `maxpoll` is left to its default (chrony.conf(5)). */
const DEFAULT_MAX_POLL_LOG2 = 10;

// chrony.conf(5): "minpoll" is -7 (1/128 s) to 24.
const poll = wholeNumberFrom(-7, 24, "as the logarithm of seconds to base 2");

/** Which time it is. */
export const timescale = must(
  (value) => typeof value === "string" && /^(utc|hub:[A-Za-z0-9._-]{1,63})$/.test(value),
  'must be "utc" or "hub:<name of the host that defines the time>"',
);

/** The budget of an error bound, in microseconds: from one nanosecond to ten seconds. */
export const errorBudget = numberFrom(0.001, 10_000_000, "microseconds");

/** How much the frequency of a clock may change: better ones are not in computers, and worse ones are no clocks. */
export const clockErrorPpm = numberFrom(0.1, 1000, "ppm");

/** How long a proof may wait: less than the time after which the toolkit ends itself. */
export const settleSeconds = wholeNumberFrom(1, 3600, "seconds");

/** Of what is an address at all. */
const ptpServer: Rule = (value, path) => (address(value, path).length > 0 ? [] : ipv4Address(value, path));

/** What drivers call their clocks: "ena-ptp-05", "KVM virtual PTP", "525400123456". */
const clockName = must(
  (value) =>
    typeof value === "string" && /^\w[\w.:-]*( [\w.:-]+)*$/.test(value) && !["trust", "error-ns"].includes(value),
  'must be a device\'s name in /sys/class/ptp/*/clock_name, such as "ptp_ocp"',
);

const timeSourceFields = {
  address: optional(address),
  clockName: optional(clockName),
  kind: optional(oneOf(TimeSourceKind)),
  minPollLog2: optional(poll),
  maxPollLog2: optional(poll),
  iburst: optional(flag),
  interleaved: optional(flag),
  prefer: optional(flag),
  trust: optional(flag),
  nts: optional(flag),
  key: optional(timeKey),
  errorMicros: optional(errorBudget),
} as const satisfies Fields;

const A_SOURCE = '{ address: "pool.ntp.org" }';

const timeSource: Rule = (source, path) => [
  ...fields(timeSourceFields, A_SOURCE)(source, path),
  ...optionsFit(source, path),
  ...(kindOf(source) === TimeSourceKind.Ptp ? optional(ptpServer)(at(source, "address"), `${path}.address`) : []),
  ...pollsFit(source, path),
  ...(at(source, "nts") === true && given(source, "key")
    ? [
        {
          propertyPath: `${path}.key`,
          reason: "is not for a source with nts, which makes keys of its own: leave one out",
        },
      ]
    : []),
];

const timePair = fields({ name: required(hostName), address: required(address), key: optional(timeKey) });

/** A list of time sources that can work together. */
export const timeSources: Rule = (sources, path) => [
  ...each(timeSource, `[${A_SOURCE}]`)(sources, path),
  ...kindsFit(sources, path),
  ...leapSecondsFit(sources, path),
  ...authenticationFits(sources, path),
];

/** What a component with a time section takes. */
export const timeFields = {
  timeRole: optional(oneOf(TimeRole)),
  allow: optional(timeNetworks('["10.77.0.0/24"]')),
  ptpAddress: optional(ipv4Address),
  pairs: optional(each(timePair)),
  keys: optional(each(timeKey)),
  timescale: optional(timescale),
  maxErrorMicros: optional(errorBudget),
  settleErrorMicros: optional(errorBudget),
  maxClockErrorPpm: optional(clockErrorPpm),
  settleTimeoutSeconds: optional(settleSeconds),
  trackingLog: optional(flag),
  sources: optional(timeSources),
} as const satisfies Fields;

/** What a component with a guest PTP section takes. */
export const guestPtpFields = { guestPtp: optional(oneOf(GuestPtp)) } as const satisfies Fields;

function pollsFit(source: unknown, path: string): InputErrors {
  const least = at(source, "minPollLog2");
  const most = at(source, "maxPollLog2") ?? DEFAULT_MAX_POLL_LOG2;
  return typeof least === "number" && typeof most === "number" && least > most
    ? [{ propertyPath: `${path}.minPollLog2`, reason: `must not be above maxPollLog2 (${most})` }]
    : [];
}

/** Each kind has arguments of its own: one that it does not take would be without effect, and nobody would know. */
function optionsFit(source: unknown, path: string): InputErrors {
  const kind = kindOf(source);
  const traits = kindTraits(kind);
  if (traits === undefined || !isRecord(source)) {
    return []; // Not known yet, or reported by the rule of the property itself.
  }
  const missing = Object.entries(traits.needs).filter(([option]) => !given(source, option));
  const senseless = TIME_SOURCE_OPTIONS.filter((option) => given(source, option) && !traits.takes.includes(option));
  return [
    ...missing.map(([option, why]) => ({
      propertyPath: `${path}.${option}`,
      reason: why === "" ? "is required" : `is required: ${why}`,
    })),
    ...senseless.map((option) => ({
      propertyPath: `${path}.${option}`,
      reason: `is not for ${kind}, which takes ${traits.takes.join(", ")}: leave it out`,
    })),
  ];
}

/** Whoever can forge the answers of one source has a say in the time, whatever protects the others. */
function authenticationFits(sources: unknown, path: string): InputErrors {
  const servers = listOf(sources).map((source): [source: unknown, authenticated: unknown] => {
    const parts = [at(source, "nts") ?? false, given(source, "key")];
    return [source, parts.includes(true) || (parts.includes(PENDING) ? PENDING : false)];
  });
  if (!servers.some(([, authenticated]) => authenticated === true)) {
    return [];
  }
  return servers.flatMap(([source, authenticated], index) => {
    const takes: readonly string[] = kindTraits(kindOf(source))?.takes ?? [];
    const remedy = takes.includes("nts")
      ? "must be authenticated like the others, by nts or a key"
      : `cannot be authenticated, as the others are: leave ${String(kindOf(source))} out`;
    return authenticated === false && takes.includes("address")
      ? [{ propertyPath: `${path}[${index}]`, reason: `${remedy}: who can forge one source has a say in the time` }]
      : [];
  });
}

/** Whether an argument is there; PENDING as long as it is not known. */
function given(source: unknown, option: string): boolean | typeof PENDING {
  const value = at(source, option);
  return value === PENDING ? PENDING : (value ?? undefined) !== undefined;
}

/** What a cloud gives is there once, and `auto` is a whole list by itself. */
function kindsFit(sources: unknown, path: string): InputErrors {
  const kinds = listOf(sources).map(kindOf);
  return kinds.flatMap((kind, index) => {
    const error = (reason: string) => [{ propertyPath: `${path}[${index}].kind`, reason }];
    if (kind === TimeSourceKind.Auto && kinds.length > 1) {
      return error("auto chooses the sources by itself: give no other source beside it");
    }
    return kindTraits(kind)?.once && kinds.indexOf(kind) < index ? error(`${kind} is in the list already`) : [];
  });
}

/** Around a leap second, sources that differ in this are apart by up to a second, and chrony believes one party. */
function leapSecondsFit(sources: unknown, path: string): InputErrors {
  const names: Record<LeapSeconds, string[]> = { smeared: [], exact: [], unknown: [] };
  for (const source of listOf(sources)) {
    const kind = kindOf(source);
    const address = at(source, "address");
    const traits = kindTraits(kind);
    if (traits === undefined || kind === TimeSourceKind.Auto) {
      continue;
    }
    if (!traits.takes.includes("address")) {
      names[leapSecondsOf(kind as TimeSourceKind, undefined)].push(kind as string);
    } else if (typeof address === "string") {
      names[leapSecondsOf(kind as TimeSourceKind, address)].push(address);
    }
  }
  const parties = [
    names.smeared.length > 0 && `${names.smeared.join(", ")} smears leap seconds`,
    names.exact.length > 0 &&
      `${names.exact.join(", ")} does not${names.smeared.length > 0 ? "" : " smear leap seconds"}`,
    names.unknown.length > 0 && `whether ${names.unknown.join(", ")} does is not documented`,
  ].filter(Boolean);
  return parties.length > 1
    ? [{ propertyPath: path, reason: `${parties.join(" and ")}: ${oneParty(listOf(sources).map(kindOf))}` }]
    : [];
}

/** One kind alone is none for hosts of two clouds. */
function oneParty(kinds: readonly unknown[]): string {
  const isAmong = (...ofCloud: TimeSourceKind[]) => ofCloud.some((kind) => kinds.includes(kind));
  return isAmong(TimeSourceKind.AwsNtp, TimeSourceKind.AwsPhc) && isAmong(TimeSourceKind.GcpNtp, TimeSourceKind.GcpPhc)
    ? "for hosts of both clouds take aws-ntp with gcp-ntp, which smear alike"
    : "use one kind only";
}

/** The kind of a source, with its default; PENDING as long as it is not known. */
function kindOf(source: unknown): unknown {
  return at(source, "kind") ?? (source === PENDING ? PENDING : TimeSourceKind.Server);
}

/** A source that may be off by more than a host may in all: no proof could pass, and that would show after the reboot. */
export function ownErrorsFit(args: unknown): InputErrors {
  const budget = at(args, "maxErrorMicros") ?? DEFAULT_MAX_ERROR_MICROS;
  return listOf(at(args, "sources")).flatMap((source, index) => {
    const kind = kindOf(source);
    const own = at(source, "errorMicros") ?? kindTraits(kind)?.ownErrorMicros;
    // What auto becomes, the host chooses by its budget, too.
    return kind !== TimeSourceKind.Auto && typeof own === "number" && typeof budget === "number" && own >= budget
      ? [
          {
            propertyPath: `sources[${index}]`,
            reason: `may be off by ${own} us by itself (${kind}), and maxErrorMicros allows ${budget} us in all: allow more, or take another source`,
          },
        ]
      : [];
  });
}

/** Whether the role of a host fits what it is to do with the time. */
export function rolesFit(args: unknown): InputErrors {
  const role = at(args, "timeRole") ?? TimeRole.Client;
  const sources = at(args, "sources");
  const hasSources = sources === PENDING || (Array.isArray(sources) && sources.length > 0);
  const errors: InputErrors = [];
  if (role === TimeRole.Client && !hasSources) {
    errors.push({ propertyPath: "sources", reason: "must have a source: a client has no time of its own" });
  }
  if (role === TimeRole.Client && at(args, "keys") !== undefined && at(args, "keys") !== PENDING) {
    errors.push({ propertyPath: "keys", reason: "is for hubs: a client gives each source its key" });
  }
  if (role === TimeRole.Hub && !hasSources && at(args, "timescale") === "utc") {
    errors.push({
      propertyPath: "timescale",
      reason: "cannot be utc for a hub without sources: leave it out, or give sources",
    });
  }
  const ownTimescale = hubTimescale(String(at(at(args, "endpoint"), "name")));
  if (role === TimeRole.Hub && Array.isArray(sources) && hasSources && at(args, "timescale") === ownTimescale) {
    errors.push({
      propertyPath: "timescale",
      reason: `cannot be ${ownTimescale} for a hub that follows sources: leave it out, or leave the sources out`,
    });
  }
  return [
    ...errors,
    ...ptpFits(args),
    ...keysFit([
      ...listOf(at(args, "keys")).map((key, index): [string, unknown] => [`keys[${index}]`, key]),
      ...partKeys("sources", sources),
      ...partKeys("pairs", at(args, "pairs")),
    ]),
  ];
}

/** A host serves network PTP or follows it; and what PTP does not tell of its hub the program has to. */
function ptpFits(args: unknown): InputErrors {
  const serves = (at(args, "ptpAddress") ?? undefined) !== undefined;
  const errors: InputErrors = [];
  if (serves && (at(args, "timeRole") ?? TimeRole.Client) === TimeRole.Client) {
    errors.push({
      propertyPath: "ptpAddress",
      reason: "is for hubs: a client serves nobody (timeRole: TimeRole.Hub)",
    });
  }
  if (serves && Array.isArray(at(args, "allow") ?? []) && listOf(at(args, "allow")).length === 0) {
    errors.push({
      propertyPath: "allow",
      reason: "must have the networks of the clients, to which ptpAddress serves PTP",
    });
  }
  const timescale = at(args, "timescale") ?? UTC;
  listOf(at(args, "sources")).forEach((source, index) => {
    if (kindOf(source) !== TimeSourceKind.Ptp) {
      return;
    }
    const path = `sources[${index}]`;
    if (serves) {
      errors.push({
        propertyPath: `${path}.kind`,
        reason: "cannot be ptp on a hub that serves PTP itself (ptpAddress)",
      });
    }
    if (timescale === UTC && given(source, "errorMicros") === false) {
      errors.push({
        propertyPath: `${path}.errorMicros`,
        reason:
          'is required: PTP does not tell how far its hub is off UTC; give what you can vouch for, or timescale: "hub:<name>" ' +
          "if the hub's own clock is the time",
      });
    }
  });
  return errors;
}
