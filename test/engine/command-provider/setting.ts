import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { afterAll, beforeAll, beforeEach, expect, vi } from "vitest";
import type { Activity } from "../../../rig/command-provider/activity-log";
import { CommandProvider } from "../../../rig/command-provider/provider";
import type { PropertyMap } from "../../../rig/plugin/property-values";
import { type SshServer, startSshServer } from "./ssh-server";

// The stand-in between a test and an SSH server of its own; each test file that imports this has its own.

export const urnOf = (type: string) => `urn:pulumi:test::project::parent:index:Type$${type}::name`;
export const remote = urnOf("command:remote:Command");
export const copy = urnOf("command:remote:CopyToRemote");
export const local = urnOf("command:local:Command");

export let server: SshServer;
export let bastion: SshServer;
export let scratch: string;
export let activityFile: string;
export let provider: CommandProvider;
export const log = vi.spyOn(pulumi.log, "info").mockResolvedValue();

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

export function connection(changes: PropertyMap = {}): PropertyMap {
  return {
    host: "127.0.0.1",
    port: server.port,
    user: "u",
    privateKey: server.privateKey,
    dialErrorLimit: 1,
    ...changes,
  };
}

export function activities(): Activity[] {
  return existsSync(activityFile)
    ? readFileSync(activityFile, "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line))
    : [];
}

export const logged = () => log.mock.calls.map(([message]) => message);

export async function checked(urn: string, inputs: PropertyMap): Promise<PropertyMap> {
  const { inputs: complete, failures } = await provider.check(urn, {}, inputs);
  expect(failures).toEqual([]);
  return complete;
}

export async function create(urn: string, inputs: PropertyMap): Promise<PropertyMap> {
  return (await provider.create(urn, await checked(urn, inputs))).outs;
}

export async function update(urn: string, state: PropertyMap, inputs: PropertyMap): Promise<PropertyMap> {
  return (await provider.update("id", urn, state, await checked(urn, inputs))).outs;
}

export const runRemote = (command: string, more: PropertyMap = {}, changes: PropertyMap = {}) =>
  create(remote, { connection: connection(changes), create: command, ...more });

export async function closedPort(): Promise<number> {
  const listener = createServer();
  await new Promise<void>((listening) => listener.listen(0, "127.0.0.1", listening));
  const { port } = listener.address() as AddressInfo;
  await new Promise((closed) => listener.close(closed));
  return port;
}
