/** Which ports of an instance are open to whom, by the rules of its cloud. Pure. */
import { isWithin } from "../cloud/addresses";
import type { Inputs } from "../cloud/resources";
import type { Entry } from "./record";

/** Of the rules of an instance, the first that fits decides; where none does, nobody comes in. */
export interface Rule {
  readonly lets: boolean;
  readonly protocol: string;
  /** The first and the last one. Protocols without ports have any. */
  readonly ports: readonly [number, number];
  /** Networks of IPv4: there is nothing else here. */
  readonly from: readonly string[];
}

/** Somebody who comes to a port. */
export interface Visitor {
  protocol: "tcp" | "udp";
  port: number;
  address: string;
}

type Resources = Readonly<Record<string, Entry>>;

export function isOpen(rules: readonly Rule[], { protocol, port, address }: Visitor): boolean {
  const fitting = rules.find(
    ({ protocol: its, ports, from }) =>
      ["all", protocol].includes(its) &&
      ports[0] <= port &&
      port <= ports[1] &&
      from.some((network) => isWithin(network, address)),
  );
  return fitting?.lets ?? false;
}

/** The rules for what comes in to an instance, of all that its cloud has. */
export function rulesOf(instance: Entry, resources: Resources): Rule[] {
  return instance.type.startsWith("aws:")
    ? rulesInAws(instance.properties, resources)
    : rulesInGcp(instance.properties, resources);
}

const ANY_PORT = [0, 65_535] as const;

function rulesInAws(instance: Inputs, resources: Resources): Rule[] {
  const groups = listOf(instance.vpcSecurityGroupIds).map((id) => resources[String(id)]?.properties ?? {});
  return groups
    .flatMap(({ ingress }) => recordsOf(ingress))
    .map(({ protocol, fromPort, toPort, cidrBlocks }) => ({
      lets: true,
      protocol: protocol === "-1" ? "all" : String(protocol),
      ports: protocol === "-1" ? ANY_PORT : [Number(fromPort), Number(toPort)],
      from: listOf(cidrBlocks).map(String),
    }));
}

const GCP_PRIORITY = 1000;

const anybody = ["0.0.0.0/0"];
const allow = (sourceRanges: string[], ...allows: Inputs[]) => ({
  network: "default",
  priority: 65_534,
  sourceRanges,
  allows,
});

/** Of the network that each project begins with: https://cloud.google.com/vpc/docs/firewalls, as of 2026-11-27. */
const DEFAULT_NETWORK: readonly Inputs[] = [
  allow(["10.128.0.0/9"], { protocol: "tcp" }, { protocol: "udp" }, { protocol: "icmp" }),
  allow(anybody, { protocol: "tcp", ports: ["22", "3389"] }),
  allow(anybody, { protocol: "icmp" }),
];

/** Those of one priority that deny come first. */
function rulesInGcp(instance: Inputs, resources: Resources): Rule[] {
  const networks = recordsOf(instance.networkInterfaces).map(({ network, subnetwork }) =>
    nameOf(network ?? resources[String(subnetwork)]?.properties.network),
  );
  const tags = listOf(instance.tags);
  const firewalls = Object.values(resources)
    .filter(({ type }) => type === "gcp:compute/firewall:Firewall")
    .map(({ properties }) => properties);
  return [...firewalls, ...DEFAULT_NETWORK]
    .filter(({ disabled, direction }) => disabled !== true && direction !== "EGRESS")
    .filter(({ network }) => networks.includes(nameOf(network)))
    .filter(({ targetTags }) => targetTags === undefined || listOf(targetTags).some((tag) => tags.includes(tag)))
    .flatMap((firewall) => {
      const from = sourcesOf(firewall);
      const ruled = (specs: unknown, lets: boolean) =>
        recordsOf(specs)
          .flatMap(portsOf)
          .map((spec) => ({ priority: Number(firewall.priority ?? GCP_PRIORITY), rule: { lets, from, ...spec } }));
      return [...ruled(firewall.denies, false), ...ruled(firewall.allows, true)];
    })
    .sort((a, b) => a.priority - b.priority || Number(a.rule.lets) - Number(b.rule.lets))
    .map(({ rule }) => rule);
}

/** A network is known by its name as well as by its id. */
function nameOf(network: unknown): string {
  return String(network).split("/").at(-1) ?? "";
}

/** A rule that names no source of any kind is about everybody. Tags and service accounts of senders are nobody here. */
function sourcesOf({ sourceRanges, sourceTags, sourceServiceAccounts }: Inputs): string[] {
  const isForAll = [sourceRanges, sourceTags, sourceServiceAccounts].every((sources) => listOf(sources).length === 0);
  const ranges = isForAll ? anybody : listOf(sourceRanges).map(String);
  return ranges.filter((network) => !network.includes(":"));
}

/** Of "1000-2000" and "22" each by itself. */
function portsOf({ protocol, ports }: Inputs): Pick<Rule, "protocol" | "ports">[] {
  const ranges = ports === undefined ? [ANY_PORT] : listOf(ports).map((range) => rangeOf(String(range)));
  return ranges.map((range) => ({ protocol: String(protocol), ports: range }));
}

function rangeOf(text: string): readonly [number, number] {
  const [first = "", last = first] = text.split("-");
  return [Number(first), Number(last)];
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

const recordsOf = (value: unknown) => listOf(value) as Inputs[];
