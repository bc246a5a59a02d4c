import { Delivery, OperatingSystem, Topology } from "./enums";
import { hubTimescale } from "./time";
import {
  argsWith,
  at,
  fields,
  flag,
  type InputErrors,
  isRecord,
  isResource,
  listOf,
  must,
  oneOf,
  optional,
  PENDING,
  plain,
  plainFlag,
  type Rule,
  required,
  shown,
} from "./validate";
import { cidr, contains, ipAddress, ipv4Address, isIpAddress, NO_HOSTS } from "./validateAddress";
import { bootFields, endpointFields, hostFields, hostName } from "./validateHost";
import { timeNetwork } from "./validateNetworks";
import {
  clockErrorPpm,
  errorBudget,
  guestPtpFields,
  ownErrorsFit,
  settleSeconds,
  timeSources,
  timescale,
} from "./validateTime";
import { keysFit, partKeys, timeKey } from "./validateTimeKey";

const hostList: Rule = (hosts, path) =>
  Array.isArray(hosts)
    ? [
        ...must(() => hosts.length > 0, "must have at least one host")(hosts, path),
        ...hosts.flatMap((item, index) => hostItem(item, `${path}[${index}]`)),
      ]
    : [{ propertyPath: path, reason: `must be a list, such as [${A_HOST}]` }];

const A_HOST = '{ name: "server-1", endpoint: host.endpoint }';

/** Whoever gives how to reach a host in place of the host is told how the two go together. */
const hostItem: Rule = (item, path) => {
  const other = item === PENDING ? "an output" : isRecord(item) && isResource(item) && "a whole resource";
  return other
    ? [
        {
          propertyPath: path,
          reason: `is ${other}: give a host, such as ${A_HOST}`,
        },
      ]
    : required(host)(item, path);
};

const url = must(
  (value) => typeof value === "string" && /^https?:\/\/[\x21-\x7e]+$/.test(value),
  "must be the http or https URL of a folder, such as https://example.com/toolkit; docs/cloud-init-delivery.md has those of buckets",
);

/** That each is the name of a host is checked together with the hosts. */
const hubNames: Rule = (hubs, path) =>
  Array.isArray(hubs) && hubs.length > 0
    ? []
    : [{ propertyPath: path, reason: "must be a list of at least one host's name; leave it out for the first host" }];

const host = fields({
  name: plain("text", required(hostName)),
  // The cluster names the host, so an endpoint need not have a name that is worth an error.
  endpoint: required(fields({ ...endpointFields, name: () => [] })),
  operatingSystem: hostFields.operatingSystem,
});

/** All that can be wrong with the arguments of a cluster. */
export const validateCluster = argsWith(
  {
    hosts: plain("hosts", required(hostList)),
    delivery: plain("text", optional(oneOf(Delivery))),
    toolkitUrl: optional(url),
    topology: optional(oneOf(Topology)),
    hubs: plain("host names", optional(hubNames)),
    sources: optional(timeSources),
    timescale: optional(timescale),
    network: optional(timeNetwork),
    key: optional(timeKey),
    ...bootFields,
    ...guestPtpFields,
    prove: hostFields.prove,
    maxErrorMicros: optional(errorBudget),
    maxPairwiseMicros: optional(errorBudget),
    measurePairs: plainFlag,
    maxClockErrorPpm: optional(clockErrorPpm),
    connectTimeoutSeconds: hostFields.connectTimeoutSeconds,
    settleTimeoutSeconds: optional(settleSeconds),
    trackingLog: optional(flag),
  },
  duplicateNames,
  duplicateMachines,
  topologyFits,
  timescaleFits,
  deliveryFits,
  ownErrorsFit,
);

