import { Cloud, Delivery, GuestPtp, TimeSourceKind, Topology } from "./enums";
import { measuredPairs } from "./topology";
import { at, fields, type InputErrors, listOf, shown } from "./validate";
import { hostsOf, hubNamesOf } from "./validateCluster";
import { machineFields, systemFits } from "./validateHost";

// What the hosts of a cluster cannot do together, by what is known of their machines before those are there. Of a machine
// that no component of a cloud made nothing is known, and nothing is said.

/** What a cloud's things are called. */
interface CloudWords {
  title: string;
  component: string;
  /** The arguments by which rules of the user's come in. */
  rules: string;
  service: TimeSourceKind;
  clock: TimeSourceKind;
}

const CLOUDS = {
  [Cloud.Aws]: {
    title: "AWS",
    component: "AwsHost",
    rules: "securityGroupIds",
    service: TimeSourceKind.AwsNtp,
    clock: TimeSourceKind.AwsPhc,
  },
  [Cloud.Gcp]: {
    title: "Google Cloud",
    component: "GcpHost",
    rules: "networkTags, or of the network",
    service: TimeSourceKind.GcpNtp,
    clock: TimeSourceKind.GcpPhc,
  },
} as const satisfies Record<Cloud, CloudWords>;

/** What only a cloud gives to its machines. */
const OF_CLOUDS: readonly unknown[] = [
  TimeSourceKind.AwsNtp,
  TimeSourceKind.AwsPhc,
  TimeSourceKind.GcpNtp,
  TimeSourceKind.GcpPhc,
  TimeSourceKind.AzurePhc,
];

/** What certainly cannot work. */
export function machineErrors(args: unknown): InputErrors {
  return [
    ...hostsOf(args).flatMap((host, index) => systemFits(host, `hosts[${index}]`)),
    ...guestsFit(args),
    ...cloudsFit(args),
    ...sourcesFit(args),
    ...openingsFit(args, false),
  ];
}

/** What works only by something that is not known here, or not as it was meant. */
export function machineDoubts(args: unknown): InputErrors {
  return [...openingsFit(args, true), ...clocksFollowed(args), ...cloudsAgree(args), ...firstBootsUsed(args)];
}

/** A host whose machine something is known of. */
interface KnownHost {
  name: unknown;
  path: string;
  cloud: CloudWords;
  machine: unknown;
  /** Whether the others reach it by the address that its cloud gave to it. */
  isReachedInCloud: boolean;
}

const isMachine = fields(machineFields);

function knownHosts(args: unknown): KnownHost[] {
  return hostsOf(args).flatMap((host, index) => {
    const endpoint = at(host, "endpoint");
    const machine = at(endpoint, "machine");
    const cloud = Object.values(Cloud).find((known) => known === at(machine, "cloud"));
    return cloud === undefined || isMachine(machine, "").length > 0
      ? []
      : {
          name: at(host, "name"),
          path: `hosts[${index}].endpoint`,
          cloud: CLOUDS[cloud],
          machine,
          isReachedInCloud: at(endpoint, "privateAddress") === at(machine, "privateAddress"),
        };
  });
}

/** Those of them that follow the cluster's sources. */
function followers(args: unknown): KnownHost[] {
  const hosts = knownHosts(args);
  const hubs = hubNamesOf(args);
  return topologyOf(args) === Topology.Provider ? hosts : hosts.filter(({ name }) => hubs.includes(name));
}

function topologyOf(args: unknown): unknown {
  return at(args, "topology") ?? Topology.Hub;
}

