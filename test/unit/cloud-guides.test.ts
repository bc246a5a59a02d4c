import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { AS_OF as AWS_AS_OF, FAMILIES, PHC_REGIONS } from "../../components/hosts/aws/capabilities";
import { IMAGES } from "../../components/hosts/aws/image";
import { AS_OF as GCP_AS_OF, SERIES } from "../../components/hosts/gcp/capabilities";
import { connectionTo } from "../../components/remote/connection";
import { dialErrorLimit, PER_DIAL_TIMEOUT_SECONDS } from "../../components/remote/dial";
import { RESOURCES } from "../../rig/cloud/resources";
import { exampleFolder, exampleNames } from "../../rig/preview/stories";
import { HOST_KEY, PRIVATE_KEY } from "./support/keys";

// What the guides of the clouds tell whoever has an account: who may do what, and which machines can do what.

const guideOf = (name: string) => readFileSync(join(resolve(__dirname, "../.."), "docs", `${name}.md`), "utf8");
const blocksOf = (guide: string, language: string) =>
  [...guideOf(guide).matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, "gs"))].map(([, block = ""]) => block);

type Context = Readonly<Record<string, string>>;

interface Statement {
  Sid: string;
  Action: string | string[];
  Resource?: string | string[];
  NotResource?: string | string[];
  Condition?: Record<string, Record<string, string | string[]>>;
}

/** The policy of hosts, then the one of the network that they may be in. */
const policiesOf = (guide: string) =>
  blocksOf(guide, "json").map((block) => (JSON.parse(block) as { Statement: Statement[] }).Statement);

const listOf = (value: string | string[] = []) => [value].flat();
/** Of patterns with nothing special but asterisks. */
const fits = (pattern: string, text: string) => new RegExp(`^${pattern.replaceAll("*", ".*")}$`).test(text);

const isOneOf = (found: string | undefined, wanted: string[]) => found !== undefined && wanted.includes(found);
const OPERATORS: Readonly<Record<string, (found: string | undefined, wanted: string[]) => boolean>> = {
  StringEquals: isOneOf,
  ArnEquals: isOneOf,
  Null: (found, [wanted]) => String(found === undefined) === wanted,
};

/** Whether a policy lets something be done: as IAM decides where nothing is denied. */
function allows(statements: Statement[], action: string, resource: string, context: Context): boolean {
  return statements.some(({ Action, Resource, NotResource, Condition = {} }) => {
    const isAbout =
      Resource === undefined
        ? !listOf(NotResource).some((it) => fits(it, resource))
        : listOf(Resource).some((it) => fits(it, resource));
    const holds = Object.entries(Condition).every(([operator, keys]) =>
      Object.entries(keys).every(([key, wanted]) => OPERATORS[operator]?.(context[key], listOf(wanted))),
    );
    return listOf(Action).includes(action) && isAbout && holds;
  });
}

