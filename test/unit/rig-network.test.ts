import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { relayed } from "../../rig/network/relay";
import { joinSegment, type Segment } from "../../rig/network/segment";
import { TwoSegments } from "../../rig/network/TwoSegments";
import { checksum, timeServerAnswer } from "../../rig/network/time-server";

const address = "10.79.0.254";
const client = Buffer.from([0x52, 0x54, 0x00, 1, 2, 3]);
const anybody = Buffer.alloc(6, 0xff);
const now = 1_795_000_000_123_456_789n;

/** "who has 10.79.0.254? tell 10.79.0.3", padded to the least length of a frame. */
const asked = (last = 254): Buffer =>
  Buffer.concat([
    anybody,
    client,
    Buffer.from([8, 6, 0, 1, 8, 0, 6, 4, 0, 1]),
    client,
    Buffer.from([10, 79, 0, 3, 0, 0, 0, 0, 0, 0, 10, 79, 0, last]),
    Buffer.alloc(18),
  ]);

const request = (mode = 3): Buffer => {
  const ntp = Buffer.alloc(48);
  ntp.writeUInt8((4 << 3) | mode, 0);
  ntp.writeBigUInt64BE(0x0123456789abcdefn, 40);
  const ip = Buffer.from([0x45, 0, 0, 76, 0, 0, 0x40, 0, 64, 17, 0, 0, 10, 79, 0, 3, 10, 79, 0, 254]);
  return Buffer.concat([anybody, client, Buffer.from([8, 0]), ip, Buffer.from([0xd4, 0x31, 0, 123, 0, 56, 0, 0]), ntp]);
};

describe("the time server", () => {
  test("says which hardware address it has, to who asks for it", () => {
    const answer = timeServerAnswer(asked(), address, () => now) as Buffer;
    const hardware = answer.subarray(6, 12);
    expect(answer.subarray(0, 6)).toEqual(client);
    expect(answer.subarray(12)).toEqual(
      Buffer.concat([
        Buffer.from([8, 6, 0, 1, 8, 0, 6, 4, 0, 2]),
        hardware,
        Buffer.from([10, 79, 0, 254]),
        client,
        Buffer.from([10, 79, 0, 3]),
      ]),
    );
    expect(timeServerAnswer(asked(7), address, () => now)).toBeUndefined();
  });

  test("tells the time, and to whom", () => {
    const answer = timeServerAnswer(request(), address, () => now) as Buffer;
    const [ip, udp, ntp] = [answer.subarray(14, 34), answer.subarray(34, 42), answer.subarray(42)];
    // A header with its checksum sums up to nothing.
    expect(checksum(ip)).toBe(0);
    expect([...ip.subarray(12)]).toEqual([10, 79, 0, 254, 10, 79, 0, 3]);
    expect([...udp]).toEqual([0, 123, 0xd4, 0x31, 0, 56, 0, 0]);
    expect(ntp.readUInt8(0)).toBe((4 << 3) | 4);
    expect(ntp.readUInt8(1)).toBe(1);
    expect(ntp.readBigUInt64BE(24)).toBe(0x0123456789abcdefn);
    for (const at of [32, 40]) {
      expect(ntp.readUInt32BE(at) - 2_208_988_800).toBe(1_795_000_000);
      expect((ntp.readUInt32BE(at + 4) / 2 ** 32) * 1e9).toBeCloseTo(123_456_789, -1);
    }
  });

  test("has nothing to say to anything else", () => {
    const others = [request(4), request().subarray(0, 60), Buffer.alloc(0), Buffer.alloc(80)];
    for (const frame of others) expect(timeServerAnswer(frame, address, () => now)).toBeUndefined();
    expect(timeServerAnswer(request(), "10.79.0.253", () => now)).toBeUndefined();
  });
});

test("a path loses the share of frames that it is told to", () => {
  let sent = 0;
  let draw = 0;
  const path = relayed(
    "thereMillis",
    () => ({ loss: 0.1 }),
    () => sent++,
    () => (draw++ % 100) / 100,
  );
  for (let frame = 0; frame < 1000; frame++) path(Buffer.alloc(1));
  expect(sent).toBe(900);
});

describe("two segments", () => {
  const open: { close(): unknown }[] = [];
  afterEach(async () => {
    for (const each of open.splice(0)) await each.close();
  });

  test("are one network, with a delay one way only, and the time at its far end", async () => {
    const [near, far] = ["near", "far"].map((name) => `unit-${name}-${process.pid}`) as [string, string];
    const network = await TwoSegments.start({ near, far, timeServer: address, epochNs: "0" });
    open.push(network);
    const heard: string[] = [];
    const segment = async (name: string): Promise<Segment> => {
      const joined = await joinSegment(name, (frame) => heard.push(`${name} ${frame.length}`));
      open.push(joined);
      return joined;
    };
    const [atNear, atFar] = [await segment(near), await segment(far)];
    const took = async (send: () => void, what: string) => {
      heard.splice(0);
      const started = performance.now();
      send();
      while (!heard.includes(what)) {
        if (performance.now() - started > 5_000) throw new Error(`${what} did not come, but ${heard}`);
        await sleep(1);
      }
      return performance.now() - started;
    };
    await took(() => atNear.send(Buffer.alloc(100)), `${far} 100`);
    await took(() => atFar.send(Buffer.alloc(101)), `${near} 101`);
    await took(() => atNear.send(request()), `${near} 90`);
    await network.change({ thereMillis: 150 });
    expect(await took(() => atNear.send(Buffer.alloc(100)), `${far} 100`)).toBeGreaterThan(149);
    expect(await took(() => atFar.send(Buffer.alloc(101)), `${near} 101`)).toBeLessThan(140);
    await network.change({ loss: 1 });
    heard.splice(0);
    atNear.send(Buffer.alloc(100));
    await sleep(50);
    expect(heard).toEqual([]);
  });
});
