/** What a change of a resource means: nothing, an update in place, or another resource. Pure. */
import { isDeepStrictEqual } from "node:util";
import type { CloudResource, Inputs } from "../cloud/resources";

export interface Change {
  changed: readonly string[];
  replaces: readonly string[];
}

type Rules = Pick<CloudResource, "updates" | "replaces" | "replacesWhenGone" | "fills">;

/**
 * Compares what a resource has with what it is to have.
 * @param inputs the names of all properties that a program may give
 * @throws an Error if a property changed of which nobody has said what its change does: the real cloud may do anything
 */
export function changeOf(type: string, rules: Rules, inputs: readonly string[], before: Inputs, after: Inputs): Change {
  const { updates, replaces, replacesWhenGone = [], fills = [] } = rules;
  const gone = replacesWhenGone.filter((path) => isGone(path, before, after));
  const differs = (name: string) =>
    fills.includes(name) ? !isCovered(after[name], before[name]) : !isDeepStrictEqual(before[name], after[name]);
  const losers = gone.map(firstWord);
  const changed = inputs.filter((name) => differs(name) || losers.includes(name));
  const unknown = changed.filter((name) => ![...updates, ...replaces.map(firstWord)].includes(name));
  if (unknown.length > 0) {
    throw new Error(`the stand-in does not know what a change of ${unknown.join(", ")} does to ${type}`);
  }
  const replacing = replaces.filter((path) => changed.includes(firstWord(path)) && pathDiffers(path, before, after));
  return { changed, replaces: [...replacing, ...gone] };
}

/** Whether all that is wanted is there; there may be more, which the cloud has filled in. */
function isCovered(wanted: unknown, there: unknown): boolean {
  if (wanted === undefined || wanted === null) return true;
  if (typeof wanted !== "object") return wanted === there;
  if (typeof there !== "object" || there === null) return false;
  if (Array.isArray(wanted) && wanted.length !== (there as unknown[]).length) return false;
  return Object.entries(wanted).every(([key, value]) => isCovered(value, (there as Inputs)[key]));
}

/** What is left out at a path is the cloud's to choose, and stays. */
function pathDiffers(path: string, before: Inputs, after: Inputs): boolean {
  const wanted = at(after, path);
  return wanted !== undefined && !isCovered(wanted, at(before, path));
}

/** Whether it was there and on, and is left out of a whole that is given. */
function isGone(path: string, before: Inputs, after: Inputs): boolean {
  const whole = path.includes(".") ? at(after, path.slice(0, path.lastIndexOf("."))) : after;
  return Boolean(at(before, path)) && whole !== undefined && at(after, path) === undefined;
}

function at(properties: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((value, key) => (value as Inputs | undefined)?.[key], properties);
}

function firstWord(path: string): string {
  return path.split(".")[0] ?? "";
}

/** What a resource has after an update: what is wanted, and what the cloud had decided. */
export function updated(
  { updates, fills = [] }: Rules,
  inputs: readonly string[],
  before: Inputs,
  after: Inputs,
): Inputs {
  const isDecided = (name: string) =>
    inputs.includes(name) ? fills.includes(name) && !(updates.includes(name) && name in after) : true;
  return { ...after, ...Object.fromEntries(Object.entries(before).filter(([name]) => isDecided(name))) };
}
