import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { isInstance } from "../../rig/cloud-provider/instance";
import { argumentsOf } from "../../rig/cloud-provider/sdk";
import type { Shape } from "../../rig/plugin/shape";
import type { Preview, PreviewedResource } from "../../rig/preview/preview";
import { exampleFolder, exampleNames, STORIES } from "../../rig/preview/stories";
import { openPorts } from "./openPorts";
import { type Ended, run } from "./previewOffline";

// The examples, previewed without an account or a network, and what is asked of the program in vain.

const ended = new Map<string, Promise<Ended>>();
/** The same program is started once for all that is asked of it. */
function once(...args: string[]): Promise<Ended> {
  const key = args.join(" ");
  const running = ended.get(key) ?? run(...args);
  ended.set(key, running);
  return running;
}

const HOSTS: Readonly<Record<string, string[]>> = {
  "aws-amazon-linux-2": ["server-1", "server-2"],
  "aws-cluster": ["server-1", "server-2"],
  celestial: ["celestial-1", "celestial-2"],
  "existing-hosts": ["rack-1", "rack-2", "rack-3"],
  "gcp-cluster": ["server-1", "server-2"],
  "in-your-stack": ["worker"],
  "two-clouds": ["aws-1", "aws-2", "gcp-1", "gcp-2"],
};

const programOf = (example: string) => readFileSync(join(exampleFolder(example), "index.ts"), "utf8");

const SSH_FROM = "203.0.113.7/32";

/** vCPUs that a new account may have, as docs/aws.md and docs/gcp.md tell: of C3 in Google's free trial, of all series. */
const QUOTAS: Readonly<Record<string, number>> = { standard: 5, c3: 12, n2: 8 };
const VCPUS: Readonly<Record<string, { quota: string; each: number }>> = {
  "m8i.large": { quota: "standard", each: 2 },
  "c3-standard-4": { quota: "c3", each: 4 },
  "n2-standard-4": { quota: "n2", each: 4 },
};

/** What the ports of a rule are open to: `tcp 22 from 203.0.113.7/32`. Of AWS and of Google Cloud alike. */
function openings(resource: PreviewedResource): string[] {
  // biome-ignore lint/suspicious/noExplicitAny: inputs are whatever the program gave
  const inputs: Record<string, any> = resource.inputs;
  switch (resource.type) {
    case "aws:ec2/securityGroup:SecurityGroup":
      return inputs.ingress.flatMap((rule: Rule) =>
        [...rule.cidrBlocks, ...rule.ipv6CidrBlocks].map(
          (from) => `${rule.protocol} ${[...new Set([rule.fromPort, rule.toPort])].join("-")} from ${from}`,
        ),
      );
    case "gcp:compute/firewall:Firewall":
      return (inputs.allows ?? []).flatMap(({ protocol, ports = ["any"] }: Allow) =>
        ports.flatMap((port) => inputs.sourceRanges.map((from: string) => `${protocol} ${port} from ${from}`)),
      );
    default:
      return [];
  }
}

interface Rule {
  protocol: string;
  fromPort: number;
  toPort: number;
  cidrBlocks: string[];
  ipv6CidrBlocks: string[];
}

interface Allow {
  protocol: string;
  ports?: string[];
}

/** What is the user's own word, an address, or what something else is called. */
const FREE =
  /^(ami|image|description|tags|labels|metadata|userData|network|subnetwork|placementGroup|ports|project|region|zone|.*(Ids?|[cC]idrBlocks?|CidrRange|Ranges|Tags))$/;

/** Texts of which nobody has said what their cloud takes: the stand-ins would take any. */
function unlisted(shape: Shape, inputs: object, path = ""): string[] {
  return Object.entries(inputs).flatMap(([name, value]) => {
    const { kind, oneOf } = shape[name] ?? { kind: "anything" };
    if (FREE.test(name) || oneOf !== undefined) return [];
    if (typeof kind !== "string") return [value].flat().flatMap((item) => unlisted(kind, item, `${path}${name}.`));
    return ["string", "anything"].includes(kind) ? [path + name] : [];
  });
}

/** All that is open, beyond SSH from where the user is. */
const OPEN: Readonly<Record<string, string[]>> = {
  "gcp-cluster": ["udp 123 from 10.41.0.0/24"],
  celestial: [
    "icmp any from 10.42.0.0/24",
    `tcp 1969 from ${SSH_FROM}`,
    "udp 123 from 10.42.0.0/24",
    "udp 1970 from 10.42.0.0/24",
  ],
};

