import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { execaNode } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { toolkitArchive } from "../../components";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "timebase-archive-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const run = (...args: string[]) =>
  execaNode(resolve(__dirname, "../../rig/toolkit-archive.ts"), args, {
    nodeOptions: ["--import", "tsx"],
    env: { INIT_CWD: folder },
    reject: false,
  });

test("writes what hosts are told to fetch, and prints its SHA-256", async () => {
  const { name, content, sha256 } = toolkitArchive();
  expect(await run()).toMatchObject({ exitCode: 0, stdout: `${sha256}  ${join(folder, name)}` });
  expect(readFileSync(join(folder, name))).toEqual(content);
  rmSync(join(folder, name));
});

test.each([
  [["--help"], 0, "npm run toolkit:archive -- <folder>"],
  [["nowhere"], 1, "no such file or directory"],
  [["a", "b"], 1, "one folder at a time, not also b"],
  [["--to", "a"], 1, "Unknown option '--to'"],
])("%j writes nothing", async (args, code, words) => {
  const { exitCode, stdout, stderr } = await run(...args);
  expect([exitCode, stdout + stderr]).toEqual([code, expect.stringContaining(words)]);
  expect(stderr).not.toContain("    at ");
  expect(readdirSync(folder)).toEqual([]);
});
