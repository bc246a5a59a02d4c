import { GuestPtp } from "./enums";
import { at, fields, type InputErrors, isRecord, shown } from "./validate";
import { hostsOf } from "./validateCluster";
import { machineFields } from "./validateHost";

// What the hosts of a cluster cannot do together, by what is known of their machines before those are there. Of a machine
// that no component of a cloud made nothing is known, and nothing is said.

/** What certainly cannot work. */
export function machineErrors(args: unknown): InputErrors {
  return guestsFit(args);
}

/** A host whose machine something is known of. */
interface KnownHost {
  name: unknown;
  machine: unknown;
}

const isMachine = fields(machineFields);

function knownHosts(args: unknown): KnownHost[] {
  return hostsOf(args).flatMap((host) => {
    const machine = at(at(host, "endpoint"), "machine");
    const isKnown = isRecord(machine) && isMachine(machine, "").length === 0;
    return isKnown ? { name: at(host, "name"), machine } : [];
  });
}

function guestsFit(args: unknown): InputErrors {
  const without = knownHosts(args).filter(({ machine }) => at(machine, "guests") === false);
  return (at(args, "guestPtp") ?? GuestPtp.Required) === GuestPtp.Required && without.length > 0
    ? [
        {
          propertyPath: "guestPtp",
          reason: `required, which is the default, needs guests: true on ${named(without)}; or take GuestPtp.Reported`,
        },
      ]
    : [];
}

function named(hosts: readonly KnownHost[]): string {
  return hosts.map(({ name }) => shown(name)).join(", ");
}