/** The names of the hubs: the stated ones, else the first host's. */
export function hubNamesOf(args: unknown): unknown[] {
  const hubs = at(args, "hubs") ?? undefined;
  return hubs === undefined ? [at(hostsOf(args)[0], "name")] : listOf(hubs);
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

/** Only of sources it has to be said what they tell, and they are none of these hosts. */
function timescaleFits(args: unknown): InputErrors {
  const stated = at(args, "timescale") ?? undefined;
  const refuse = (reason: string) => [{ propertyPath: "timescale", reason }];
  if (stated === undefined) {
    return [];
  }
  if (at(args, "topology") !== Topology.Provider && hasNone(at(args, "sources"))) {
    return refuse("is the hub's own without sources: leave it out");
  }
  const names = hostsOf(args).map((host) => at(host, "name"));
  return names.some((name) => stated === hubTimescale(String(name)))
    ? refuse(
        `${shown(stated)} names a host of the cluster, and all of them follow sources: take the name of who tells the time`,
      )
    : [];
}

function topologyFits(args: unknown): InputErrors {
  const topology = (at(args, "topology") ?? Topology.Hub) as Topology;
  switch (topology) {
    case Topology.Hub:
      return hubFits(args);
    case Topology.Ptp:
      return ptpFits(args);
    case Topology.Provider:
      return providerFits(args);
    default:
      topology satisfies never;
      return []; // Another value: reported by the rule of the property itself.
  }
}

function hubFits(args: unknown): InputErrors {
  return [
    ...hubsAreHosts(args),
    ...hubsHaveOneTime(args),
    // The keys of the hubs' own sources are in the same file as the cluster's.
    ...keysFit([["key", at(args, "key")], ...partKeys("sources", at(args, "sources"))]),
    ...askersAreAdmitted(args),
  ];
}

/** What network PTP has not: several hubs, keys, and a word of how far its hub is off. */
function ptpFits(args: unknown): InputErrors {
  const errors: InputErrors = [];
  const refuse = (propertyPath: string, reason: string) => errors.push({ propertyPath, reason });
  const hubs = hubNamesOf(args);
  if (hostsOf(args).length === 1) {
    refuse("hosts", "must be two at least with Topology.Ptp: one alone serves nobody; take Topology.Hub for it");
  }
  if (new Set(hubs).size > 1) {
    refuse("hubs", "must be one host with Topology.Ptp: its clients follow one hub; take Topology.Hub for several");
  }
  if (!hasNone(at(args, "sources"))) {
    refuse(
      "sources",
      "is not for Topology.Ptp: PTP does not tell the clients how far their hub is off its sources; leave it out, so that the " +
        "hub's clock is the time, or take Topology.Hub",
    );
  }
  if ((at(args, "key") ?? undefined) !== undefined) {
    refuse("key", "is not for Topology.Ptp, which authenticates nothing: take Topology.Hub");
  }
  if (at(args, "trackingLog") === true) {
    refuse(
      "trackingLog",
      "is not for Topology.Ptp: chronyd does not know, and so does not log, how long the path to the hub is; take Topology.Hub",
    );
  }
  hostsOf(args).forEach((host, index) => {
    const [address, path] = privateAddressOf(host, index);
    // With a network, a client may have a name: it is the hub's address that all of them need.
    if (at(args, "network") === undefined || hubs.includes(at(host, "name"))) {
      errors.push(...optional(ipv4Address)(address, path));
    }
    const system = at(host, "operatingSystem");
    if (system === OperatingSystem.AmazonLinux2 || system === OperatingSystem.AmazonLinux2023) {
      refuse(`hosts[${index}].operatingSystem`, `${system} has no linuxptp, by which hosts do PTP: take Topology.Hub`);
    }
  });
  return [...errors, ...hubsAreHosts(args), ...(at(args, "network") === undefined ? [] : networkHasHosts(args))];
}

function hubsAreHosts(args: unknown): InputErrors {
  const hubs = at(args, "hubs");
  if (!Array.isArray(hubs)) {
    return [];
  }
  const names = hostsOf(args).map((host) => at(host, "name"));
  return hubs.flatMap((hub, index) => {
    const first = firstBefore(hubs, index);
    const reason = !names.includes(hub)
      ? `must be the name of a host (${names.map(String).join(", ")}), not ${shown(hub)}`
      : first !== undefined && `${shown(hub)} is hubs[${first}] already`;
    return reason === false ? [] : [{ propertyPath: `hubs[${index}]`, reason }];
  });
}

/** Hubs do not follow each other, so several agree only if all of them follow the same sources. */
function hubsHaveOneTime(args: unknown): InputErrors {
  const hubs = new Set(hubNamesOf(args));
  return hubs.size > 1 && hasNone(at(args, "sources"))
    ? [
        {
          propertyPath: "sources",
          reason:
            `must have a source: without one each of the ${hubs.size} hubs (${[...hubs].map(String).join(", ")}) would keep ` +
            "a timescale of its own; give the source that all hubs follow, or one hub only",
        },
      ]
    : [];
}

function hasNone(list: unknown): boolean {
  return (list ?? undefined) === undefined || (Array.isArray(list) && list.length === 0);
}

/**
 * A hub serves nobody outside the network, so a wrong one would show only when the proofs of all clients have failed.
 * Names are not resolved: only IP addresses, which hold no secret, are ever looked at and quoted.
 */
function networkHasHosts(args: unknown): InputErrors {
  const network = at(args, "network");
  if (typeof network !== "string" || cidr(network, "").length > 0) {
    return []; // Not known yet, or reported by the rule of the property itself.
  }
  const outside = hostsOf(args).flatMap((host, index) => {
    const [address, path] = privateAddressOf(host, index);
    return isIpAddress(address) && !contains(network, address) && !contains(NO_HOSTS, address)
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

/**
 * Without a network hosts are admitted one by one, and they can be by their addresses only: by the hubs, which the clients
 * follow, and where pairs are measured by each other.
 */
function askersAreAdmitted(args: unknown): InputErrors {
  if (at(args, "network") !== undefined) {
    return networkHasHosts(args);
  }
  const hubs = at(args, "measurePairs") === true ? [] : hubNamesOf(args);
  return hostsOf(args).flatMap((host, index) => {
    if (hubs.includes(at(host, "name"))) {
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

function providerFits(args: unknown): InputErrors {
  const sources = at(args, "sources");
  const errors: InputErrors = [];
  if (Array.isArray(sources) && sources.length === 0) {
    errors.push({
      propertyPath: "sources",
      reason:
        "must have a source: with Topology.Provider no host defines the time; leave it out for what the cloud gives",
    });
  }
  const measured = at(args, "measurePairs") === true;
  for (const key of measured ? ["hubs", "key"] : ["hubs", "network", "key"]) {
    if (at(args, key) !== undefined) {
      errors.push({ propertyPath: key, reason: "is not for Topology.Provider, where no host serves another one" });
    }
  }
  return [...errors, ...(measured ? askersAreAdmitted(args) : [])];
}

/** The hosts, whatever they are. */
export function hostsOf(args: unknown): unknown[] {
  return listOf(at(args, "hosts"));
}

/** What a machine is told at its first boot is known before the machine, and everybody on it can read it. */
function deliveryFits(args: unknown): InputErrors {
  const errors: InputErrors = [];
  const refuse = (propertyPath: string, reason: string) => errors.push({ propertyPath, reason });
  const url = at(args, "toolkitUrl") ?? undefined;
  if (at(args, "delivery") !== Delivery.CloudInit) {
    if (url !== undefined) refuse("toolkitUrl", "is for Delivery.CloudInit: by SSH the toolkit is copied");
    return errors;
  }
  if (url === undefined) {
    refuse("toolkitUrl", "is required with Delivery.CloudInit: the folder in which toolkitArchive() lies");
  }
  if (at(args, "topology") !== Topology.Provider) {
    refuse(
      "topology",
      "must be Topology.Provider with Delivery.CloudInit: a client's plan has its hub's address, which a cloud chooses with the machine",
    );
  }
  if (at(args, "revertReboot") === true) {
    refuse("revertReboot", "is not for Delivery.CloudInit: what the boot was like before is written down by SSH");
  }
  if (at(args, "measurePairs") === true) {
    refuse(
      "measurePairs",
      "is not for Delivery.CloudInit: a host's plan would need the others' addresses before they exist",
    );
  }
  for (const [path, key] of partKeys("sources", at(args, "sources"))) {
    if ((key ?? undefined) !== undefined) {
      refuse(path, "is not for Delivery.CloudInit: whoever is on the host can read what it was told at its first boot");
    }
  }
  hostsOf(args).forEach((host, index) => {
    const endpoint = at(host, "endpoint");
    if (endpoint === PENDING) return;
    if ((at(endpoint, "firstBoot") ?? undefined) === undefined) {
      refuse(
        `hosts[${index}].endpoint.firstBoot`,
        "is required with Delivery.CloudInit: give AwsHost or GcpHost firstBoot: firstBootPlan(cluster, host, args)",
      );
    }
    if ((at(endpoint, "proxy") ?? undefined) !== undefined) {
      refuse(
        `hosts[${index}].endpoint.proxy`,
        "is not for Delivery.CloudInit: a login that is refused there is not tried again",
      );
    }
  });
  return errors;
}
