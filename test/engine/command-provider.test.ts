import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";
import { LocalWorkspace, type Stack } from "@pulumi/pulumi/automation";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { Activity } from "../../rig/command-provider/activity-log";
import { type PropertyMap, reveal, secret } from "../../rig/command-provider/property-values";
import { CommandProvider } from "../../rig/command-provider/provider";
import { type Engine, ensureEngine } from "../../rig/engine";
import { password, type SshServer, startSshServer } from "./command-provider.ssh-server";

const urnOf = (type: string) => `urn:pulumi:test::project::parent:index:Type$${type}::name`;
const remote = urnOf("command:remote:Command");
const copy = urnOf("command:remote:CopyToRemote");
const local = urnOf("command:local:Command");

let server: SshServer;
let bastion: SshServer;
let scratch: string;
let activityFile: string;
let provider: CommandProvider;
const log = vi.spyOn(pulumi.log, "info").mockResolvedValue();

beforeAll(async () => {
  [server, bastion] = await Promise.all([startSshServer(), startSshServer()]);
  scratch = mkdtempSync(join(tmpdir(), "timebase-test-"));
});

afterAll(async () => {
  await Promise.all([server.close(), bastion.close()]);
  rmSync(scratch, { recursive: true });
  vi.unstubAllEnvs();
});

beforeEach(() => {
  provider = new CommandProvider();
  log.mockClear();
  server.sessions.length = 0;
  activityFile = join(scratch, "activity.jsonl");
  rmSync(activityFile, { force: true });
  vi.stubEnv("TIMEBASE_PROVIDER_LOG", activityFile);
  vi.stubEnv("SSH_AUTH_SOCK", "");
});

function connection(changes: PropertyMap = {}): PropertyMap {
  return {
    host: "127.0.0.1",
    port: server.port,
    user: "u",
    privateKey: server.privateKey,
    dialErrorLimit: 1,
    ...changes,
  };
}

