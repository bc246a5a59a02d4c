import { generateKeyPairSync } from "node:crypto";
import { keyPair } from "../../../rig/cloud/keyPair";

// Made anew for each run: no private key is ever committed, not even one that opens nothing.
const pair = keyPair();

/** A private key in OpenSSH form. */
export const PRIVATE_KEY = pair.privateKey;
/** The public half: one authorized_keys line. */
export const HOST_KEY = pair.publicKey;
/** The lines of a private key that are in no other one. */
export function keyLines(privateKey: string): string[] {
  const others = keyPair().privateKey.split("\n");
  return privateKey.split("\n").filter((line) => line !== "" && !others.includes(line));
}
/** The same kind of private key behind a passphrase. */
export const ENCRYPTED_OPENSSH_KEY = keyPair({
  passphrase: "secret",
  cipher: "aes256-ctr",
  rounds: 16,
}).privateKey;
/** A private key in PKCS#8 form. */
export const PEM_KEY = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
/** A private key in PKCS#8 form behind a passphrase. */
export const ENCRYPTED_PEM_KEY = generateKeyPairSync("ed25519")
  .privateKey.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "secret" })
  .toString();

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
/** A private key in PKCS#1 form. */
export const RSA_KEY = rsa.export({ type: "pkcs1", format: "pem" }).toString();
/** The same behind a passphrase, which this form says in a header. */
export const ENCRYPTED_RSA_KEY = rsa
  .export({ type: "pkcs1", format: "pem", cipher: "aes-256-cbc", passphrase: "secret" })
  .toString();
/** A private key in SEC1 form. */
export const EC_KEY = generateKeyPairSync("ec", { namedCurve: "P-256" })
  .privateKey.export({ type: "sec1", format: "pem" })
  .toString();
