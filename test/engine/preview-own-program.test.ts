import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Preview } from "../../rig/preview/preview";
import { HOST_KEY, PRIVATE_KEY } from "../unit/support/keys";
import { root, run, runFrom } from "./previewOffline";

// A program that is none of the examples, previewed without an account or a network.

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

  // As a copy of an example is.
  test("is the one that is here, also where it is called like an example", async () => {
    program("gcp-cluster", `new pulumi.ComponentResource("a:b:C", "mine");`);
    const { resources } = JSON.parse((await runFrom(folder, "gcp-cluster/", "--json")).stdout) as Preview;
    expect(resources.map(({ name }) => name)).toEqual(["mine"]);
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
    const { stdout, stderr } = await run(path, "--json", "--stack", "org/dev", "--config", "source=192.0.2.2");
    expect(stderr).toBe("");
    const { stack, hosts } = JSON.parse(stdout) as Preview;
    expect([stack, hosts[0]?.plan]).toEqual([
      "dev",
      expect.stringMatching(/\nowner=staged\/dev\/clock\nhost=there\n[\s\S]*\ntime-source=server 192\.0\.2\.2 /),
    ]);
    expect(await run(path, "--stack", "prod")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("Pulumi.prod.yaml: give --stack the name of a stack that has a file"),
    });
  });

  test("that may fail by what is encrypted says so", async () => {
    const path = program(
      "closed",
      `import { HostClock, SshHost } from ${library};
       const config = new pulumi.Config();
       const [{ privateKey }] = config.requireObject<{ privateKey: string }[]>("logins");
       const { endpoint } = new SshHost("a", { address: "192.0.2.1", privateKey, hostKey: config.require("hostKey") });
       config.require("token");
       new HostClock("clock", { endpoint, sources: [{ address: config.require("source") }] });`,
    );
    const secure = "{ secure: AAABANBJnxl9 }";
    const encrypted = ["hostKey", "source", "token", "unasked"].map((key) => `  closed:${key}: ${secure}\n`).join("");
    writeFileSync(join(path, "Pulumi.dev.yaml"), `config:\n  closed:logins: [{ privateKey: ${secure} }]\n${encrypted}`);
    const remedies = (stderr: string) => stderr.split("\n").filter((line) => line.includes("encrypted"));
    const { code, stderr } = await run(path, "--stack", "dev", "--config", "token=mine");
    expect(code).toBe(1);
    expect(stderr).toContain("not the text of a private key");
    expect(remedies(stderr)).toEqual([
      "Pulumi.dev.yaml source: encrypted, so a made-up key stands for it; if the error is of that, give yours by --config source=...",
    ]);
    expect(await run(path, "--stack", "dev", "--config", "source=192.0.2.2")).toMatchObject({
      code: 0,
      stderr:
        "Pulumi.dev.yaml unasked: the program asked for no such key. It asked for: hostKey, logins, source, token\n",
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

  // README.md sends whoever has a network there this way. Its range is nobody's here to judge by.
  test.each([
    ["gcp-cluster", "networkIp", { network: "testbed-net", subnetwork: "testbed-subnet" }],
    ["aws-cluster", "privateIp", { vpcId: "vpc-0123456789abcdef0", subnetId: "subnet-0123456789abcdef0" }],
    ["the default network", "networkIp", { zone: "us-central1-a" }],
  ])("may have its hosts in a network that is there: %s", async (like, field, network) => {
    const host = like === "aws-cluster" ? "AwsHost" : "GcpHost";
    const path = program(
      `there-${like.replaceAll(" ", "-")}`,
      `import { ExperimentCluster, ${host}, OperatingSystem } from ${library};
       const range = "10.50.0.0/24";
       const hosts = ["server-1", "server-2"].map((name) => ({
         name,
         endpoint: new ${host}(name, {
           operatingSystem: OperatingSystem.Ubuntu2404, sshFrom: ["203.0.113.7/32"], timeFrom: [range], guests: true,
           ...${JSON.stringify(network)},
         }).endpoint,
       }));
       new ExperimentCluster("cluster", { hosts, network: range });`,
    );
    const { code, stdout, stderr } = await run(path, "--json");
    expect([code, stderr]).toEqual([0, ""]);
    const [hub, client] = (JSON.parse(stdout) as Preview).hosts.map(({ plan }) => plan);
    expect(hub).toContain("\ntime-allow=10.50.0.0/24\n");
    expect(client).toContain(`\ntime-source=server <server-1-instance.${field}> `);
    expect(stdout).not.toMatch(/\b0\.0\.0\.[1-9]/);
  });

  test("is told what only a cloud can answer", async () => {
    const path = program(
      "asking",
      `import { getVpcOutput, Subnet } from "@pulumi/aws/ec2";
       const vpc = getVpcOutput({ default: true });
       new Subnet("subnet", { vpcId: vpc.id, tags: { vpc: vpc.id } });`,
    );
    const { code, stderr } = await run(path);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^the program asks for aws:ec2\/getVpc:getVpc, which only a cloud can answer/),
    ]);
    expect(stderr).not.toContain("error serializing");
  });

  test("is missed by its name", async () => {
    const path = program("empty", "");
    rmSync(join(path, "index.ts"));
    expect(await run(path)).toMatchObject({ code: 1, stderr: `${path} has no program: index.ts is not there\n` });
    writeFileSync(join(path, "Pulumi.yaml"), "name: empty\nruntime: nodejs\n");
    expect(await run(path)).toMatchObject({ code: 1, stderr: `${path} has no program: index.ts is not there\n` });
  });

  test("without its packages is told to install them", async () => {
    const path = program("bare", "");
    const elsewhere = mkdtempSync(join(tmpdir(), "timebase-bare-"));
    renameSync(path, join(elsewhere, "bare"));
    // As an example is when it was copied: npm finds nothing to install.
    const copied = await run(join(elsewhere, "bare"), "--config", "sshFrom=203.0.113.7/32");
    writeFileSync(join(elsewhere, "bare", "package.json"), "{}");
    const listed = await run(join(elsewhere, "bare"));
    rmSync(elsewhere, { recursive: true });
    // What it would have asked for, nobody knows.
    const told = (command: string) => [
      1,
      `the program in ${join(elsewhere, "bare")} has no @pulumi/pulumi: run \`${command}\` there\n`,
    ];
    expect([copied.code, copied.stderr]).toEqual(
      told("npm init -y && npm install <path>/pulumi-timebase-0.1.0.tgz @pulumi/pulumi tsx"),
    );
    expect([listed.code, listed.stderr]).toEqual(told("npm install"));
  });

  test("in another language is refused", async () => {
    const { code, stderr } = await run(program("snake", "", "python"));
    expect([code, stderr]).toEqual([1, expect.stringContaining("must have a name and the runtime nodejs")]);
  });
});