/** The kinds of the sources, none where they are not known. */
function sourceKinds(args: unknown): unknown[] {
  const byDefault = topologyOf(args) === Topology.Provider ? [{ kind: TimeSourceKind.Auto }] : [];
  return listOf(at(args, "sources") ?? byDefault).map((source) => at(source, "kind") ?? TimeSourceKind.Server);
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

/** Each cloud has a network of its own, and two of them may have the same addresses. */
function cloudsFit(args: unknown): InputErrors {
  const clouds = cloudsOf(knownHosts(args).filter(({ isReachedInCloud }) => isReachedInCloud));
  if (clouds.length < 2 || at(args, "network") !== undefined) {
    return [];
  }
  const apart = `hosts of ${clouds.map(({ title }) => title).join(" and of ")} do not reach each other by the addresses that their clouds give them`;
  const joined = "or, where the networks are joined, give network or the privateAddress of each endpoint";
  if (topologyOf(args) !== Topology.Provider) {
    const reason = `${apart}: take Topology.Provider with ${servicesOf(clouds)}, ${joined}`;
    return [{ propertyPath: "topology", reason }];
  }
  return at(args, "measurePairs") === true
    ? [{ propertyPath: "measurePairs", reason: `${apart}: leave it out, ${joined}` }]
    : [];
}

/** Of its sources a host takes those that it can have, and refuses to have none. */
function sourcesFit(args: unknown): InputErrors {
  const kinds = sourceKinds(args);
  return followers(args).flatMap(({ name, cloud, machine }) => {
    const had = listOf(at(machine, "sources"));
    const isWithout = kinds.length > 0 && kinds.every((kind) => OF_CLOUDS.includes(kind) && !had.includes(kind));
    const reason = `${shown(name)} has none of ${kinds.join(", ")}: its machine has ${had.join(", ")}`;
    const remedy = kinds.includes(cloud.clock) ? "; for the clock give it phc: HostPhc.Required" : "; take of these";
    return isWithout ? [{ propertyPath: "sources", reason: reason + remedy }] : [];
  });
}

/** Nobody can ask a host that lets nobody in, unless rules do that are not its own. */
function openingsFit(args: unknown, otherRules: boolean): InputErrors {
  return knownHosts(args)
    .filter(({ machine }) => at(machine, "otherRules") === otherRules)
    .flatMap(({ name, path, cloud, machine }) =>
      openingsNeeded(args)
        .filter(({ hosts, isOpen }) => hosts.includes(name) && at(machine, isOpen) === false)
        .map(({ what, argument }) => ({
          propertyPath: path,
          reason:
            `lets nobody ${what}${otherRules ? `, unless rules of yours do (${cloud.rules})` : ""}: ` +
            `give the ${cloud.component} ${argument}, such as ["10.0.0.0/16"], the network of the other hosts`,
        })),
    );
}

interface OpeningNeeded {
  hosts: readonly unknown[];
  what: string;
  /** The argument that opens it. */
  argument: string;
  /** What is known of it. */
  isOpen: string;
}

/** Syncs come to the ports of a client of network PTP, too. */
function openingsNeeded(args: unknown): OpeningNeeded[] {
  const topology = topologyOf(args);
  const names = hostsOf(args).map((host) => at(host, "name") as string);
  const hubs = topology === Topology.Provider ? [] : (hubNamesOf(args) as string[]);
  const serving = names.some((name) => !hubs.includes(name)) ? hubs : [];
  const measured = at(args, "measurePairs") === true ? measuredPairs(names, hubs).map(({ of }) => of) : [];
  return [
    {
      hosts: topology === Topology.Hub ? [...serving, ...measured] : measured,
      what: "ask it for the time (UDP port 123)",
      argument: "timeFrom",
      isOpen: "timeOpen",
    },
    {
      hosts: topology === Topology.Ptp && serving.length > 0 ? names : [],
      what: "do PTP with it (UDP ports 319 and 320)",
      argument: "ptpFrom",
      isOpen: "ptpOpen",
    },
  ];
}

/** Whoever requires a clock of the hardware may still not follow it. A named device may be that clock. */
function clocksFollowed(args: unknown): InputErrors {
  const kinds = sourceKinds(args);
  const isFollowed = (clock: TimeSourceKind) =>
    kinds.some((kind) => ![...OF_CLOUDS, TimeSourceKind.Server, TimeSourceKind.Pool].includes(kind) || kind === clock);
  const idle = followers(args).filter(({ machine, cloud }) => at(machine, "phc") === true && !isFollowed(cloud.clock));
  return kinds.length > 0 && idle.length > 0
    ? [
        {
          propertyPath: "sources",
          reason:
            `do not have the clock that phc: HostPhc.Required got for ${named(idle)}: ` +
            `take ${[...new Set(idle.map(({ cloud }) => cloud.clock))].join(", ")} or auto, or leave phc out`,
        },
      ]
    : [];
}

/** The services of all clouds spread a leap second alike. What their clocks do differs, or nobody documents it. */
function cloudsAgree(args: unknown): InputErrors {
  const hosts = followers(args);
  const clouds = cloudsOf(hosts);
  const mayHaveClock = hosts.some(({ cloud, machine }) => listOf(at(machine, "sources")).includes(cloud.clock));
  return clouds.length > 1 && sourceKinds(args).includes(TimeSourceKind.Auto) && mayHaveClock
    ? [
        {
          propertyPath: "sources",
          reason:
            "of kind auto take the clock of the hardware where a machine has one, and around a leap second it differs from the " +
            `time of the other cloud: take ${servicesOf(clouds)}`,
        },
      ]
    : [];
}

/** What a machine did at its first boot stays with it, also when a cluster goes back to SSH: no error. */
function firstBootsUsed(args: unknown): InputErrors {
  const told = hostsOf(args).filter((host) => typeof at(at(host, "endpoint"), "firstBoot") === "string");
  return at(args, "delivery") !== Delivery.CloudInit && told.length > 0
    ? [
        {
          propertyPath: "delivery",
          reason:
            `is by SSH, and what the machines of ${told.map((host) => shown(at(host, "name"))).join(", ")} are told at their first ` +
            "boot is compared with nothing: give the cluster what firstBootPlan was given, with delivery: Delivery.CloudInit",
        },
      ]
    : [];
}

function cloudsOf(hosts: readonly KnownHost[]): CloudWords[] {
  return [...new Set(hosts.map(({ cloud }) => cloud))];
}

function servicesOf(clouds: readonly CloudWords[]): string {
  return `the sources ${clouds.map(({ service }) => service).join(" and ")}`;
}

function named(hosts: readonly KnownHost[]): string {
  return hosts.map(({ name }) => shown(name)).join(", ");
}
