import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { LocalVm, type LocalVmArgs } from "../../components/hosts/LocalVm";
import { localEndpoint } from "../../components/hosts/localEndpoint";
import { isKnown, isSecretOutput, resolved } from "./support/outputs";

const folder = mkdtempSync(join(tmpdir(), "timebase-vm-component-"));
const privateKeyFile = join(folder, "login_ed25519");
writeFileSync(privateKeyFile, "-----KEY-----");

afterAll(() => rmSync(folder, { recursive: true }));

const answer = {
  address: "127.77.0.1",
  port: 22,
  user: "timebase",
  hostKey: "ssh-ed25519 HOST",
  privateKeyFile,
  privateAddress: "10.77.0.1/24",
  accelerator: "tcg",
  incarnation: "first",
};

/** Starts a mocked engine that runs no program. Returns what gets registered. */
function startEngine(preview = false): pulumi.runtime.MockResourceArgs[] {
  const registered: pulumi.runtime.MockResourceArgs[] = [];
  pulumi.runtime.setMocks(
    {
      newResource(resource) {
        registered.push(resource);
        const stdout = preview ? {} : { stdout: JSON.stringify(answer) };
        return { id: `${resource.name}-id`, state: { ...resource.inputs, ...stdout } };
      },
      call: ({ token }) => {
        throw new Error(`unexpected call of ${token}`);
      },
    },
    "demo",
    "local",
    preview,
  );
  return registered;
}

/** The inputs of the one command of a machine that no test's machine shares its name with. */
async function commandOf(args: LocalVmArgs): Promise<Record<string, string & string[]>> {
  const registered = startEngine();
  await resolved(new LocalVm("vm-test-of-the-component", args).endpoint);
  await pulumi.runtime.disconnect();
  const commands = registered.filter(({ type }) => type === "command:local:Command");
  expect(commands.map(({ name }) => name)).toEqual(["vm-test-of-the-component-vm"]);
  return commands[0]?.inputs;
}

afterEach(() => pulumi.runtime.disconnect());

describe("LocalVm", () => {
  test("ends in an endpoint that is secret, with the incarnation as its generation", async () => {
    startEngine();
    const { endpoint } = new LocalVm("vm-test", { network: "lab", privateAddress: "10.77.0.1/24" });
    expect(await resolved(endpoint)).toEqual({
      name: "vm-test",
      address: "127.77.0.1",
      port: 22,
      user: "timebase",
      hostKey: "ssh-ed25519 HOST",
      privateKey: "-----KEY-----",
      privateAddress: "10.77.0.1",
      generation: "first",
      machineUrn: expect.stringMatching(/:local:Command::vm-test-vm$/),
    });
    expect(await isSecretOutput(endpoint)).toBe(true);
  });

  test("needs no arguments, also of a program without types", async () => {
    startEngine();
    const WithoutTypes = LocalVm as unknown as new (name: string) => LocalVm;
    expect(await resolved(new WithoutTypes("vm-test").endpoint)).toMatchObject({ name: "vm-test" });
  });

  test("names the machine whose key is gone, and what makes it again", () => {
    const told = JSON.stringify({ ...answer, privateKeyFile: join(folder, "gone") });
    expect(() => localEndpoint("vm-test", told)).toThrow(
      /^LocalVm "vm-test": its private key cannot be read \(ENOENT: .*gone'\): .*`pulumi up` of the whole stack makes it again/,
    );
  });

  test("gives the machinery its arguments on stdin, and nothing else", async () => {
    const {
      create,
      delete: remove,
      stdin,
      addPreviousOutputInEnv,
    } = await commandOf({ cpus: 4, image: { setup: "it's" } });
    expect(JSON.parse(stdin ?? "")).toEqual({
      name: "vm-test-of-the-component",
      cpus: 4,
      image: { setup: "it's" },
      incarnation: expect.stringMatching(/^\d{4}-/),
    });
    expect(create).toMatch(/^TIMEBASE_CALLER=\$\$ '.*\/vm\/main\.ts' up \|\| exit \$\?$/);
    expect(remove).toMatch(/\/vm\/main\.ts' down$/);
    expect(addPreviousOutputInEnv).toBe(false);
  });

  test("is the same machine with other CPUs, another one with another user", async () => {
    const triggers = async (args: LocalVmArgs) => (await commandOf(args)).triggers;
    const original = await triggers({});
    expect(await triggers({ cpus: 4, memoryMib: 512, startTimeoutSeconds: 60 })).toEqual(original);
    expect(await triggers({ user: "timebase", diskGib: 8 })).toEqual(original);
    expect(await triggers({ user: "other" })).not.toEqual(original);
  });

  test("refuses all wrong inputs at once, before anything is registered", () => {
    const registered = startEngine();
    expect(() => new LocalVm("vm-test", { cpus: 0, network: "lab", image: { packages: ["a b"] } })).toThrow(
      /3 input errors:[\s\S]*image\.packages\[0\][\s\S]*cpus[\s\S]*privateAddress/,
    );
    expect(() => new LocalVm("Not_A_Host_Name", {})).toThrow(/name: must be a host name/);
    expect(registered).toEqual([]);
  });

  // The runner's own specs have more fields than the component has arguments.
  test("refuses fields that it does not have", () => {
    startEngine();
    const args = { memoryMb: 512, incarnation: "2", userData: {}, image: { suites: "jammy" } };
    expect(() => new LocalVm("vm-test", args as LocalVmArgs)).toThrow(`LocalVm "vm-test" has 4 input errors:
  image.suites: is not an argument; did you mean suite?
  memoryMb: is not an argument; did you mean memoryMib?
  incarnation: is not an argument; there are name, image, cpus, memoryMib, diskGib, address, user, network, privateAddress, networkCard, firstBoot, startTimeoutSeconds
  userData: is not an argument; there are name, image, cpus, memoryMib, diskGib, address, user, network, privateAddress, networkCard, firstBoot, startTimeoutSeconds`);
  });

  test("has one name for the next start in all previews", async () => {
    const registered = startEngine(true);
    new LocalVm("vm-test-of-the-component", {});
    await pulumi.runtime.disconnect();
    const stdin = registered.find(({ type }) => type === "command:local:Command")?.inputs.stdin;
    expect(JSON.parse(stdin)).toMatchObject({ incarnation: "the next start" });
  });

  test("knows no endpoint in the preview of its making", async () => {
    startEngine(true);
    expect(await isKnown(new LocalVm("vm-test", {}).endpoint)).toBe(false);
  });
});
