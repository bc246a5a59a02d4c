import type { Entry } from "../../rig/cloud-provider/record";
import { isOpen, rulesOf } from "../../rig/cloud-provider/rules";

/** What an instance's rules let somebody come to, of all there is. */
export function openPorts(instance: Entry, resources: Readonly<Record<string, Entry>>, address: string): string[] {
  const rules = rulesOf(instance, resources);
  const ports = Array.from({ length: 65_536 }, (_, port) => port);
  return (["tcp", "udp"] as const).flatMap((protocol) =>
    ports.filter((port) => isOpen(rules, { protocol, port, address })).map((port) => `${protocol} ${port}`),
  );
}
