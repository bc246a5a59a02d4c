import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { RESOURCES } from "../../rig/cloud/resources";
import { rowsOf } from "./support/calls";
import { FIREWALL, GCP_HOST, GCP_NETWORK } from "./support/gcpCalls";
import { blocksOf, guideOf } from "./support/guides";

// Who may do what in Google's cloud, by the roles of its guide: all that the provider calls, and nothing else.

/** The role of hosts, then the one of the network that they may be in. */
const roles = blocksOf("gcp", "yaml").map(
  (block) => (parse(block) as { includedPermissions: string[] }).includedPermissions,
);
const [ofHosts = [], ofNetwork = []] = roles;

test("the tables have every type of resource, and each property of it that changes in place", () => {
  const tables = { ...GCP_HOST, ...GCP_NETWORK };
  const types = Object.keys(RESOURCES).filter((type) => type.startsWith("gcp:"));
  expect(Object.keys(tables).sort()).toEqual(types.sort());
  for (const type of types) {
    expect([type, Object.keys(tables[type]?.update ?? {}).sort()]).toEqual([
      type,
      [...(RESOURCES[type]?.updates ?? [])].sort(),
    ]);
  }
});

describe.each([
  ["hosts", GCP_HOST, ofHosts, [] as string[]],
  ["a network", GCP_NETWORK, ofNetwork, ofHosts],
])("the role of %s", (_, table, role, besides) => {
  const called = new Map(rowsOf(table).map(([of, call]) => [`compute.${call}`, of]));

  test.each([...called])("has %s: %s", (permission) => {
    expect([...role, ...besides]).toContain(permission);
  });

  test.each(role)("has nothing that is not needed: %s", (permission) => {
    expect([...called.keys()]).toContain(permission);
    expect(besides).not.toContain(permission);
  });
});

// Whoever has Shared VPC cuts the role in two by this sentence.
test("what the network's project must grant is where the guide says", () => {
  expect(guideOf("gcp")).toContain("the last six lines and the ones of `compute.subnetworks` are needed there");
  const ofRules = new Set(rowsOf({ firewall: FIREWALL }).map(([, call]) => `compute.${call}`));
  expect(ofHosts.slice(-6).sort()).toEqual([...ofRules].sort());
});
