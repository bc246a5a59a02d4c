import { SecurityGroup } from "@pulumi/aws/ec2/securityGroup";
import * as pulumi from "@pulumi/pulumi";
import { type Opening, openings } from "../cloud/access";
import type { AwsHostArgs } from "./args";

const ANYWHERE = { cidrBlocks: ["0.0.0.0/0"], ipv6CidrBlocks: ["::/0"] };

/**
 * The security group of one host, unless the user's own groups are to do alone. Its rules are part of it, so that a rule
 * that somebody added by hand is shown, and taken away.
 */
export function securityGroups(
  name: string,
  args: AwsHostArgs,
  tags: pulumi.Input<Record<string, pulumi.Input<string>>>,
  parent: pulumi.Resource,
): pulumi.Output<string[]> {
  const { securityGroupIds = [] } = args;
  const ingress = openings(args).flatMap(rules);
  if (ingress.length === 0) {
    return pulumi.output(securityGroupIds);
  }
  const group = new SecurityGroup(
    `${name}-access`,
    {
      description: "SSH and time for one host of an experiment",
      region: args.region,
      vpcId: args.vpcId,
      ingress,
      egress: [{ ...ANYWHERE, protocol: "-1", fromPort: 0, toPort: 0, description: "packages, time sources" }],
      tags,
    },
    { parent },
  );
  return pulumi.all([group.id, securityGroupIds]).apply(([own, others]) => [own, ...others]);
}

/** One rule for each port. Which networks are IPv6 shows when they are known; a list may be empty, both cannot. */
function rules({ from, protocol, ports, description }: Opening) {
  const networks = pulumi.all(from);
  return ports.map((port) => ({
    protocol,
    fromPort: port,
    toPort: port,
    description,
    cidrBlocks: networks.apply((known) => known.filter((network) => !network.includes(":"))),
    ipv6CidrBlocks: networks.apply((known) => known.filter((network) => network.includes(":"))),
  }));
}
