import * as pulumi from "@pulumi/pulumi";
import { areAllAddresses, contains, isEverybody } from "../../plan/validateAddress";
import type { CloudHostArgs } from "./args";

/** What is let in to a host. */
export interface Opening {
  name: string;
  description: string;
  protocol: "tcp" | "udp";
  ports: readonly number[];
  from: pulumi.Input<string>[];
}

/** All that is let in, by the ports of sshd, NTP (RFC 5905), and PTP over UDP (IEEE 1588, annex C). */
export function openings({
  sshFrom,
  timeFrom = [],
  ptpFrom = [],
}: Pick<CloudHostArgs, "sshFrom" | "timeFrom" | "ptpFrom">): Opening[] {
  const all: Opening[] = [
    { name: "ssh", description: "SSH", protocol: "tcp", ports: [22], from: sshFrom },
    { name: "time", description: "time within the cluster", protocol: "udp", ports: [123], from: timeFrom },
    { name: "ptp", description: "PTP within the cluster", protocol: "udp", ports: [319, 320], from: ptpFrom },
  ];
  return all.filter(({ from }) => from.length > 0);
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
export function hiddenEverybody(networks: readonly string[]): string | undefined {
  return ["0.0.0.0/0", "::/0"].find((everybody) => {
    const isAlike = (network: string) => network.includes(":") === everybody.includes(":");
    const given = networks.filter(isAlike);
    return !given.some(isEverybody) && areAllAddresses([...given, ...NOBODY.filter(isAlike)]);
  });
}

/** Says it where everybody may try to log in. Robots find such a host within minutes; it accepts keys only. */
export function warnOfEverybody(name: string, sshFrom: pulumi.Input<string>[], host: pulumi.Resource): void {
  pulumi.all(sshFrom).apply((networks) => {
    const open = networks.filter(isEverybody);
    if (open.length === 0) return undefined;
    return pulumi.log.warn(
      `${name}: sshFrom has ${open.join(" and ")}: everybody on the internet may try to log in; ` +
        "give the networks that you log in from",
      host,
    );
  });
}