describe("Amazon's policy", () => {
  const vpc = (id: string) => `arn:aws:ec2:<region>:<account>:vpc/${id}`;
  const [ofHosts = [], ofNetwork = []] = policiesOf("aws");
  const Statement = [...ofHosts, ...ofNetwork];
  const asked = { "aws:RequestTag/project": "experiment" };
  const ours = { "aws:ResourceTag/project": "experiment" };
  const others = { "aws:ResourceTag/project": "payroll" };

  test.each<[string, string, Context, boolean]>([
    ["RunInstances", "instance", asked, true],
    ["RunInstances", "instance", {}, false],
    ["RunInstances", "network-interface", {}, true],
    ["RunInstances", "volume", {}, true],
    ["CreateSecurityGroup", "security-group", asked, true],
    ["CreateSecurityGroup", "security-group", {}, false],
    ["CreateSecurityGroup", "vpc", {}, true],
    ["CreatePlacementGroup", "placement-group", asked, true],
    ["CreateTags", "instance", { ...asked, "ec2:CreateAction": "RunInstances" }, true],
    // The provider tags a disk once the machine is there.
    ["CreateTags", "volume", asked, true],
    ["CreateTags", "volume", { "aws:RequestTag/project": "payroll" }, false],
    ["CreateTags", "volume", { ...asked, ...others }, false],
    ["CreateTags", "instance", asked, false],
    ["ModifyVolume", "volume", ours, true],
    ["ModifyVolume", "volume", {}, false],
    // And it never tags a network interface.
    ["ModifyNetworkInterfaceAttribute", "network-interface", { "ec2:Vpc": vpc("<vpc>") }, true],
    ["ModifyNetworkInterfaceAttribute", "network-interface", { "ec2:Vpc": vpc("theirs") }, false],
    ["ModifyNetworkInterfaceAttribute", "security-group", ours, true],
    ["ModifyNetworkInterfaceAttribute", "security-group", others, false],
    ["ModifyInstanceAttribute", "instance", ours, true],
    ["TerminateInstances", "instance", ours, true],
    ["TerminateInstances", "instance", others, false],
    ["TerminateInstances", "instance", {}, false],
    ["AuthorizeSecurityGroupIngress", "security-group", {}, false],
    ["DeleteSecurityGroup", "security-group", ours, true],
    ["CreateVpc", "vpc", asked, true],
    ["CreateVpc", "vpc", {}, false],
    ["CreateSubnet", "subnet", asked, true],
    // In a VPC, too, and not in one of others.
    ["CreateSubnet", "vpc", ours, true],
    ["CreateSubnet", "vpc", others, false],
    ["CreateInternetGateway", "internet-gateway", {}, false],
    ["CreateTags", "subnet", { ...asked, "ec2:CreateAction": "CreateSubnet" }, true],
    ["AttachInternetGateway", "vpc", ours, true],
    ["AttachInternetGateway", "vpc", others, false],
    ["DetachInternetGateway", "vpc", {}, false],
    ["DeleteVpc", "vpc", {}, false],
    // The provider gives a VPC's own table its route, and then its tag.
    ["CreateRoute", "route-table", {}, true],
    ["CreateRoute", "route-table", ours, true],
    ["CreateRoute", "route-table", others, false],
    ["CreateTags", "route-table", asked, true],
    ["CreateTags", "route-table", { ...asked, ...others }, false],
    ["DeleteRoute", "route-table", {}, false],
  ])("%s of a %s in %j: %s", (action, kind, context, expected) => {
    const resource = `arn:aws:ec2:eu-north-1:111122223333:${kind}/x`;
    expect(allows(Statement, `ec2:${action}`, resource, context)).toBe(expected);
  });

  test("lets nothing be done without a condition but looking, and what a machine is made of", () => {
    const free = Statement.filter(({ Condition }) => Condition === undefined).flatMap(({ Action }) => listOf(Action));
    const doing = free.filter((action) => !/^ec2:Describe|^ssm:GetParameter$/.test(action));
    expect(doing).toEqual(["ec2:RunInstances", "ec2:CreateSecurityGroup"]);
  });

  /** What the provider calls to make, to read and to end a network: terraform-provider-aws, internal/service/ec2/vpc_*.go. */
  const CALLS_OF_A_NETWORK: Readonly<Record<string, string[]>> = {
    vpc: [
      ...["CreateVpc", "DescribeVpcs", "DescribeVpcAttribute", "DescribeNetworkAcls", "DescribeRouteTables"],
      ...["DescribeSecurityGroups", "DeleteVpc"],
    ],
    internetGateway: [
      ...["CreateInternetGateway", "AttachInternetGateway", "DescribeInternetGateways"],
      ...["DetachInternetGateway", "DeleteInternetGateway"],
    ],
    // It stays until its VPC goes.
    defaultRouteTable: ["DescribeRouteTables", "CreateRoute", "CreateTags"],
    subnet: ["CreateSubnet", "DescribeSubnets", "DescribeNetworkInterfaces", "DeleteSubnet"],
  };

  test("has all that the network of an example calls", () => {
    const types = Object.keys(RESOURCES).map((type) => /^aws:ec2\/(\w+):/.exec(type)?.[1]);
    const ofHost = ["instance", "securityGroup", "placementGroup"];
    expect(types.filter((type) => type && !ofHost.includes(type)).sort()).toEqual(
      Object.keys(CALLS_OF_A_NETWORK).sort(),
    );
    const allowed = Statement.flatMap(({ Action }) => listOf(Action));
    const called = Object.values(CALLS_OF_A_NETWORK).flat();
    expect(called.filter((call) => !allowed.includes(`ec2:${call}`))).toEqual([]);
  });
});

