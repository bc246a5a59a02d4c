import { chmodSync, copyFileSync, mkdirSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { canBind, candidateAddresses, chooseAddress } from "./address";
import { ensureFile } from "./files";
import { efiFirmware } from "./firmware";
import { ensureImage } from "./image";
import { ensureKeys } from "./keys";
import { withLock } from "./lock";
import { places } from "./places";
import { machineFiles } from "./qemu";
import { type MachineRecord, takenAddresses, writeRecord } from "./record";
import { run } from "./run";
import { type MachineKeys, seedFiles } from "./seed";
import type { VmSpec } from "./spec";
import { Trouble } from "./trouble";

/** Linux limits the path of a socket, and QEMU's monitor is one in the machine's folder. */
const longestSocketPath = 107;

/** Makes a machine's folder and reserves its address: from here on it exists, and `down` removes it. */
export async function createMachine(folder: string, spec: VmSpec): Promise<MachineRecord> {
  const { monitor } = machineFiles(folder);
  if (Buffer.byteLength(monitor) > longestSocketPath) {
    throw new Trouble(
      `the path of the machine's folder is too long: a socket's path has at most ${longestSocketPath} bytes`,
      monitor,
      "shorten the machine's name, or set XDG_STATE_HOME to a folder with a shorter path",
    );
  }
  return giveAddress(folder, spec);
}

/** Reserves an address for a machine that has never run, other than the one that it has. */
export function giveAddress(folder: string, spec: VmSpec): Promise<MachineRecord> {
  const { machines } = places();
  mkdirSync(machines, { recursive: true, mode: 0o700 });
  return withLock(machines, async () => {
    const candidates = spec.address === undefined ? candidateAddresses() : [spec.address];
    const ssh = await chooseAddress(candidates, takenAddresses(), canBind);
    const record: MachineRecord = { spec, ssh, ready: false, isNew: true };
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeRecord(folder, record);
    return record;
  });
}

/**
 * Makes what a start needs and the folder lacks: keys, seed, disk. Each appears as a whole or not at all, so this also
 * completes what an interrupted run began.
 */
export async function equipMachine(folder: string, spec: VmSpec): Promise<MachineKeys> {
  const files = machineFiles(folder);
  const keys = await ensureKeys(files, spec.name);
  if (spec.image.firmware === "efi") {
    await ensureFile(files.efiVariables, async (draft) => copyFileSync(efiFirmware().variables, draft));
  }
  await ensureFile(files.seed, (draft) => makeSeed(folder, draft, seedFiles(spec, keys)));
  await ensureFile(files.disk, async (draft) => makeDisk(draft, await ensureImage(spec.image), spec.diskGib));
  return keys;
}

async function makeSeed(folder: string, draft: string, texts: Record<string, string>): Promise<void> {
  rmSync(draft, { force: true });
  const paths = Object.keys(texts).map((name) => join(folder, name));
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(folder, name), text, { mode: 0o600 });
  const ending = await run("xorriso", [
    "-as",
    "genisoimage",
    "-quiet",
    "-V",
    "cidata",
    "-J",
    "-r",
    "-o",
    draft,
    ...paths,
  ]);
  for (const path of paths) unlinkSync(path);
  if (ending.status !== 0) {
    throw new Trouble(
      `the seed disk could not be written: ${ending.stderr.trim()}`,
      draft,
      "check the disk's free space",
    );
  }
  chmodSync(draft, 0o600);
}

/** A disk that holds what differs from the image: made in an instant, small, and the image stays as it is. */
async function makeDisk(draft: string, image: string, gib: number): Promise<void> {
  const ending = await run("qemu-img", ["create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", image, draft, `${gib}G`]);
  if (ending.status !== 0) {
    throw new Trouble(`the disk could not be made: ${ending.stderr.trim()}`, draft, "check the disk's free space");
  }
}
