import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { interrupted, isWatching } from "./interruption";

/** How a program ended. `status` is `null` when a signal ended it, for example the one of the time limit. */
export interface Ending {
  status: number | null;
  timedOut: boolean;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  /** After this many milliseconds the program is killed. Default: no limit. */
  limitMillis?: number;
  /** Open file that becomes the program's stdin. Default: nothing to read. */
  stdin?: number;
  /** Open file that gets stdout. Default: collected in the result. */
  stdout?: number;
  /** Open file that gets stderr. Default: collected in the result. */
  stderr?: number;
}

/**
 * The environment of every program that is run: `mkfs.ext4` and `sfdisk` live in `/sbin`, which Debian does not put on
 * an ordinary user's PATH, and messages are parsed and shown, so they are in one language.
 */
export const environment: NodeJS.ProcessEnv = {
  ...process.env,
  PATH: `${process.env.PATH ?? "/usr/bin:/bin"}:/usr/sbin:/sbin`,
  LC_ALL: "C.UTF-8",
};

/** What a program that is to end has for cleaning up. */
const graceMillis = 10_000;

/**
 * Runs a program to its end, without a shell. A status other than 0 is for who asked to judge. On an interruption the program
 * is ended, and all that it has started: mmdebstrap waits for its children, and counts on their being told by the terminal.
 */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Ending> {
  return new Promise((resolve, reject) => {
    const stdio: StdioOptions = [options.stdin ?? "ignore", options.stdout ?? "pipe", options.stderr ?? "pipe"];
    const child = spawn(program, args, { stdio, env: environment, detached: isWatching() });
    let stdout = "";
    let stderr = "";
    let timedOut = false;
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    const limit =
      options.limitMillis === undefined
        ? undefined
        : setTimeout(() => {
            timedOut = true;
            child.kill("SIGKILL");
          }, options.limitMillis);
    let grace: NodeJS.Timeout | undefined;
    const end = () => {
      signalGroup(child, "SIGTERM");
      grace = setTimeout(() => signalGroup(child, "SIGKILL"), graceMillis);
    };
    interrupted.addEventListener("abort", end);
    const forget = () => {
      clearTimeout(limit);
      clearTimeout(grace);
      interrupted.removeEventListener("abort", end);
    };
    child.on("error", (error) => {
      forget();
      reject(error);
    });
    child.on("close", (status) => {
      forget();
      resolve({ status, timedOut, stdout, stderr });
    });
    if (interrupted.aborted) end();
  });
}

/** A group that is gone is not there to be told. */
function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
