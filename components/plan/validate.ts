import type * as pulumi from "@pulumi/pulumi";
import { distance } from "fastest-levenshtein";

/** One wrong input: where it is and how to put it right. */
export type InputErrors = pulumi.InputPropertyErrorDetails[];

/** Stands for a value that is not known yet: every rule lets it pass, and the rules run again when it is known. */
export const PENDING = Symbol("pending");

/** A rule looks at one value at one path. Values are `unknown`: programs in other languages are not type checked. */
export type Rule = (value: unknown, path: string) => InputErrors;

/** Applies a rule if the value is there. */
export function optional(rule: Rule): Rule {
  return (value, path) => (value === undefined || value === null ? [] : settled(rule)(value, path));
}

/** Applies a rule and reports a value that is not there, with what to do about it if that is not plain. */
export function required(rule: Rule, remedy?: string): Rule {
  const reason = remedy === undefined ? "is required" : `is required: ${remedy}`;
  return (value, path) =>
    value === undefined || value === null ? [{ propertyPath: path, reason }] : settled(rule)(value, path);
}

/** Applies a rule to every item of a list. `example` is such a list, as a program has it. */
export function each(rule: Rule, example?: string): Rule {
  return (value, path) =>
    Array.isArray(value)
      ? value.flatMap((item, index) => required(rule)(item, `${path}[${index}]`))
      : [{ propertyPath: path, reason: `must be a list${suchAs(example)}` }];
}

function suchAs(example: string | undefined): string {
  return example === undefined ? "" : `, such as ${example}`;
}

/** The fields that a value may have, each with its rule: `required` or `optional`. */
export type Fields = Readonly<Record<string, Rule>>;

/**
 * A rule for a value with these fields. Any other field is refused, because the argument that was meant would silently
 * keep its default, and programs in other languages are not type checked. `example` is such a value, as a program has it.
 */
export function fields(rules: Fields, example?: string): Rule {
  return settled((value, path) => {
    if (!isRecord(value)) {
      const names = Object.keys(rules).join(", ");
      return [{ propertyPath: path, reason: `must be an object with ${names}${suchAs(example)}` }];
    }
    return isResource(value)
      ? [
          {
            propertyPath: path,
            reason: "is a whole resource: give its output that is wanted here, such as its endpoint",
          },
        ]
      : [
          ...Object.entries(rules).flatMap(([key, rule]) => rule(at(value, key), joined(path, key))),
          ...unknownFields(value, Object.keys(rules), path),
        ];
  });
}

/**
 * All that is wrong with a component's arguments: its fields, then how they fit together. A program without types may
 * leave the arguments out altogether.
 */
export function argsWith(
  rules: Fields,
  ...together: ((args: unknown) => InputErrors)[]
): (args: unknown) => InputErrors {
  return (args) => [...fields(rules)(args ?? {}, ""), ...together.flatMap((rule) => rule(args))];
}

const UNKNOWN_FIELD = "is not an argument";

/** Whether an error is about a field that there is not: nobody knows what its value is, so it may be a key. */
export function isUnknownField({ reason }: InputErrors[number]): boolean {
  return reason.startsWith(UNKNOWN_FIELD);
}

function unknownFields(value: Record<string, unknown>, known: readonly string[], path: string): InputErrors {
  return Object.keys(value)
    .filter((key) => !known.includes(key) && value[key] !== undefined)
    .map((key) => ({ propertyPath: joined(path, key), reason: `${UNKNOWN_FIELD}; ${hint(key, known)}` }));
}

/** What one cloud, or ssh, calls otherwise than another, the nearest in meaning side by side. */
const OTHER_WORDS = [
  ["availabilityZone", "zone", "region"],
  ["instanceType", "machineType"],
  ["imageId", "image"],
  ["vpcId", "network"],
  ["subnetId", "subnetwork"],
  ["securityGroupIds", "networkTags"],
  ["tags", "labels"],
  ["proxy", "bastion", "jumpHost"],
] as const;

/** What was meant by a name that is none of those that there are. */
export function hint(key: string, known: readonly string[]): string {
  const plain = key.toLowerCase().replaceAll(/[^a-z0-9]/g, ""); // max_error_micros is maxErrorMicros
  const words = wordsOf(key);
  const nearest = known
    .map((name) => ({ name, common: commonWords(words, wordsOf(name)), far: distance(plain, name.toLowerCase()) }))
    .sort((one, other) => other.common - one.common || one.far - other.far)
    .find(({ name, common, far }) => (common > 1 && common >= words.length - 1) || far <= name.length / 3);
  const meant = nearest?.name ?? inOtherWords(key, known);
  return meant === undefined ? `there are ${known.join(", ")}` : `did you mean ${meant}?`;
}

