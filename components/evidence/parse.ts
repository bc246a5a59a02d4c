import { LeapSeconds } from "../plan/timeSourceKinds";
import {
  type Check,
  GuestPtpState,
  type HostEvidence,
  type PairMeasurement,
  SourceKind,
  Verdict,
} from "./HostEvidence";

/** What a host printed is not evidence. Says which part, never guesses a value. */
export class EvidenceError extends Error {
  constructor(reason: string) {
    super(`the evidence of a host cannot be read: ${reason}`);
    this.name = "EvidenceError";
  }
}

const FORMAT = 1;
const ISO_8601_UTC = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads the line of JSON that `timebase prove` prints (contract 2 of docs/architecture.md).
 *
 * Strict: a field that is missing or of the wrong type, or a format of another version, is an EvidenceError. `null`
 * means unknown and becomes undefined.
 */
export function parseEvidence(json: string): HostEvidence {
  const fields = parseObject(json);
  if (fields.format !== FORMAT) {
    throw new EvidenceError(`its format is ${JSON.stringify(fields.format)}, and only format ${FORMAT} is known`);
  }
  const evidence: HostEvidence = {
    name: text(fields, "host"),
    owner: text(fields, "owner"),
    asOf: instant(fields, "asOf"),
    os: text(fields, "os"),
    kernel: text(fields, "kernel"),
    bootId: text(fields, "bootId"),
    rebooted: known(flag)(fields, "rebooted"),
    clocksource: known(text)(fields, "clocksource"),
    availableClocksources: known(texts)(fields, "availableClocksources"),
    bootParametersLive: known(flag)(fields, "bootParametersLive"),
    bootParametersPersistent: known(flag)(fields, "bootParametersPersistent"),
    guestPtp: known(member(GuestPtpState))(fields, "guestPtp"),
    guestPtpReason: known(text)(fields, "guestPtpReason") ?? "",
    source: known(text)(fields, "source"),
    sourceKind: known(member(SourceKind))(fields, "sourceKind"),
    // Of these there were none in the evidence that is in the states of stacks that exist.
    ...(fields.leapSeconds === undefined ? {} : { leapSeconds: member(LeapSeconds)(fields, "leapSeconds") }),
    stratum: known(count)(fields, "stratum"),
    timescale: known(text)(fields, "timescale"),
    errorBoundNs: known(count)(fields, "errorBoundNs"),
    errorBoundReason: known(text)(fields, "errorBoundReason") ?? "",
    driftPpb: known(count)(fields, "driftPpb"),
    ...(fields.pairs === undefined ? {} : { pairs: pairs(fields) }),
    ...(fields.heldReason === undefined ? {} : held(fields)),
    checks: checks(fields),
  };
  requireReason(evidence);
  return evidence;
}

function parseObject(json: string): Fields {
  if (typeof json !== "string") {
    throw new EvidenceError("it is no text: what `cluster.hosts` and `evidence` give is parsed already");
  }
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new EvidenceError(`it is not JSON: ${JSON.stringify(json.slice(0, 120))}`);
  }
  return asFields(value, "it");
}

function asFields(value: unknown, what: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new EvidenceError(`${what} is not a JSON object`);
  }
  return value as Fields;
}

function field<T>(fields: Fields, key: string, kind: string, is: (value: unknown) => value is T): T {
  const value = fields[key];
  if (value === undefined) {
    throw new EvidenceError(`the field "${key}" is missing`);
  }
  if (!is(value)) {
    throw new EvidenceError(`the field "${key}" must be ${kind}, not ${JSON.stringify(value)}`);
  }
  return value;
}

function text(fields: Fields, key: string): string {
  return field(fields, key, "a text", (value) => typeof value === "string");
}

function texts(fields: Fields, key: string): string[] {
  const isTexts = (value: unknown): value is string[] =>
    Array.isArray(value) && value.every((item) => typeof item === "string");
  return field(fields, key, "a list of texts", isTexts);
}

function flag(fields: Fields, key: string): boolean {
  return field(fields, key, "true or false", (value) => typeof value === "boolean");
}

function figure(fields: Fields, key: string): number {
  return field(fields, key, "a number", (value): value is number => Number.isFinite(value));
}

function count(fields: Fields, key: string): number {
  const isCount = (value: unknown): value is number =>
    typeof value === "number" && Number.isFinite(value) && value >= 0;
  return field(fields, key, "a number that is not negative", isCount);
}

function instant(fields: Fields, key: string): string {
  const isInstant = (value: unknown): value is string =>
    typeof value === "string" && ISO_8601_UTC.test(value) && !Number.isNaN(Date.parse(value));
  return field(fields, key, "a time such as 2026-01-31T12:00:00Z", isInstant);
}

function member<T extends string>(members: Record<string, T>): (fields: Fields, key: string) => T {
  const values = Object.values(members);
  return (fields, key) =>
    field(fields, key, `one of ${values.join(", ")}`, (value): value is T => values.includes(value as T));
}

/** The field must be there, but may be null: unknown. */
function known<T>(read: (fields: Fields, key: string) => T): (fields: Fields, key: string) => T | undefined {
  return (fields, key) => (fields[key] === null ? undefined : read(fields, key));
}

function list(fields: Fields, key: string): unknown[] {
  return field(fields, key, "a list", (value): value is unknown[] => Array.isArray(value));
}

function pairs(fields: Fields): PairMeasurement[] {
  return list(fields, "pairs").map((item, index) => {
    const pair = asFields(item, `pairs[${index}]`);
    const measurement = {
      host: text(pair, "host"),
      offsetNs: known(figure)(pair, "offsetNs"),
      errorNs: known(count)(pair, "errorNs"),
      ageMs: known(count)(pair, "ageMs"),
      reason: text(pair, "reason"),
    };
    const unknown = [measurement.offsetNs, measurement.errorNs, measurement.ageMs].filter((one) => one === undefined);
    if (unknown.length !== 0 && (unknown.length !== 3 || measurement.reason === "")) {
      throw new EvidenceError(`pairs[${index}] must have all of offsetNs, errorNs and ageMs, or none and a reason`);
    }
    return measurement;
  });
}

function held(fields: Fields): Pick<HostEvidence, "heldSince" | "heldBoundNs" | "heldReason"> {
  const read = {
    heldSince: known(instant)(fields, "heldSince"),
    heldBoundNs: known(count)(fields, "heldBoundNs"),
    heldReason: text(fields, "heldReason"),
  };
  if (
    (read.heldReason === "" || read.heldBoundNs !== undefined) &&
    (read.heldSince === undefined || read.heldBoundNs === undefined)
  ) {
    throw new EvidenceError('it has neither "heldBoundNs" with "heldSince" nor "heldReason"');
  }
  return read;
}

function checks(fields: Fields): Check[] {
  const items = list(fields, "checks");
  if (items.length === 0) {
    throw new EvidenceError("it has no checks: nothing was proved");
  }
  return items.map((item, index) => {
    const check = asFields(item, `checks[${index}]`);
    return {
      id: text(check, "id"),
      verdict: member(Verdict)(check, "verdict"),
      expected: text(check, "expected"),
      found: text(check, "found"),
      remedy: text(check, "remedy"),
    };
  });
}

/** A plan with a time section has a timescale: then the bound is known, or somebody must say why it is not. */
function requireReason(evidence: HostEvidence): void {
  if (evidence.timescale !== undefined && evidence.errorBoundNs === undefined && evidence.errorBoundReason === "") {
    throw new EvidenceError('it has neither "errorBoundNs" nor "errorBoundReason"');
  }
}
