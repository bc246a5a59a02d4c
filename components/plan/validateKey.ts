import type { Rule } from "./validate";

// Reasons in this file quote nothing: in either property there may be a private key, or a part of one.

const PUBLIC_KEY = /^(ssh-|ecdsa-|sk-)\S+ /;
const KEY_TYPES = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "ssh-rsa",
] as const;
const KEYSCAN = "run `ssh-keyscan -t ed25519 <address>` over a trusted path and paste the line";

/** The text of an SSH private key in PEM or OpenSSH form, without a passphrase. */
export const privateKey: Rule = (value, path) => {
  const reason = privateKeyFault(value);
  return reason === undefined ? [] : [{ propertyPath: path, reason }];
};

/** One `authorized_keys` or `known_hosts` line: `ssh-ed25519 AAAA...`. */
export const hostKey: Rule = (value, path) => {
  const reason = hostKeyFault(value);
  return reason === undefined ? [] : [{ propertyPath: path, reason: `${reason}: ${KEYSCAN}` }];
};

/** The key without the host name that `ssh-keyscan` puts before it and without a comment after it. */
export function bareHostKey(line: string): string {
  const words = line.trim().split(/\s+/);
  const start = words.findIndex(isKeyType);
  return words.slice(Math.max(start, 0), Math.max(start, 0) + 2).join(" ");
}

function privateKeyFault(value: unknown): string | undefined {
  if (typeof value !== "string") {
    return "must be the text of a private key";
  }
  const text = value.trim();
  if (PUBLIC_KEY.test(text)) {
    return "is a public key: give the text of the private key file, the one without .pub";
  }
  if (text.startsWith("PuTTY-User-Key-File")) {
    return "is a PuTTY key: export it as an OpenSSH key";
  }
  if (!/^-----BEGIN ([A-Z0-9]+ )?PRIVATE KEY-----\n/.test(text)) {
    return "must be the text of a private key (-----BEGIN ... PRIVATE KEY-----), not the path of its file";
  }
  if (!/\n-----END ([A-Z0-9]+ )?PRIVATE KEY-----$/.test(text)) {
    return "is cut off: the line -----END ... PRIVATE KEY----- is missing";
  }
  return isEncrypted(text)
    ? "is protected by a passphrase: load it into the SSH agent and leave privateKey out"
    : undefined;
}

/** PEM names its cipher in a header; an OpenSSH key names it after a magic string (openssh, PROTOCOL.key). */
function isEncrypted(text: string): boolean {
  if (text.includes("Proc-Type: 4,ENCRYPTED") || text.startsWith("-----BEGIN ENCRYPTED")) {
    return true;
  }
  const body = Buffer.from(text.replace(/-----[^-]+-----/g, ""), "base64").toString("latin1");
  const magic = "openssh-key-v1\0";
  return body.startsWith(magic) && !body.startsWith("\0\0\0\x04none", magic.length);
}

function hostKeyFault(value: unknown): string | undefined {
  if (typeof value !== "string" || value.trim() === "") {
    return "must be one line of a public host key";
  }
  const text = value.trim();
  if (text.includes("PRIVATE KEY-----")) {
    return "is a private key; the public half of the host's key is wanted";
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
 * The blob is fields, each behind its length of four bytes, to its very end; the first repeats the type (RFC 4253,
 * section 6.6). A key that was cut off or mistyped would otherwise show only when the host is dialed.
 */
function isKeyBlob(blob: string, type: string): boolean {
  const bytes = Buffer.from(blob, "base64");
  if (bytes.toString("base64").replace(/=+$/, "") !== blob.replace(/=+$/, "")) return false;
  const fields: string[] = [];
  let offset = 0;
  while (offset + 4 <= bytes.length) {
    const end = offset + 4 + bytes.readUInt32BE(offset);
    fields.push(bytes.subarray(offset + 4, end).toString("latin1"));
    offset = end;
  }
  return offset === bytes.length && fields[0] === type && fields.length > 1;
}

function isKeyType(word: string): boolean {
  return (KEY_TYPES as readonly string[]).includes(word);
}
