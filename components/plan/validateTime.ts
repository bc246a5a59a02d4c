import { GuestPtp, TimeRole, TimeSourceKind } from "./enums";
import {
  at,
  each,
  type Fields,
  fields,
  flag,
  type InputErrors,
  must,
  numberFrom,
  oneOf,
  optional,
  PENDING,
  type Rule,
  required,
  wholeNumberFrom,
} from "./validate";
import { address, cidr } from "./validateAddress";

/** Sources that smear leap seconds over a day (the operators' documentation). All others step or insert them. */
const SMEARED = [
  /^169\.254\.169\.123$/,
  /^fd00:ec2::123$/i,
  /^time\.aws\.com$/i,
  /^metadata\.google\.internal$/i,
  /^time[1-4]?\.google\.com$/i,
] as const;

/** chrony's own maximum of `minpoll` when `maxpoll` is left to its default (chrony.conf(5)). */
const DEFAULT_MAX_POLL_LOG2 = 10;

// chrony.conf(5): "minpoll" is -7 (1/128 s) to 24.
const poll = wholeNumberFrom(-7, 24, "as the logarithm of seconds to base 2");
const timescale = must(
  (value) => typeof value === "string" && /^(utc|hub:[A-Za-z0-9._-]{1,63})$/.test(value),
  'must be "utc" or "hub:<name of the host that defines the time>"',
);

/** The budget of an error bound, in microseconds: from one nanosecond to ten seconds. */
export const errorBudget = numberFrom(0.001, 10_000_000, "microseconds");

/** How long a proof may wait: less than the time after which the toolkit ends itself. */
export const settleSeconds = wholeNumberFrom(1, 3600, "seconds");

const timeSource: Rule = (source, path) => [
  ...fields({
    address: required(address),
    kind: optional(oneOf(TimeSourceKind)),
    minPollLog2: optional(poll),
    maxPollLog2: optional(poll),
    iburst: optional(flag),
    interleaved: optional(flag),
    prefer: optional(flag),
    trust: optional(flag),
  })(source, path),
  ...pollsFit(source, path),
];

/** A list of time sources that can work together. */
export const timeSources: Rule = (sources, path) => [
  ...each(timeSource)(sources, path),
  ...smearingFits(sources, path),
];

/** What a component with a time section takes. */
export const timeFields = {
  timeRole: optional(oneOf(TimeRole)),
  allow: optional(each(cidr)),
  timescale: optional(timescale),
  maxErrorMicros: optional(errorBudget),
  settleTimeoutSeconds: optional(settleSeconds),
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

/** During a leap second, smeared and unsmeared sources differ by up to half a second, and chrony believes one party. */
function smearingFits(sources: unknown, path: string): InputErrors {
  const list = Array.isArray(sources) ? sources : [];
  const addresses = list.map((source) => at(source, "address")).filter((value) => typeof value === "string");
  const smeared = addresses.filter((value) => SMEARED.some((pattern) => pattern.test(value)));
  const exact = addresses.filter((value) => !smeared.includes(value));
  return smeared.length > 0 && exact.length > 0
    ? [
        {
          propertyPath: path,
          reason: `${smeared.join(", ")} smears leap seconds and ${exact.join(", ")} does not: use one kind only`,
        },
      ]
    : [];
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
  if (role === TimeRole.Client && at(args, "allow") !== undefined && at(args, "allow") !== PENDING) {
    errors.push({ propertyPath: "allow", reason: "is for hubs: a client serves nobody (timeRole: TimeRole.Hub)" });
  }
  if (role === TimeRole.Hub && !hasSources && at(args, "timescale") === "utc") {
    errors.push({
      propertyPath: "timescale",
      reason: "cannot be utc for a hub without sources: leave it out, or give sources",
    });
  }
  return errors;
}
