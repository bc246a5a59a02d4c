import { createSocket } from "node:dgram";

/** An offset of a host's clock from this machine's that is true for certain: it lies within the interval. */
export interface OffsetInterval {
  lowNs: number;
  highNs: number;
}

const NTP_PACKET_BYTES = 48;
const VERSION_4_CLIENT = 0x23;
const UNIX_MINUS_NTP_SECONDS = 2_208_988_800;
const answerMillis = 1_000;

/**
 * Asks a host's NTP server for the time. Whatever the way there and the way back took, the true offset is within half
 * of what both took together: unlike a mean, this holds for asymmetric paths too (RFC 5905, section 8).
 */
async function askOnce(address: string, port: number): Promise<OffsetInterval> {
  const socket = createSocket("udp4");
  try {
    return await new Promise((resolve, reject) => {
      const request = Buffer.alloc(NTP_PACKET_BYTES);
      request[0] = VERSION_4_CLIENT;
      let sent = 0n;
      const limit = setTimeout(() => reject(new Error(`no answer from ${address}:${port}`)), answerMillis);
      socket.on("error", reject);
      socket.on("message", (answer) => {
        const received = nowNs();
        clearTimeout(limit);
        // Both are lower and upper limits of the host's clock minus ours.
        resolve({ lowNs: Number(ntpNs(answer, 40) - received), highNs: Number(ntpNs(answer, 32) - sent) });
      });
      sent = nowNs();
      socket.send(request, port, address);
    });
  } finally {
    socket.close();
  }
}

/** An NTP timestamp (seconds since 1900, 32-bit fraction) as nanoseconds since 1970. */
function ntpNs(packet: Buffer, at: number): bigint {
  const seconds = BigInt(packet.readUInt32BE(at) - UNIX_MINUS_NTP_SECONDS);
  return seconds * 1_000_000_000n + ((BigInt(packet.readUInt32BE(at + 4)) * 1_000_000_000n) >> 32n);
}

const epochNs = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint();

/** This machine's clock, which must not be stepped while it is compared with others. */
function nowNs(): bigint {
  return epochNs + process.hrtime.bigint();
}

/**
 * The difference of two hosts' clocks, a minus b, from outside: both are asked in turn, so that what drifts in the
 * meantime drifts for both, and the closest exchanges of each say the most.
 */
export async function trueDifference(
  a: { address: string; port: number },
  b: { address: string; port: number },
  rounds = 200,
): Promise<OffsetInterval> {
  const offsets: { a: OffsetInterval[]; b: OffsetInterval[] } = { a: [], b: [] };
  for (let round = 0; round < rounds; round++) {
    for (const [key, host] of [
      ["a", a],
      ["b", b],
    ] as const) {
      const offset = await askOnce(host.address, host.port).catch(() => undefined);
      if (offset !== undefined) offsets[key].push(offset);
    }
  }
  const [bestA, bestB] = [closest(offsets.a, a.address), closest(offsets.b, b.address)];
  return { lowNs: bestA.lowNs - bestB.highNs, highNs: bestA.highNs - bestB.lowNs };
}

function closest(offsets: readonly OffsetInterval[], address: string): OffsetInterval {
  const [best] = [...offsets].sort((one, other) => width(one) - width(other));
  if (best === undefined) throw new Error(`${address} answered no NTP request`);
  return best;
}

export function width({ lowNs, highNs }: OffsetInterval): number {
  return highNs - lowNs;
}
