import { TimeKeyType } from "./enums";
import { at, fields, type InputErrors, listOf, must, PENDING, type Rule, required } from "./validate";

// Reasons in this file quote nothing: in any of the properties there may be the key.

/** As long as each cipher wants it, in bytes (chrony.keys(5)). */
const CIPHER_BYTES: ReadonlyMap<unknown, number> = new Map([
  [TimeKeyType.Aes128, 16],
  [TimeKeyType.Aes256, 32],
]);

/** chronyd warns below (chrony.conf(5), `keyfile`). */
const LEAST_BYTES = 10;
const MOST_BYTES = 500;

const KEY = /^(?:HEX:(?<hex>(?:[0-9A-Fa-f]{2})+)|ASCII:(?<ascii>[\x21-\x7e]+))$/;

const id = must(
  (value) => Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 0xffff_ffff,
  "must be a whole number, 1 to 4294967295, the same on both sides",
);
const type = must(
  (value) => Object.values<unknown>(TimeKeyType).includes(value),
  `must be one of ${Object.values(TimeKeyType).join(", ")}`,
);
const secret = must(
  (value) => typeof value === "string" && KEY.test(value),
  'must be "HEX:" and an even number of hexadecimal digits, or "ASCII:" and printable characters without blanks',
);

/** A symmetric key: its fields, and whether it is as long as its type wants it. */
export const timeKey: Rule = (value, path) => [
  ...fields({ id: required(id), type: required(type), secret: required(secret) })(value, path),
  ...lengthFits(value, path),
];

function lengthFits(value: unknown, path: string): InputErrors {
  const kind = at(value, "type");
  const bytes = bytesOf(at(value, "secret"));
  if (kind === PENDING || bytes === undefined) {
    return []; // Not known yet, or reported by the rule of the property itself.
  }
  const cipher = CIPHER_BYTES.get(kind);
  const fits = cipher === undefined ? bytes >= LEAST_BYTES && bytes <= MOST_BYTES : bytes === cipher;
  const wanted = cipher === undefined ? `${LEAST_BYTES} to ${MOST_BYTES} bytes` : `exactly ${cipher} bytes for ${kind}`;
  return fits
    ? []
    : [{ propertyPath: `${path}.secret`, reason: `must be ${wanted}, not ${bytes}: two hexadecimal digits a byte` }];
}

function bytesOf(value: unknown): number | undefined {
  const { hex, ascii } = (typeof value === "string" && KEY.exec(value)?.groups) || {};
  return hex === undefined ? ascii?.length : hex.length / 2;
}

/** The key of each item of a list, such as the time sources, with its path. */
export function partKeys(path: string, list: unknown): [path: string, key: unknown][] {
  return listOf(list).map((item, index) => [`${path}[${index}].key`, at(item, "key")]);
}

/** All keys of one host are in one file, where an id stands for one key. */
export function keysFit(keys: readonly [path: string, key: unknown][]): InputErrors {
  return keys.flatMap(([path, key], index) => {
    const known = at(key, "id");
    const first = keys.findIndex(([, other]) => typeof known === "number" && at(other, "id") === known);
    const same = ["type", "secret"].every((part) => {
      const [mine, others] = [at(key, part), at(keys[first]?.[1], part)];
      return mine === others || mine === PENDING || others === PENDING;
    });
    return first >= 0 && first < index && !same
      ? [
          {
            propertyPath: `${path}.id`,
            reason: `is the id of another key, ${keys[first]?.[0]}: give it one of its own`,
          },
        ]
      : [];
  });
}
