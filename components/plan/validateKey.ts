import { createPrivateKey, createPublicKey } from "node:crypto";
import type { Rule } from "./validate";

// Reasons in this file quote nothing: in either property there may be a private key, or a part of one.

const KEY_TYPES = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "ssh-rsa",
] as const;

/** How to come by a host's key without believing whoever answers. */
export const HOST_KEY_REMEDY =
  "run `ssh-keyscan -t ed25519 <address>` over a trusted path, compare its key with the one in " +
  "/etc/ssh/ssh_host_ed25519_key.pub on the host, and paste the line";

/** The text of an SSH private key in PEM or OpenSSH form, without a passphrase. */
export const privateKey: Rule = (value, path) => {
  const reason = privateKeyFault(value);
  return reason === undefined ? [] : [{ propertyPath: path, reason }];
};

/** One `authorized_keys` or `known_hosts` line: `ssh-ed25519 AAAA...`. */
export const hostKey: Rule = (value, path) => {
  const reason = keyLineFault(value, "a public host key", "public half of the host's key is wanted");
  return reason === undefined ? [] : [{ propertyPath: path, reason: `${reason}: ${HOST_KEY_REMEDY}` }];
};

/** One `authorized_keys` line without options: `ssh-ed25519 AAAA... comment`. */
export const publicKey: Rule = (value, path) => {
  const reason = keyLineFault(value, "a public key", "public half is wanted") ?? prefixFault(String(value));
  return reason === undefined
    ? []
    : [{ propertyPath: path, reason: `${reason}: give the text of a .pub file, such as ~/.ssh/id_ed25519.pub` }];
};

/** Whether two keys, each valid by itself, are halves of different pairs. What is no valid key has its own reason. */
export function areOfTwoPairs(privateHalf: unknown, publicHalf: unknown): boolean {
  if (privateKey(privateHalf, "").length > 0 || publicKey(publicHalf, "").length > 0) return false;
  const [, blob = ""] = bareHostKey(String(publicHalf)).split(" ");
  const end = publicEnd(String(privateHalf).trim());
  return end !== undefined && !Buffer.from(blob, "base64").subarray(-end.length).equals(end);
}

/** The key without the host name that `ssh-keyscan` puts before it and without a comment after it. */
export function bareHostKey(line: string): string {
  const words = line.trim().split(/\s+/);
  const start = words.findIndex(isKeyType);
  return words.slice(Math.max(start, 0), Math.max(start, 0) + 2).join(" ");
}

const PASSPHRASE = "is protected by a passphrase: load it into the SSH agent and leave privateKey out";
const DAMAGED =
  "is damaged: its base64 part is not a private key; copy the file whole, `ssh-keygen -y -f <file>` must accept it";

/** What is no private key in PEM or OpenSSH form, by how it looks; the first that fits is said. */
const OTHER_FORMS = [
  [
    /^(ssh-|ecdsa-|sk-)\S+ |^-----BEGIN ([A-Z0-9]+ )?PUBLIC KEY/,
    "is a public key: give the text of the private key file, the one without .pub",
  ],
  [
    /^PuTTY-User-Key-File/,
    "is a PuTTY key: export it as an OpenSSH key (puttygen <file> -O private-openssh -o <new file>)",
  ],
  [
    /^(?!-----BEGIN ([A-Z0-9]+ )?PRIVATE KEY-----)/,
    "must be the text of a private key (-----BEGIN ... PRIVATE KEY-----), not the path of its file",
  ],
  [/^-----BEGIN [^-]+-----(?!\r?\n)/, "has lost its line breaks: give the text of the file as it is"],
  [/(?<!\n-----END ([A-Z0-9]+ )?PRIVATE KEY-----)$/, "is cut off: the line -----END ... PRIVATE KEY----- is missing"],
] as const;

function privateKeyFault(value: unknown): string | undefined {
  if (typeof value !== "string") {
    return "must be the text of a private key";
  }
  const text = value.trim();
  const other = OTHER_FORMS.find(([form]) => form.test(text));
  if (other !== undefined) {
    return other[1];
  }
  return text.startsWith("-----BEGIN OPENSSH") ? openSshFault(text) : pemFault(text);
}

/** PEM names its cipher in a header (RFC 1421), PKCS#8 in its label (RFC 5958). */
function pemFault(text: string): string | undefined {
  if (/^Proc-Type: 4,ENCRYPTED\r?$/m.test(text) || text.startsWith("-----BEGIN ENCRYPTED")) {
    return PASSPHRASE;
  }
  try {
    createPrivateKey(text);
    return undefined;
  } catch {
    return DAMAGED;
  }
}

