import * as pulumi from "@pulumi/pulumi";
import { afterEach, expect, test, vi } from "vitest";
import { aws, gcp } from "../unit/support/clouds";
import { HOST_KEY, PRIVATE_KEY } from "../unit/support/keys";
import { finishProgram, type MockCloud, startEngine } from "../unit/support/mocks";

// The programs that a user would copy, with the configuration that their READMEs name, where nothing that a cloud decides
// is known yet.

afterEach(async () => {
  vi.unstubAllEnvs();
  await finishProgram();
});

const hosts = ["server-1", "server-2"].map((name, index) => ({
  name,
  address: `192.0.2.1${index}`,
  hostKey: `192.0.2.1${index} ${HOST_KEY}`,
}));

const sshFrom = "203.0.113.7/32";
const proofs = (...hosts: string[]) => hosts.map((host) => `cluster-${host}-prove`);
/** Both clouds, each of whose resources must have all that it needs, and nothing that it does not know. */
const cloud: MockCloud = {
  resources: { ...aws.resources, ...gcp.resources },
  functions: { ...aws.functions, ...gcp.functions },
};

const programs = {
  "existing-hosts": {
    load: () => import("../../examples/existing-hosts/index.js"),
    config: {
      bastionHostKey: HOST_KEY,
      hostKeys: JSON.stringify({ "rack-1": HOST_KEY, "rack-2": HOST_KEY, "rack-3": HOST_KEY }),
    },
    proofs: ["rack-rack-1-prove", "rack-rack-2-prove", "rack-rack-3-prove"],
  },
  "in-your-stack": {
    load: () => import("../../examples/in-your-stack/index.js"),
    config: { address: "203.0.113.10", hostKey: `203.0.113.10 ${HOST_KEY}` },
    proofs: ["worker-prove"],
  },
  "aws-cluster": {
    load: () => import("../../examples/aws-cluster/index.js"),
    config: { sshFrom },
    proofs: proofs("server-1", "server-2"),
  },
  "aws-amazon-linux-2": {
    load: () => import("../../examples/aws-amazon-linux-2/index.js"),
    config: { sshFrom },
    proofs: proofs("server-1", "server-2"),
  },
  "gcp-cluster": {
    load: () => import("../../examples/gcp-cluster/index.js"),
    config: { sshFrom },
    proofs: proofs("server-1", "server-2"),
  },
  "two-clouds": {
    load: () => import("../../examples/two-clouds/index.js"),
    config: { sshFrom },
    proofs: proofs("aws-1", "aws-2", "gcp-1", "gcp-2"),
  },
  celestial: {
    load: () => import("../../examples/celestial/index.js"),
    config: { sshFrom },
    proofs: proofs("celestial-1", "celestial-2"),
  },
  "the root program, machines that exist": {
    load: rootProgram,
    config: { machines: "ssh", hosts: JSON.stringify(hosts), network: "192.0.2.0/24", maxErrorMicros: "500" },
    proofs: proofs("server-1", "server-2"),
  },
  "the root program, aws": {
    load: rootProgram,
    config: { machines: "aws", sshFrom },
    proofs: proofs("node-1", "node-2"),
  },
  "the root program, gcp": {
    load: rootProgram,
    config: { machines: "gcp", sshFrom },
    proofs: proofs("node-1", "node-2"),
  },
} as const;

test("the root program makes the machines that its stack is named after, unless told otherwise", async () => {
  const types = async (stack: string, config: Record<string, string>) => {
    const registered = startEngine({ preview: true, cloud });
    const entries = Object.entries({ ...config, sshFrom }).map(([key, value]) => [`demo:${key}`, value]);
    pulumi.runtime.setAllConfig(Object.fromEntries(entries));
    const named = vi.spyOn(pulumi, "getStack").mockReturnValue(stack);
    await rootProgram();
    named.mockRestore();
    await finishProgram();
    return registered.map(({ type }) => type).filter((type) => type.endsWith(":Instance"));
  };
  expect(await types("gcp", {})).toEqual(Array(2).fill("gcp:compute/instance:Instance"));
  expect(await types("gcp", { machines: "aws" })).toEqual(Array(2).fill("aws:ec2/instance:Instance"));
});

// The provider has none of its own, and a machine must have one.
test.each([
  ["gcp:zone", "us-east4-a", "us-east4-a"],
  ["gcp:region", "us-east4", "europe-west4-a"],
])("the root program's machines in Google Cloud, with %s=%s, are in %s", async (key, value, expected) => {
  for (const name of ["GOOGLE_ZONE", "GCLOUD_ZONE", "CLOUDSDK_COMPUTE_ZONE"]) vi.stubEnv(name, undefined);
  const registered = startEngine({ preview: true, cloud });
  pulumi.runtime.setAllConfig({ "demo:machines": "gcp", "demo:sshFrom": sshFrom, [key]: value });
  await rootProgram();
  await finishProgram();
  const instances = registered.filter(({ type }) => type === "gcp:compute/instance:Instance");
  expect(instances.map(({ inputs }) => inputs.zone)).toEqual([expected, expected]);
});

/** Anew: a module runs once. */
function rootProgram() {
  vi.resetModules();
  return import("../../index.js");
}

test.each(Object.entries(programs))("%s previews", async (_, { load, config, proofs }) => {
  const registered = startEngine({ preview: true, cloud });
  const entries = Object.entries({ ...config, privateKey: PRIVATE_KEY }).map(([key, value]) => [`demo:${key}`, value]);
  pulumi.runtime.setAllConfig(Object.fromEntries(entries), ["demo:privateKey"]);
  await load();
  await finishProgram();
  expect(
    registered
      .map(({ name }) => name)
      .filter((name) => name.endsWith("-prove"))
      .sort(),
  ).toEqual(proofs);
});
