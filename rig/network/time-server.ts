// A machine on the network that has nothing but the right time: it answers who asks for its address (ARP), and for the
// time (NTP, RFC 5905). Ethernet frames in, Ethernet frames out.

const etherType = { ipv4: 0x0800, arp: 0x0806 } as const;
const udp = 17;
const ntpPort = 123;
const ipv4Offset = 14;
const udpOffset = ipv4Offset + 20;
const ntpOffset = udpOffset + 8;
const ntpLength = 48;

/** Locally administered. */
const hardware = Buffer.from([0x52, 0x54, 0x00, 0x54, 0x49, 0x4d]);

/** Seconds from NTP's epoch, 1900, to that of Unix. */
const ntpEpoch = 2_208_988_800n;

/**
 * What the server at an IPv4 address answers to a frame, if anything.
 * @param nowNs the time in nanoseconds since 1970; it is read as late as possible
 */
export function timeServerAnswer(frame: Buffer, address: string, nowNs: () => bigint): Buffer | undefined {
  const own = Buffer.from(address.split(".").map(Number));
  if (frame.length < ipv4Offset + 28) return undefined;
  switch (frame.readUInt16BE(12)) {
    case etherType.arp:
      return arpAnswer(frame, own);
    case etherType.ipv4:
      return ntpAnswer(frame, own, nowNs);
    default:
      return undefined;
  }
}

function arpAnswer(frame: Buffer, own: Buffer): Buffer | undefined {
  const asked = frame.subarray(ipv4Offset, ipv4Offset + 28);
  if (asked.readUInt16BE(6) !== 1 || !asked.subarray(24, 28).equals(own)) return undefined;
  const answer = Buffer.from(asked);
  answer.writeUInt16BE(2, 6);
  hardware.copy(answer, 8);
  own.copy(answer, 14);
  asked.copy(answer, 18, 8, 18);
  return Buffer.concat([ethernet(frame, etherType.arp), answer]);
}

function ntpAnswer(frame: Buffer, own: Buffer, nowNs: () => bigint): Buffer | undefined {
  const receivedNs = nowNs();
  const plain = frame.readUInt8(ipv4Offset) === 0x45 && frame.readUInt8(ipv4Offset + 9) === udp;
  if (!plain || frame.length < ntpOffset + ntpLength) return undefined;
  if (!frame.subarray(ipv4Offset + 16, ipv4Offset + 20).equals(own)) return undefined;
  if (frame.readUInt16BE(udpOffset + 2) !== ntpPort) return undefined;
  const request = frame.subarray(ntpOffset, ntpOffset + ntpLength);
  const [version, mode] = [(request.readUInt8(0) >> 3) & 7, request.readUInt8(0) & 7];
  if (mode !== 3) return undefined;
  const ntp = Buffer.alloc(ntpLength);
  ntp.writeUInt8((version << 3) | 4, 0);
  ntp.writeUInt8(1, 1);
  ntp.writeUInt8(request.readUInt8(2), 2);
  ntp.writeInt8(-20, 3);
  // A root dispersion of 15 us, which is the field's unit.
  ntp.writeUInt32BE(1, 8);
  ntp.write("TRUE", 12, "latin1");
  writeTime(ntp, 16, receivedNs);
  request.copy(ntp, 24, 40, 48);
  writeTime(ntp, 32, receivedNs);
  writeTime(ntp, 40, nowNs());
  return Buffer.concat([ethernet(frame, etherType.ipv4), ipv4(frame, ntp.length + 8), udpHeader(frame), ntp]);
}

/** The header of the answer to a frame. */
function ethernet(frame: Buffer, type: number): Buffer {
  const header = Buffer.concat([frame.subarray(6, 12), hardware, Buffer.alloc(2)]);
  header.writeUInt16BE(type, 12);
  return header;
}

function ipv4(frame: Buffer, length: number): Buffer {
  const header = Buffer.alloc(20);
  header.writeUInt8(0x45, 0);
  header.writeUInt16BE(20 + length, 2);
  header.writeUInt8(64, 8);
  header.writeUInt8(udp, 9);
  frame.copy(header, 12, ipv4Offset + 16, ipv4Offset + 20);
  frame.copy(header, 16, ipv4Offset + 12, ipv4Offset + 16);
  header.writeUInt16BE(checksum(header), 10);
  return header;
}

/** Without a checksum, which IPv4 allows. */
function udpHeader(frame: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt16BE(ntpPort, 0);
  frame.copy(header, 2, udpOffset, udpOffset + 2);
  header.writeUInt16BE(8 + ntpLength, 4);
  return header;
}

/** RFC 1071, of an even number of bytes. */
export function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function writeTime(ntp: Buffer, at: number, ns: bigint): void {
  const billion = 1_000_000_000n;
  ntp.writeUInt32BE(Number((ns / billion + ntpEpoch) & 0xffff_ffffn), at);
  ntp.writeUInt32BE(Number(((ns % billion) << 32n) / billion), at + 4);
}
