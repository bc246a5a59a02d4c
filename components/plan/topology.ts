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
      `the hub cannot admit "${address}" by name: set the endpoint's privateAddress to an IP address, ` +
        `or the cluster's network to a CIDR`,
    );
  });
}
