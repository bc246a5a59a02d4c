import { OperatingSystem, RebootPolicy } from "./enums";
import {
  at,
  flag,
  type InputErrors,
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
import { hostKey, privateKey } from "./validateKey";

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
const waitSeconds = wholeNumberFrom(1, 86_400, "seconds");

/** What reaches a host by SSH. `path` is where it stands in the component's arguments; "" for the top. */
export function validateEndpoint(endpoint: unknown, path: string): InputErrors {
  const check = checkerOf(endpoint, path);
  const errors = [
    ...check("name", required(hostName)),
    ...check("address", required(address)),
    ...check("port", optional(port)),
    ...check("user", optional(user)),
    ...check("privateKey", optional(privateKey)),
    ...check("hostKey", required(hostKey)),
    ...check("privateAddress", optional(address)),
    ...check("generation", optional(generation)),
    ...check("machineUrn", optional(urn)),
  ];
  const proxy = at(endpoint, "proxy");
  return proxy === undefined ? errors : [...errors, ...validateProxy(proxy, joined(path, "proxy"))];
}

/** What every component with a host takes beside its endpoint. */
export function validateHostOptions(args: unknown): InputErrors {
  const check = checkerOf(args, "");
  return [
    ...check("operatingSystem", optional(oneOf(OperatingSystem))),
    ...check("reboot", optional(oneOf(RebootPolicy))),
    ...check("connectTimeoutSeconds", optional(waitSeconds)),
    ...check("rebootTimeoutSeconds", optional(waitSeconds)),
  ];
}

/** What the components that set boot parameters take beside that. */
export function validateBootConditions(args: unknown): InputErrors {
  const check = checkerOf(args, "");
  return [
    ...check("override", optional(flag)),
    ...check("force", optional(flag)),
    ...check("required", optional(flag)),
    ...check("revertReboot", plainFlag),
  ];
}

/** Checks properties of one value by name. */
export function checkerOf(value: unknown, path: string): (key: string, rule: Rule) => InputErrors {
  return (key, rule) => rule(at(value, key), joined(path, key));
}

function validateProxy(proxy: unknown, path: string): InputErrors {
  const check = checkerOf(proxy, path);
  return [
    ...check("address", required(address)),
    ...check("port", optional(port)),
    ...check("user", optional(user)),
    ...check("privateKey", optional(privateKey)),
    ...check("hostKey", required(hostKey)),
  ];
}

function joined(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}
