import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { LocalWorkspace } from "@pulumi/pulumi/automation";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Engine, ensureEngine } from "../../rig/engine";
import { HOST_KEY } from "../unit/support/keys";

// The package as it is built, used as programs in other languages use it: by its schema, and by remote components that
// the engine has it construct.

const root = resolve(__dirname, "../..");
const node = (...path: string[]) => join(root, "node_modules", ...path);
let engine: Engine;
let scratch: string;
let program: string;
let plugin: string;

beforeAll(async () => {
  engine = await ensureEngine();
  scratch = mkdtempSync(join(tmpdir(), "timebase-plugin-"));
  const built = join(scratch, "package");
  for (const part of ["components", "toolkit", "vm", "rig", "index.ts", "plugin.ts", "package.json", "tsconfig.json"]) {
    cpSync(join(root, part), join(built, part), { recursive: true });
  }
  cpSync(join(root, "tsconfig.build.json"), join(built, "tsconfig.build.json"));
  symlinkSync(node(), join(built, "node_modules"));
  await execa(node(".bin/tsc"), ["-p", "tsconfig.build.json"], { cwd: built });

  // Not every language host can start a plugin from a folder; what it would run is run by a script here.
  plugin = join(scratch, "plugin/pulumi-resource-timebase");
  mkdirSync(join(scratch, "plugin"));
  writeFileSync(
    plugin,
    `#!/bin/sh\nexec '${process.execPath}' '${node("@pulumi/pulumi/cmd/run-plugin/index.js")}' '${built}' "$@"\n`,
    { mode: 0o755 },
  );

  program = join(scratch, "program");
  mkdirSync(join(program, "node_modules/@pulumi"), { recursive: true });
  symlinkSync(built, join(program, "node_modules/pulumi-timebase"));
  symlinkSync(node("@pulumi/pulumi"), join(program, "node_modules/@pulumi/pulumi"));
  writeFileSync(join(program, "package.json"), '{ "name": "program", "main": "index.js" }');
  writeFileSync(
    join(program, "Pulumi.yaml"),
    `name: program\nruntime: nodejs\nplugins: { providers: [{ name: timebase, path: ${join(scratch, "plugin")} }] }\n`,
  );
  writeFileSync(
    join(program, "index.js"),
    `const pulumi = require("@pulumi/pulumi");
     const args = JSON.parse(process.env.ARGS);
     const host = new pulumi.ComponentResource("timebase:index:SshHost", "node-1", { ...args, endpoint: undefined }, {}, true);
     // A preview dials nothing.
     if (pulumi.runtime.isDryRun()) {
       const args = { endpoint: host.endpoint, evidence: undefined };
       new pulumi.ComponentResource("timebase:index:PtpVerification", "ptp", args, {}, true);
     }
     exports.urn = host.urn;
     exports.address = pulumi.unsecret(host.endpoint).apply((endpoint) => endpoint.address);`,
  );
}, 1_200_000);

afterAll(() => rmSync(scratch, { recursive: true }));

async function stackWith(args: object) {
  return LocalWorkspace.createOrSelectStack(
    { stackName: "test", workDir: program },
    {
      pulumiCommand: engine.pulumi,
      envVars: {
        ...engine.env,
        PULUMI_BACKEND_URL: `file://${scratch}`,
        PULUMI_CONFIG_PASSPHRASE: "test",
        ARGS: JSON.stringify(args),
      },
    },
  );
}

describe("the built package", () => {
  test("is the Pulumi package timebase", async () => {
    const { stdout } = await execa(engine.pulumi.command, ["package", "get-schema", plugin], {
      cwd: scratch,
      env: { ...process.env, ...engine.env },
    });
    const schema = JSON.parse(stdout);
    expect(schema.name).toBe("timebase");
    expect(Object.keys(schema.resources)).toContain("timebase:index:ExperimentCluster");
  });

  test("registers the type that it is asked for", async () => {
    const stack = await stackWith({ address: "203.0.113.1", hostKey: HOST_KEY });
    const { outputs } = await stack.up();
    expect(outputs.urn?.value).toMatch(/::timebase:index:SshHost::node-1$/);
    expect(outputs.address?.value).toBe("203.0.113.1");
  });

  // What crossed two borders between languages has no field that would be refused.
  test("takes the endpoint that it gave", async () => {
    const stack = await stackWith({
      address: "203.0.113.1",
      hostKey: HOST_KEY,
      proxy: { address: "b", hostKey: HOST_KEY },
    });
    expect((await stack.preview()).changeSummary).toMatchObject({ create: 4 });
  });

  test("refuses what its schema does not have", async () => {
    const stack = await stackWith({ adress: "203.0.113.1", hostKey: HOST_KEY });
    await expect(stack.preview()).rejects.toThrow("adress: is not an argument; did you mean address?");
  });

  // `main` is the plugin: it would start a server in the program.
  test("is the library to a program that imports it", async () => {
    const { stdout } = await execa(process.execPath, ["-p", 'Object.keys(require("pulumi-timebase")).join()'], {
      cwd: program,
    });
    expect(stdout).toContain("ExperimentCluster");
  });

  // The whole packages of the clouds are hundreds of modules, and megabytes of declarations.
  test("takes of the clouds' packages only what the hosts use", async () => {
    const loaded = "Object.keys(require.cache).filter((file) => /@pulumi.(aws|gcp|tls).[^.]/.test(file)).length";
    const { stdout } = await execa(process.execPath, ["-p", `require("pulumi-timebase"); ${loaded}`], { cwd: program });
    expect(Number(stdout)).toBeLessThan(20);
    writeFileSync(join(program, "types.ts"), 'import { SshHost } from "pulumi-timebase";\nexport type A = SshHost;\n');
    const options = ["--noEmit", "--listFiles", "--skipLibCheck", "--module", "nodenext", "types.ts"];
    const files = (await execa(node(".bin/tsc"), options, { cwd: program })).stdout;
    expect(files).toContain("components/index.d.ts");
    expect(files).not.toMatch(/@pulumi\/(aws|gcp|tls)\//);
  });
});
