import { BlockList, isIP, isIPv4, isIPv6 } from "node:net";
import { must, type Rule, shown } from "./validate";

// RFC 1123 labels. The first character is not a digit-only label's: those are mistyped IPv4 addresses.
const HOSTNAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*\.?$/i;
const DIGITS_AND_DOTS = /^[0-9.]+$/;

/** A host name (RFC 1123), an IPv4 or an IPv6 address. */
export const address: Rule = (value, path) =>
  isAddress(value)
    ? []
    : [{ propertyPath: path, reason: `must be a host name, an IPv4 or an IPv6 address, not ${shown(value)}` }];

/** An IPv4 or IPv6 network such as `10.77.0.0/24`, without host bits. */
export const cidr: Rule = (value, path) => {
  const [network, length, ...rest] = String(value).split("/");
  if (typeof value !== "string" || network === undefined || isIP(network) === 0 || rest.length > 0) {
    const remedy = String(value).includes(",") ? ": one network for each item of a list" : "";
    return [{ propertyPath: path, reason: `must be a network such as 10.77.0.0/24, not ${shown(value)}${remedy}` }];
  }
  const most = isIPv4(network) ? 32 : 128;
  if (length === undefined || !/^\d{1,3}$/.test(length) || Number(length) > most) {
    return [
      {
        propertyPath: path,
        reason: `must end in a prefix length of /0 to /${most} (/${most} for one host), not ${shown(value)}`,
      },
    ];
  }
  return hasHostBits(network, Number(length))
    ? [
        {
          propertyPath: path,
          reason: `has address bits after its prefix of /${length}: ${shown(value)}; give the network, or /${most} for one host`,
        },
      ]
    : [];
};

/** An address that can be the end of a route: a literal, never a name. */
export const ipAddress: Rule = must(
  isIpAddress,
  "must be an IP address: set it, or set the cluster's network to a CIDR",
);

/** An IPv4 address, written out. */
export const ipv4Address: Rule = must(
  (value) => typeof value === "string" && isIPv4(value),
  "must be an IPv4 address: network PTP is by IPv4 here",
);

/** Whether a value is an IPv4 or IPv6 address, written out. */
export function isIpAddress(value: unknown): value is string {
  return typeof value === "string" && isIP(value) !== 0;
}

/**
 * Addresses that no host has (RFC 1122, section 3.2.1.3). One of them stands for an address that nobody knows yet, as in a preview
 * without a cloud: no rule judges it by a network.
 */
export const NO_HOSTS = "0.0.0.0/8";

/** Whether an IP address is one of a valid network's. */
export function contains(network: string, address: string): boolean {
  const [base = "", length] = network.split("/");
  const family = (ip: string) => (isIPv4(ip) ? "ipv4" : "ipv6");
  const list = new BlockList();
  list.addSubnet(base, Number(length), family(base));
  return list.check(address, family(address));
}

/** Whether valid networks, all of IPv4 or all of IPv6, leave no address out. */
export function areAllAddresses(networks: readonly string[]): boolean {
  const prefixes = networks.map((network) => {
    const [base = "", length] = network.split("/");
    return addressBits(base).slice(0, Number(length));
  });
  return areWhole(prefixes, "");
}

/** Whether no address that begins with these bits is left out. */
function areWhole(prefixes: readonly string[], bits: string): boolean {
  const within = prefixes.filter((prefix) => prefix.startsWith(bits));
  return within.includes(bits) || (within.length > 0 && ["0", "1"].every((bit) => areWhole(within, bits + bit)));
}

function isAddress(value: unknown): boolean {
  if (typeof value !== "string" || value.includes("%")) {
    return false;
  }
  return isIP(value) !== 0 || (HOSTNAME.test(value) && !DIGITS_AND_DOTS.test(value));
}

function hasHostBits(network: string, length: number): boolean {
  const bits = addressBits(network);
  return bits.slice(length).includes("1");
}

function addressBits(network: string): string {
  const [groups, base, width] = isIPv6(network)
    ? ([expandedIPv6(network), 16, 16] as const)
    : ([network.split("."), 10, 8] as const);
  return groups.map((group) => Number.parseInt(group, base).toString(2).padStart(width, "0")).join("");
}

/** The eight groups of an IPv6 address. URL's own parser rewrites an embedded IPv4 tail to groups. */
function expandedIPv6(network: string): string[] {
  const canonical = new URL(`http://[${network}]/`).hostname.slice(1, -1);
  const [head = "", tail] = canonical.split("::");
  const groups = (text: string) => text.split(":").filter((group) => group !== "");
  if (tail === undefined) {
    return groups(head);
  }
  const missing = 8 - groups(head).length - groups(tail).length;
  return [...groups(head), ...Array<string>(missing).fill("0"), ...groups(tail)];
}
