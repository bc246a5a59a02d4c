import { closest, distance } from "fastest-levenshtein";

/** The end of a sentence about a word that is not among the known ones: the one that was meant, if any is near. */
export function didYouMean(wanted: string, known: readonly string[]): string {
  const nearest = closest(wanted, known);
  return known.length > 0 && distance(wanted, nearest) <= wanted.length / 2 ? `: did you mean ${nearest}?` : "";
}
