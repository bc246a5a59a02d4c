import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type Door, endNetwork, keepDoors, serveNetwork } from "../../rig/cloud-provider/network";
import type { Rule } from "../../rig/cloud-provider/rules";
import { virtualMachines } from "../../rig/cloud-provider/virtual";
import { machineFolder, writeRecord } from "../../vm/record";
import { withDefaults } from "../../vm/spec";

// A machine's sshd, and the public address that leads to it: who comes to that comes from another address of loopback.

const PUBLIC = "127.78.255.10";
const HERE = "127.0.0.1";
const STRANGER = "127.0.0.2";

let folder: string;
let network: string;
let sshd: Server;
let port: number;

const listening = (server: Server, address: string) =>
  new Promise<number>((resolve) => server.listen(0, address, () => resolve((server.address() as AddressInfo).port)));

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "timebase-doors-"));
  network = join(folder, "aws");
  sshd = createServer((socket) => {
    socket.write("SSH-2.0-here\r\n");
    socket.pipe(socket).on("error", () => undefined);
  });
  const free = createServer();
  port = await listening(free, PUBLIC);
  await new Promise((closed) => free.close(closed));
  await listening(sshd, HERE);
  await serveNetwork(network);
});

afterAll(async () => {
  vi.unstubAllEnvs();
  sshd.close();
  await endNetwork(network);
  rmSync(folder, { recursive: true });
});

const ssh = (from: string): Rule => ({ lets: true, protocol: "tcp", ports: [port, port], from: [`${from}/32`] });

function open(...rules: Rule[]): void {
  const door: Door = { port, leads: [HERE, (sshd.address() as AddressInfo).port], rules };
  keepDoors(network, { [PUBLIC]: door });
}

const heard = (socket: Socket) =>
  new Promise<string>((resolve) => {
    socket
      .once("data", (data) => resolve(String(data)))
      .once("close", () => resolve(""))
      .on("error", () => undefined);
  });

/** Somebody who comes from an address, and what he is told; nothing where he is shut out. */
async function visit(localAddress: string): Promise<{ socket: Socket; told: string }> {
  const socket = connect({ host: PUBLIC, port, localAddress });
  return { socket, told: await heard(socket) };
}

/** What an address is told, as soon as there is somebody who tells it. */
async function greeted(localAddress: string): Promise<string> {
  for (let tries = 0; ; tries++) {
    const { socket, told } = await visit(localAddress);
    socket.destroy();
    if (told !== "" || tries === 50) return told;
    await sleep(100);
  }
}

test("lets in by a real connection whom the rules let in, and nobody else", async () => {
  open(ssh(HERE));
  expect(await greeted(HERE)).toBe("SSH-2.0-here\r\n");
  expect((await visit(STRANGER)).told).toBe("");
});

test("has the rules of the moment, and leaves alone who is in", async () => {
  open(ssh(HERE));
  const { socket, told } = await visit(HERE);
  expect(told).not.toBe("");
  open(ssh(STRANGER));
  expect(await greeted(STRANGER)).not.toBe("");
  expect((await visit(HERE)).told).toBe("");
  socket.write("still here");
  expect(await heard(socket)).toBe("still here");
  socket.destroy();
});

test("asks the rules in their order, also for what is denied", async () => {
  open({ ...ssh(HERE), lets: false, protocol: "all" }, { ...ssh(HERE), from: ["0.0.0.0/0"] });
  expect(await greeted(STRANGER)).not.toBe("");
  expect((await visit(HERE)).told).toBe("");
});

test("is gone with its machine", async () => {
  keepDoors(network, {});
  const refused = () =>
    new Promise<boolean>((resolve) => {
      const socket = connect({ host: PUBLIC, port });
      socket
        .once("connect", () => resolve(false))
        .once("error", ({ message }) => resolve(/ECONNREFUSED/.test(message)));
      socket.on("connect", () => socket.destroy());
    });
  for (let tries = 0; !(await refused()); tries++) {
    expect(tries).toBeLessThan(50);
    await sleep(100);
  }
});

test("leads to the machine of an instance that has a public address, by the rules of its groups", async () => {
  vi.stubEnv("XDG_STATE_HOME", folder);
  const instance = (privateIp: string, publicIp: string) => ({
    type: "aws:ec2/instance:Instance",
    name: "host",
    properties: { privateIp, publicIp, vpcSecurityGroupIds: ["sg-1"] },
  });
  const ingress = [{ protocol: "tcp", fromPort: 22, toPort: 22, cidrBlocks: ["203.0.113.7/32"] }];
  for (const id of ["i-1", "i-2"]) {
    mkdirSync(machineFolder(id), { recursive: true });
    writeRecord(machineFolder(id), {
      spec: withDefaults({ name: id }),
      ssh: { address: "127.77.0.3", port: 2222 },
      ready: true,
    });
  }
  await virtualMachines(folder).enforce(() => ({
    "i-1": instance("10.0.0.10", PUBLIC),
    "i-2": instance("10.0.0.11", ""),
    "sg-1": { type: "aws:ec2/securityGroup:SecurityGroup", name: "group", properties: { ingress } },
  }));
  const rules = [{ lets: true, protocol: "tcp", ports: [22, 22], from: ["203.0.113.7/32"] }];
  const kept = (file: string) => JSON.parse(readFileSync(`${network}.${file}`, "utf8"));
  expect(kept("rules")).toEqual({ "10.0.0.10": rules, "10.0.0.11": rules });
  expect(kept("doors")).toEqual({ [PUBLIC]: { port: 22, leads: ["127.77.0.3", 2222], rules } });
});
