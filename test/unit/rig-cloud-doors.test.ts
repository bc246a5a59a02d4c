import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { type Door, endNetwork, keepDoors, serveNetwork } from "../../rig/cloud-provider/network";
import type { Rule } from "../../rig/cloud-provider/rules";
import { virtualMachines } from "../../rig/cloud-provider/virtual";
import { machineFolder, writeRecord } from "../../vm/record";
import { withDefaults } from "../../vm/spec";

// A machine's sshd, and the public addresses that lead to it: who comes to one comes from another address of loopback.

const HERE = "127.0.0.1";
const STRANGER = "127.0.0.2";
/** No port of this machine's own choice: nobody else is given it meanwhile. */
const PORT = 7822;

let folder: string;
let network: string;
let machine: Server;
/** Those who were let in, as the machine sees them. */
let guests: Socket[];
/** Each test has an address of its own. */
let address: string;
let addresses = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "timebase-doors-"));
  network = join(folder, "aws");
  machine = createServer({ allowHalfOpen: true }, (socket) => {
    guests.push(socket.on("error", () => undefined));
    socket.write("SSH-2.0-here\r\n");
  });
  await new Promise<void>((listening) => machine.listen(0, HERE, listening));
  await serveNetwork(network);
});

beforeEach(() => {
  guests = [];
  // Of this process, as tests of another checkout may run beside it.
  address = `127.78.${process.pid % 256}.${++addresses}`;
});

afterEach(() => keepDoors(network, {}));

afterAll(async () => {
  vi.unstubAllEnvs();
  machine.close();
  await endNetwork(network);
  rmSync(folder, { recursive: true });
});

const ssh = (from: string): Rule => ({ lets: true, protocol: "tcp", ports: [PORT, PORT], from: [`${from}/32`] });
const doorWith = (...rules: Rule[]): Door => ({
  port: PORT,
  leads: [HERE, (machine.address() as AddressInfo).port],
  rules,
});
const open = (...rules: Rule[]) => keepDoors(network, { [address]: doorWith(...rules) });

const heard = (socket: Socket) =>
  new Promise<string>((resolve) => {
    socket
      .once("data", (data) => resolve(String(data)))
      .once("close", () => resolve(""))
      .on("error", () => undefined);
  });

/** Somebody who comes from an address, and what he is told; nothing where he is shut out. */
async function visit(localAddress: string): Promise<{ socket: Socket; told: string }> {
  const socket = connect({ host: address, port: PORT, localAddress });
  onTestFinished(() => void socket.destroy());
  return { socket, told: await heard(socket) };
}

test("lets in by a real connection whom the rules let in, and nobody else", async () => {
  await open(ssh(HERE));
  expect((await visit(HERE)).told).toBe("SSH-2.0-here\r\n");
  expect((await visit(STRANGER)).told).toBe("");
});

test("has the rules of the moment, and leaves alone who is in", async () => {
  await open(ssh(HERE));
  const { socket } = await visit(HERE);
  await open(ssh(STRANGER));
  expect((await visit(STRANGER)).told).not.toBe("");
  expect((await visit(HERE)).told).toBe("");
  guests[0]?.write("still here");
  expect(await heard(socket)).toBe("still here");
});

test("asks the rules in their order, also for what is denied", async () => {
  await open({ ...ssh(HERE), lets: false, protocol: "all" }, { ...ssh(HERE), from: ["0.0.0.0/0"] });
  expect((await visit(STRANGER)).told).not.toBe("");
  expect((await visit(HERE)).told).toBe("");
});

test("carries what one side has to say when the other has said all", async () => {
  await open(ssh(HERE));
  const { socket } = await visit(HERE);
  const [guest] = guests as [Socket];
  const asked = text(guest);
  socket.end("what is there?");
  expect(await asked).toBe("what is there?");
  const much = "much".repeat(500_000);
  const answered = text(socket);
  guest.end(much);
  expect(await answered).toBe(much);
});

test("leaves nobody behind whose other side is gone", async () => {
  await open(ssh(HERE));
  const { socket } = await visit(HERE);
  const [guest] = guests as [Socket];
  const gone = new Promise((resolve) => guest.once("end", resolve));
  guest.resume();
  socket.resetAndDestroy();
  await gone;
});

test("is gone with its machine", async () => {
  await open(ssh(HERE));
  await keepDoors(network, {});
  const refusal = () =>
    new Promise<unknown>((resolve) => {
      const socket = connect({ host: address, port: PORT });
      socket.once("connect", () => resolve(socket.destroy())).once("error", ({ message }) => resolve(message));
    });
  await vi.waitFor(async () => expect(await refusal()).toMatch(/ECONNREFUSED/), { timeout: 5000 });
});

test("says why an address cannot be had, and has the others", async () => {
  const occupied = `127.79.${process.pid % 256}.1`;
  const somebody = createServer();
  await new Promise<void>((listening) => somebody.listen(PORT, occupied, listening));
  onTestFinished(() => void somebody.close());
  const doors = { [address]: doorWith(ssh(HERE)), [occupied]: doorWith() };
  await expect(keepDoors(network, doors, 1000)).rejects.toThrow(
    new RegExp(`^a public address of the stand-in cloud leads nowhere: ${occupied}: .*address already in use$`),
  );
  expect((await visit(HERE)).told).not.toBe("");
  // It is given up, and not only no longer waited for.
  await expect(keepDoors(network, doors, 1000)).rejects.toThrow(occupied);
});

test("waits for an address that somebody still has", async () => {
  const somebody = createServer();
  await new Promise<void>((listening) => somebody.listen(PORT, address, listening));
  const opened = open(ssh(HERE));
  await sleep(500);
  somebody.close();
  await opened;
  expect((await visit(HERE)).told).not.toBe("");
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
  // Nobody opens it here: port 22 takes a privilege.
  const clouds = join(folder, "told");
  mkdirSync(clouds);
  writeFileSync(join(clouds, "aws.doors.told"), JSON.stringify({ [address]: "" }));
  await virtualMachines(clouds).enforce(() => ({
    "i-1": instance("10.0.0.10", address),
    "i-2": instance("10.0.0.11", ""),
    "sg-1": { type: "aws:ec2/securityGroup:SecurityGroup", name: "group", properties: { ingress } },
  }));
  const rules = [{ lets: true, protocol: "tcp", ports: [22, 22], from: ["203.0.113.7/32"] }];
  const kept = (file: string) => JSON.parse(readFileSync(join(clouds, `aws.${file}`), "utf8"));
  expect(kept("rules")).toEqual({ "10.0.0.10": rules, "10.0.0.11": rules });
  expect(kept("doors")).toEqual({ [address]: { port: 22, leads: ["127.77.0.3", 2222], rules } });
});
