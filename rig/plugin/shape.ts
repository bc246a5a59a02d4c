/**
 * What a resource accepts, as a table, and the one function that checks inputs against it. Everything that is not in the
 * table is refused: a stand-in that tolerates more than the real provider would hide mistakes.
 */
import type { provider } from "@pulumi/pulumi";
import { didYouMean } from "../did-you-mean";
import { isArchive, isAsset, isPropertyMap, isUnknown, type PropertyMap } from "./property-values";

export type CheckFailure = provider.CheckFailure;

export type Kind = "string" | "number" | "integer" | "boolean" | "asset or archive" | "anything";

export interface Property {
  readonly kind: Kind | Shape;
  /** Absent: one value of this kind. */
  readonly many?: "list" | "map";
  readonly required?: true;
  readonly default?: string | number;
  readonly oneOf?: readonly string[];
  /** Why the stand-in refuses a property that the real provider has. */
  readonly refused?: string;
}

export interface Shape {
  readonly [property: string]: Property;
}

/** All failures at once; values that are not known yet (preview) are accepted. */
export function checkInputs(shape: Shape, inputs: PropertyMap, path = ""): CheckFailure[] {
  const unknownNames = Object.keys(inputs).filter((name) => !Object.hasOwn(shape, name));
  return [
    ...unknownNames.map((name) => ({ property: path + name, reason: `no such property: '${path + name}'` })),
    ...Object.entries(shape).flatMap(([name, property]) => checkProperty(property, inputs[name], path + name)),
  ];
}

function checkProperty(property: Property, value: unknown, path: string): CheckFailure[] {
  if (value === undefined || value === null) {
    return property.required ? [{ property: path, reason: `missing required property '${path}'` }] : [];
  }
  if (isUnknown(value)) {
    return [];
  }
  if (property.refused !== undefined) {
    return [{ property: path, reason: `'${path}': ${property.refused}` }];
  }
  const { many } = property;
  if (many === undefined) {
    return checkValue(property, value, path);
  }
  const items = itemsOf[many](value);
  return items === undefined
    ? [{ property: path, reason: `'${path}' must be a ${many}` }]
    : items.flatMap(([key, item]) => (isUnknown(item) ? [] : checkValue(property, item, path + key)));
}

/** What is in a list or a map, by what it adds to the path. */
const itemsOf: Readonly<Record<"list" | "map", (value: unknown) => [key: string, item: unknown][] | undefined>> = {
  list: (value) => (Array.isArray(value) ? value.map((item, index) => [`[${index}]`, item]) : undefined),
  map: (value) =>
    isPropertyMap(value) ? Object.entries(value).map(([key, item]) => [`[${JSON.stringify(key)}]`, item]) : undefined,
};

function checkValue({ kind, oneOf }: Property, value: unknown, path: string): CheckFailure[] {
  const failure = (reason: string) => [{ property: path, reason }];
  if (typeof kind !== "string") {
    return isPropertyMap(value) ? checkInputs(kind, value, `${path}.`) : failure(`'${path}' must be an object`);
  }
  if (!isOfKind[kind](value)) {
    return failure(`'${path}' must be of type ${kind}`);
  }
  const text = value as string;
  return oneOf && !oneOf.includes(text) ? failure(`'${path}' must be one of ${listed(oneOf, text)}`) : [];
}

/** More than anybody reads are counted. */
function listed(known: readonly string[], wanted: string): string {
  return known.length <= 20 ? known.join(", ") : `${known.length} texts${didYouMean(wanted, known)}`;
}

const isOfKind: Readonly<Record<Kind, (value: unknown) => boolean>> = {
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number",
  integer: Number.isInteger,
  boolean: (value) => typeof value === "boolean",
  "asset or archive": (value) => isAsset(value) || isArchive(value),
  anything: () => true,
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
