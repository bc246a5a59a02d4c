import * as pulumi from "@pulumi/pulumi";
import type { KeyPair, Login } from "./keys";
import type { FirstBoot } from "./userData";

/** What a machine is told before its first boot, as soon as its keys are known. Secret, as it holds a private one. */
export function firstBoot(
  about: Pick<FirstBoot, "operatingSystem" | "user" | "additions">,
  hostKey: KeyPair,
  login: Login,
): pulumi.Output<FirstBoot> {
  return pulumi
    .all([pulumi.secret(hostKey.privateKey), hostKey.publicKey, login.publicKey])
    .apply(([privateKey, publicKey, authorized]) => ({
      ...about,
      authorizedKeys: authorized === undefined ? [] : [authorized],
      hostKey: { privateKey, publicKey },
    }));
}
