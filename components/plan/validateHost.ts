import { Cloud, OperatingSystem, ProveWhen, RebootPolicy, TimeSourceKind } from "./enums";
import {
  at,
  each,
  type Fields,
  fields,
  flag,
  type InputErrors,
  joined,
  must,
  oneOf,
  optional,
  plainFlag,
  type Rule,
  required,
  shown,
  wholeNumberFrom,
} from "./validate";
import { address } from "./validateAddress";
import { HOST_KEY_REMEDY, hostKey, privateKey } from "./validateKey";

const HOST_NAME = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
const USER = /^[A-Za-z_][A-Za-z0-9_.-]{0,31}$/;
const GENERATION = /^[\x21-\x7e]{1,200}$/;

/** A host's name in evidence, resource names and messages. */
export const hostName: Rule = (value, path) =>
  typeof value === "string" && HOST_NAME.test(value)
    ? []
    : [
        {
          propertyPath: path,
          reason: `must be 1 to 63 letters, digits, ".", "_" or "-", with a letter or digit at both ends, not ${shown(value)}`,
        },
      ];

const port = wholeNumberFrom(1, 65535, "as a TCP port");
const user = must((value) => typeof value === "string" && USER.test(value), "must be the name of a user on the host");
const generation = must(
  (value) => typeof value === "string" && GENERATION.test(value),
  "must be 1 to 200 printable ASCII characters without spaces",
);
const urn = must(
  (value) => typeof value === "string" && value.startsWith("urn:pulumi:"),
  "must be the URN of a resource",
);
const digest = must(
  (value) => typeof value === "string" && /^[0-9a-f]{64}$/.test(value),
  "must be a digest of SHA-256",
);
const waitSeconds = wholeNumberFrom(1, 86_400, "seconds");

const pinnedKey = required(hostKey, HOST_KEY_REMEDY);

const proxy = fields({
  address: required(address),
  port: optional(port),
  user: optional(user),
  privateKey: optional(privateKey),
  hostKey: pinnedKey,
});

/** What is known of a machine in a cloud before it is there. */
export const machineFields = {
  cloud: required(oneOf(Cloud)),
  operatingSystem: optional(oneOf(OperatingSystem)),
  guests: required(flag),
  phc: required(flag),
  sources: required(each(oneOf(TimeSourceKind))),
  timeOpen: required(flag),
  ptpOpen: required(flag),
  otherRules: required(flag),
  privateAddress: required(address),
} as const satisfies Fields;

/** What reaches a host by SSH. */
export const endpointFields = {
  name: required(hostName),
  address: required(address),
  port: optional(port),
  user: optional(user),
  privateKey: optional(privateKey),
  hostKey: pinnedKey,
  privateAddress: optional(address),
  generation: optional(generation),
  machineUrn: optional(urn),
  firstBoot: optional(digest),
  machine: optional(fields(machineFields)),
  proxy: optional(proxy),
} as const satisfies Fields;

/** What every component on one host takes. */
export const hostFields = {
  endpoint: required(fields(endpointFields)),
  operatingSystem: optional(oneOf(OperatingSystem)),
  prove: optional(oneOf(ProveWhen)),
  connectTimeoutSeconds: optional(waitSeconds),
} as const satisfies Fields;

/** Another text, which may be anything, is reported by the rule of the property itself. */
function isSystem(value: unknown): boolean {
  return Object.values(OperatingSystem).includes(value as OperatingSystem);
}

/** A system that is declared otherwise than its machine is made: the plan would be refused on the machine. */
export function systemFits(host: unknown, path = ""): InputErrors {
  const declared = at(host, "operatingSystem");
  const made = at(at(at(host, "endpoint"), "machine"), "operatingSystem");
  return isSystem(declared) && isSystem(made) && declared !== made
    ? [
        {
          propertyPath: joined(path, "operatingSystem"),
          reason: `is ${shown(declared)}, and the machine is made with ${shown(made)}: give both the same, or leave it out here`,
        },
      ]
    : [];
}

/** What a component that sets boot parameters takes. */
export const bootFields = {
  reboot: optional(oneOf(RebootPolicy)),
  rebootTimeoutSeconds: optional(waitSeconds),
  override: optional(flag),
  force: optional(flag),
  required: optional(flag),
  revertReboot: plainFlag,
} as const satisfies Fields;
