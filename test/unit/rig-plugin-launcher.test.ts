import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { pluginExecutable, writePluginFolder } from "../../rig/plugin/launcher";

const checkout = resolve(__dirname, "../..");
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "timebase-launcher-"));
});

afterAll(() => rmSync(folder, { recursive: true }));

it("starts the stand-in of the checkout from any folder", async () => {
  writePluginFolder(folder, ["command"], checkout);
  const plugin = spawn(join(folder, pluginExecutable("command")), ["127.0.0.1:1"], { cwd: tmpdir() });
  try {
    // A plugin begins by printing the port on which it serves.
    const [firstOutput] = await once(plugin.stdout, "data");
    expect(String(firstOutput)).toMatch(/^\d+\n$/);
  } finally {
    plugin.kill();
  }
}, 60_000);

it("says what to do when the checkout moved", () => {
  writePluginFolder(folder, ["command"], "/nonexistent/it's gone");
  const { status, stderr } = spawnSync(join(folder, pluginExecutable("command")), { encoding: "utf8" });
  expect(status).toBe(1);
  expect(stderr).toContain("needs /nonexistent/it's gone/rig/command-provider/main.ts, which does not exist");
  expect(stderr).toContain("If the checkout of pulumi-timebase moved");
});
