import { chooseAccelerator } from "./accelerator";
import { bannerComes } from "./banner";
import { removeMachine, stopMachine } from "./down";
import { tailOf } from "./files";
import { requireTools, startingTools } from "./host-tools";
import { interrupted, throwIfInterrupted } from "./interruption";
import { withLock } from "./lock";
import { createMachine, equipMachine, giveAddress } from "./machine";
import { livingProcess } from "./process";
import { say, step } from "./progress";
import { machineFiles, qemuArguments } from "./qemu";
import { type MachineRecord, machineFolder, readRecord, writeRecord } from "./record";
import { run } from "./run";
import type { MachineKeys } from "./seed";
import { changesBetween, type VmSpec } from "./spec";
import { Trouble } from "./trouble";

/** What `up` answers: everything that one needs to log in, and which start of the machine this is. */
export interface RunningVm {
  address: string;
  port: number;
  user: string;
  hostKey: string;
  /** Path of the private key. The key itself is in no output: a command that fails shows all of its output in its error. */
  privateKeyFile: string;
  privateAddress?: string;
  accelerator: string;
  incarnation: string;
}

/** As `up`, without waiting for anything that the machine does. Returns where its sshd will be. */
export function boot(spec: VmSpec): Promise<MachineRecord> {
  requireTools(startingTools);
  const folder = machineFolder(spec.name);
  return withLock(folder, async () => {
    const recorded = await reconciled(folder, spec);
    await equipMachine(folder, spec);
    return running(folder, recorded);
  });
}

/**
 * Makes a machine run, whatever it is now: not there, stopped, killed, running. A running one is left alone, unless its
 * CPUs or memory are to change; then it is shut down and started on its own disk.
 */
export function up(spec: VmSpec): Promise<RunningVm> {
  requireTools(startingTools);
  const folder = machineFolder(spec.name);
  return withLock(folder, async () => {
    const { keys, record } = await made(folder, spec).catch((error: unknown) => givenUp(folder, spec.name, error));
    return {
      ...record.ssh,
      user: spec.user,
      hostKey: keys.host.public,
      privateKeyFile: machineFiles(folder).loginKey,
      ...(spec.privateAddress === undefined ? {} : { privateAddress: spec.privateAddress }),
      accelerator: record.started?.accelerator ?? "",
      incarnation: record.started?.incarnation ?? "",
    };
  });
}

async function made(folder: string, spec: VmSpec): Promise<{ keys: MachineKeys; record: MachineRecord }> {
  const recorded = await reconciled(folder, spec);
  const keys = await equipMachine(folder, spec);
  return { keys, record: await started(folder, recorded) };
}

/** What went wrong went wrong by the interruption, if there was one. Pulumi does not know a new machine: nothing else removes it. */
async function givenUp(folder: string, name: string, error: unknown): Promise<never> {
  if (!interrupted.aborted) throw error;
  const isNew = readRecord(folder)?.isNew ?? false;
  if (isNew) await removeMachine(folder);
  const fate = isNew ? ", which was being made, is removed" : " is left as it is";
  throw new Trouble(`interrupted: machine ${name}${fate}`, folder, "run it again");
}

/** The machine's record, made to agree with the spec. */
async function reconciled(folder: string, spec: VmSpec): Promise<MachineRecord> {
  const record = readRecord(folder);
  if (record === undefined) return createMachine(folder, spec);
  const { restart, replace } = changesBetween(record.spec, spec);
  if (replace.length > 0) {
    if (!record.isNew) throw anotherMachine(folder, spec.name, replace);
    await removeMachine(folder);
    return createMachine(folder, spec);
  }
  if (restart.length > 0 && livingProcess(machineFiles(folder).pid) !== undefined) {
    const what = `machine ${spec.name}: shutting down to change ${restart.join(" and ")}`;
    await step(what, () => stopMachine(folder, "shutdown"));
  }
  const agreed = { ...record, spec };
  writeRecord(folder, agreed);
  return agreed;
}

function anotherMachine(folder: string, name: string, fields: readonly string[]): Trouble {
  return new Trouble(
    `machine ${name} exists and differs in ${fields.join(", ")}, which its first boot has burnt in`,
    folder,
    'remove it with "down" (its disk goes with it), then run "up" again; or use another name',
  );
}

async function started(folder: string, record: MachineRecord): Promise<MachineRecord> {
  const alive = await running(folder, record);
  if (alive.ready) return alive;
  await awaitSsh(folder, alive);
  const { isNew: _, ...known } = alive;
  const ready = { ...known, ready: true };
  writeRecord(folder, ready);
  return ready;
}

/** A machine that starts is not ready. */
async function running(folder: string, record: MachineRecord): Promise<MachineRecord> {
  return livingProcess(machineFiles(folder).pid) === undefined ? startQemu(folder, record) : record;
}

/** How often a new machine takes another address when somebody else has got its own first. */
const addressTries = 5;

/**
 * Starts a machine. Whether an address is free is known only by binding it, which QEMU does: a machine of another user, or
 * of another state folder, may have been faster. Of a machine that has never run nobody knows the address yet.
 */
export async function startQemu(folder: string, record: MachineRecord, tries = addressTries): Promise<MachineRecord> {
  const { spec, ssh } = record;
  const files = machineFiles(folder);
  const accelerator = await chooseAccelerator();
  if (accelerator === "tcg")
    say(`machine ${spec.name}: no /dev/kvm that this user may use and that runs guests, so software emulation (slow)`);
  // The record goes first: a machine that runs is one whose incarnation is known.
  const starting = { ...record, started: { incarnation: spec.incarnation, accelerator }, ready: false };
  writeRecord(folder, starting);
  const ending = await run("qemu-system-x86_64", qemuArguments(spec, ssh, files, accelerator));
  if (ending.status === 0) return starting;
  const isTaken = /host forwarding/.test(ending.stderr);
  if (isTaken && record.started === undefined && spec.address === undefined && tries > 1) {
    return startQemu(folder, await giveAddress(folder, spec), tries - 1);
  }
  throw new Trouble(
    `machine ${spec.name} could not be started: ${ending.stderr.trim()}`,
    folder,
    isTaken
      ? `something else listens on ${ssh.address} port ${ssh.port}: end it, or remove the machine with "down" and start it again`
      : 'read the message; if its disk or its image is damaged, remove the machine with "down" and start it again',
  );
}

async function awaitSsh(folder: string, { spec, ssh }: MachineRecord): Promise<void> {
  const files = machineFiles(folder);
  const isAlive = () => livingProcess(files.pid) !== undefined;
  const wait = async () => {
    const comes = await bannerComes(ssh, spec.startTimeoutSeconds * 1000, isAlive);
    throwIfInterrupted();
    return comes;
  };
  if (await step(`machine ${spec.name}: booting to SSH`, wait, () => tailOf(files.console, 1))) return;
  const [what, remedy] = isAlive()
    ? [`did not answer on SSH within ${spec.startTimeoutSeconds} s`, "raise startTimeoutSeconds, or read the console"]
    : ["stopped while it booted", "read the console"];
  const tail = tailOf(files.console, 25);
  await stopMachine(folder);
  throw new Trouble(
    `machine ${spec.name} ${what}; its console's end:\n${tail}`,
    files.console,
    `${remedy}; "up" tries again, "down" removes the machine`,
  );
}
