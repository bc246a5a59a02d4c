import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll } from "vitest";

// The awk that everything here runs by: mawk, which is Debian's and Ubuntu's, or the one that TIMEBASE_AWK names. `npm run
// test:faults` runs all again by gawk, which is Amazon Linux's. Where it is not on this machine, by what is.
const name = process.env.TIMEBASE_AWK ?? "mawk";
const program = spawnSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).stdout.trim();
if (!program && process.env.TIMEBASE_AWK)
  throw new Error(`there is no ${name} on this computer: npm run test:faults installs it`);
if (program) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "timebase-awk-"));
  fs.symlinkSync(program, path.join(folder, "awk"));
  process.env.PATH = `${folder}:${process.env.PATH}`;
  afterAll(() => fs.rmSync(folder, { recursive: true }));
}
