/** IPv4 addresses as numbers, which is all that the imagined clouds have. */

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
