import { describe, expect, test } from "vitest";
import { RESOURCES } from "../../rig/cloud/resources";
import { AWS_HOST, AWS_IMAGES, AWS_NETWORK, AWS_SPOT, asked, on, others, vpcOf } from "./support/awsCalls";
import { rowsOf } from "./support/calls";
import { blocksOf, guideOf } from "./support/guides";
import { allows, type Context, listOf, narrowed, type Request, type Statement, widened } from "./support/iam";

// Who may do what in Amazon's cloud, by the policies of its guide: all that the provider calls, and nothing else.

/** The policy of hosts, then the one of the network that they may be in. */
const policies = blocksOf("aws", "json").map((block) => (JSON.parse(block) as { Statement: Statement[] }).Statement);
const [ofHosts = [], ofNetwork = []] = policies;
const both = [...ofHosts, ...ofNetwork];

const callsOfHosts: [string, Request][] = [
  ...rowsOf(AWS_HOST),
  ...AWS_IMAGES.map((call): [string, Request] => ["newest image", call]),
];
const callsOfNetwork = rowsOf(AWS_NETWORK);

test("the tables have every type of resource, and each property of it that changes in place", () => {
  const tables = { ...AWS_HOST, ...AWS_NETWORK };
  const types = Object.keys(RESOURCES).filter((type) => type.startsWith("aws:"));
  expect(Object.keys(tables).sort()).toEqual(types.sort());
  for (const type of types) {
    expect([type, Object.keys(tables[type]?.update ?? {}).sort()]).toEqual([
      type,
      [...(RESOURCES[type]?.updates ?? [])].sort(),
    ]);
  }
});

const words = ([of, { action, resource, context }]: [string, Request]) =>
  `${of}: ${action} of ${resource.replace(/.*:/, "")} ${JSON.stringify(context)}`;

describe.each([
  ["hosts", callsOfHosts, ofHosts, [] as Statement[]],
  ["a network", callsOfNetwork, ofNetwork, ofHosts],
])("the policy of %s", (_, calls, policy, besides) => {
  const isEnough = (statements: Statement[]) => calls.every(([, call]) => allows([...statements, ...besides], call));

  test.each(calls.map((row) => [words(row), row[1]] as const))("allows %s", (_, call) => {
    expect(allows([...policy, ...besides], call)).toBe(true);
  });

  test.each(narrowed(policy))("has nothing that is not needed: %s", (_, less) => {
    expect(isEnough(less)).toBe(false);
  });
});

describe("what nobody may", () => {
  const stolen = { "aws:RequestTag/project": "payroll" };
  const FORBIDDEN: [string, string, Context][] = [
    ["RunInstances", "instance", {}],
    ["CreateSecurityGroup", "security-group", {}],
    ["CreatePlacementGroup", "placement-group", {}],
    ["CreateTags", "instance", asked],
    ["CreateTags", "volume", stolen],
    ["CreateTags", "volume", { ...asked, ...others }],
    ["ModifyVolume", "volume", {}],
    ["ModifyNetworkInterfaceAttribute", "network-interface", vpcOf("theirs")],
    ["ModifyNetworkInterfaceAttribute", "security-group", others],
    ["TerminateInstances", "instance", others],
    ["TerminateInstances", "instance", {}],
    ["AuthorizeSecurityGroupIngress", "security-group", {}],
    ["DeleteSecurityGroup", "security-group", others],
    ["CreateVpc", "vpc", {}],
    ["CreateSubnet", "vpc", others],
    ["CreateInternetGateway", "internet-gateway", {}],
    ["CreateTags", "subnet", asked],
    ["AttachInternetGateway", "vpc", others],
    ["DetachInternetGateway", "vpc", {}],
    ["DeleteVpc", "vpc", {}],
    ["CreateRoute", "route-table", others],
    ["CreateTags", "route-table", stolen],
    ["CreateTags", "route-table", { ...asked, ...others }],
    ["DeleteRoute", "route-table", {}],
  ];
  const forbidden: Request[] = [
    ...FORBIDDEN.map((row) => on(...row)),
    { action: "ssm:GetParameter", resource: "arn:aws:ssm:eu-north-1:111122223333:parameter/of/ours", context: {} },
  ];

  test.each(forbidden.map((request) => [words(["not", request]), request] as const))("%s", (_, request) => {
    expect(allows(both, request)).toBe(false);
    // Nor because it is not named at all.
    expect([...callsOfHosts, ...callsOfNetwork].map(([, { action }]) => action)).toContain(request.action);
  });

  test.each(widened(both))("is kept by every limit: %s", (_, wider) => {
    expect(forbidden.filter((request) => allows(wider, request))).not.toEqual([]);
  });

  test("without a condition nothing may be done but looking, and what a machine is made of", () => {
    const free = both.filter(({ Condition }) => Condition === undefined).flatMap(({ Action }) => listOf(Action));
    const doing = free.filter((action) => !/^ec2:Describe|^ssm:GetParameter$/.test(action));
    expect(doing).toEqual(["ec2:RunInstances", "ec2:CreateSecurityGroup"]);
  });
});

test("spot takes what the guide names besides", () => {
  const [, named = ""] = /^With `spot` also (.*?), and/ms.exec(guideOf("aws")) ?? [];
  expect([...named.matchAll(/`(.*?)`/g)].map(([, call]) => call)).toEqual(AWS_SPOT);
});

test("the policies fit as managed ones, and the first does not inline", () => {
  const sizes = blocksOf("aws", "json").map((block) => block.replaceAll(/\s/g, "").length);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(6144);
  expect(sizes[0]).toBeGreaterThan(2048);
});

// With more, the program of any pull request could read what machines were told: their host keys.
test("a preview's role finds images, and reads no machine", () => {
  const recommended = /In AWS that is the statement\s`(\w+)` of \[Amazon's policy\]/.exec(guideOf("preview"))?.[1];
  const statements = both.filter(({ Sid }) => Sid === recommended);
  expect(statements.flatMap(({ Action }) => listOf(Action))).toEqual(["ssm:GetParameter"]);
  expect(AWS_IMAGES.filter((call) => !allows(statements, call))).toEqual([]);
});
