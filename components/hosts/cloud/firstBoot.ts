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

/**
 * Whether user data fits, while its keys are not known yet: with others that are as long. Says it in the preview, before a machine
 * is refused by its cloud.
 */
export function firstBootFits(
  script: unknown,
  about: Pick<FirstBoot, "operatingSystem" | "user" | "additions">,
  publicKey: unknown,
  { cloud, bytes }: { cloud: string; bytes: number },
): InputErrors {
  if (!isScript(script)) return []; // Not there, not known yet, or reported by the rule of the property itself.
  const authorized = typeof publicKey === "string" ? `ssh-rsa ${"A".repeat(publicKey.length)}` : PUBLIC_KEY;
  const hostKey = { publicKey: PUBLIC_KEY, privateKey: PRIVATE_KEY };
  const size = cloudConfig({ ...about, script, authorizedKeys: [authorized], hostKey }).length;
  return size > bytes
    ? [
        {
          propertyPath: "firstBoot",
          reason: `makes user data of ${size} bytes, and ${cloud} takes ${bytes}: give fewer time sources, or Delivery.Ssh`,
        },
      ]
    : [];
}

// As long as those of Ed25519 are (RFC 8709; openssh-key-v1 without a comment).
const PUBLIC_KEY = `ssh-ed25519 ${"A".repeat(68)}`;
const PRIVATE_KEY = `-----BEGIN OPENSSH PRIVATE KEY-----\n${`${"A".repeat(70)}\n`.repeat(5)}-----END OPENSSH PRIVATE KEY-----\n`;
