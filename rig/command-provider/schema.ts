/**
 * What each resource accepts, as tables, and the one function that checks inputs against them. Everything that is not
 * listed here is refused: a stand-in that tolerates more than the real provider would hide mistakes.
 */
import type { provider } from "@pulumi/pulumi";
import { isArchive, isAsset, isPropertyMap, isUnknown, type PropertyMap } from "./property-values";

export type CheckFailure = provider.CheckFailure;

type Kind = "string" | "number" | "integer" | "boolean" | "strings" | "string map" | "list" | "asset or archive";

interface Property {
  readonly kind: Kind | Shape;
  readonly required?: true;
  readonly default?: string | number;
  readonly oneOf?: readonly string[];
  /** Why the stand-in refuses a property that the real provider has. */
  readonly refused?: string;
}

export interface Shape {
  readonly [property: string]: Property;
}

const logging: Property = { kind: "string", oneOf: ["stdout", "stderr", "stdoutAndStderr", "none"] };

const endpoint: Shape = {
  host: { kind: "string", required: true },
  user: { kind: "string", default: "root" },
  port: { kind: "number", default: 22 },
  password: { kind: "string" },
  privateKey: { kind: "string" },
  privateKeyPassword: { kind: "string" },
  agentSocketPath: { kind: "string" },
  dialErrorLimit: { kind: "integer", default: 10 },
  perDialTimeout: { kind: "integer", default: 15 },
  hostKey: { kind: "string" },
};

const connection: Property = { kind: { ...endpoint, proxy: { kind: endpoint } }, required: true };

const command: Shape = {
  create: { kind: "string" },
  update: { kind: "string" },
  delete: { kind: "string" },
  triggers: { kind: "list" },
  stdin: { kind: "string" },
  logging,
  addPreviousOutputInEnv: { kind: "boolean" },
};

/** Inputs of every resource type, by the last two parts of its token. */
export const resourceInputs: Readonly<Record<string, Shape>> = {
  "command:remote:Command": {
    ...command,
    connection,
    environment: {
      kind: "string map",
      refused:
        "the stand-in cannot tell whether sshd took a variable (AcceptEnv), which the real provider insists on: " +
        "put variables in the command or on stdin",
    },
  },
  "command:remote:CopyToRemote": {
    connection,
    source: { kind: "asset or archive", required: true },
    remotePath: { kind: "string", required: true },
    triggers: { kind: "list" },
  },
  "command:local:Command": {
    ...command,
    interpreter: { kind: "strings" },
    dir: { kind: "string" },
    environment: { kind: "string map" },
    assetPaths: { kind: "strings", refused: "the stand-in does not collect files" },
    archivePaths: { kind: "strings", refused: "the stand-in does not collect files" },
  },
};

/** All failures at once; values that are not known yet (preview) are accepted. */
export function checkInputs(shape: Shape, inputs: PropertyMap, path = ""): CheckFailure[] {
  const unknownNames = Object.keys(inputs).filter((name) => !(name in shape));
  return [
    ...unknownNames.map((name) => ({ property: path + name, reason: `no such property: '${path + name}'` })),
    ...Object.entries(shape).flatMap(([name, property]) => checkProperty(property, inputs[name], path + name)),
  ];
}

function checkProperty(property: Property, value: unknown, path: string): CheckFailure[] {
  const failure = (reason: string) => [{ property: path, reason }];
  if (value === undefined || value === null) {
    return property.required ? failure(`missing required property '${path}'`) : [];
  }
  if (isUnknown(value)) {
    return [];
  }
  if (property.refused !== undefined) {
    return failure(`'${path}': ${property.refused}`);
  }
  if (typeof property.kind !== "string") {
    return isPropertyMap(value)
      ? checkInputs(property.kind, value, `${path}.`)
      : failure(`'${path}' must be an object`);
  }
  if (!isOfKind[property.kind](value)) {
    return failure(`'${path}' must be of type ${property.kind}`);
  }
  if (property.oneOf && !property.oneOf.includes(value as string)) {
    return failure(`'${path}' must be one of ${property.oneOf.join(", ")}`);
  }
  return [];
}

const isString = (value: unknown) => typeof value === "string";
const isStringOrUnknown = (value: unknown) => isString(value) || isUnknown(value);

const isOfKind: Readonly<Record<Kind, (value: unknown) => boolean>> = {
  string: isString,
  number: (value) => typeof value === "number",
  integer: Number.isInteger,
  boolean: (value) => typeof value === "boolean",
  list: Array.isArray,
  strings: (value) => Array.isArray(value) && value.every(isStringOrUnknown),
  "string map": (value) => isPropertyMap(value) && Object.values(value).every(isStringOrUnknown),
  "asset or archive": (value) => isAsset(value) || isArchive(value),
};

/** The inputs with the defaults of their shape, at every depth. */
export function withDefaults(shape: Shape, inputs: PropertyMap): PropertyMap {
  const filled: Record<string, unknown> = { ...inputs };
  for (const [name, property] of Object.entries(shape)) {
    const value = inputs[name] ?? property.default;
    if (value === undefined) {
      continue;
    }
    filled[name] =
      typeof property.kind === "string" || !isPropertyMap(value) ? value : withDefaults(property.kind, value);
  }
  return filled;
}
