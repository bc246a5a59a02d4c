import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Stack } from "@pulumi/pulumi/automation";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type AttachedCloud, attachedCloud } from "../../../rig/cloud-provider/attached";
import { isInstance, privateAddressOf, publicAddressOf } from "../../../rig/cloud-provider/instance";
import { CloudRecord, type Entry } from "../../../rig/cloud-provider/record";
import { CommandProvider } from "../../../rig/command-provider/provider";
import { STORIES } from "../../../rig/preview/stories";
import { changed } from "../../../rig/summary";
import { exampleStack } from "../../examples/support/exampleStack";
import { keyLines } from "../../unit/support/keys";
import { changeRecorder } from "../changes";
import { openPorts } from "../openPorts";
import { type AnsweringInstances, answeringInstances } from "./answering";
import { processTextsDuring } from "./processes";

// The programs as a user copies them, from nothing to a cluster that is ready, and back. Their clouds are stand-ins, and
// each instance is an SSH server that is known and let in to by its own user data and rules, and only says that all
// is well: no clock is proved. That is what `npm run test:examples` is for.

const examples = {
  "aws-cluster": {
    cloud: "aws",
    // Network, gateway, routes, subnet; a security group and an instance for each host.
    resources: 8,
    rules: "aws:ec2/securityGroup:SecurityGroup",
    openToNeighbours: [],
  },
  "gcp-cluster": {
    cloud: "gcp",
    // Network and subnetwork; three firewall rules and an instance for each host.
    resources: 10,
    rules: "gcp:compute/firewall:Firewall",
    openToNeighbours: ["udp 123"],
  },
} as const;

const HERE = "127.0.0.1";
const ELSEWHERE = "127.0.0.2";
const FOREIGN = "203.0.113.7";

