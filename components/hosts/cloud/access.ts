import * as pulumi from "@pulumi/pulumi";

/** The port of sshd. */
export const SSH_PORT = 22;

/** The UDP ports by which the hosts of a cluster give each other the time: NTP (RFC 5905). */
export const TIME_PORTS = [123] as const;

/** Whether a network is everybody. */
export function isEverybody(network: unknown): boolean {
  return network === "0.0.0.0/0" || network === "::/0";
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
