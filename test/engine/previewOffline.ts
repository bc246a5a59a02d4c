import { execFile } from "node:child_process";
import { join, resolve } from "node:path";

export const root = resolve(__dirname, "../..");

export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** The program as a user starts it: what is on its stdout, on its stderr, and how it ends. */
export const run = (...args: string[]) => runFrom(root, ...args);

/** The same where the user is in a folder. */
export function runFrom(folder: string, ...args: string[]): Promise<Ended> {
  // Nothing of this machine that could stand for an account.
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const env = { PATH, NODE_COMPILE_CACHE, HOME: "/nonexistent", INIT_CWD: folder };
  const program = ["--require", "@pulumi/pulumi", "--import", "tsx", join(root, "rig/preview.ts"), ...args];
  return new Promise((done) =>
    execFile(process.execPath, program, { cwd: root, env, maxBuffer: 2 ** 26 }, (error, stdout, stderr) =>
      done({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    ),
  );
}
