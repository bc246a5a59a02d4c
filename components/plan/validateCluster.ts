import { OperatingSystem, Topology } from "./enums";
import { at, type InputErrors, must, oneOf, optional, PENDING, required, shown } from "./validate";
import { cidr, ipAddress } from "./validateAddress";
import { checkerOf, hostName, validateBootConditions, validateEndpoint, validateHostOptions } from "./validateHost";
import { errorBudget, settleSeconds, validateGuestPtp, validateSources } from "./validateTime";

const hostList = must((hosts) => Array.isArray(hosts) && hosts.length > 0, "must have at least one host");

/** All that can be wrong with the arguments of a cluster. */
export function validateCluster(args: unknown): InputErrors {
  const check = checkerOf(args, "");
  return [
    ...check("hosts", required(hostList)),
    ...hostsOf(args).flatMap((host, index) => validateHost(host, `hosts[${index}]`)),
    ...duplicateNames(args),
    ...duplicateMachines(args),
    ...check("topology", optional(oneOf(Topology))),
    ...topologyFits(args),
    ...validateSources(at(args, "sources"), "sources"),
    ...check("network", optional(cidr)),
    ...validateHostOptions(args),
    ...validateBootConditions(args),
    ...validateGuestPtp(args),
    ...check("maxErrorMicros", optional(errorBudget)),
    ...check("maxPairwiseMicros", optional(errorBudget)),
    ...check("settleTimeoutSeconds", optional(settleSeconds)),
  ];
}

/** The name of the hub: the stated one, else the first host's. */
export function hubNameOf(args: unknown): unknown {
  return at(args, "hub") ?? at(hostsOf(args)[0], "name");
}

function validateHost(host: unknown, path: string): InputErrors {
  const check = checkerOf(host, path);
  const endpoint = at(host, "endpoint");
  return [
    ...check("name", required(hostName)),
    ...check("operatingSystem", optional(oneOf(OperatingSystem))),
    ...(endpoint === PENDING ? [] : validateEndpoint(namedEndpoint(endpoint), `${path}.endpoint`)),
  ];
}

/** The cluster names the host, so an endpoint need not have a name that is worth an error. */
function namedEndpoint(endpoint: unknown): unknown {
  return typeof endpoint === "object" && endpoint !== null ? { ...endpoint, name: PENDING } : endpoint;
}

function duplicateNames(args: unknown): InputErrors {
  const names = hostsOf(args).map((host) => at(host, "name"));
  return names.flatMap((name, index) => {
    const first = firstBefore(names, index);
    return typeof name === "string" && first !== undefined
      ? [{ propertyPath: `hosts[${index}].name`, reason: `${shown(name)} is the name of hosts[${first}] already` }]
      : [];
  });
}

/** Two hosts that are reached in one way are one machine, which cannot have two plans. */
function duplicateMachines(args: unknown): InputErrors {
  const machines = hostsOf(args).map((host) => {
    const endpoint = at(host, "endpoint");
    const way = [at(endpoint, "address"), at(endpoint, "port") ?? 22, at(at(endpoint, "proxy"), "address")];
    return way.includes(PENDING) || way[0] === undefined ? undefined : JSON.stringify(way);
  });
  return machines.flatMap((machine, index) => {
    const first = firstBefore(machines, index);
    return machine !== undefined && first !== undefined
      ? [{ propertyPath: `hosts[${index}].endpoint.address`, reason: `is the machine of hosts[${first}] already` }]
      : [];
  });
}

/** Where an item of a list stands for the first time, if that is before `index`. */
function firstBefore(items: readonly unknown[], index: number): number | undefined {
  const first = items.indexOf(items[index]);
  return first < index ? first : undefined;
}

function topologyFits(args: unknown): InputErrors {
  const topology = (at(args, "topology") ?? Topology.Hub) as Topology;
  switch (topology) {
    case Topology.Hub:
      return hubFits(args);
    case Topology.Sources:
      return sourcesFit(args);
    default:
      topology satisfies never;
      return []; // Another value: reported by the rule of the property itself.
  }
}

function hubFits(args: unknown): InputErrors {
  const hub = at(args, "hub");
  const names = hostsOf(args).map((host) => at(host, "name"));
  const errors: InputErrors =
    hub === undefined || names.includes(hub)
      ? []
      : [
          {
            propertyPath: "hub",
            reason: `must be the name of a host (${names.map(String).join(", ")}), not ${shown(hub)}`,
          },
        ];
  return at(args, "network") === undefined ? [...errors, ...clientsHaveAddresses(args)] : errors;
}

/** Without a network the hub admits its clients one by one, and it can admit addresses only. */
function clientsHaveAddresses(args: unknown): InputErrors {
  const hub = hubNameOf(args);
  return hostsOf(args).flatMap((host, index) => {
    if (at(host, "name") === hub) {
      return [];
    }
    const endpoint = at(host, "endpoint");
    const privateAddress = at(endpoint, "privateAddress");
    const [address, key] =
      privateAddress === undefined ? [at(endpoint, "address"), "address"] : [privateAddress, "privateAddress"];
    return optional(ipAddress)(address, `hosts[${index}].endpoint.${key}`);
  });
}

function sourcesFit(args: unknown): InputErrors {
  const sources = at(args, "sources");
  const errors: InputErrors = [];
  if (sources === undefined || (Array.isArray(sources) && sources.length === 0)) {
    errors.push({
      propertyPath: "sources",
      reason: "must have a source: with Topology.Sources no host defines the time",
    });
  }
  for (const key of ["hub", "network"]) {
    if (at(args, key) !== undefined) {
      errors.push({ propertyPath: key, reason: "is for Topology.Hub only" });
    }
  }
  return errors;
}

function hostsOf(args: unknown): unknown[] {
  const hosts = at(args, "hosts");
  return Array.isArray(hosts) ? hosts : [];
}
