import { createServer } from "node:net";
import { Trouble } from "./trouble";

/** Where a machine's sshd is reached from this machine. */
export interface SshAddress {
  address: string;
  port: number;
}

/** 22 is what every tool assumes; binding it takes a privilege that an ordinary user may lack. */
export const sshPorts = [22, 2222] as const;

/** The addresses to try, in order: a block of loopback that nothing else is known to use. */
export function candidateAddresses(): string[] {
  return Array.from({ length: 254 }, (_, index) => `127.77.0.${index + 1}`);
}

/**
 * The first address that can be had, on the best port that can be had at all: a machine that another user, or another
 * state folder, runs on port 22 pushes this one to the next address and not to the next port. An address stays its
 * machine's while that is stopped, so that a known-hosts line means one host.
 */
export async function chooseAddress(
  candidates: readonly string[],
  taken: readonly string[],
  canBind: (at: SshAddress) => Promise<boolean>,
): Promise<SshAddress> {
  const free = candidates.filter((candidate) => !taken.includes(candidate));
  for (const at of sshPorts.flatMap((port) => free.map((address) => ({ address, port })))) {
    if (await canBind(at)) return at;
  }
  const tried = candidates.length === 1 ? (candidates[0] ?? "") : `${candidates[0]} to ${candidates.at(-1)}`;
  throw new Trouble(
    taken.some((address) => candidates.includes(address)) && candidates.length === 1
      ? "the address belongs to another machine"
      : "no free address for the machine",
    `${tried}, ports ${sshPorts.join(" and ")}`,
    "remove machines that are no longer needed, or name another loopback address",
  );
}

/** Whether a listener can be bound there now. */
export function canBind({ address, port }: SshAddress): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ host: address, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
