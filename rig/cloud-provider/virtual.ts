/**
 * Instances as virtual machines of this one. Each has the private address that its cloud gave it, on a network that
 * keeps the cloud's rules; its public address is one of loopback, where port 22 leads to its sshd for whom the rules let in.
 */
import { join } from "node:path";
import { canBind } from "../../vm/address";
import { down } from "../../vm/down";
import { withLock } from "../../vm/lock";
import { machineFolder, machinesOf, readRecord } from "../../vm/record";
import { type ImageSpec, type VmSpec, withDefaults } from "../../vm/spec";
import { boot } from "../../vm/up";
import { amazonImage } from "../amazon/image";
import type { Image } from "../cloud/images";
import { trapImage } from "../image";
import { isInstance, privateAddressOf, publicAddressOf } from "./instance";
import { loopbackNetworks, type Machines } from "./machines";
import { type Door, endNetwork, keepDoors, keepRules, serveNetwork } from "./network";
import type { Entry } from "./record";
import { type Rule, rulesOf } from "./rules";
import { userTexts } from "./userTexts";

type Resources = Readonly<Record<string, Entry>>;

const SSH = 22;

/** @param folder of this stand-in's clouds: their networks are no others' */
export function virtualMachines(folder: string): Machines {
  const networkOf = (type: string) => join(folder, sdkOf(type));
  return {
    publicNetworks: loopbackNetworks(folder),
    start: async (id, instance, subnetwork, image) => {
      const address = publicAddressOf(instance);
      if (address !== "" && !(await canBind({ address, port: SSH }))) {
        throw new Error(
          `the machine of ${id} cannot be reached as a cloud's is: port ${SSH} of ${address} cannot be bound. ` +
            `If nothing else listens there, run this as root, or allow it to all: sysctl net.ipv4.ip_unprivileged_port_start=${SSH}`,
        );
      }
      const switchPort = await serveNetwork(networkOf(instance.type));
      await boot(specOf(id, instance, subnetwork, image, switchPort));
    },
    stop: async (id, { type }) => {
      await down(nameOf(id));
      if (machinesOf(sdkOf(type)).length === 0) await endNetwork(networkOf(type));
    },
    enforce: (resources) => withLock(join(folder, "rules"), () => enforceAll(resources(), networkOf)),
  };
}

function sdkOf(type: string): string {
  return type.split(":")[0] ?? "";
}

interface Ruled {
  readonly id: string;
  readonly entry: Entry;
  readonly rules: readonly Rule[];
}

async function enforceAll(resources: Resources, networkOf: (type: string) => string): Promise<void> {
  const instances = Object.entries(resources)
    .filter(([, { type }]) => isInstance(type))
    .map(([id, entry]): Ruled => ({ id, entry, rules: rulesOf(entry, resources) }));
  // All are of one cloud.
  const [first] = instances;
  if (first === undefined) return;
  const network = networkOf(first.entry.type);
  keepRules(network, Object.fromEntries(instances.map(({ entry, rules }) => [privateAddressOf(entry), rules])));
  await keepDoors(network, Object.fromEntries(instances.flatMap(doorsOf)));
}

/** The door of a machine that is there, if it has a public address. */
function doorsOf({ id, entry, rules }: Ruled): [string, Door][] {
  const address = publicAddressOf(entry);
  const ssh = readRecord(machineFolder(nameOf(id)))?.ssh;
  return address === "" || ssh === undefined ? [] : [[address, { port: SSH, leads: [ssh.address, ssh.port], rules }]];
}

/** The last word of an id is a host name already. */
function nameOf(id: string): string {
  return id.split("/").at(-1) ?? "";
}

function specOf(id: string, instance: Entry, subnetwork: string, image: Image, switchPort: number): VmSpec {
  const { type, properties } = instance;
  const isAmazon = type.startsWith("aws:");
  const privateAddress = privateAddressOf(instance);
  const firmware = isAmazon
    ? { manufacturer: "Amazon EC2", product: String(properties.instanceType) }
    : { manufacturer: "Google", product: "Google Compute Engine" };
  return withDefaults({
    name: nameOf(id),
    image: imageOf(image),
    network: sdkOf(type),
    privateAddress: `${privateAddress}/${subnetwork.split("/")[1]}`,
    cloud: {
      ...firmware,
      userTexts: userTexts(properties, isAmazon ? image.user : undefined),
      // Other than all others of its network, as their private addresses differ.
      linkLocal: `169.254.${privateAddress.split(".").slice(2).join(".")}/16`,
      switchPort,
    },
  });
}

/** What an image's system is here: Debian 12, laid out like the system in what a boot depends on. */
function imageOf({ system }: Image): Partial<ImageSpec> {
  if (system === "amazon-linux-2") return amazonImage("2");
  return system === "amazon-linux-2023" ? amazonImage("2023") : trapImage;
}
