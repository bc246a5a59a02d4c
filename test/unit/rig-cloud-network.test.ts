import { createSocket, type Socket } from "node:dgram";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { endNetwork, keepRules, serveNetwork } from "../../rig/cloud-provider/network";
import type { Rule } from "../../rig/cloud-provider/rules";

// Two machines as the network sees them: each has a card and a socket, and sends frames.

const addressOf = (address: string) => Buffer.from(address.split(".").map(Number));
const bytes = (hex: string) => Buffer.from(hex, "hex");
const port16 = (port: number) => Buffer.from([port >> 8, port & 255]);

/** The address of whoever has none yet (RFC 5227). */
const NOBODY = "0.0.0.0";

const isProbe = (frame: Buffer) =>
  frame.subarray(38, 42).equals(addressOf(NOBODY)) && frame.readUInt16BE(12) === 0x0806;

class Machine {
  readonly heard: Buffer[] = [];
  private readonly card: Buffer;
  private readonly socket: Socket;
  private probed: () => void = () => {};

  constructor(
    readonly address: string,
    private readonly port: number,
  ) {
    this.card = Buffer.concat([bytes("5254"), addressOf(address)]);
    this.socket = createSocket("udp4").on("message", (frame) => {
      if (isProbe(frame)) this.probed();
      else this.heard.push(frame);
    });
  }

  /** Asks who has an address: by that the network knows the machine, too. */
  askFor(address: string): Promise<void> {
    return this.send(this.question(this.address, address));
  }

  /** Sends a datagram, from one port to another. */
  tell(to: string, ports: [number, number], text: Buffer = Buffer.from("hello".padEnd(48))): Promise<void> {
    const udp = Buffer.concat([...ports.map(port16), bytes("00380000"), text]);
    const ip = bytes("4500004c0000000040110000");
    const card = Buffer.concat([bytes("5254"), addressOf(to)]);
    const head = Buffer.concat([card, this.card, bytes("0800"), ip, addressOf(this.address), addressOf(to)]);
    return this.send(Buffer.concat([head, udp]));
  }

  close(): void {
    this.socket.close();
  }

  private question(from: string, address: string): Buffer {
    const sender = Buffer.concat([this.card, addressOf(from)]);
    const rest = [sender, Buffer.alloc(6), addressOf(address)];
    return Buffer.concat([Buffer.alloc(6, 0xff), this.card, bytes("08060001080006040001"), ...rest]);
  }

  /** Sends a frame, and waits until the network has dealt with it: it answers what comes after. */
  private async send(frame: Buffer): Promise<void> {
    const answered = new Promise<void>((answered) => {
      this.probed = answered;
    });
    this.socket.send(frame, this.port, "127.0.0.1");
    this.socket.send(this.question(NOBODY, "169.254.169.123"), this.port, "127.0.0.1");
    await answered;
    // What others have got meanwhile is read in this turn or the next one.
    for (let turn = 0; turn < 3; turn++) await new Promise((next) => setTimeout(next, 1));
  }
}

let folder: string;
let network: string;
let a: Machine;
let b: Machine;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "timebase-network-"));
  network = join(folder, "aws");
  const ports = await Promise.all([serveNetwork(network), serveNetwork(network)]);
  expect(ports[0]).toBe(ports[1]);
  [a, b] = [new Machine("10.0.0.1", ports[0]), new Machine("10.0.0.2", ports[0])];
});

afterAll(async () => {
  a.close();
  b.close();
  await endNetwork(network);
  expect(readdirSync(folder)).toEqual([]);
  rmSync(folder, { recursive: true });
});

/** What a machine hears of something that another one does. */
async function heardBy(machine: Machine, what: () => Promise<void>): Promise<Buffer[]> {
  machine.heard.length = 0;
  await what();
  return [...machine.heard];
}

describe("the time service", () => {
  test.each(["169.254.169.123", "169.254.169.254"])("%s is there, with the time of this machine", async (address) => {
    const [found, ...more] = await heardBy(a, () => a.askFor(address));
    expect([more, found?.subarray(28, 32)]).toEqual([[], addressOf(address)]);
    const request = Buffer.alloc(48);
    request[0] = 0x23; // version 4, client
    request.write("SENTTIME", 40);
    const [reply] = await heardBy(a, () => a.tell(address, [4000, 123], request));
    const ntp = reply?.subarray(42) ?? Buffer.alloc(48);
    expect([(ntp[0] ?? 0) & 7, ntp[1], ntp.toString("latin1", 24, 32)]).toEqual([4, 1, "SENTTIME"]);
    expect(Math.abs(ntp.readUInt32BE(40) - 2_208_988_800 - Date.now() / 1000)).toBeLessThan(3);
    expect(ntp.readBigUInt64BE(40)).toBeGreaterThanOrEqual(ntp.readBigUInt64BE(32));
    expect(await heardBy(a, () => a.tell(address, [4000, 80], request))).toEqual([]);
  });
});

describe("between machines", () => {
  const time: Rule = { lets: true, protocol: "udp", ports: [123, 123], from: ["10.0.0.0/24"] };

  test("who has an address is asked, and nothing else comes in without a rule", async () => {
    await b.askFor("10.0.0.99");
    expect(await heardBy(b, () => a.askFor("10.0.0.2"))).toHaveLength(1);
    expect(await heardBy(b, () => a.tell("10.0.0.2", [4000, 123]))).toEqual([]);
  });

  test("what a rule lets in comes in, and its answer goes back", async () => {
    keepRules(network, { "10.0.0.2": [time] });
    expect(await heardBy(b, () => a.tell("10.0.0.2", [4001, 80]))).toEqual([]);
    expect(await heardBy(a, () => b.tell("10.0.0.1", [123, 4001]))).toEqual([]);
    expect(await heardBy(b, () => a.tell("10.0.0.2", [4001, 123]))).toHaveLength(1);
    expect(await heardBy(a, () => b.tell("10.0.0.1", [123, 4001]))).toHaveLength(1);
    expect(await heardBy(a, () => b.tell("10.0.0.1", [123, 4002]))).toEqual([]);
  });

  test.each<[string, Rule[], number]>([
    ["from elsewhere", [{ ...time, from: ["10.0.1.0/24"] }], 0],
    ["of another protocol", [{ ...time, protocol: "tcp" }], 0],
    ["denied before", [{ ...time, lets: false }, time], 0],
    ["denied after", [time, { ...time, lets: false, protocol: "all" }], 1],
    ["any", [{ lets: true, protocol: "all", ports: [0, 65535], from: ["0.0.0.0/0"] }], 1],
  ])("a rule: %s", async (_, rules, count) => {
    keepRules(network, { "10.0.0.2": rules });
    // A flow that was let in stays: each time another one.
    const port = 5000 + Math.floor(Math.random() * 50_000);
    expect(await heardBy(b, () => a.tell("10.0.0.2", [port, 123]))).toHaveLength(count);
  });
});
