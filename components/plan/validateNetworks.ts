import { each, type Rule, shown } from "./validate";
import { areAllAddresses, cidr, contains } from "./validateAddress";

// Networks that are let in: which of them is everybody, or nobody who could come.

const FOR_CLUSTER = "the time is for the cluster only, give its network, such as 10.0.0.0/16";

/** A network that may ask for the time. A server for everybody serves attackers (RFC 8633, BCP 223). */
export const timeNetwork: Rule = (value, path) =>
  isEverybody(value)
    ? [{ propertyPath: path, reason: `${shown(value)} is everybody: ${FOR_CLUSTER}` }]
    : cidr(value, path);

/** A list of such networks, of which an error shows an example. */
export const timeNetworks = (example: string): Rule => networks(timeNetwork, example, () => FOR_CLUSTER);

export const isCidr = (item: unknown): item is string => typeof item === "string" && cidr(item, "").length === 0;

/** Networks that are not everybody together, which none of them says: the remedy is made of everybody as one network. */
export const networks = (network: Rule, example: string, remedy: (everybody: string) => string): Rule => {
  return (value, path) => {
    const hidden = Array.isArray(value) ? hiddenEverybody(value.filter(isCidr)) : undefined;
    return [
      ...each(network, example)(value, path),
      ...(hidden === undefined
        ? []
        : [{ propertyPath: path, reason: `is everybody, all together: ${remedy(hidden)}` }]),
    ];
  };
};

/** Whether a network is everybody, however its address is written. */
export function isEverybody(network: unknown): boolean {
  return typeof network === "string" && /\/0+$/.test(network);
}

/** Addresses that are somebody's only within a network (RFC 1918, 3927, 6598). */
const PRIVATE = ["10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"];

/** Whether all of a valid network is private. Loopback is not: by it the stand-ins for the clouds are reached. */
export function isPrivate(network: string): boolean {
  const [base = "", length] = network.split("/");
  return PRIVATE.some((block) => contains(block, base) && Number(length) >= Number(block.split("/")[1]));
}

/** Addresses that nobody on the internet has (RFC 6890; RFC 4291, section 2.4, of which 2000::/3 is in use). */
const NOBODY = [
  ...PRIVATE,
  ...["0.0.0.0/8", "127.0.0.0/8", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"],
  ...["224.0.0.0/3"],
  ...["::/3", "4000::/2", "8000::/1"],
];

/**
 * Everybody as one network, where valid networks are that together and none of them says so: 0.0.0.0/1 and 128.0.0.0/1, or
 * all but the private ones.
 */
function hiddenEverybody(networks: readonly string[]): string | undefined {
  return ["0.0.0.0/0", "::/0"].find((everybody) => {
    const isAlike = (network: string) => network.includes(":") === everybody.includes(":");
    const given = networks.filter(isAlike);
    return !given.some(isEverybody) && areAllAddresses([...given, ...NOBODY.filter(isAlike)]);
  });
}