test("Amazon's policies fit as managed ones, and the first does not inline", () => {
  const sizes = blocksOf("aws", "json").map((block) => block.replaceAll(/\s/g, "").length);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(6144);
  expect(sizes[0]).toBeGreaterThan(2048);
});

describe("the way to log in", () => {
  const endpoint = {
    name: "server-1",
    address: "192.0.2.11",
    port: 22,
    user: "ubuntu",
    privateKey: PRIVATE_KEY,
    hostKey: HOST_KEY,
    privateAddress: "10.0.0.11",
    proxy: { address: "bastion", port: 2222, user: "jump", hostKey: HOST_KEY },
  };
  /** Of another cluster's host, too, that has the same name. */
  const users: Record<string, string> = { "other-server-1-toolkit": "other", "cluster-server-1-toolkit": "ubuntu" };
  /** What `pulumi` prints: outputs, and the state with what is secret as the engine exports it (3.259). */
  const printed = {
    output: { "server-1": endpoint },
    export: {
      deployment: {
        resources: Object.keys(users).map((name) => ({
          urn: `urn:pulumi:dev::mine::timebase:index:HostClock$command:remote:CopyToRemote::${name}`,
          inputs: {
            connection: {
              "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
              plaintext: JSON.stringify(connectionTo({ ...endpoint, user: users[name] ?? "" }, 60)),
            },
          },
        })),
      },
    },
  };
  const blockWith = (command: string) =>
    guideOf("clouds")
      .split(/^```.*\n/m)
      .find((block) => block.includes(command)) ?? "";
  const byOutputs = blockWith("pulumi stack output endpoints");
  const byState = byOutputs.replace(/^pulumi .*\n/m, () => blockWith("pulumi stack export"));
  const bastion = /`-J ("[^`]*")`/.exec(guideOf("clouds"))?.[1];

  test.each([
    ["the outputs", byOutputs],
    ["the state", byState],
  ])("has from %s all that ssh needs", (_, commands) => {
    const folder = mkdtempSync(join(tmpdir(), "timebase-login-"));
    for (const [name, text] of Object.entries(printed)) writeFileSync(join(folder, name), JSON.stringify(text));
    const script = `pulumi() { cat "$2"; }\nssh() { echo "$*"; }\n${commands}\necho ${bastion}\n`;
    const said = execFileSync("sh", ["-eu", "-c", script], { cwd: folder, encoding: "utf8" });
    const [key, known] = ["key", "known"].map((kind) => readFileSync(join(folder, `server-1.${kind}`), "utf8"));
    rmSync(folder, { recursive: true });
    expect(said).toMatch(/ ubuntu@192\.0\.2\.11\njump@bastion:2222\n$/);
    expect([key?.trim(), known]).toEqual([PRIVATE_KEY.trim(), `192.0.2.11 ${HOST_KEY}\n`]);
  });

  test.each(exampleNames())("exports what is there: %s has hosts where it has a cluster", (name) => {
    const program = readFileSync(join(exampleFolder(name), "index.ts"), "utf8");
    expect(program.includes("new ExperimentCluster(")).toBe(/^const hosts = /m.test(program));
  });
});

test("a host whose packets are dropped is dialed as often and as long as is said", () => {
  const waited = 600; // the default of connectTimeoutSeconds
  const failures = dialErrorLimit(waited);
  const seconds = waited + failures * PER_DIAL_TIMEOUT_SECONDS;
  const said = guideOf("clouds").replaceAll(/\s+/g, " ");
  expect(said).toContain(`\`Dial N/${failures} failed: retrying\``);
  expect(said).toContain(`By default that takes ${Math.round(seconds / 60)} minutes.`);
});

