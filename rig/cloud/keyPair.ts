import { utils } from "ssh2";

/** Both halves of a key, as OpenSSH writes them. */
export interface Keys {
  /** One `authorized_keys` line. */
  publicKey: string;
  privateKey: string;
}

/** What protects a private key. */
interface Protection {
  passphrase: string;
  cipher: string;
  rounds: number;
}

/**
 * A new pair of Ed25519 keys. Of 256 keys that ssh2 1.17 makes, it takes a zero off the front of one, and cannot read
 * that one itself.
 */
export function keyPair(protection?: Protection): Keys {
  for (;;) {
    const pair =
      protection === undefined
        ? utils.generateKeyPairSync("ed25519")
        : utils.generateKeyPairSync("ed25519", protection);
    if (!(utils.parseKey(pair.public) instanceof Error)) {
      return { publicKey: pair.public.trim(), privateKey: pair.private };
    }
  }
}