// A self link has the project in it, and the rules go where their network is.
test("what is in Google Cloud is in the configured project", async () => {
  const projects = async (...args: string[]) => {
    const { resources } = JSON.parse((await once("gcp-cluster", "--json", ...args)).stdout) as Preview;
    return new Set(resources.map(({ inputs }) => inputs.project).filter(Boolean));
  };
  expect(await projects()).toEqual(new Set(["my-project"]));
  expect(await projects("--config", "gcp:project=foo-bar")).toEqual(new Set(["foo-bar"]));
});

test("every example has a configuration, and is tested here", () => {
  expect(exampleNames()).toEqual(Object.keys(STORIES).sort());
  expect(exampleNames()).toEqual(Object.keys(HOSTS));
});

describe.each(Object.keys(HOSTS))("%s", (example) => {
  let told: Ended;
  let preview: Preview;
  const ofType = (pattern: RegExp) => preview.resources.filter(({ type }) => pattern.test(type));

  beforeAll(async () => {
    told = await once(example, "--json");
    expect([told.code, told.stderr]).toEqual([0, ""]);
    preview = JSON.parse(told.stdout);
  });

  test("is what its folder says, and needs the public API only", () => {
    const folder = exampleFolder(example);
    expect(readFileSync(join(folder, "Pulumi.yaml"), "utf8")).toMatch(new RegExp(`^name: ${example}$`, "m"));
    const imports = [...programOf(example).matchAll(/from "([^"]+)"/g)].map(([, from]) => from);
    expect(
      imports.filter(
        (from) => !/^(@pulumi\/[a-z]+(\/[a-z0-9]+)?|node:[a-z]+|\.\.\/\.\.\/components)$/.test(from ?? ""),
      ),
    ).toEqual([]);
  });

  test("tells what to set, what it costs, how to remove it, and what a copy imports", () => {
    const readme = readFileSync(join(exampleFolder(example), "README.md"), "utf8");
    const set = [...readme.matchAll(/^pulumi config set (?:--\w+ )*'?([\w:]+)/gm)].map(([, key]) => key);
    expect(set).toEqual(
      expect.arrayContaining(Object.keys(STORIES[example]?.({ publicKey: "", privateKey: "" }) ?? {})),
    );
    expect(readme).toMatch(/^It (costs some \$[\d.]+ an hour|makes nothing that costs)\b/m);
    expect(readme).toMatch(/^pulumi destroy +# /m);
    expect(readme).toContain('import from `"pulumi-timebase"` instead of `"../../components"`');
  });

  test("has the plan of each host", () => {
    expect(preview.hosts.map(({ name }) => name)).toEqual(HOSTS[example]);
    for (const { name, plan, mayReboot, reboot } of preview.hosts) {
      expect(plan).toMatch(/^timebase-plan=1\nowner=/);
      expect(plan).toContain(`\nhost=${name}\n`);
      expect(mayReboot).toBe(!plan?.includes("\nreboot=never\n"));
      expect(reboot).toMatch(mayReboot ? /^\S+: may reboot once if / : /^\S+: never reboots$/);
    }
  });

  test("lets nobody in but the user, and the time in from the cluster only", () => {
    const open = new Set(preview.resources.flatMap(openings));
    const ssh = ofType(/^timebase:index:(Aws|Gcp)Host$/).length > 0 ? [`tcp 22 from ${SSH_FROM}`] : [];
    expect([...open].sort()).toEqual([...ssh, ...(OPEN[example] ?? [])].sort());
    expect([...open].filter((opening) => /0\.0\.0\.0\/0|::\/0/.test(opening))).toEqual([]);
  });

  test("has no port of a machine open to a stranger, whatever its network brings", () => {
    const entries = preview.resources.map(({ type, name, inputs }) => ({ type, name, properties: inputs }));
    const resources = Object.fromEntries(entries.map((entry) => [`<${entry.name}.id>`, entry]));
    const [you = ""] = SSH_FROM.split("/");
    for (const instance of entries.filter(({ type }) => isInstance(type))) {
      expect(openPorts(instance, resources, you), instance.name).toContain("tcp 22");
      expect(openPorts(instance, resources, "198.51.100.7"), instance.name).toEqual([]);
    }
  });

  test("gives its cloud no text that the stand-ins take just because it is one", () => {
    for (const { type, inputs } of ofType(/^(aws|gcp|tls):/))
      expect(unlisted(argumentsOf(type), inputs), type).toEqual([]);
  });

  test("makes no more than a new account may have, by the quotas of the guides", () => {
    const vcpus: Record<string, number> = {};
    for (const { inputs } of preview.resources.filter(({ type }) => isInstance(type))) {
      const { quota, each } = VCPUS[String(inputs.instanceType ?? inputs.machineType)] ?? { quota: "unknown", each: 0 };
      vcpus[quota] = (vcpus[quota] ?? 0) + each;
    }
    for (const [quota, sum] of Object.entries(vcpus)) expect(sum, quota).toBeLessThanOrEqual(QUOTAS[quota] ?? -1);
  });

  test("makes only machines whose metadata and disks are closed", () => {
    const aws = ofType(/^aws:ec2\/instance:Instance$/);
    expect(aws.length + ofType(/^gcp:compute\/instance:Instance$/).length).toBe(
      ofType(/^timebase:index:(Aws|Gcp)Host$/).length,
    );
    for (const { inputs } of aws) {
      expect(inputs.metadataOptions).toMatchObject({ httpTokens: "required", httpPutResponseHopLimit: 1 });
      expect(inputs.rootBlockDevice).toMatchObject({ encrypted: true });
      expect(inputs.userData).toBe("[secret]");
    }
    for (const { inputs } of ofType(/^gcp:compute\/instance:Instance$/)) {
      expect(inputs.shieldedInstanceConfig).toMatchObject({ enableSecureBoot: true });
      expect(inputs.metadata).toBe("[secret]");
      expect(inputs.serviceAccount).toBeUndefined();
    }
  });

  test("shows no secret, and nothing that was made up", () => {
    const connections = ofType(/^command:remote:/).map(({ inputs }) => inputs.connection);
    expect(connections.length).toBeGreaterThan(0);
    expect(new Set(connections)).toEqual(new Set(["[secret]"]));
    expect(told.stdout).not.toMatch(/PRIVATE KEY|198\.18\.|\b(i|ami|sg|vpc|subnet)-[0-9a-f]{8,}/);
  });
});

const plansOf = async (...args: string[]) =>
  (JSON.parse((await once(...args, "--json")).stdout) as Preview).hosts.map(({ plan }) => plan ?? "");

describe("what the stories promise", () => {
  test("each host in AWS follows the hardware's clock where there is one", async () => {
    for (const plan of await plansOf("aws-cluster")) {
      expect(plan).toContain("\ntime-source=auto\n");
      expect(plan).toContain("\nboot-parameter=ena.phc_enable=1\n");
    }
  });

  test.each([
    [[], "m8i.large", 0],
    [["--config", "phc=required"], "m7i.large", 2],
    [["--config", "instanceType=m7i.metal-24xl"], "m7i.metal-24xl", 2],
    [["--config", "instanceType=m7i.metal-24xl", "--config", "phc=none"], "m7i.metal-24xl", 0],
  ])("the hardware's clock in AWS costs no launch unless asked for: %j", async (args, type, groups) => {
    const { resources } = JSON.parse((await once("aws-cluster", "--json", ...args)).stdout) as Preview;
    const instances = resources.filter((resource) => isInstance(resource.type));
    expect(instances.map(({ inputs }) => inputs.instanceType)).toEqual([type, type]);
    expect(resources.filter((it) => it.type === "aws:ec2/placementGroup:PlacementGroup")).toHaveLength(groups);
  });

  test("Google's first host serves the others, by addresses that are not known yet", async () => {
    const [hub, ...clients] = await plansOf("gcp-cluster");
    expect(hub).toMatch(/\ntime-role=hub\ntime-source=gcp-ntp\ntime-allow=10\.41\.0\.0\/24\n/);
    for (const client of clients)
      expect(client).toContain("\ntime-source=server <server-1-instance.networkIp> iburst ");
  });

  test("both clouds are on one timescale, each by its own service", async () => {
    for (const plan of await plansOf("two-clouds")) {
      expect(plan).toContain("\ntime-source=aws-ntp\ntime-source=gcp-ntp\ntimescale=utc\n");
    }
  });

  // A region of the program's own would not be where its provider is told to be.
  test("Amazon's hosts of both clouds are in the region that is set, and those of a cluster in its zone", async () => {
    const inputsOf = async (type: string, ...args: string[]) =>
      (JSON.parse((await once(...args, "--json")).stdout) as Preview).resources
        .filter((resource) => resource.type === type)
        .map(({ inputs }) => [inputs.region, inputs.availabilityZone]);
    expect(await inputsOf("aws:ec2/instance:Instance", "two-clouds")).toEqual(Array(2).fill([undefined, undefined]));
    expect(await inputsOf("aws:ec2/subnet:Subnet", "aws-cluster", "--config", "zone=eu-central-1b")).toEqual([
      [undefined, "eu-central-1b"],
    ]);
  });

  test("Amazon Linux 2 is declared, so that another system refuses the plan", async () => {
    for (const plan of await plansOf("aws-amazon-linux-2")) expect(plan).toContain("\nos=amazon-linux-2\n");
  });

  test("Celestial's hosts must give their microVMs a clock", async () => {
    for (const plan of await plansOf("celestial")) expect(plan).toContain("\nguest-ptp=required\n");
  });

  test("another value of the configuration is another plan", async () => {
    const plans = await plansOf("gcp-cluster", "--config", "hosts=5", "--config", "maxErrorMicros=250");
    expect(plans).toHaveLength(5);
    expect(plans[4]).toContain("\ntime-max-error-ns=250000\n");
  });
});

// Pulumi reads a number as far as it is one (getNumber): that would be a budget of 50 us.
test.each(exampleNames())("%s takes no budget of 50ms", async (name) => {
  const { code, stderr } = await run(name, "--config", "maxErrorMicros=50ms");
  expect([code, stderr]).toEqual([1, expect.stringContaining(":maxErrorMicros' value '50ms' is not a valid")]);
});

test("is the same each time, so that two of them can be compared", async () => {
  expect((await run("celestial", "--json")).stdout).toBe((await once("celestial", "--json")).stdout);
});

// A shell that completes a name puts a slash behind it.
test.each(["examples/gcp-cluster", "gcp-cluster/"])("an example by %s is the example", async (wanted) => {
  expect((await run(wanted, "--json")).stdout).toBe((await once("gcp-cluster", "--json")).stdout);
});

test("is for people without --json: every resource, every plan, every reboot", async () => {
  const { stdout } = await run("gcp-cluster", "--config", "sshFrom=198.51.100.0/24");
  // What the user gave is not made up.
  expect(stdout).toContain("\nMade up, until you give yours by --config or --stack: gcp:project=my-project\n");
  expect(stdout).toContain("\n  subnet (gcp:compute/subnetwork:Subnetwork)\n      ipCidrRange: 10.41.0.0/24\n");
  expect(stdout).toContain("\n2 hosts:\n  server-1\n      server-1: may reboot once if ");
  expect(stdout).toContain("\n        time-source=server <server-1-instance.networkIp> iburst");
});

describe("a wrong word", () => {
  test.each([
    [["aws-clutser"], 'there is no example "aws-clutser": did you mean aws-cluster?'],
    [
      ["kubernetes-operator"],
      'there is no example "kubernetes-operator" (a folder is given as ./kubernetes-operator)\n',
    ],
    [["celestial", "two-clouds"], "one example at a time, not also two-clouds"],
    [["celestial", "--config", "sshFrom"], "--config sshFrom must be key=value"],
    [["celestial", "--jsno"], "Unknown option '--jsno'"],
    [["./examples"], "examples has no Pulumi.yaml: give the folder of a Pulumi program"],
    [["celestial", "--config", "hosst=5"], "--config hosst: the program asked for no such key: did you mean hosts?\n"],
    [
      ["aws-cluster", "--config", "aws-cluster:hots=2"],
      "--config hots: the program asked for no such key: did you mean hosts?",
    ],
    [["gcp-cluster", "--config", "hosts=3abc"], "hosts: must have at least one host"],
    [["gcp-cluster", "--config", "hosts=-1"], "hosts: must have at least one host"],
    [["celestial", "--config", "sshFrom=203.0.113.7"], "sshFrom[0]: must end in a prefix length"],
  ])("%s", async (args, reason) => {
    const { code, stdout, stderr } = await run(...args);
    expect(stderr).toContain(reason);
    expect([code, stdout]).toEqual([1, ""]);
  });

  test("none is answered with the list", async () => {
    const { code, stdout } = await run();
    expect(stdout).toContain(`Examples: ${exampleNames().join(", ")}\n`);
    expect([code, (await run("--help")).stdout]).toEqual([0, stdout]);
  });
});
