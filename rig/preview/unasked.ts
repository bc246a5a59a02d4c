import { didYouMean } from "../did-you-mean";

/** A setting that changed nothing. */
export interface Unasked {
  key: string;
  told: string;
  /** Whether it is like a key that there is. One that is not may be for another branch of the program. */
  isMistyped: boolean;
}

/** What a program did with its configuration. */
export interface Asking {
  project: string;
  /** The whole keys that it asked for. */
  asked: ReadonlySet<string>;
  /** The types of all that it made; absent where it did not come to its end. */
  made?: readonly string[];
}

/** Which of these whole keys changed nothing. Of a program that did not come to ask for any, nobody knows. */
export function unasked(keys: readonly string[], asking: Asking): Unasked[] {
  if (asking.made === undefined && asking.asked.size === 0) return [];
  return keys.flatMap((key) => {
    const [, space = "", name = ""] = /^([^:]*):(.*)$/s.exec(key) ?? [];
    return asking.asked.has(key)
      ? []
      : space === asking.project
        ? unaskedOwn(name, asking)
        : unaskedOther(space, key, asking);
  });
}

function unaskedOwn(key: string, { project, asked }: Asking): Unasked[] {
  const known = [...asked]
    .filter((whole) => whole.startsWith(`${project}:`))
    .map((whole) => whole.slice(project.length + 1))
    .sort();
  const meant = meantBy(key, known);
  const all = `. It asked for: ${known.join(", ") || "none"}`;
  return [{ key, told: `the program asked for no such key${meant || all}`, isMistyped: meant !== "" }];
}

function meantBy(key: string, known: readonly string[]): string {
  const [, whole = "", part] = /^([^.[]+)\.([^.[]+)$/.exec(key) ?? [];
  return known.includes(whole)
    ? `; a part of one is given as --config '${whole}={"${part}": ...}'`
    : didYouMean(key, known);
}

/** A provider asks the engine for its keys, and nobody but the engine knows which. The engine has keys of its own. */
function unaskedOther(space: string, key: string, { project, made }: Asking): Unasked[] {
  if (made === undefined || space === "pulumi") return [];
  const providers = [...new Set(made.map((type) => type.split(":")[0] ?? ""))].sort();
  if (providers.includes(space)) return [];
  const meant = didYouMean(space, [project, ...providers]);
  return [{ key, told: `the program makes nothing of ${space}${meant}`, isMistyped: meant !== "" }];
}
