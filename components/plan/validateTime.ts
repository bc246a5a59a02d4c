import { GuestPtp, TimeRole, TimeSourceKind } from "./enums";
import {
  at,
  each,
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
import { checkerOf } from "./validateHost";

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

/** What a component with a time section takes. */
export function validateTime(args: unknown): InputErrors {
  const check = checkerOf(args, "");
  return [
    ...check("timeRole", optional(oneOf(TimeRole))),
    ...check("allow", optional(each(cidr))),
    ...check("timescale", optional(timescale)),
    ...check("maxErrorMicros", optional(errorBudget)),
    ...check("settleTimeoutSeconds", optional(settleSeconds)),
    ...validateSources(at(args, "sources"), "sources"),
    ...rolesFit(args),
  ];
}

/** A list of time sources that can work together. */
export function validateSources(sources: unknown, path: string): InputErrors {
  return [...optional(each(timeSource))(sources, path), ...(Array.isArray(sources) ? smearingFits(sources, path) : [])];
}

/** What a component with a guest PTP section takes. */
export function validateGuestPtp(args: unknown): InputErrors {
  return optional(oneOf(GuestPtp))(at(args, "guestPtp"), "guestPtp");
}

const timeSource: Rule = (source, path) => {
  const check = checkerOf(source, path);
  return [
    ...check("address", required(address)),
    ...check("kind", optional(oneOf(TimeSourceKind))),
    ...check("minPollLog2", optional(poll)),
    ...check("maxPollLog2", optional(poll)),
    ...["iburst", "interleaved", "prefer", "trust"].flatMap((key) => check(key, optional(flag))),
    ...pollsFit(source, path),
  ];
};

function pollsFit(source: unknown, path: string): InputErrors {
  const least = at(source, "minPollLog2");
  const most = at(source, "maxPollLog2") ?? DEFAULT_MAX_POLL_LOG2;
  return typeof least === "number" && typeof most === "number" && least > most
    ? [{ propertyPath: `${path}.minPollLog2`, reason: `must not be above maxPollLog2 (${most})` }]
    : [];
}

/** During a leap second, smeared and unsmeared sources differ by up to half a second, and chrony believes one party. */
function smearingFits(sources: readonly unknown[], path: string): InputErrors {
  const addresses = sources.map((source) => at(source, "address")).filter((value) => typeof value === "string");
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

function rolesFit(args: unknown): InputErrors {
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
