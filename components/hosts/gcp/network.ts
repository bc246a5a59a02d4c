import { Firewall, type FirewallArgs } from "@pulumi/gcp/compute/firewall";
import * as pulumi from "@pulumi/pulumi";
import { shortHash } from "../../shortHash";
import { openings } from "../cloud/access";
import type { GcpHostArgs } from "./args";

/** Before the rules that users make, which have 1000 when they state nothing. */
const ALLOW_PRIORITY = 900;
/** After those, but before the 65534 of the rules in a project's default network, which let everybody log in. */
const DENY_PRIORITY = 65_000;

const EVERYBODY = "0.0.0.0/0";

/** What the host's firewall rules apply to: no other stack's host has it. */
function tagOf(name: string): string {
  const owner = `${pulumi.getProject()}/${pulumi.getStack()}/${name}`;
  return `timebase-${shortHash(owner)}`;
}

/**
 * The project that a network's self link names. With Shared VPC it is not the machine's, and only it can have the rules. That
 * also counts where it is named by its number, which Google takes for a project as well: whose it is, nobody sees.
 */
function projectOf(network: string): string | undefined {
  return /(?:^|\/)projects\/([^/]+)\/global\/networks\//.exec(network)?.[1];
}

/** Makes the firewall rules of one host, unless the user's own are to do alone. Returns the machine's network tags. */
export function networkTags(
  name: string,
  args: GcpHostArgs,
  network: pulumi.Input<string>,
  parent: pulumi.Resource,
): pulumi.Output<string[]> {
  const open = openings(args);
  const others = args.networkTags ?? [];
  if (open.length === 0) {
    return pulumi.output(others);
  }
  const targetTags = [tagOf(name)];
  const common = { network, project: pulumi.output(network).apply(projectOf), direction: "INGRESS", targetTags };
  const rule = (suffix: string, more: Partial<FirewallArgs>) =>
    new Firewall(`${name}-${suffix}`, { ...common, ...more }, { parent });
  for (const { name: suffix, from, protocol, ports } of open) {
    const allows = [{ protocol, ports: ports.map(String) }];
    rule(suffix, { priority: ALLOW_PRIORITY, sourceRanges: from, allows });
  }
  rule("deny", { priority: DENY_PRIORITY, sourceRanges: [EVERYBODY], denies: [{ protocol: "all" }] });
  return pulumi.output(others).apply((known) => [...targetTags, ...known]);
}
