import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { reveal, secret } from "../../../rig/plugin/property-values";
import { activities, connection, create, log, logged, provider, remote, runRemote, server, update } from "./setting";

describe("remote command", () => {
  it("returns its output without one trailing newline, and its inputs", async () => {
    const outs = await runRemote("printf 'a\\n\\n'; echo b >&2");
    expect(outs).toMatchObject({ stdout: "a\n", stderr: "b", create: "printf 'a\\n\\n'; echo b >&2" });
    expect(JSON.stringify(outs.connection)).toBe(JSON.stringify(secret(reveal(outs.connection))));
  });

  it("delivers stdin and then its end", async () => {
    expect(await runRemote("cat; echo end", { stdin: secret("one\ntwo\n") })).toMatchObject({
      stdout: "one\ntwo\nend",
      stdin: secret("one\ntwo\n"),
    });
    expect(await runRemote("cat; echo end")).toMatchObject({ stdout: "end" });
  });

  it("survives a command that does not read a long stdin", async () => {
    expect(await runRemote("echo done", { stdin: "x".repeat(3_000_000) })).toMatchObject({ stdout: "done" });
  });

  it("returns a long output whole", async () => {
    const { stdout } = await runRemote("head -c 5000000 /dev/zero | tr '\\0' x", { logging: "none" });
    expect(String(stdout).length).toBe(5_000_000);
  });

  it("fails with the command and all of its output, and without the key", async () => {
    const failure = await runRemote("echo out; echo err >&2; exit 3").catch((error: Error) => error.message);
    expect(failure).toContain('Process exited with status 3: running "echo out; echo err >&2; exit 3":');
    expect(failure).toContain("out\n");
    expect(failure).toContain("err\n");
    expect(failure).not.toContain("PRIVATE KEY");
  });

  it("fails when a signal ends it", async () => {
    await expect(runRemote("kill -KILL $$")).rejects.toThrow("Process exited with status 137 from signal KILL");
  });

  it("fails when the session is cut", async () => {
    const running = runRemote("sleep 60");
    await vi.waitFor(() => expect(server.sessions).toHaveLength(1));
    server.cut();
    await expect(running).rejects.toThrow("exited without exit status or exit signal");
  });

  it("logs complete lines while it runs", async () => {
    const running = runRemote("echo first; sleep 1; printf 'sec'; sleep 0.1; printf 'ond\\nlast'; echo err >&2");
    await vi.waitFor(() => expect(logged()).toEqual(["first"]));
    await running;
    expect(logged().sort()).toEqual(["err", "first", "last", "second"]);
    const [, resource, , ephemeral] = log.mock.calls[0] ?? [];
    expect(await (resource as unknown as { urn: { promise(): Promise<string> } }).urn.promise()).toBe(remote);
    expect(ephemeral).toBe(true);
  });

  it.each([
    ["stdout", ["o"]],
    ["stderr", ["e"]],
    ["stdoutAndStderr", ["e", "o"]],
    ["none", []],
  ])("logs what logging: %s says", async (logging, lines) => {
    await runRemote("echo o; echo e >&2", { logging });
    expect(logged().sort()).toEqual(lines);
  });

  it("updates with update, else create, and hands over the previous output", async () => {
    const first = await runRemote("echo one");
    const second = await update(remote, first, { connection: connection(), create: "echo $PULUMI_COMMAND_STDOUT two" });
    expect(second).toMatchObject({ stdout: "one two" });
    const third = await update(remote, second, { connection: connection(), create: "false", update: "echo three" });
    expect(third).toMatchObject({ stdout: "three" });
    const inputs = { connection: connection(), create: "echo [$PULUMI_COMMAND_STDOUT]", addPreviousOutputInEnv: false };
    expect(await update(remote, third, inputs)).toMatchObject({ stdout: "[]" });
  });

  it("keeps its outputs when there is nothing to run", async () => {
    const state = await runRemote("echo one");
    expect(await update(remote, state, { connection: connection(), delete: "true" })).toMatchObject({ stdout: "one" });
    expect(await create(remote, { connection: connection(), delete: "true" })).toMatchObject({ stdout: "" });
    expect(server.sessions).toHaveLength(1);
  });

  it("deletes only with delete, with the connection and stdin of the state", async () => {
    await provider.delete("id", remote, await runRemote("true"));
    expect(server.sessions).toHaveLength(1);
    const state = await runRemote("echo made", {
      delete: "cat > gone; echo $PULUMI_COMMAND_STDOUT >> gone",
      stdin: "in ",
    });
    await provider.delete("id", remote, state);
    expect(readFileSync(join(server.home, "gone"), "utf8")).toBe("in made\n");
  });

  it("records what it did", async () => {
    await runRemote("true");
    expect(activities()).toMatchObject([
      { event: "dial", host: "127.0.0.1", urn: remote, ok: true },
      { event: "session", host: "127.0.0.1", urn: remote, ok: true, ms: expect.any(Number) },
    ]);
  });
});