function activities(): Activity[] {
  return existsSync(activityFile)
    ? readFileSync(activityFile, "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line))
    : [];
}

const logged = () => log.mock.calls.map(([message]) => message);

async function checked(urn: string, inputs: PropertyMap): Promise<PropertyMap> {
  const { inputs: complete, failures } = await provider.check(urn, {}, inputs);
  expect(failures).toEqual([]);
  return complete;
}

async function create(urn: string, inputs: PropertyMap): Promise<PropertyMap> {
  return (await provider.create(urn, await checked(urn, inputs))).outs;
}

async function update(urn: string, state: PropertyMap, inputs: PropertyMap): Promise<PropertyMap> {
  return (await provider.update("id", urn, state, await checked(urn, inputs))).outs;
}

const runRemote = (command: string, more: PropertyMap = {}, changes: PropertyMap = {}) =>
  create(remote, { connection: connection(changes), create: command, ...more });

async function closedPort(): Promise<number> {
  const listener = createServer();
  await new Promise<void>((listening) => listener.listen(0, "127.0.0.1", listening));
  const { port } = listener.address() as AddressInfo;
  await new Promise((closed) => listener.close(closed));
  return port;
}

describe("inputs", () => {
  const failuresOf = async (urn: string, inputs: PropertyMap) =>
    (await provider.check(urn, {}, inputs)).failures?.map(({ property }) => property);

  it("refuses everything that it does not know", async () => {
    expect(await failuresOf(remote, { connection: connection({ hots: "x" }), crate: "true" })).toEqual([
      "crate",
      "connection.hots",
    ]);
    await expect(provider.check(urnOf("command:remote:Nope"), {}, {})).rejects.toThrow(
      "no resource command:remote:Nope",
    );
  });

  it.each([
    ["a missing connection", {}, ["connection"]],
    ["a missing host", { connection: {} }, ["connection.host"]],
    ["a wrong type", { connection: { host: "h", port: "22" }, create: 1 }, ["create", "connection.port"]],
    ["a wrong word", { connection: { host: "h" }, logging: "all" }, ["logging"]],
    ["an unsupported property", { connection: { host: "h" }, environment: { A: "b" } }, ["environment"]],
    [
      "a mistake in the proxy",
      { connection: { host: "h", proxy: { prot: 1 } } },
      ["connection.proxy.prot", "connection.proxy.host"],
    ],
  ])("refuses %s", async (_what, inputs, properties) => {
    expect(await failuresOf(remote, inputs)).toEqual(properties);
  });

  it("accepts what a preview does not know yet", async () => {
    const unknown = pulumi.runtime.unknownValue;
    expect(await failuresOf(remote, { connection: unknown, create: unknown })).toEqual([]);
    expect(await failuresOf(remote, { connection: { host: unknown, port: unknown } })).toEqual([]);
  });

  it("fills in defaults and makes the whole connection a secret", async () => {
    const inputs = await checked(remote, { connection: { host: "h", password: secret("p"), proxy: { host: "b" } } });
    const defaults = { user: "root", port: 22, dialErrorLimit: 10, perDialTimeout: 15 };
    expect(inputs.connection).toEqual(
      secret({ host: "h", password: "p", ...defaults, proxy: { host: "b", ...defaults } }),
    );
  });
});

describe("diff", () => {
  it("sees changes through secrets, replaces for triggers only, and ignores outputs", async () => {
    const state = { connection: secret(connection()), create: "true", triggers: [1], stdout: "out", stderr: "" };
    const { stdout: _stdout, stderr: _stderr, ...same } = state;
    expect(await provider.diff("id", remote, state, same)).toEqual({ changes: false, replaces: [] });
    expect(await provider.diff("id", remote, state, { ...same, triggers: [2] })).toEqual({
      changes: true,
      replaces: ["triggers"],
    });
    const moved = { ...same, connection: secret(connection({ dialErrorLimit: 7 })) };
    expect(await provider.diff("id", remote, state, moved)).toEqual({ changes: true, replaces: [] });
  });
});

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

describe("dialing", () => {
  it("retries until the host is up", async () => {
    const port = await closedPort();
    const running = create(remote, {
      connection: connection({ port, password, privateKey: undefined, dialErrorLimit: -1 }),
      create: "echo up",
    });
    await sleep(500);
    const late = await startSshServer(port);
    expect(await running).toMatchObject({ stdout: "up" });
    expect(logged()[0]).toBe("Dial 1/inf failed: retrying");
    await late.close();
  });

  it("gives up after dialErrorLimit failures that were followed by a retry", async () => {
    const refused = runRemote("true", {}, { port: await closedPort(), dialErrorLimit: 2 });
    await expect(refused).rejects.toThrow(/^after 2 failed attempts: dial tcp 127.0.0.1:\d+: .*ECONNREFUSED/);
    expect(logged()).toEqual(["Dial 1/2 failed: retrying", "Dial 2/2 failed: retrying"]);
    expect(activities().filter(({ event, ok }) => event === "dial" && !ok)).toHaveLength(3);
  });

  it("stops when the user cancels", async () => {
    const endless = runRemote("true", {}, { port: await closedPort(), dialErrorLimit: -1 });
    await sleep(200);
    await provider.cancel();
    await expect(endless).rejects.toThrow("cancelled");
  });

  it("bounds the TCP connect", async () => {
    // A listener whose backlog is full neither accepts nor refuses; TEST-NET-1 is never routed.
    const started = Date.now();
    const failure = runRemote("true", {}, { host: "192.0.2.1", perDialTimeout: 1, dialErrorLimit: 0 });
    await expect(failure).rejects.toThrow("after 0 failed attempts: dial tcp 192.0.2.1");
    expect(Date.now() - started).toBeLessThan(5000);
  });

  it("accepts any host key without a pin, and only the pinned one with it", async () => {
    expect(await runRemote("echo any")).toMatchObject({ stdout: "any" });
    const hostKey = `# from a file\n${server.hostKey} a comment\n`;
    expect(await runRemote("echo pinned", {}, { hostKey })).toMatchObject({ stdout: "pinned" });
    const wrong = runRemote("true", {}, { hostKey: bastion.hostKey, dialErrorLimit: 0 });
    await expect(wrong).rejects.toThrow("ssh: handshake failed: ssh: host key mismatch");
    await expect(runRemote("true", {}, { hostKey: "nonsense" })).rejects.toThrow("failed to parse host key");
    expect(server.sessions).toHaveLength(2);
  });

  it("logs in with a password, and falls back to it after a key", async () => {
    expect(await runRemote("echo in", {}, { privateKey: undefined, password })).toMatchObject({ stdout: "in" });
    expect(await runRemote("echo in", {}, { privateKey: bastion.privateKey, password })).toMatchObject({
      stdout: "in",
    });
  });

  it.each([
    ["another key", () => ({ privateKey: bastion.privateKey })],
    ["another password", () => ({ privateKey: undefined, password: "sesame" })],
    ["nothing", () => ({ privateKey: undefined })],
  ])("is refused with %s, and shows neither key nor password", async (_what, changes) => {
    const failure = await runRemote("true", {}, { ...changes(), dialErrorLimit: 0 }).catch(
      (error: Error) => error.message,
    );
    expect(failure).toMatch(/ssh: handshake failed/);
    expect(failure).not.toMatch(/PRIVATE KEY|sesame/);
  });

  it("fails at once for a key that is none, without showing it", async () => {
    const failure = await runRemote("true", {}, { privateKey: "-----BEGIN nonsense" }).catch(
      (error: Error) => error.message,
    );
    expect(failure).toContain("failed to parse private key");
    expect(failure).not.toContain("BEGIN");
    expect(activities()).toEqual([]);
  });

  it("fails for a stale agent, even with a private key", async () => {
    vi.stubEnv("SSH_AUTH_SOCK", join(scratch, "stale"));
    await expect(runRemote("true")).rejects.toThrow("cannot reach the SSH agent");
  });

  describe("through a proxy", () => {
    const proxy = (changes: PropertyMap = {}) => ({
      proxy: { host: "127.0.0.1", port: bastion.port, privateKey: bastion.privateKey, dialErrorLimit: 1, ...changes },
    });

    it("reaches the host", async () => {
      expect(await runRemote("echo via", {}, proxy())).toMatchObject({ stdout: "via" });
    });

    it("has a dial limit of its own", async () => {
      const refused = runRemote("true", {}, { ...proxy({ port: await closedPort() }), dialErrorLimit: 50 });
      await expect(refused).rejects.toThrow("proxy: after 1 failed attempts");
      expect(logged()).toEqual(["Dial proxy 1/1 failed: retrying"]);
    });

    it("retries the host behind it", async () => {
      const refused = runRemote("true", {}, { ...proxy(), port: await closedPort() });
      await expect(refused).rejects.toThrow("proxy: after 1 failed attempts");
      expect(logged()).toEqual(["Dial from proxy 1/1 failed: retrying"]);
    });
  });
});

describe("copy to remote", () => {
  const { specialSigKey, specialAssetSig, specialArchiveSig } = pulumi.runtime;
  const asset = (content: PropertyMap) => ({ [specialSigKey]: specialAssetSig, ...content });
  const archive = (content: PropertyMap) => ({ [specialSigKey]: specialArchiveSig, ...content });
  const text = (content: string) => asset({ text: content, hash: content });
  const put = (source: PropertyMap, remotePath: string) =>
    create(copy, { connection: connection(), source, remotePath });
  const remoteText = (path: string) => readFileSync(join(server.home, path), "utf8");

  beforeAll(() => {
    mkdirSync(join(scratch, "tree/sub"), { recursive: true });
    writeFileSync(join(scratch, "tree/a"), "A", { mode: 0o755 });
    writeFileSync(join(scratch, "tree/sub/b"), "");
    mkdirSync(join(server.home, "folder"));
    writeFileSync(join(server.home, "file"), "old");
  });

  const tree = (slash = "") => archive({ path: join(scratch, "tree") + slash });
  const file = () => asset({ path: join(scratch, "tree/a") });

  it.each([
    ["a folder into a folder", () => tree(), "folder", "folder/tree/sub/b", ""],
    ["a folder to a new path", () => tree(), "new/path", "new/path/tree/a", "A"],
    ["a folder's content", () => tree("/"), "content", "content/sub/b", ""],
    ["a file into a folder", () => file(), "folder", "folder/a", "A"],
    ["a file to a new path", () => file(), "fresh/name", "fresh/name", "A"],
    ["a file over a file", () => file(), "file", "file", "A"],
    ["a text", () => text("hello"), "text/file", "text/file", "hello"],
    ["an asset archive", () => archive({ assets: { "x/y": text("y"), t: tree() } }), "mixed", "mixed/x/y", "y"],
    ["a folder in an asset archive", () => archive({ assets: { t: tree() } }), "nested", "nested/t/a", "A"],
  ])("copies %s", async (_what, source, remotePath, result, content) => {
    await put(source(), remotePath);
    expect(remoteText(result)).toBe(content);
  });

  it.each([
    ["a folder over a file", () => tree(), "occupied"],
    ["a text over a folder", () => text("x"), "folder"],
    ["an asset archive over a file", () => archive({ assets: { x: text("x") } }), "occupied"],
    ["a remote asset", () => asset({ uri: "https://example.com/x" }), "x"],
    ["a file that does not exist", () => asset({ path: join(scratch, "missing") }), "x"],
  ])("refuses %s", async (_what, source, remotePath) => {
    writeFileSync(join(server.home, "occupied"), "");
    await expect(put(source(), remotePath)).rejects.toThrow();
  });

  it("copies a long file whole", async () => {
    writeFileSync(join(scratch, "long"), "0123456789".repeat(100_000));
    await put(asset({ path: join(scratch, "long") }), "long");
    expect(remoteText("long")).toBe("0123456789".repeat(100_000));
  });

  it("copies again only when content or path changed", async () => {
    const state = await put(text("one"), "again/file");
    const dials = () => activities().filter(({ event }) => event === "dial").length;
    const inputs = { connection: connection({ dialErrorLimit: 9 }), source: text("one"), remotePath: "again/file" };
    await update(copy, state, inputs);
    expect(dials()).toBe(1);
    await update(copy, state, { ...inputs, source: text("two") });
    expect(remoteText("again/file")).toBe("two");
    await update(copy, state, { ...inputs, remotePath: "again/other" });
    expect(readdirSync(join(server.home, "again"))).toEqual(["file", "other"]);
    expect(dials()).toBe(3);
  });
});

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

describe("on the real engine", () => {
  let engine: Engine;
  let folder: string;
  let stack: Stack;

  beforeAll(async () => {
    engine = await ensureEngine();
    folder = mkdtempSync(join(tmpdir(), "timebase-program-"));
    symlinkSync(resolve(__dirname, "../../node_modules"), join(folder, "node_modules"));
    writeFileSync(
      join(folder, "Pulumi.yaml"),
      'name: test\nruntime: { name: nodejs, options: { typescript: false, nodeargs: "--import tsx" } }\nmain: index.ts\n',
    );
    writeFileSync(
      join(folder, "index.ts"),
      `import { local, remote } from "@pulumi/command";
       import * as pulumi from "@pulumi/pulumi";
       const connection = JSON.parse(process.env.CONNECTION as string) as { host: string };
       const first = new local.Command("first", { create: "echo hello", delete: "true" });
       const second = new remote.Command("second", {
         connection, create: "cat; echo progress >&2; sleep 1", delete: "true", stdin: first.stdout });
       const copied = new remote.CopyToRemote("copied", {
         connection, source: new pulumi.asset.StringAsset("text"), remotePath: "copied/file" }, { dependsOn: second });
       export const answer = second.stdout;`,
    );
    stack = await LocalWorkspace.createStack(
      { stackName: "test", workDir: folder },
      {
        pulumiCommand: engine.pulumi,
        envVars: {
          ...engine.env,
          PULUMI_BACKEND_URL: `file://${folder}`,
          PULUMI_CONFIG_PASSPHRASE: "test",
          CONNECTION: JSON.stringify(connection()),
        },
      },
    );
  }, 1_200_000);

  afterAll(() => rmSync(folder, { recursive: true }));

  it("dials nothing in a preview", async () => {
    expect((await stack.preview()).changeSummary).toEqual({ create: 4 });
    expect(activities()).toEqual([]);
  });

  it("creates, and shows progress under the resource", async () => {
    const progress: (string | undefined)[] = [];
    const { outputs, summary } = await stack.up({
      onEvent: ({ diagnosticEvent }) => {
        if (diagnosticEvent?.ephemeral) {
          progress.push(`${diagnosticEvent.urn?.split("::").at(-1)}: ${diagnosticEvent.message.trim()}`);
        }
      },
    });
    expect(summary.resourceChanges).toEqual({ create: 4 });
    expect(outputs.answer).toMatchObject({ value: "hello", secret: false });
    expect(progress).toContain("second: progress");
    expect(readFileSync(join(server.home, "copied/file"), "utf8")).toBe("text");
    expect(readFileSync(join(folder, ".pulumi/stacks/test/test.json"), "utf8")).not.toContain("PRIVATE KEY");
  });

  it("dials no host when nothing changed", async () => {
    expect((await stack.up()).summary.resourceChanges).toEqual({ same: 4 });
    expect(activities()).toEqual([]);
  });

  it("deletes", async () => {
    await stack.destroy();
    expect(activities().map(({ event }) => event)).toEqual(["dial", "session", "local"]);
  });
});
