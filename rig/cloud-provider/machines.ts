/** What becomes of the instances of a stand-in cloud: nothing, or virtual machines on this one. */

import type { Image } from "../cloud/images";
import type { Cloud } from "../cloud/resources";
import type { Entry } from "./record";

export interface Machines {
  /** The network that public addresses are of. */
  readonly publicNetworks: Readonly<Record<Cloud, string>>;
  /** Starts the machine of an instance. Like a cloud it does not wait for anything that the machine does. */
  start(id: string, instance: Entry, subnetwork: string, image: Image): Promise<void>;
  stop(id: string, instance: Entry): Promise<void>;
  /** Makes the ports of all machines as open as the rules of their cloud say. */
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
