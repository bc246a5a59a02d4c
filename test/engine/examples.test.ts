import * as pulumi from "@pulumi/pulumi";
import { afterEach, expect, test } from "vitest";
import { HOST_KEY, PRIVATE_KEY } from "../unit/support/keys";
import { finishProgram, startEngine } from "../unit/support/mocks";

// The programs that a user would copy, with the configuration that their READMEs name.

afterEach(finishProgram);

const hosts = ["server-1", "server-2"].map((name, index) => ({
  name,
  address: `192.0.2.1${index}`,
  hostKey: `192.0.2.1${index} ${HOST_KEY}`,
}));

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
  "the root program": {
    load: () => import("../../index.js"),
    config: { machines: "ssh", hosts: JSON.stringify(hosts), network: "192.0.2.0/24", maxErrorMicros: "500" },
    proofs: ["cluster-server-1-prove", "cluster-server-2-prove"],
  },
} as const;

test.each(Object.entries(programs))("%s previews", async (_, { load, config, proofs }) => {
  const registered = startEngine({ preview: true });
  const entries = Object.entries({ ...config, privateKey: PRIVATE_KEY }).map(([key, value]) => [`demo:${key}`, value]);
  pulumi.runtime.setAllConfig(Object.fromEntries(entries), ["demo:privateKey"]);
  await load();
  await finishProgram();
  expect(registered.map(({ name }) => name).filter((name) => name.endsWith("-prove"))).toEqual(proofs);
});
