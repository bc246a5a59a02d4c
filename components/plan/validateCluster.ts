import { Topology } from "./enums";
import {
  argsWith,
  at,
  each,
  fields,
  type InputErrors,
  must,
  oneOf,
  optional,
  PENDING,
  type Rule,
  required,
  shown,
} from "./validate";
import { cidr, contains, ipAddress, isIpAddress } from "./validateAddress";
import { bootFields, endpointFields, hostFields, hostName } from "./validateHost";
import { errorBudget, guestPtpFields, settleSeconds, timeSources } from "./validateTime";
import { keysFit, timeKey } from "./validateTimeKey";

const hostList: Rule = (hosts, path) => [
  ...must((list) => Array.isArray(list) && list.length > 0, "must have at least one host")(hosts, path),
  ...(Array.isArray(hosts) ? each(host)(hosts, path) : []),
];

const host = fields({
  name: required(hostName),
  // The cluster names the host, so an endpoint need not have a name that is worth an error.
  endpoint: required(fields({ ...endpointFields, name: () => [] })),
  operatingSystem: hostFields.operatingSystem,
});

/** All that can be wrong with the arguments of a cluster. */
export const validateCluster = argsWith(
  {
    hosts: required(hostList),
    topology: optional(oneOf(Topology)),
    hub: () => [], // Checked together with the hosts, whose names it must be one of.
    sources: optional(timeSources),
    network: optional(cidr),
    key: optional(timeKey),
    ...bootFields,
    ...guestPtpFields,
    maxErrorMicros: optional(errorBudget),
    maxPairwiseMicros: optional(errorBudget),
    connectTimeoutSeconds: hostFields.connectTimeoutSeconds,
    settleTimeoutSeconds: optional(settleSeconds),
  },
  duplicateNames,
  duplicateMachines,
  topologyFits,
);

/** The name of the hub: the stated one, else the first host's. */
export function hubNameOf(args: unknown): unknown {
  return at(args, "hub") ?? at(hostsOf(args)[0], "name");
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
  const upstream = at(args, "sources");
  const upstreamKeys = (Array.isArray(upstream) ? upstream : []).map((source, index): [string, unknown] => [
    `sources[${index}].key`,
    at(source, "key"),
  ]);
  errors.push(...keysFit([["key", at(args, "key")], ...upstreamKeys]));
  return [...errors, ...(at(args, "network") === undefined ? clientsHaveAddresses(args) : networkHasHosts(args))];
}

/**
 * The hub serves nobody outside the network, so a wrong one would show only when the proofs of all clients have failed.
 * Names are not resolved: only IP addresses, which hold no secret, are ever looked at and quoted.
 */
function networkHasHosts(args: unknown): InputErrors {
  const network = at(args, "network");
  if (typeof network !== "string" || cidr(network, "").length > 0) {
    return []; // Not known yet, or reported by the rule of the property itself.
  }
  const outside = hostsOf(args).flatMap((host, index) => {
    const [address, path] = privateAddressOf(host, index);
    return isIpAddress(address) && !contains(network, address)
      ? [`${address} of ${shown(at(host, "name"))} (${path})`]
      : [];
  });
  return outside.length === 0
    ? []
    : [
        {
          propertyPath: "network",
          reason:
            `${shown(network)} does not contain ${outside.join(", ")}: give the network by which the hosts reach each ` +
            "other, and each endpoint its privateAddress in it",
        },
      ];
}

/** Without a network the hub admits its clients one by one, and it can admit addresses only. */
function clientsHaveAddresses(args: unknown): InputErrors {
  const hub = hubNameOf(args);
  return hostsOf(args).flatMap((host, index) => {
    if (at(host, "name") === hub) {
      return [];
    }
    const [address, path] = privateAddressOf(host, index);
    return optional(ipAddress)(address, path);
  });
}

/** The address by which the other hosts reach a host, and where it stands. */
function privateAddressOf(host: unknown, index: number): [address: unknown, path: string] {
  const endpoint = at(host, "endpoint");
  const key = (at(endpoint, "privateAddress") ?? undefined) === undefined ? "address" : "privateAddress";
  return [at(endpoint, key), `hosts[${index}].endpoint.${key}`];
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
  for (const key of ["hub", "network", "key"]) {
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
