import type * as pulumi from "@pulumi/pulumi";

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

/** Applies a rule and reports a value that is not there. */
export function required(rule: Rule): Rule {
  return (value, path) =>
    value === undefined || value === null
      ? [{ propertyPath: path, reason: "is required" }]
      : settled(rule)(value, path);
}

/** Applies a rule to every item of a list. */
export function each(rule: Rule): Rule {
  return (value, path) =>
    Array.isArray(value)
      ? value.flatMap((item, index) => required(rule)(item, `${path}[${index}]`))
      : [{ propertyPath: path, reason: "must be a list" }];
}

/** A property of a value that may itself be PENDING or wrong. */
export function at(value: unknown, key: string): unknown {
  if (value === PENDING) {
    return PENDING;
  }
  return isRecord(value) ? value[key] : undefined;
}

/** A rule made of a test: the reason is given when the test fails. */
export function must(test: (value: unknown) => boolean, reason: string): Rule {
  return (value, path) => (test(value) ? [] : [{ propertyPath: path, reason }]);
}

/** A rule for true or false. */
export const flag: Rule = must((value) => typeof value === "boolean", "must be true or false");

/** A rule for true or false that decides which resources exist, so that it cannot become known later. */
export const plainFlag: Rule = (value, path) =>
  value === PENDING
    ? [{ propertyPath: path, reason: "must be plain true or false, because it decides which resources there are" }]
    : optional(flag)(value, path);

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
      : [{ propertyPath: path, reason: `must be ${least} to ${most} ${unit}, not ${shown(value)}` }];
}

/** A rule for a whole number in a range, both ends allowed. */
export function wholeNumberFrom(least: number, most: number, unit: string): Rule {
  return (value, path) =>
    Number.isInteger(value)
      ? numberFrom(least, most, unit)(value, path)
      : [{ propertyPath: path, reason: `must be a whole number, ${least} to ${most} ${unit}, not ${shown(value)}` }];
}

/** A value as an error message shows it: in quotes, on one line, not at length. Never used for keys. */
export function shown(value: unknown): string {
  const text = typeof value === "number" ? String(value) : (JSON.stringify(value) ?? String(value));
  if (text.includes("PRIVATE KEY")) return "the text of a private key";
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function settled(rule: Rule): Rule {
  return (value, path) => (value === PENDING ? [] : rule(value, path));
}

/** Whether a value has properties to look at. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
