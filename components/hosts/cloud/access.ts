import * as pulumi from "@pulumi/pulumi";
import { isEverybody } from "../../plan/validateNetworks";
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
