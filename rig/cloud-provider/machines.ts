/** What becomes of the instances of a stand-in cloud: nothing, what a test makes of them, or virtual machines on this one. */
import { createHash } from "node:crypto";
import type { Image } from "../cloud/images";
import type { Cloud } from "../cloud/resources";
import type { Entry } from "./record";

export interface Machines {
  /** The network that public addresses are of. */
  readonly publicNetworks: Readonly<Record<Cloud, string>>;
  /** Starts the machine of an instance. Like a cloud it does not wait for anything that the machine does. */
  start(id: string, instance: Entry, subnetwork: string, image: Image): Promise<void>;
  stop(id: string, instance: Entry): Promise<void>;
  /** Makes the ports of all machines as open as the rules of their cloud say. Fails where a new one cannot be reached. */
  enforce(resources: () => Readonly<Record<string, Entry>>): Promise<void>;
}

/** Instances in name only. */
export const noMachines: Machines = {
  // A network for benchmarks (RFC 2544), half of it for each cloud.
  publicNetworks: { aws: "198.18.0.0/16", gcp: "198.19.0.0/16" },
  start: async () => {},
  stop: async () => {},
  enforce: async () => {},
};

/** Instances in name only, too, at addresses of this machine: who listens there answers for them. */
export function loopbackMachines(folder: string): Machines {
  return { ...noMachines, publicNetworks: loopbackNetworks(folder) };
}

/** Two stand-ins at a time seldom take the same addresses; where they do, the second one is told. */
export function loopbackNetworks(folder: string): Machines["publicNetworks"] {
  const octet = createHash("sha256").update(folder).digest().readUInt8(0);
  return { aws: `127.78.${octet}.0/24`, gcp: `127.79.${octet}.0/24` };
}
