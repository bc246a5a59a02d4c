/** IPv4 addresses as numbers, which is all that the imagined clouds have. */
import { isIPv4, isIPv6 } from "node:net";

function numberOf(address: string): number {
  return address.split(".").reduce((sum, byte) => sum * 256 + Number(byte), 0);
}

/** The n-th address of a network. */
export function addressIn(network: string, n: number): string {
  const number = numberOf(network.split("/")[0] ?? "") + n;
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join(".");
}

/** How many addresses a network has. */
export function sizeOf(network: string): number {
  return 2 ** (32 - Number(network.split("/")[1]));
}

/** Whether an address is of a network: both in the notation of CIDR. One of IPv6 has none of these. */
export function isWithin(network: string, address: string): boolean {
  if (network.includes(":")) return false;
  const first = numberOf(network.split("/")[0] ?? "");
  const size = sizeOf(network);
  return Math.floor(numberOf(address) / size) === Math.floor(first / size);
}

/** Whether both have an address in common. */
export function overlap(one: string, other: string): boolean {
  return [
    [one, other],
    [other, one],
  ].some(([network = "", of = ""]) => isWithin(network, of.split("/")[0] ?? ""));
}

/** Whether a text is a network in the notation of CIDR: one of IPv4 without bits of a host. */
export function isNetwork(text: unknown): boolean {
  const [, address = "", length] = /^([\da-f.:]+)\/(\d{1,3})$/i.exec(String(text)) ?? [];
  if (isIPv6(address)) return Number(length) <= 128;
  return isIPv4(address) && Number(length) <= 32 && numberOf(address) % sizeOf(String(text)) === 0;
}
