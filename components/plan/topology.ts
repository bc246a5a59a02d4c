import { isIPv4, isIPv6 } from "node:net";
import { TimeSourceKind } from "./enums";
import { hubTimescale, type TimeKey, type TimeSource, UTC } from "./time";

/**
 * The source of every client of a hub. One request a second in interleaved mode keeps the bound of a local network
 * small at a load that one hub carries for hundreds of hosts (chrony.conf(5): `minpoll`, `xleave`).
 */
export function hubSource(hubAddress: string, key?: TimeKey): TimeSource {
  return {
    address: hubAddress,
    kind: TimeSourceKind.Server,
    iburst: true,
    minPollLog2: 0,
    maxPollLog2: 0,
    interleaved: true,
    key,
  };
}

/** The source of every client of a hub that serves network PTP. */
export function ptpSource(hubAddress: string): TimeSource {
  return { address: hubAddress, kind: TimeSourceKind.Ptp };
}

/** Which host of a pair measures the other one. */
export interface MeasuredPair {
  by: string;
  of: string;
}

/** How many hosts before it, beside the hubs, a host measures. */
const MOST_MEASURED = 32;

/**
 * Who measures whom, once a pair: each host the hubs and those before it, the hubs first. A hub cannot measure who follows it:
 * chronyd takes no measurement of a server that is synchronised to itself. All pairs of up to 33 hosts are measured; in a
 * larger cluster the load of a host does not grow, and one more at the end of the list changes what no other host does.
 */
export function measuredPairs(hosts: readonly string[], hubs: readonly string[]): MeasuredPair[] {
  const isHub = (name: string) => hubs.includes(name);
  const order = [...hosts.filter(isHub), ...hosts.filter((name) => !isHub(name))];
  return order.flatMap((by, index) =>
    order
      .slice(0, index)
      .filter((of, before) => isHub(of) || index - before <= MOST_MEASURED)
      .map((of) => ({ by, of })),
  );
}

/** The timescale of a hub cluster: one hub without sources of its own defines it; several would be several timescales. */
export function hubClusterTimescale(hubs: readonly string[], upstream: readonly TimeSource[]): string {
  if (upstream.length > 0) {
    return UTC;
  }
  const [hub, ...others] = hubs;
  if (hub === undefined || others.length > 0) {
    throw new Error(`without sources one hub defines the time, and there are ${hubs.length}`);
  }
  return hubTimescale(hub);
}

/** The narrowest networks that let these clients in: one host route each. */
export function hostRoutes(addresses: readonly string[]): string[] {
  return addresses.map((address) => {
    if (isIPv4(address)) {
      return `${address}/32`;
    }
    if (isIPv6(address)) {
      return `${address}/128`;
    }
    throw new Error(
      `"${address}" cannot be admitted by name: set the endpoint's privateAddress to an IP address, ` +
        `or the cluster's network to a CIDR`,
    );
  });
}
