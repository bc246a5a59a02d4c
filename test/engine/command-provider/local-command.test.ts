import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { PropertyMap } from "../../../rig/plugin/property-values";
import { activities, create, local, logged, provider, scratch, update } from "./setting";

describe("local command", () => {
  const run = (command: string, more: PropertyMap = {}) => create(local, { create: command, ...more });

  it("runs in a shell with stdin, folder and environment", async () => {
    const outs = await run("cat; pwd; echo $A; echo err >&2", { stdin: "in\n", dir: scratch, environment: { A: "b" } });
    expect(outs).toMatchObject({ stdout: `in\n${scratch}\nb`, stderr: "err" });
    expect(logged()).toContain("err");
    expect(activities()).toMatchObject([{ event: "local", urn: local, ok: true }]);
  });

  it("takes another interpreter", async () => {
    expect(await run("console.log(6 * 7)", { interpreter: [process.execPath, "--eval"] })).toMatchObject({
      stdout: "42",
    });
  });

  it.each([
    ["a status", "echo out; exit 4", {}, /^exit status 4: running "echo out; exit 4":\nout\n$/],
    ["a signal", "kill -KILL $$", {}, /^signal: SIGKILL/],
    ["a missing folder", "true", { dir: "/nonexistent" }, /^chdir \/nonexistent: no such file/],
    ["a missing interpreter", "true", { interpreter: ["/nonexistent"] }, /ENOENT/],
  ])("fails with %s", async (_what, command, more, message) => {
    await expect(run(command, more)).rejects.toThrow(message);
  });

  it("survives a command that does not read a long stdin", async () => {
    expect(await run("echo done", { stdin: "x".repeat(3_000_000) })).toMatchObject({ stdout: "done" });
  });

  it("hands the previous output to update and delete", async () => {
    const state = await run("echo one", { delete: `echo $PULUMI_COMMAND_STDOUT > ${join(scratch, "deleted")}` });
    expect(await update(local, state, { create: "echo $PULUMI_COMMAND_STDOUT two" })).toMatchObject({
      stdout: "one two",
    });
    await provider.delete("id", local, state);
    expect(readFileSync(join(scratch, "deleted"), "utf8")).toBe("one\n");
  });

  it("is killed when the user cancels", async () => {
    const running = run("exec sleep 60");
    await sleep(200);
    await provider.cancel();
    await expect(running).rejects.toThrow("aborted");
  });
});
