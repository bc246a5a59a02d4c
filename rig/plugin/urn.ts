/** The parts of `urn:pulumi:<stack>::<project>::<parent type>$<type>::<name>`. */
export function partsOf(urn: string): { type: string; name: string } {
  const [, , types = "", name = ""] = urn.split("::");
  return { type: types.split("$").at(-1) ?? "", name };
}
