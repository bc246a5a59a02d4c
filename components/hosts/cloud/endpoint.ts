import * as pulumi from "@pulumi/pulumi";
import { completeEndpoint, type HostEndpoint, type ProxyEndpointArgs } from "../endpoint";
import { type CloudHostArgs, HostAddress } from "./args";
import { firstBootDigest } from "./firstBoot";
import type { KeyPair, Login } from "./keys";

/** A machine as a cloud's provider shows it. */
export interface CloudMachine {
  id: pulumi.Output<string>;
  urn: pulumi.Output<string>;
  /** Empty where the machine has none. */
  publicAddress: pulumi.Output<string | undefined>;
  privateAddress: pulumi.Output<string>;
}

/** Whether the machine is reached by an address of the internet, and so gets one. */
export function isReachedInPublic(args: Pick<CloudHostArgs, "address" | "proxy">): boolean {
  return (args.address ?? (args.proxy === undefined ? HostAddress.Public : HostAddress.Private)) === HostAddress.Public;
}

/** The endpoint of a machine in a cloud. Secret, as it holds the key. */
export function cloudEndpoint(
  name: string,
  args: Pick<CloudHostArgs, "address" | "proxy" | "firstBoot"> & { name: pulumi.Input<string> },
  machine: CloudMachine,
  user: string,
  login: Login,
  hostKey: KeyPair,
): pulumi.Output<HostEndpoint> {
  const isPublic = isReachedInPublic(args);
  return pulumi
    .all([
      pulumi.secret(login.privateKey),
      hostKey.publicKey,
      args.proxy as pulumi.Input<pulumi.Unwrap<ProxyEndpointArgs> | undefined>,
      isPublic ? machine.publicAddress : undefined,
      machine.privateAddress,
      machine.id,
      machine.urn,
      pulumi.all([args.name, args.firstBoot]),
    ])
    .apply(([privateKey, publicHostKey, proxy, publicAddress, privateAddress, id, urn, [hostName, script]]) => {
      if (isPublic && !publicAddress) {
        throw new Error(
          `${name}: the machine ${id} has no public address: start it if it is stopped, then run \`pulumi refresh\`; ` +
            'if its subnet gives none, set address: "private" and reach it through a proxy',
        );
      }
      return completeEndpoint({
        name: hostName,
        address: publicAddress || privateAddress,
        user,
        privateKey,
        hostKey: publicHostKey,
        privateAddress,
        proxy,
        generation: id,
        machineUrn: urn,
        firstBoot: script === undefined ? undefined : firstBootDigest(script),
      });
    });
}
