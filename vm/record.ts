import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Accelerator } from "./accelerator";
import type { SshAddress } from "./address";
import { textOf, writeAtomically } from "./files";
import { places } from "./places";
import { livingProcess } from "./process";
import { machineFiles } from "./qemu";
import type { VmSpec } from "./spec";

/** What is remembered about a machine between runs of the program. */
export interface MachineRecord {
  spec: VmSpec;
  ssh: SshAddress;
  /** What the last start was made with. */
  started?: { incarnation: string; accelerator: Accelerator };
  /** Whether sshd has answered since that start. */
  ready: boolean;
  /** It has never been up: nothing of value is on its disk, and Pulumi does not know it. */
  isNew?: true;
}

export function machineFolder(name: string): string {
  return join(places().machines, name);
}

export function readRecord(folder: string): MachineRecord | undefined {
  const text = textOf(machineFiles(folder).record);
  return text === undefined ? undefined : (JSON.parse(text) as MachineRecord);
}

export function writeRecord(folder: string, record: MachineRecord): void {
  writeAtomically(machineFiles(folder).record, `${JSON.stringify(record)}\n`);
}

/** The loopback addresses of all machines, running or not. */
export function takenAddresses(): string[] {
  return records().map(({ ssh }) => ssh.address);
}

/** The names of the machines of a network, running or not. */
export function machinesOf(network: string): string[] {
  return records().flatMap(({ spec }) => (spec.network === network ? [spec.name] : []));
}

function records(): MachineRecord[] {
  const { machines } = places();
  return existsSync(machines) ? readdirSync(machines).flatMap((name) => readRecord(join(machines, name)) ?? []) : [];
}

/**
 * The incarnation of a machine that is running at this moment, else `undefined`. Takes a millisecond and runs no
 * program, so that a Pulumi program can ask before it registers a resource.
 */
export function livingIncarnation(name: string): string | undefined {
  const folder = machineFolder(name);
  return livingProcess(machineFiles(folder).pid) === undefined ? undefined : readRecord(folder)?.started?.incarnation;
}
