/** The process that is the private network of a stand-in cloud (network.py). It goes on after this one, as machines do. */
import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { writeAtomically } from "../../vm/files";
import { withLock } from "../../vm/lock";
import { livingProcess, processGone } from "../../vm/process";
import type { Rule } from "./rules";

const startMillis = 10_000;

/** A network, by the path that its files begin with. */
const filesOf = (network: string) => ({
  rules: `${network}.rules`,
  port: `${network}.port`,
  pid: `${network}.pid`,
});

/** Starts a network, unless it is there. Returns the port of loopback to which its machines send their frames. */
export function serveNetwork(network: string): Promise<number> {
  const { port, pid } = filesOf(network);
  return withLock(network, async () => {
    if (livingProcess(pid) === undefined) await start(network);
    return Number(readFileSync(port, "utf8"));
  });
}

async function start(network: string): Promise<void> {
  const { rules, port, pid } = filesOf(network);
  rmSync(pid, { force: true });
  if (!existsSync(rules)) keepRules(network, {});
  let failure = "";
  const program = [join(__dirname, "network.py"), rules, port, "-pidfile", pid];
  const child = spawn("python3", program, { detached: true, stdio: "ignore" });
  child.on("error", ({ message }) => {
    failure = message;
  });
  child.on("exit", (status) => {
    failure ||= `exit status ${status}`;
  });
  child.unref();
  for (const end = performance.now() + startMillis; livingProcess(pid) === undefined; await sleep(50)) {
    if (failure !== "" || performance.now() > end) {
      throw new Error(`the clouds' network does not start (python3 ${program.join(" ")}): ${failure || "no answer"}`);
    }
  }
}

/** What comes in to each private address from now on. */
export function keepRules(network: string, rules: Readonly<Record<string, readonly Rule[]>>): void {
  writeAtomically(filesOf(network).rules, JSON.stringify(rules));
}

export async function endNetwork(network: string): Promise<void> {
  const files = filesOf(network);
  const pid = livingProcess(files.pid);
  if (pid !== undefined) {
    process.kill(pid, "SIGTERM");
    await processGone(pid, startMillis);
  }
  for (const path of Object.values(files)) rmSync(path, { force: true });
}
