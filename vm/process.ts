import { setTimeout as sleep } from "node:timers/promises";
import { textOf } from "./files";

/**
 * Whether a process is the QEMU that wrote a pid file: its command line names that very file. A process id alone proves
 * nothing: after this machine's restart it belongs to something else.
 *
 * @param commandLine the content of `/proc/<pid>/cmdline`: arguments that a zero byte ends
 */
export function isOwner(commandLine: string, pidFile: string): boolean {
  const args = commandLine.split("\0");
  const at = args.indexOf("-pidfile");
  return at > 0 && args[at + 1] === pidFile;
}

/** The process id of the running QEMU of a pid file, or `undefined`. */
export function livingProcess(pidFile: string): number | undefined {
  const pid = Number.parseInt(textOf(pidFile) ?? "", 10);
  if (!(pid > 0)) return undefined;
  return isOwner(procText(pid, "cmdline"), pidFile) ? pid : undefined;
}

/** A file of the process's folder in /proc; empty for a process that is gone, also when it goes while it is read. */
function procText(pid: number, file: "cmdline" | "stat"): string {
  try {
    return textOf(`/proc/${pid}/${file}`) ?? "";
  } catch {
    return "";
  }
}

/**
 * Whether a process has let go of everything. One that exits loses its command line first, while it still holds its
 * disk and its port; as a zombie it holds nothing any more.
 *
 * @param stat the content of `/proc/<pid>/stat`, empty when there is none
 */
export function isGone(stat: string): boolean {
  const state = stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3);
  return stat === "" || state === "Z" || state === "X";
}

/** Waits until a process has let go of everything. Returns whether it did in time. */
export async function processGone(pid: number, limitMillis: number): Promise<boolean> {
  const end = performance.now() + limitMillis;
  while (!isGone(procText(pid, "stat"))) {
    if (performance.now() > end) return false;
    await sleep(100);
  }
  return true;
}
