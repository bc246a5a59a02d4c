import { createHash } from "node:crypto";
import { join } from "node:path";
import { type Accelerator, acceleratorArguments } from "./accelerator";
import { efiFirmware } from "./firmware";
import { places } from "./places";
import type { NetworkCard, VmSpec } from "./spec";

/** The files of a machine's folder. */
export interface MachineFiles {
  disk: string;
  seed: string;
  /** The variables of EFI firmware, where the machine has it. */
  efiVariables: string;
  console: string;
  pid: string;
  monitor: string;
  loginKey: string;
  hostKey: string;
  record: string;
}

export function machineFiles(folder: string): MachineFiles {
  return {
    disk: join(folder, "disk.qcow2"),
    seed: join(folder, "seed.iso"),
    efiVariables: join(folder, "efi-variables.fd"),
    console: join(folder, "console.log"),
    pid: join(folder, "qemu.pid"),
    monitor: join(folder, "qmp.sock"),
    loginKey: join(folder, "login_ed25519"),
    hostKey: join(folder, "host_ed25519"),
    record: join(folder, "machine.json"),
  };
}

/**
 * A hardware address that stays the same for a machine: locally administered, QEMU's prefix. The network configuration
 * finds its card by it.
 */
export function hardwareAddress(name: string, card: "outside" | "private"): string {
  const hash = createHash("sha256").update(`${name}/${card}`).digest();
  return ["52", "54", "00", ...[0, 1, 2].map((index) => hash.toString("hex", index, index + 1))].join(":");
}

/**
 * The multicast group that carries a private network's frames between machines: two networks meet neither in the group
 * (239.192.0.0/14 is the range for use inside an organization) nor in the port. A network is its user's: those of another
 * user of this machine, or of another state folder, are others, whatever their names.
 */
export function multicastGroup(network: string): { group: string; port: number } {
  const hash = createHash("sha256").update(join(places().machines, network)).digest();
  return { group: `239.192.${hash.readUInt8(0)}.${hash.readUInt8(1)}`, port: 20_000 + (hash.readUInt16BE(2) % 10_000) };
}

/** A kind of card: QEMU's device, and its slot on the PCI bus, which names it in the machine, beyond those that QEMU hands out. */
interface Card {
  device: string;
  slot: number;
}

const outsideCard: Card = { device: "virtio-net-pci", slot: 16 };
const privateCards: Readonly<Record<NetworkCard, Card>> = {
  virtio: { device: "virtio-net-pci", slot: 17 },
  // Its virtual functions have numbers of their own, for which there is no room on the bus beyond this slot.
  igb: { device: "igb", slot: 14 },
};

const interfaceName = ({ slot }: Card) => `ens${slot}`;

/** What a machine calls its interfaces. */
export function interfaceNames({ networkCard = "virtio" }: Pick<VmSpec, "networkCard">) {
  return { outside: interfaceName(outsideCard), private: interfaceName(privateCards[networkCard]) };
}

/** A card without a boot ROM, which nothing boots from. */
function card({ device, slot }: Card, id: string, mac: string): string[] {
  return ["-device", `${device},netdev=${id},mac=${mac},addr=0x${slot.toString(16)},romfile=`];
}

export function qemuArguments(
  spec: VmSpec,
  at: { address: string; port: number },
  files: MachineFiles,
  accelerator: Accelerator,
): string[] {
  const args = [
    ...["-name", `timebase-${spec.name}`, "-nodefaults", "-no-user-config", "-display", "none", "-daemonize"],
    ...["-pidfile", files.pid, "-qmp", `unix:${files.monitor},server=on,wait=off`, "-serial", `file:${files.console}`],
    ...acceleratorArguments[accelerator],
    ...firmwareArguments(spec, files),
    ...dmiArguments(spec),
    ...["-smp", processors(spec.cpus), "-m", String(spec.memoryMib), "-device", "virtio-rng-pci"],
    ...["-drive", `file=${escaped(files.disk)},format=qcow2,if=virtio,discard=unmap`],
    ...["-drive", `file=${escaped(files.seed)},format=raw,if=virtio,readonly=on`],
    ...["-netdev", `user,id=outside,ipv6=off,hostfwd=tcp:${at.address}:${at.port}-:22`],
    ...card(outsideCard, "outside", hardwareAddress(spec.name, "outside")),
  ];
  if (spec.network === undefined) return args;
  return [
    ...args,
    ...["-netdev", `socket,id=private,${carrier(spec.network, spec)}`],
    ...card(privateCards[spec.networkCard ?? "virtio"], "private", hardwareAddress(spec.name, "private")),
  ];
}

/**
 * At least two that there may be: a kernel that knows that there is one only takes its TSC for synchronised with all others,
 * which no server's can.
 */
function processors(cpus: number): string {
  return `${cpus},maxcpus=${Math.max(cpus, 2)}`;
}

/** What carries the private network's frames. Bound to the loopback interface: none leaves this machine. */
function carrier(network: string, { cloud }: VmSpec): string {
  if (cloud !== undefined) return `udp=127.0.0.1:${cloud.switchPort},localaddr=127.0.0.1:0`;
  const { group, port } = multicastGroup(network);
  return `mcast=${group}:${port},localaddr=127.0.0.1`;
}

function firmwareArguments({ image }: VmSpec, files: MachineFiles): string[] {
  if (image.firmware !== "efi") return [];
  const flash = (path: string, more: string) => ["-drive", `if=pflash,format=raw,file=${escaped(path)}${more}`];
  return [...flash(efiFirmware().code, ",readonly=on"), ...flash(files.efiVariables, "")];
}

function dmiArguments({ cloud }: VmSpec): string[] {
  if (cloud === undefined) return [];
  return ["-smbios", `type=1,manufacturer=${escaped(cloud.manufacturer)},product=${escaped(cloud.product)}`];
}

/** A path or a name inside a QEMU option list, where a comma is written twice. */
function escaped(path: string): string {
  return path.replaceAll(",", ",,");
}