function openSshFault(text: string): string | undefined {
  const { bytes, head, keys } = openSshParts(text);
  const [publicKey, section] = keys.strings;
  if (!bytes.subarray(0, MAGIC.length).equals(Buffer.from(MAGIC)) || !publicKey || !section) {
    return DAMAGED;
  }
  if (head.strings[0]?.toString() !== "none") {
    return PASSPHRASE;
  }
  const isWhole =
    keys.end === bytes.length &&
    section.length >= 8 &&
    section.subarray(0, 4).equals(section.subarray(4, 8)) &&
    sshStrings(publicKey, 0, 1).strings[0]?.equals(sshStrings(section, 8, 1).strings[0] ?? Buffer.alloc(0));
  return isWhole ? undefined : DAMAGED;
}

const MAGIC = "openssh-key-v1\0";

/**
 * An OpenSSH key is a magic string; three strings: cipher, key derivation and its options; the number of keys; two more:
 * the public key and the private section, which begins with the same number twice (openssh, PROTOCOL.key).
 */
function openSshParts(text: string) {
  const bytes = base64(text.replaceAll(/-----[^-]+-----|\s/g, "")) ?? Buffer.alloc(0);
  const head = sshStrings(bytes, MAGIC.length, 3);
  return { bytes, head, keys: sshStrings(bytes, head.end + 4, 2) };
}

/**
 * What the public half of a valid private key ends in, as SSH writes it: all of it, or what tells it from others, which is
 * RSA's modulus or the curve's point (RFC 4253, section 6.6; RFC 5656, section 3.1; RFC 8709, section 4).
 * Undefined for a kind of key that cannot be read like this.
 */
function publicEnd(text: string): Buffer | undefined {
  if (text.startsWith("-----BEGIN OPENSSH")) return openSshParts(text).keys.strings[0];
  try {
    const { n, x, y } = createPublicKey(text).export({ format: "jwk" });
    return Buffer.concat([n, x, y].map((part) => Buffer.from(part ?? "", "base64url")));
  } catch {
    return undefined;
  }
}

/** What restricts a key stands before it, and would be lost. */
function prefixFault(line: string): string | undefined {
  return line.trim().startsWith(bareHostKey(line)) ? undefined : "has options before the key, which are not supported";
}

function keyLineFault(value: unknown, what: string, wanted: string): string | undefined {
  if (typeof value !== "string" || value.trim() === "") {
    return `must be one line of ${what}`;
  }
  const text = value.trim();
  if (text.includes("PRIVATE KEY-----")) {
    return `is a private key; the ${wanted}`;
  }
  if (/^(\d+ )?(SHA256|MD5):/.test(text)) {
    return "is a fingerprint, and a fingerprint is not the key";
  }
  if (/[\r\n]/.test(text)) {
    return "has several lines; one key is pinned";
  }
  const [type, blob] = bareHostKey(text).split(" ");
  if (type === undefined || blob === undefined || !isKeyType(type)) {
    return 'must be one line such as "ssh-ed25519 AAAA..."';
  }
  return isKeyBlob(blob, type) ? undefined : "is damaged: its base64 part is not a key of the stated type";
}

/**
 * The blob is strings to its very end; the first repeats the type (RFC 4253, section 6.6). A key that was cut off or
 * mistyped would otherwise show only when the host is dialed.
 */
function isKeyBlob(blob: string, type: string): boolean {
  const bytes = base64(blob);
  if (bytes === undefined) return false;
  const { strings, end } = sshStrings(bytes, 0);
  return end === bytes.length && strings[0]?.toString() === type && strings.length > 1;
}

/** Node.js skips what is not base64, which would take damage for a shorter text. */
function base64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64").replace(/=+$/, "") === text.replace(/=+$/, "") ? bytes : undefined;
}

/** Up to `most` whole strings, each behind its length of four bytes (RFC 4251, section 5), and where the last ends. */
function sshStrings(bytes: Buffer, start: number, most = Number.POSITIVE_INFINITY): { strings: Buffer[]; end: number } {
  const strings: Buffer[] = [];
  let end = start;
  while (strings.length < most && end + 4 <= bytes.length) {
    const next = end + 4 + bytes.readUInt32BE(end);
    if (next > bytes.length) break;
    strings.push(bytes.subarray(end + 4, next));
    end = next;
  }
  return { strings, end };
}

function isKeyType(word: string): boolean {
  return (KEY_TYPES as readonly string[]).includes(word);
}
