import type * as pulumi from "@pulumi/pulumi";
import { PrivateKey } from "@pulumi/tls/privateKey";
import type { CloudHostArgs } from "./args";

/** Both halves of a key. The private one is secret. */
export interface KeyPair {
  publicKey: pulumi.Output<string>;
  privateKey: pulumi.Output<string>;
}

/** Who may log in, and with which key this machine does. */
export interface Login {
  /** Absent where the cloud knows the key already. */
  publicKey?: pulumi.Input<string>;
  /** Absent: the SSH agent is asked. */
  privateKey?: pulumi.Input<string>;
}

/**
 * The host's identity: made before the machine, so that the very first connection is to this machine or to none. It stays
 * the same for as long as it is in the state, also for a machine that replaces this one.
 */
export function makeHostKey(name: string, parent: pulumi.Resource): KeyPair {
  return makePair(`${name}-host-key`, parent);
}

/** The user's key, else one that is made for this host alone. */
export function loginOf(name: string, args: CloudHostArgs & { keyName?: unknown }, parent: pulumi.Resource): Login {
  return args.publicKey === undefined && args.keyName === undefined
    ? makePair(`${name}-login-key`, parent)
    : { publicKey: args.publicKey, privateKey: args.privateKey };
}

function makePair(name: string, parent: pulumi.Resource): KeyPair {
  const pair = new PrivateKey(name, { algorithm: "ED25519" }, { parent });
  return { publicKey: pair.publicKeyOpenssh, privateKey: pair.privateKeyOpenssh };
}
