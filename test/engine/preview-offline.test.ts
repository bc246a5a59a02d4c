import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isInstance } from "../../rig/cloud-provider/instance";
import { argumentsOf } from "../../rig/cloud-provider/sdk";
import type { Shape } from "../../rig/plugin/shape";
import type { Preview, PreviewedResource } from "../../rig/preview/preview";
import { exampleFolder, exampleNames, STORIES } from "../../rig/preview/stories";
import { HOST_KEY, PRIVATE_KEY } from "../unit/support/keys";
import { openPorts } from "./openPorts";

// The program as a user starts it: what is on its stdout, on its stderr, and how it ends.

const root = resolve(__dirname, "../..");

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

function run(...args: string[]): Promise<Ended> {
  // Nothing of this machine that could stand for an account.
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const env = { PATH, NODE_COMPILE_CACHE, HOME: "/nonexistent", INIT_CWD: root };
  const program = ["--require", "@pulumi/pulumi", "--import", "tsx", join(root, "rig/preview.ts"), ...args];
  return new Promise((done) =>
    execFile(process.execPath, program, { cwd: root, env, maxBuffer: 2 ** 26 }, (error, stdout, stderr) =>
      done({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    ),
  );
}

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
  "aws-cluster": ["server-1", "server-2", "server-3"],
  celestial: ["celestial-1", "celestial-2"],
  "existing-hosts": ["rack-1", "rack-2", "rack-3"],
  "gcp-cluster": ["server-1", "server-2", "server-3"],
  "in-your-stack": ["worker"],
  "two-clouds": ["aws-1", "aws-2", "gcp-1", "gcp-2"],
};

const SSH_FROM = "203.0.113.7/32";

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
    const imports = [...readFileSync(join(folder, "index.ts"), "utf8").matchAll(/from "([^"]+)"/g)].map(
      ([, from]) => from,
    );
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

test("is the same each time, so that two of them can be compared", async () => {
  expect((await run("celestial", "--json")).stdout).toBe((await once("celestial", "--json")).stdout);
});

test("an example by its path is the example", async () => {
  expect((await run("examples/gcp-cluster", "--json")).stdout).toBe((await once("gcp-cluster", "--json")).stdout);
});