function wordsOf(name: string): string[] {
  return name
    .split(/[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])/)
    .filter(Boolean)
    .map((word) => word.toLowerCase());
}

/** How many words of one name are in another, also shortened: maxPair has both of its in maxPairwiseMicros. */
function commonWords(words: readonly string[], others: readonly string[]): number {
  return words.filter((word) => others.some((other) => other.startsWith(word) || word.startsWith(other))).length;
}

function inOtherWords(key: string, known: readonly string[]): string | undefined {
  const words: readonly string[] = OTHER_WORDS.find((alike) => alike.some((word) => word === key)) ?? [];
  return words.find((word) => known.includes(word));
}

/** A property of a value that may itself be PENDING or wrong. A resource's are outputs, which no rule is for. */
export function at(value: unknown, key: string): unknown {
  if (value === PENDING) {
    return PENDING;
  }
  return isRecord(value) && !isResource(value) ? value[key] : undefined;
}

/** The items of a list; none of what is none, or is not known. */
export function listOf(list: unknown): unknown[] {
  return Array.isArray(list) ? list : [];
}

/** A rule made of a test: the reason is given when the test fails. */
export function must(test: (value: unknown) => boolean, reason: string): Rule {
  return (value, path) => (test(value) ? [] : [{ propertyPath: path, reason }]);
}

/** A rule for true or false. */
export const flag: Rule = must((value) => typeof value === "boolean", "must be true or false");

/**
 * A rule for a value that decides which resources exist, so that it cannot become known later. `what` says its kind, `remedy`
 * what of it can.
 */
export function plain(what: string, rule: Rule, remedy = ""): Rule {
  return (value, path) =>
    value === PENDING
      ? [{ propertyPath: path, reason: `must be plain ${what}, because it decides which resources there are${remedy}` }]
      : rule(value, path);
}

/** The same for true or false. */
export const plainFlag: Rule = plain("true or false", optional(flag));

/** A rule for the members of a string enum. */
export function oneOf(members: Record<string, string>): Rule {
  const values = Object.values(members);
  return (value, path) =>
    values.includes(value as string)
      ? []
      : [{ propertyPath: path, reason: `must be one of ${values.join(", ")}, not ${shown(value)}` }];
}

/** A rule for a number in a range, both ends allowed. */
export function numberFrom(least: number, most: number, unit: string): Rule {
  return (value, path) =>
    typeof value === "number" && value >= least && value <= most
      ? []
      : [{ propertyPath: path, reason: `must be ${least} to ${most} ${unit}, not ${shownFigure(value)}` }];
}

/** A rule for a whole number in a range, both ends allowed. */
export function wholeNumberFrom(least: number, most: number, unit: string): Rule {
  return (value, path) =>
    Number.isInteger(value)
      ? numberFrom(least, most, unit)(value, path)
      : [
          {
            propertyPath: path,
            reason: `must be a whole number, ${least} to ${most} ${unit}, not ${shownFigure(value)}`,
          },
        ];
}

/** A text may look like the number that it is not. */
function shownFigure(value: unknown): string {
  return typeof value === "string"
    ? `${shown(value)}, which is a text (of a configuration take getObject<number>)`
    : shown(value);
}

/** What is shown of a private key. */
export const A_PRIVATE_KEY = "the text of a private key";

/** A value as an error message shows it: in quotes, on one line, not at length. Never used for keys. */
export function shown(value: unknown): string {
  const text = typeof value === "number" ? String(value) : (JSON.stringify(value) ?? String(value));
  if (text.includes("PRIVATE KEY")) return A_PRIVATE_KEY;
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** The path of a field; "" is the top. */
export function joined(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}

/** What the SDK itself marks its resources by, in whatever copy of it. */
export function isResource(value: Record<string, unknown>): boolean {
  return value.__pulumiResource === true;
}

function settled(rule: Rule): Rule {
  return (value, path) => (value === PENDING ? [] : rule(value, path));
}

/** Whether a value has properties to look at. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
