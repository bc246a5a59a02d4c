/** What the clouds refuse when they see the values of a resource together. Pure; the mocks and the stand-in have it from here. */
import type { Inputs } from "../resources";
import { AWS_RULES } from "./aws";
import { GCP_RULES } from "./gcp";
import type { Rule } from "./rule";

export const RULES: readonly Rule[] = [...AWS_RULES, ...GCP_RULES];

/**
 * Why a resource, or the question of a function, is refused, in the order of the rules.
 * @param inputs with its place (`placed`), secrets in the clear
 * @param isUnknown whether a value is not known yet
 */
export function refusals(
  token: string,
  inputs: Inputs,
  isUnknown: (value: unknown) => boolean = () => false,
): string[] {
  const isKnown = (value: unknown): boolean =>
    !isUnknown(value) && (typeof value !== "object" || value === null || Object.values(value).every(isKnown));
  return RULES.filter(({ of }) => token.startsWith(of))
    .map((rule) => ({ rule, read: Object.fromEntries(rule.reads.map((name) => [name, inputs[name] ?? undefined])) }))
    .filter(({ rule, read }) => isKnown(read) && rule.refuses(read))
    .map(({ rule }) => rule.says);
}
