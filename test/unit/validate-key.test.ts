import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Rule } from "../../components/plan/validate";
import { bareHostKey, hostKey, privateKey } from "../../components/plan/validateKey";
import {
  EC_KEY,
  ENCRYPTED_OPENSSH_KEY,
  ENCRYPTED_PEM_KEY,
  ENCRYPTED_RSA_KEY,
  HOST_KEY,
  PEM_KEY,
  PRIVATE_KEY,
  RSA_KEY,
} from "./support/keys";

const reasonOf = (rule: Rule, value: unknown) => rule(value, "it").map(({ reason }) => reason)[0];

describe("private keys", () => {
  test.each([PRIVATE_KEY, PEM_KEY, `\n${PRIVATE_KEY}\n\n`, PRIVATE_KEY.replaceAll("\n", "\r\n"), RSA_KEY, EC_KEY])(
    "a key without a passphrase passes",
    (value) => {
      expect(reasonOf(privateKey, value)).toBeUndefined();
    },
  );

  test.each([
    ["a public key", HOST_KEY, "is a public key: give the text of the private key file, the one without .pub"],
    [
      "a path",
      "/root/.ssh/id_ed25519",
      "must be the text of a private key (-----BEGIN ... PRIVATE KEY-----), not the path of its file",
    ],
    [
      "a PuTTY key",
      "PuTTY-User-Key-File-3: ssh-ed25519\n",
      "is a PuTTY key: export it as an OpenSSH key (puttygen <file> -O private-openssh -o <new file>)",
    ],
    [
      "a public key in PEM",
      "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
      "is a public key: give the text of the private key file, the one without .pub",
    ],
    [
      "a key on one line",
      PRIVATE_KEY.replaceAll("\n", "\\n"),
      "has lost its line breaks: give the text of the file as it is",
    ],
    ["half a key", PRIVATE_KEY.slice(0, 200), "is cut off: the line -----END ... PRIVATE KEY----- is missing"],
    ["no text", 12, "must be the text of a private key"],
  ])("%s is refused", (_, value, reason) => {
    expect(reasonOf(privateKey, value)).toBe(reason);
  });

  const damage = {
    "a line left out": (key: string) => key.replace(/\n[^\n-]+\n(?=[^\n]*\n?-----END)/, "\n"),
    "a character that is not base64": (key: string) => key.replace(/\n(.{9})./, "\n$1*"),
    "a character twice": (key: string) => key.replace(/\n(.)/, "\n$1$1"),
    "nothing between its first and last line": (key: string) => key.replace(/\n[\s\S]*\n(?=-----END)/, "\n"),
  } as const;
  const kinds = { OpenSSH: PRIVATE_KEY, PEM: PEM_KEY };
  test.each(
    Object.entries(kinds).flatMap(([kind, key]) =>
      Object.entries(damage).map(([what, by]) => [`${kind} key with ${what}`, by(key)] as const),
    ),
  )("%s is damaged, not protected", (_, value) => {
    expect(reasonOf(privateKey, value)).toBe(
      "is damaged: its base64 part is not a private key; copy the file whole, `ssh-keygen -y -f <file>` must accept it",
    );
  });

  // One bit of a key is a key again, but what says how long its parts are is not.
  test("an OpenSSH key is damaged wherever its base64 is cut", () => {
    const [head = "", ...body] = PRIVATE_KEY.trim().split("\n");
    const text = body.slice(0, -1).join("");
    for (let length = 0; length < text.length; length += 4) {
      const cut = [head, text.slice(0, length), body.at(-1)].join("\n");
      expect(reasonOf(privateKey, cut)).toContain("is damaged");
    }
  });

  test.each([ENCRYPTED_OPENSSH_KEY, ENCRYPTED_PEM_KEY, ENCRYPTED_RSA_KEY])(
    "a key with a passphrase is refused",
    (value) => {
      expect(reasonOf(privateKey, value)).toBe(
        "is protected by a passphrase: load it into the SSH agent and leave privateKey out",
      );
    },
  );

  test("a reason never quotes the value", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 12 }), (secret) => {
        expect(reasonOf(privateKey, secret)).not.toContain(secret);
      }),
    );
  });
});

describe("host keys", () => {
  test.each([HOST_KEY, `${HOST_KEY} comment`, `10.0.0.1 ${HOST_KEY}`, `[10.0.0.1]:2222 ${HOST_KEY}\n`])(
    "%s pins a host",
    (value) => {
      expect(reasonOf(hostKey, value)).toBeUndefined();
      expect(bareHostKey(value)).toBe(HOST_KEY);
    },
  );

  const remedy =
    "run `ssh-keyscan -t ed25519 <address>` over a trusted path, compare its key with the one in " +
    "/etc/ssh/ssh_host_ed25519_key.pub on the host, and paste the line";
  test.each([
    ["", "must be one line of a public host key"],
    ["SHA256:abcdef", "is a fingerprint, and a fingerprint is not the key"],
    ["256 SHA256:abcdef root@host (ED25519)", "is a fingerprint, and a fingerprint is not the key"],
    [`${HOST_KEY}\n${HOST_KEY}`, "has several lines; one key is pinned"],
    [PRIVATE_KEY, "is a private key; the public half of the host's key is wanted"],
    ["node-1", 'must be one line such as "ssh-ed25519 AAAA..."'],
    [HOST_KEY.slice(0, 60), "is damaged: its base64 part is not a key of the stated type"],
    [HOST_KEY.replace(/.{5}$/, "!$&").slice(0, -1), "is damaged: its base64 part is not a key of the stated type"],
    ["ssh-ed25519 AAAA", "is damaged: its base64 part is not a key of the stated type"],
    [HOST_KEY.replace("ssh-ed25519", "ssh-rsa"), "is damaged: its base64 part is not a key of the stated type"],
  ])("%j is refused", (value, reason) => {
    expect(reasonOf(hostKey, value)).toBe(`${reason}: ${remedy}`);
  });
});