describe.each(Object.entries(examples))("%s on the real engine", (name, example) => {
  let folder: string;
  let attached: AttachedCloud;
  let answering: AnsweringInstances;
  let stack: Stack;
  /** All that the engine has said so far. */
  let output = "";
  const say = (text: string) => {
    output += text;
  };
  const heard = { onOutput: say, onError: say };
  const resourcesOf = (cloud: string) => new CloudRecord(join(folder, "cloud"), cloud).content().resources;
  const there = () => Object.values(resourcesOf(example.cloud));
  const instances = () => there().filter(({ type }) => isInstance(type));
  const welcomes = (from: string) => Promise.all(instances().map((it) => greets(publicAddressOf(it), from)));
  const sessions = () => instances().map((instance) => answering.sessionsOf(instance.name));

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "timebase-example-"));
    const config = { ...STORIES[name]?.({ publicKey: "", privateKey: "" }), sshFrom: `${HERE}/32` };
    stack = await exampleStack(name, folder, config, async (env) => {
      attached = await attachedCloud(join(folder, "cloud"), env, "loopback");
      return { ...attached.env, SSH_AUTH_SOCK: "" };
    });
    answering = await answeringInstances(join(folder, "cloud"), example.cloud);
  }, 1_200_000);
  afterAll(async () => {
    await attached?.close();
    await answering?.close();
    rmSync(folder, { recursive: true });
  });

  test("previews all of it, and makes nothing", async () => {
    const { changeSummary } = await stack.preview({ ...heard, diff: true });
    expect(changeSummary.create).toBeGreaterThan(example.resources + 6); // three commands for each host
    expect(Object.keys(changeSummary)).toEqual(["create"]);
    expect(there()).toEqual([]);
  });

  test("is ready by one up, each host known by its own key, which no process is told", async () => {
    const seen = await processTextsDuring(async () => {
      const { outputs } = await stack.up({ ...heard, diff: true });
      expect(outputs.ready).toMatchObject({ value: true, secret: false });
      expect(outputs.summary?.value.hosts).toHaveLength(2);
    });
    expect(there()).toHaveLength(example.resources);
    expect(sessions()).toEqual(
      instances().map(() => [expect.stringMatching(/timebase converge$/), expect.stringMatching(/timebase prove/)]),
    );
    expect(seen).toContain("PULUMI_CONFIG_PASSPHRASE=test"); // so it would have been seen
    for (const line of keys(/-key$/).flatMap(keyLines)) expect(seen).not.toContain(line);
  });

  /** The private keys that the program made. */
  const keys = (named: RegExp) =>
    Object.values(resourcesOf("tls")).flatMap(({ name, properties }) =>
      named.test(name) ? [String(properties.privateKeyOpenssh)] : [],
    );

  test("changes nothing by a second up, and dials nobody", async () => {
    const before = sessions();
    expect(changed(await stack.up(heard))).toBe(0);
    expect(sessions()).toEqual(before);
  });

  test("has no private key in its state or its output, and the one that logs in on no machine", async () => {
    const { pulumiCommand, workDir, envVars } = stack.workspace;
    const exported = await execa(pulumiCommand.command, ["stack", "export", "--stack", "test"], {
      cwd: workDir,
      env: envVars,
    });
    const state = readdirSync(join(workDir, ".pulumi"), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"));
    const told = [output, exported.stdout, exported.stderr, ...state].join("\n");
    expect(told).toContain("ciphertext");
    expect(told).not.toContain("PRIVATE KEY");
    const onMachines = JSON.stringify(instances());
    for (const line of keys(/-host-key$/).flatMap(keyLines)) {
      expect(told).not.toContain(line);
      expect(onMachines).toContain(line);
    }
    expect(keys(/-login-key$/)).toHaveLength(2);
    for (const line of keys(/-login-key$/).flatMap(keyLines)) expect(told + onMachines).not.toContain(line);
  });

  test("lets nobody in but to SSH from sshFrom, and to the time within its network", async () => {
    const ports = (instance: Entry, address: string) => openPorts(instance, resourcesOf(example.cloud), address);
    const neighbours = instances().map(privateAddressOf);
    for (const instance of instances()) {
      expect(ports(instance, HERE)).toEqual(["tcp 22"]);
      expect([...ports(instance, FOREIGN), ...ports(instance, ELSEWHERE)]).toEqual([]);
      for (const neighbour of neighbours) expect(ports(instance, neighbour)).toEqual(example.openToNeighbours);
    }
    expect(await Promise.all([HERE, ELSEWHERE].map(welcomes))).toEqual(
      [true, false].map((isLetIn) => instances().map(() => isLetIn)),
    );
  });

  test("knows a machine that shows another host key for another one", async () => {
    // An `up` would go on to dial for as long as a host may take to boot, so its connection is dialed once.
    const { deployment } = await stack.exportStack();
    const proof = deployment.resources.find(({ urn }: { urn: string }) => urn.endsWith("server-2-prove"));
    const connection = { ...JSON.parse(proof.inputs.connection.plaintext), dialErrorLimit: 0 };
    const dial = async () => {
      const command = "urn:pulumi:test::project::command:remote:Command::dial";
      const provider = new CommandProvider();
      const { inputs } = await provider.check(command, {}, { connection, create: "true" });
      return provider.create(command, inputs);
    };
    await dial();
    answering.impersonate("server-2-instance");
    await expect(dial()).rejects.toThrow("ssh: handshake failed: ssh: host key mismatch");
    expect(answering.sessionsOf("server-2-instance")).toEqual([]);
  });

  // Where one host serves the others, one more could concern it.
  test.runIf(name === "gcp-cluster")("makes one host more, and leaves the others alone", async () => {
    const before = sessions();
    await stack.setConfig("hosts", { value: "3" });
    const { changes, onEvent } = changeRecorder();
    const { outputs } = await stack.up({ ...heard, onEvent });
    expect(outputs.summary?.value.hosts).toHaveLength(3);
    expect(changes.filter(({ name, op }) => !name.includes("server-3") || op !== "create")).toEqual([]);
    expect(sessions()).toEqual([...before, [expect.stringMatching(/converge$/), expect.stringMatching(/prove/)]]);
  });

  test("changes only the rules when only they are to change, and then lets nobody in from here", async () => {
    await stack.setConfig("sshFrom", { value: `${ELSEWHERE}/32` });
    const { changes, onEvent } = changeRecorder();
    await stack.up({ ...heard, onEvent });
    expect(changes).toEqual(instances().map(() => expect.objectContaining({ type: example.rules, op: "update" })));
    expect(await Promise.all([HERE, ELSEWHERE].map(welcomes))).toEqual(
      [false, true].map((isLetIn) => instances().map(() => isLetIn)),
    );
  });

  test("leaves nothing behind, and dials nobody for it", async () => {
    await stack.destroy(heard);
    expect(there()).toEqual([]);
    expect(resourcesOf("tls")).toEqual({});
  });
});

/** Whether sshd of an address says who it is to somebody who comes from another one. */
function greets(host: string, localAddress: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port: 22, localAddress });
    socket.once("data", () => resolve(true)).once("close", () => resolve(false));
    socket.once("data", () => socket.destroy()).on("error", () => undefined);
  });
}