test("is for people without --json: every resource, every plan, every reboot", async () => {
  const { stdout } = await run("gcp-cluster", "--config", "sshFrom=198.51.100.0/24");
  // What the user gave is not made up.
  expect(stdout).toContain("\nMade up, until you give yours by --config or --stack: gcp:project=my-project\n");
  expect(stdout).toContain("\n  subnet (gcp:compute/subnetwork:Subnetwork)\n      ipCidrRange: 10.41.0.0/24\n");
  expect(stdout).toContain("\n3 hosts:\n  server-1\n      server-1: may reboot once if ");
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

describe("a program of the user's own", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "timebase-preview-"));
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function program(name: string, text: string, runtime = "nodejs"): string {
    const path = join(folder, name);
    mkdirSync(path);
    writeFileSync(join(path, "Pulumi.yaml"), `name: ${name}\nruntime: ${runtime}\nmain: index.ts\n`);
    writeFileSync(join(path, "index.ts"), `import * as pulumi from "@pulumi/pulumi";\n${text}`);
    return path;
  }
  const library = JSON.stringify(join(root, "components"));

  test("is rendered as far as it is known", async () => {
    const path = program(
      "mine",
      `import { Command } from "@pulumi/command/local";
       import { HostClock } from ${library};
       const asked = new Command("asked", { create: "./where", environment: { KEY: ${JSON.stringify(PRIVATE_KEY)} } });
       const endpoint = { name: "later", address: asked.stdout, hostKey: new pulumi.Config().require("hostKey") };
       new HostClock("clock", { endpoint, sources: [{ address: asked.stdout }] });`,
    );
    const { code, stdout, stderr } = await run(path, "--json", "--config", `hostKey=${HOST_KEY}`);
    expect([code, stderr]).toEqual([0, ""]);
    const { resources, hosts } = JSON.parse(stdout) as Preview;
    // A naive preview would take the text of the unknown for a plan, and print the key that nobody made a secret.
    expect(hosts).toMatchObject([{ name: "clock", plan: null, mayReboot: null }]);
    expect(resources.find(({ name }) => name === "asked")?.inputs.environment).toEqual({ KEY: "[secret]" });
  });

  test("has the configuration of its stack, with a key for what is encrypted", async () => {
    const path = program(
      "staged",
      `import { HostClock } from ${library};
       const config = new pulumi.Config();
       const host = config.requireObject<{ name: string; address: string }>("host");
       const endpoint = { ...host, privateKey: config.requireSecret("key"), hostKey: config.require("hostKey") };
       new HostClock("clock", { endpoint, sources: [{ address: config.require("source") }] });`,
    );
    const config = `config:
  staged:host: { name: there, address: 192.0.2.9 }
  staged:hostKey: ${HOST_KEY}
  staged:source: 192.0.2.1
  staged:key: { secure: AAABANBJnxl9 }
`;
    writeFileSync(join(path, "Pulumi.dev.yaml"), config);
    const { stdout, stderr } = await run(path, "--json", "--stack", "dev", "--config", "source=192.0.2.2");
    expect(stderr).toBe("");
    expect((JSON.parse(stdout) as Preview).hosts[0]?.plan).toMatch(
      /\nhost=there\n[\s\S]*\ntime-source=server 192\.0\.2\.2 /,
    );
    expect(await run(path, "--stack", "prod")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("Pulumi.prod.yaml: give --stack the name of a stack that has a file"),
    });
  });

  test("takes what is given over its stack's file, in either form of a key, and says which key it lacks", async () => {
    const path = program(
      "given",
      `new pulumi.Config().require("ip"); new pulumi.ComponentResource("a:b:C", new pulumi.Config().require("ip"));`,
    );
    writeFileSync(join(path, "Pulumi.dev.yaml"), "config: { given:ip: of-stack }\n");
    const named = async (...args: string[]) =>
      (JSON.parse((await run(path, "--json", ...args)).stdout) as Preview).resources.map(({ name }) => name);
    expect(await named("--stack", "dev")).toEqual(["of-stack"]);
    expect(await named("--stack", "my-org/dev")).toEqual(["of-stack"]);
    expect(await named("--stack", "my-org/given/dev")).toEqual(["of-stack"]);
    expect(await named("--stack", "dev", "--config", "ip=mine")).toEqual(["mine"]);
    expect(await named("--stack", "dev", "--config", "given:ip=mine")).toEqual(["mine"]);
    const { code, stderr } = await run(path, "--config", "iip=mine");
    expect(code).toBe(1);
    expect(stderr).toContain("Here: give it by --config ip=..., or by the file of a --stack");
    expect(stderr).toContain("--config iip: the program asked for no such key: did you mean ip?");
    // It may be for another branch of the program.
    const other = await run(path, "--json", "--config", "ip=mine", "--config", "machines=aws");
    expect([other.code, other.stderr]).toEqual([
      0,
      "--config machines: the program asked for no such key. It asked for: ip\n",
    ]);
  });

  test("is warned of what its stack's file has in vain", async () => {
    const path = program("filed", `new pulumi.Config().get("maxErrorMicros"); new pulumi.Config().get("sshFrom");`);
    const file = (text: string) => writeFileSync(join(path, "Pulumi.dev.yaml"), text);
    file(`cnofig: { filed:sshFrom: 203.0.113.7/32 }
encryptionsalt: v1:0
config:
  filed:maxErorMicros: 25
  filed:sshFrom: 203.0.113.7/32
  fild:sshFrom: 203.0.113.7/32
  pulumi:tags: { a: b }
  aws:region: eu-north-1
`);
    const told = await run(path, "--json", "--stack", "dev");
    expect([told.code, told.stderr.split("\n")]).toEqual([
      0,
      [
        "Pulumi.dev.yaml maxErorMicros: the program asked for no such key: did you mean maxErrorMicros?",
        "Pulumi.dev.yaml fild:sshFrom: the program makes nothing of fild: did you mean filed?",
        "Pulumi.dev.yaml aws:region: the program makes nothing of aws",
        "Pulumi.dev.yaml cnofig: a stack's file has no such key: did you mean config?",
        "",
      ],
    ]);
    const given = await run(path, "--config", "aws:region=eu-north-1");
    expect([given.code, given.stderr]).toEqual([0, "--config aws:region: the program makes nothing of aws\n"]);
    // Its letters were taken for keys.
    file("config:\n  filed\n");
    const text = await run(path, "--stack", "dev");
    expect([text.code, text.stderr]).toEqual([
      1,
      expect.stringMatching(/^config in .*dev\.yaml must be keys with values/),
    ]);
    file("");
    expect(await run(path, "--stack", "dev")).toMatchObject({ code: 0, stderr: "" });
  });

  test("fails as it would fail in a preview, also where it fails late, and names the place", async () => {
    const thrown = await run(program("thrown", `throw new pulumi.RunError("no such network");`));
    expect([thrown.code, thrown.stdout]).toEqual([1, ""]);
    expect(thrown.stderr).toMatch(/^no such network\n +at .*thrown\/index\.ts:2:7\)\n$/);
    const late = await run(program("late", `pulumi.output(1).apply(() => { throw new Error("too late"); });`));
    expect([late.code, late.stdout]).toEqual([1, ""]);
    expect(late.stderr).toMatch(/^too late\n +at .*late\/index\.ts:2:\d+\)\n$/);
  });

  test("needs no machine: its keys are made up, and named", async () => {
    const path = program(
      "planned",
      `import { HostClock, SshHost } from ${library};
       const config = new pulumi.Config();
       const [privateKey, hostKey] = [config.requireSecret("privateKey"), config.require("a-hostKey")];
       const { endpoint } = new SshHost("a", { address: "192.0.2.1", privateKey, hostKey });
       new HostClock("clock", { endpoint, timeRole: "hub" });`,
    );
    const { stdout, stderr } = await run(path);
    expect(stderr).toBe("");
    expect(stdout).toContain("\nMade up, until you give yours by --config or --stack: privateKey, a-hostKey\n");
    expect(stdout).toContain("host=a");
    expect(stdout).not.toContain("PRIVATE KEY");
    const partly = await run(path, "--config", "a-hostKey.rsa=x");
    expect([partly.code, partly.stderr]).toEqual([
      1,
      `--config a-hostKey.rsa: the program asked for no such key; a part of one is given as --config 'a-hostKey={"rsa": ...}'\n`,
    ]);
  });

  test("is told what only a cloud can answer", async () => {
    const path = program("asking", `import { getVpcOutput } from "@pulumi/aws/ec2"; getVpcOutput({ default: true });`);
    expect(await run(path)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("asks for aws:ec2/getVpc:getVpc"),
    });
  });

  test("without its packages is told to install them", async () => {
    const path = program("bare", "");
    const elsewhere = mkdtempSync(join(tmpdir(), "timebase-bare-"));
    renameSync(path, join(elsewhere, "bare"));
    // As an example is when it was copied: npm finds nothing to install.
    const copied = await run(join(elsewhere, "bare"));
    writeFileSync(join(elsewhere, "bare", "package.json"), "{}");
    const listed = await run(join(elsewhere, "bare"));
    rmSync(elsewhere, { recursive: true });
    const told = (command: string) => [1, expect.stringContaining(`has no @pulumi/pulumi: run \`${command}\` there`)];
    expect([copied.code, copied.stderr]).toEqual(
      told("npm install <path>/pulumi-timebase-0.1.0.tgz @pulumi/pulumi tsx"),
    );
    expect([listed.code, listed.stderr]).toEqual(told("npm install"));
  });

  test("in another language is refused", async () => {
    const { code, stderr } = await run(program("snake", "", "python"));
    expect([code, stderr]).toEqual([1, expect.stringContaining("must have a name and the runtime nodejs")]);
  });
});