// With more, the program of any pull request could read what machines were told: their host keys.
test("a preview's role finds images, and reads no machine", () => {
  const recommended = /In AWS that is the statement\s`(\w+)` of \[Amazon's policy\]/.exec(guideOf("preview"))?.[1];
  const statements = policiesOf("aws")
    .flat()
    .filter(({ Sid }) => Sid === recommended);
  expect(statements.flatMap(({ Action }) => listOf(Action))).toEqual(["ssm:GetParameter"]);
  for (const { parameter } of Object.values(IMAGES)) {
    expect(allows(statements, "ssm:GetParameter", `arn:aws:ssm:eu-north-1::parameter${parameter}`, {})).toBe(true);
  }
});

/** What the provider calls for a change of each property that changes in place: terraform-provider-google, 2026-08-21. */
const CALLS: Readonly<Record<string, string[]>> = {
  labels: ["instances.setLabels"],
  tags: ["instances.setTags"],
  metadata: ["instances.setMetadata"],
  deletionProtection: ["instances.setDeletionProtection"],
  scheduling: ["instances.setScheduling"],
  machineType: ["instances.stop", "instances.setMachineType", "instances.start"],
  advancedMachineFeatures: ["instances.stop", "instances.update", "instances.start"],
  canIpForward: ["instances.update"],
  shieldedInstanceConfig: ["instances.stop", "instances.updateShieldedInstanceConfig", "instances.start"],
  networkInterfaces: [
    ...["instances.deleteAccessConfig", "instances.addAccessConfig", "instances.updateNetworkInterface"],
    ...["subnetworks.get", "subnetworks.use", "subnetworks.useExternalIp"],
  ],
  bootDisk: ["disks.get", "disks.resize", "disks.setLabels"],
  // For the provider only.
  allowStoppingForUpdate: [],
};

test("Google's role has all that an update in place calls", () => {
  const { includedPermissions } = parse(blocksOf("gcp", "yaml")[0] ?? "") as { includedPermissions: string[] };
  expect(Object.keys(CALLS).sort()).toEqual([...(RESOURCES["gcp:compute/instance:Instance"]?.updates ?? [])].sort());
  const called = Object.values(CALLS).flat();
  expect(called.filter((call) => !includedPermissions.includes(`compute.${call}`))).toEqual([]);
});

describe("the tables of machines", () => {
  const yesNo = (is: boolean) => (is ? "yes" : "no");
  const named = <T>(table: Readonly<Record<string, T>>, is: (row: T) => boolean) =>
    Object.entries(table)
      .filter(([, row]) => is(row))
      .map(([name]) => name);
  const cases = [
    [true, true],
    [true, false],
    [false, true],
  ] as const;

  test.each(cases)("of Amazon's families, with nested virtualization %s and a clock %s", (nested, phc) => {
    const families = named(FAMILIES, (family) => family.nested === nested && family.phc === phc);
    expect(guideOf("aws")).toContain(`| ${families.join(", ")} | ${yesNo(nested)} | ${yesNo(phc)} |\n`);
  });

  test.each(cases)("of Google's series, with nested virtualization %s and a clock %s", (nested, ptpKvm) => {
    const series = named(SERIES, (it) => it.nested === nested && it.ptpKvm === ptpKvm);
    expect(guideOf("gcp")).toContain(`| ${series.join(", ")} | ${yesNo(nested)} | ${yesNo(ptpKvm)} |\n`);
  });

  test("of the clock without a placement group, and of the day", () => {
    const words = guideOf("aws").replaceAll(/\s+/g, " ");
    const families = named(FAMILIES, ({ phcWithoutGroup }) => phcWithoutGroup).join(", ");
    expect(words).toContain(`${families} have it without one in ${PHC_REGIONS.join(", ")}.`);
    expect(words).toContain(`as of ${AWS_AS_OF}`);
    expect(guideOf("gcp")).toContain(`as of ${GCP_AS_OF}`);
  });
});
