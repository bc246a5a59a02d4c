import * as pulumi from "@pulumi/pulumi";
import { bareHostKey } from "../../plan/validateKey";
import { completeProxy, type HostEndpoint, type HostMachine } from "../endpoint";
import { type CloudHostArgs, HostAddress, HostPhc } from "./args";
import { firstBootDigest } from "./firstBoot";
import type { KeyPair, Login } from "./keys";

/** A machine as a cloud's provider shows it. */
export interface CloudMachine {
  id: pulumi.Output<string>;
  urn: pulumi.Output<string>;
  /** Empty where the machine has none. */
  publicAddress: pulumi.Output<string | undefined>;
  privateAddress: pulumi.Output<string>;
  /** What the cloud's own arguments say of it before it is there. */
  plain: Pick<HostMachine, "cloud" | "operatingSystem" | "guests" | "sources" | "otherRules">;
}

/** Whether the machine is reached by an address of the internet, and so gets one. */
export function isReachedInPublic(args: Pick<CloudHostArgs, "address" | "proxy">): boolean {
  return (args.address ?? (args.proxy === undefined ? HostAddress.Public : HostAddress.Private)) === HostAddress.Public;
}

/**
 * The endpoint of a machine in a cloud. Secret, as it holds the key. Each field is known as soon as it can be: what the machine
 * was asked to be already in the preview in which it is made.
 */
export function cloudEndpoint(
  name: string,
  args: Pick<CloudHostArgs, "address" | "proxy" | "firstBoot" | "phc" | "timeFrom" | "ptpFrom"> & {
    name: pulumi.Input<string>;
  },
  machine: CloudMachine,
  user: string,
  login: Login,
  hostKey: KeyPair,
): pulumi.Output<HostEndpoint> {
  return pulumi.secret({
    name: args.name,
    address: addressOf(name, args, machine),
    port: 22,
    user,
    privateKey: login.privateKey,
    hostKey: pulumi.output(hostKey.publicKey).apply(bareHostKey),
    privateAddress: machine.privateAddress,
    proxy: pulumi.output(args.proxy).apply((proxy) => proxy && completeProxy(proxy)),
    generation: machine.id,
    machineUrn: machine.urn,
    firstBoot: pulumi
      .output(args.firstBoot)
      .apply((script) => (script === undefined ? undefined : firstBootDigest(script))),
    machine: {
      ...machine.plain,
      phc: args.phc === HostPhc.Required,
      timeOpen: (args.timeFrom ?? []).length > 0,
      ptpOpen: (args.ptpFrom ?? []).length > 0,
      privateAddress: machine.privateAddress,
    },
  });
}

/** The address by which this machine reaches it. */
function addressOf(
  name: string,
  args: Pick<CloudHostArgs, "address" | "proxy">,
  { id, publicAddress, privateAddress }: CloudMachine,
): pulumi.Output<string> {
  if (!isReachedInPublic(args)) {
    return privateAddress;
  }
  return pulumi.all([publicAddress, id]).apply(([address, known]) => {
    if (!address) {
      throw new Error(
        `${name}: the machine ${known} has no public address: start it if it is stopped, then run \`pulumi refresh\`; ` +
          'if its subnet gives none, set address: "private" and reach it through a proxy',
      );
    }
    return address;
  });
}
