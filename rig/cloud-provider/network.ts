/**
 * The processes that are the network of a stand-in cloud: the private one (network.py), and the public addresses of its
 * machines (doors.py). They go on after this one, as machines do.
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { textOf, writeAtomically } from "../../vm/files";
import { withLock } from "../../vm/lock";
import { livingProcess, processGone } from "../../vm/process";
import type { Rule } from "./rules";

const startMillis = 10_000;

/** A network, by the path that its files begin with. */
const filesOf = (network: string) => ({
  rules: `${network}.rules`,
  port: `${network}.port`,
  pid: `${network}.pid`,
  doors: `${network}.doors`,
  doorsTold: `${network}.doors.told`,
  doorsPid: `${network}.doors.pid`,
});

/** A public address: the port that it answers at, where that leads, and whom the rules let in. */
export interface Door {
  readonly port: number;
  readonly leads: readonly [address: string, port: number];
  readonly rules: readonly Rule[];
}

/** Starts a network, unless it is there. Returns the port of loopback to which its machines send their frames. */
export function serveNetwork(network: string): Promise<number> {
  const { rules, port, pid, doors, doorsTold, doorsPid } = filesOf(network);
  return withLock(network, async () => {
    if (!existsSync(rules)) keepRules(network, {});
    if (!existsSync(doors)) await keepDoors(network, {});
    await started("network.py", [rules, port], pid);
    await started("doors.py", [doors, doorsTold], doorsPid);
    return Number(readFileSync(port, "utf8"));
  });
}

/** Starts a program of this folder, unless it runs. */
async function started(name: string, files: readonly string[], pidFile: string): Promise<void> {
  if (livingProcess(pidFile) !== undefined) return;
  rmSync(pidFile, { force: true });
  let failure = "";
  // Without a compiled copy of what it imports, which would lie in the checkout.
  const program = ["-B", join(__dirname, name), ...files, "-pidfile", pidFile];
  const child = spawn("python3", program, { detached: true, stdio: "ignore" });
  child.on("error", ({ message }) => {
    failure = message;
  });
  child.on("exit", (status) => {
    failure ||= `exit status ${status}`;
  });
  child.unref();
  for (const end = performance.now() + startMillis; livingProcess(pidFile) === undefined; await sleep(50)) {
    if (failure !== "" || performance.now() > end) {
      throw new Error(`the clouds' network does not start (python3 ${program.join(" ")}): ${failure || "no answer"}`);
    }
  }
}

/** What comes in to each private address from now on. */
export function keepRules(network: string, rules: Readonly<Record<string, readonly Rule[]>>): void {
  writeAtomically(filesOf(network).rules, JSON.stringify(rules));
}

/** Which public addresses there are from now on. Waits for those that are new; one that cannot be opened is none, and why is thrown. */
export async function keepDoors(
  network: string,
  doors: Readonly<Record<string, Door>>,
  limitMillis = startMillis,
): Promise<void> {
  const { doors: path, doorsTold } = filesOf(network);
  const before = contentOf(path);
  const added = Object.keys(doors).filter((address) => !(address in before));
  writeAtomically(path, JSON.stringify(doors));
  for (const end = performance.now() + limitMillis; ; await sleep(50)) {
    const told = contentOf(doorsTold);
    const closed = added.filter((address) => told[address] !== "");
    if (closed.length === 0) return;
    if (performance.now() < end) continue;
    const others = Object.entries(doors).filter(([address]) => !closed.includes(address));
    writeAtomically(path, JSON.stringify(Object.fromEntries(others)));
    const reasons = closed.map((address) => `${address}: ${told[address] ?? "nobody opens it"}`);
    throw new Error(`a public address of the stand-in cloud leads nowhere: ${reasons.join("; ")}`);
  }
}

function contentOf(path: string): Record<string, unknown> {
  return JSON.parse(textOf(path) ?? "{}");
}

export async function endNetwork(network: string): Promise<void> {
  const files = filesOf(network);
  for (const pidFile of [files.pid, files.doorsPid]) {
    const pid = livingProcess(pidFile);
    if (pid === undefined) continue;
    process.kill(pid, "SIGTERM");
    await processGone(pid, startMillis);
  }
  for (const path of Object.values(files)) rmSync(path, { force: true });
}
