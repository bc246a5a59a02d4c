import { rmSync } from "node:fs";
import { withLock } from "./lock";
import { askMonitor } from "./monitor";
import { livingProcess, processGone } from "./process";
import { step } from "./progress";
import { machineFiles } from "./qemu";
import { machineFolder } from "./record";
import { Trouble } from "./trouble";

const shutdownMillis = 120_000;
const quitMillis = 10_000;

/** Removes a machine: its process, its disk, its keys, its address. Nothing left to remove is no error. */
export function down(name: string): Promise<void> {
  const folder = machineFolder(name);
  return withLock(folder, async () => {
    await step(`machine ${name}: stopping`, () => removeMachine(folder));
  });
}

/** As `down`, for a caller that holds the machine's lock. */
export async function removeMachine(folder: string): Promise<void> {
  await stopMachine(folder);
  rmSync(folder, { recursive: true, force: true });
}

/**
 * Ends a machine's QEMU. A shutdown lets the machine write its files first; without it QEMU quits at once, which is
 * enough for a disk that is thrown away. What does not go by itself is killed.
 */
export async function stopMachine(folder: string, how: "quit" | "shutdown" = "quit"): Promise<void> {
  const { pid: pidFile, monitor } = machineFiles(folder);
  const pid = livingProcess(pidFile);
  if (pid === undefined) return;
  const gone = (limitMillis: number) => processGone(pid, limitMillis);
  if (how === "shutdown" && (await askMonitor(monitor, "system_powerdown")) && (await gone(shutdownMillis))) return;
  if ((await askMonitor(monitor, "quit")) && (await gone(quitMillis))) return;
  kill(pid);
  if (await gone(quitMillis)) return;
  throw new Trouble(
    `QEMU (process ${pid}) survives SIGKILL`,
    folder,
    "look at the process: it hangs inside the kernel",
  );
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
