/**
 * Instances as virtual machines of this one. Each has the private address that its cloud gave it, on a network that
 * keeps the cloud's rules; its public address is one of loopback, where port 22 leads to its sshd while the rules let
 * 127.0.0.1 in.
 */
import { join } from "node:path";
import { down } from "../../vm/down";
import { withLock } from "../../vm/lock";
import { livingProcess } from "../../vm/process";
import { machineFiles } from "../../vm/qemu";
import { machineFolder, machinesOf } from "../../vm/record";
import { type ImageSpec, type VmSpec, withDefaults } from "../../vm/spec";
import { boot } from "../../vm/up";
import { amazonImage } from "../amazon/image";
import type { Image } from "../cloud/images";
import { trapImage } from "../image";
import { askQemu } from "../qmp";
import { isInstance, privateAddressOf, publicAddressOf } from "./instance";
import { loopbackNetworks, type Machines } from "./machines";
import { endNetwork, keepRules, serveNetwork } from "./network";
import type { Entry } from "./record";
import { isOpen, rulesOf } from "./rules";
import { userTexts } from "./userTexts";

type Resources = Readonly<Record<string, Entry>>;

/** Whoever runs the engine comes from here. */
const VISITOR = { protocol: "tcp", port: 22, address: "127.0.0.1" } as const;

/** @param folder of this stand-in's clouds: their networks are no others' */
export function virtualMachines(folder: string): Machines {
  const networkOf = (type: string) => join(folder, sdkOf(type));
  return {
    publicNetworks: loopbackNetworks(folder),
    start: async (id, instance, subnetwork, image) => {
      const switchPort = await serveNetwork(networkOf(instance.type));
      const { ssh } = await boot(specOf(id, instance, subnetwork, image, switchPort));
      if (ssh.port !== VISITOR.port) {
        throw new Error(
          `the machine of ${id} cannot be reached as a cloud's is: port 22 of ${ssh.address} cannot be bound. ` +
            "If nothing else listens there, run this as root, or allow it to all: sysctl net.ipv4.ip_unprivileged_port_start=22",
        );
      }
    },
    stop: async (id, { type }) => {
      await down(nameOf(id));
      if (machinesOf(sdkOf(type)).length === 0) await endNetwork(networkOf(type));
    },
    enforce: (resources) => withLock(join(folder, "forwarding"), () => enforceAll(resources(), networkOf)),
  };
}

function sdkOf(type: string): string {
  return type.split(":")[0] ?? "";
}

async function enforceAll(resources: Resources, networkOf: (type: string) => string): Promise<void> {
  const instances = Object.entries(resources)
    .filter(([, { type }]) => isInstance(type))
    .map(([id, entry]) => ({ id, entry, rules: rulesOf(entry, resources) }));
  for (const { id, entry, rules } of instances) {
    const address = publicAddressOf(entry);
    await setForwarding(nameOf(id), address, address !== "" && isOpen(rules, VISITOR));
  }
  // All are of one cloud.
  const [first] = instances;
  if (first === undefined) return;
  const rules = instances.map(({ entry, rules }) => [privateAddressOf(entry), rules]);
  keepRules(networkOf(first.entry.type), Object.fromEntries(rules));
}

/** The last word of an id is a host name already. */
function nameOf(id: string): string {
  return id.split("/").at(-1) ?? "";
}

function specOf(id: string, instance: Entry, subnetwork: string, image: Image, switchPort: number): VmSpec {
  const { type, properties } = instance;
  const isAmazon = type.startsWith("aws:");
  const privateAddress = privateAddressOf(instance);
  const address = publicAddressOf(instance);
  const firmware = isAmazon
    ? { manufacturer: "Amazon EC2", product: String(properties.instanceType) }
    : { manufacturer: "Google", product: "Google Compute Engine" };
  return withDefaults({
    name: nameOf(id),
    image: imageOf(image),
    ...(address === "" ? {} : { address }),
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

/** Opens or closes the port by which a running machine's sshd is reached. Sessions that are there go on, as in a cloud. */
async function setForwarding(name: string, address: string, isWanted: boolean): Promise<void> {
  const { pid, monitor } = machineFiles(machineFolder(name));
  if (livingProcess(pid) === undefined) return;
  const ask = async (line: string) => {
    const [said] = await askQemu(monitor, [{ execute: "human-monitor-command", arguments: { "command-line": line } }]);
    return String(said);
  };
  const [, current] = /HOST_FORWARD\]\s+\d+\s+([\d.]+)\s/.exec(await ask("info usernet")) ?? [];
  if ((current !== undefined) === isWanted) return;
  const said = await ask(
    isWanted ? `hostfwd_add outside tcp:${address}:22-:22` : `hostfwd_remove outside tcp:${current}:22`,
  );
  if (isWanted && said.trim() !== "") throw new Error(`the machine ${name} cannot be opened to SSH: ${said.trim()}`);
}
