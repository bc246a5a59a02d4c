import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import type { InputErrors } from "../../plan/validate";
import type { KeyPair, Login } from "./keys";
import { cloudConfig, type FirstBoot, isScript } from "./userData";

/** What a machine is told before its first boot, as soon as its keys are known. Secret, as it holds a private one. */
export function firstBoot(
  about: Pick<FirstBoot, "operatingSystem" | "user" | "additions">,
  script: pulumi.Input<string> | undefined,
  hostKey: KeyPair,
  login: Login,
): pulumi.Output<FirstBoot> {
  return pulumi
    .all([pulumi.secret(hostKey.privateKey), hostKey.publicKey, login.publicKey, script])
    .apply(([privateKey, publicKey, authorized, known]) => ({
      ...about,
      authorizedKeys: authorized === undefined ? [] : [authorized],
      hostKey: { privateKey, publicKey },
      script: known,
    }));
}

/** How an endpoint says what a machine was told to do at its first boot. */
export function firstBootDigest(script: string): string {
  return createHash("sha256").update(script).digest("hex");
}

/**
 * What replaces a machine whose user data is ignored later, so that another script does not: all the rest of it. By its digest,
 * because it holds a private key: a digest of that is no secret.
 */
export function replacementTrigger(boot: pulumi.Output<FirstBoot>): pulumi.Output<string> {
  return pulumi.unsecret(boot).apply((known) => firstBootDigest(cloudConfig({ ...known, script: undefined })));
}

/** How much a cloud takes, and what it counts. */
export interface UserDataLimit {
  cloud: string;
  bytes: number;
  /** What user data is called in the form in which it is counted. */
  form: string;
  pack: (text: string) => { length: number };
}

/**
 * Whether user data fits, while its keys are not known yet. Says it in the preview, before a machine is refused by its
 * cloud.
 */
export function firstBootFits(
  script: unknown,
  about: Pick<FirstBoot, "operatingSystem" | "user" | "additions">,
  publicKey: unknown,
  { cloud, bytes, form, pack }: UserDataLimit,
): InputErrors {
  if (!isScript(script)) return []; // Not there, not known yet, or reported by the rule of the property itself.
  const size = pack(longestUserData(script, about, publicKey)).length;
  return size > bytes
    ? [
        {
          propertyPath: "firstBoot",
          reason: `makes ${form} of ${size} bytes, and ${cloud} takes ${bytes}: give fewer time sources, or Delivery.Ssh`,
        },
      ]
    : [];
}

/** User data with keys that are as long as the real ones, and can be compressed less than any. */
export function longestUserData(
  script: string,
  about: Pick<FirstBoot, "operatingSystem" | "user" | "additions">,
  publicKey: unknown,
): string {
  const authorized = typeof publicKey === "string" ? `ssh-rsa ${noise("login", publicKey.length)}` : ed25519("login");
  return cloudConfig({
    ...about,
    script,
    authorizedKeys: [authorized],
    hostKey: { publicKey: ed25519("host"), privateKey: PRIVATE_KEY },
  });
}

function noise(seed: string, length: number): string {
  return createHash("shake256", { outputLength: length }).update(seed).digest("base64").slice(0, length);
}

// As long as those of Ed25519 are (RFC 8709; openssh-key-v1 without a comment).
const ed25519 = (seed: string) => `ssh-ed25519 ${noise(seed, 68)}`;
const PRIVATE_LINES = ["1", "2", "3", "4", "5"].map((seed) => `${noise(seed, 70)}\n`).join("");
const PRIVATE_KEY = `-----BEGIN OPENSSH PRIVATE KEY-----\n${PRIVATE_LINES}-----END OPENSSH PRIVATE KEY-----\n`;
