import { type StdioOptions, spawn } from "node:child_process";
import { callerIsGone, Interruption } from "./interruption";

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

const watchMillis = 500;

/**
 * Runs a program to its end, without a shell. A status other than 0 is for who asked to judge. When this process's own
 * caller goes meanwhile, the program is ended.
 *
 * @throws Interruption of the program that was ended
 */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Ending> {
  return new Promise((resolve, reject) => {
    const stdio: StdioOptions = [options.stdin ?? "ignore", options.stdout ?? "pipe", options.stderr ?? "pipe"];
    const child = spawn(program, args, { stdio, env: environment });
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
    let interrupted = false;
    const watch = setInterval(() => {
      interrupted = callerIsGone();
      if (interrupted) child.kill();
    }, watchMillis);
    const stopWatching = () => {
      clearTimeout(limit);
      clearInterval(watch);
    };
    child.on("error", (error) => {
      stopWatching();
      reject(error);
    });
    child.on("close", (status) => {
      stopWatching();
      if (interrupted) reject(new Interruption(program));
      else resolve({ status, timedOut, stdout, stderr });
    });
  });
}
