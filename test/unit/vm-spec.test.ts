import { describe, expect, test } from "vitest";
import { canonical, changesBetween, identityOf, withDefaults } from "../../vm/spec";
import { validateSpec } from "../../vm/spec-rules";

const paths = (spec: unknown) => validateSpec(spec).map(({ propertyPath }) => propertyPath);

describe("a spec", () => {
  test("needs only a name", () => {
    expect(validateSpec({ name: "node-1" })).toEqual([]);
  });

  test("is refused with everything that is wrong at once", () => {
    const wrong = {
      name: "Node_1",
      cpus: 0,
      memoryMib: 1.5,
      diskGib: 1,
      address: "192.0.2.1",
      user: "root",
      network: "lab",
      firstBoot: ["true", 1],
      userData: { users: [] },
      incarnation: "two words",
      image: { suite: "warty", mirror: "ftp://example", packages: ["a b"], keyring: "relative.gpg" },
      memory: 5,
    };
    expect(paths(wrong).sort()).toEqual(
      [
        "address",
        "cpus",
        "diskGib",
        "firstBoot[1]",
        "image.keyring",
        "image.mirror",
        "image.packages[0]",
        "image.suite",
        "incarnation",
        "memory",
        "memoryMib",
        "name",
        "privateAddress",
        "user",
        "userData",
      ].sort(),
    );
  });

  test.each([null, [], "node-1", 1])("is an object, not %j", (value) => {
    expect(paths(value)).toEqual(["spec"]);
  });

  test.each(["10.77.0.1", "10.77.0.1/31", "10.77.0.1/24/8", "10.0.2.7/24", "127.0.0.1/8", "10.77.0/24", "fd00::1/64"])(
    "refuses %s as a private address",
    (privateAddress) => {
      expect(paths({ name: "a", network: "lab", privateAddress })).toEqual(["privateAddress"]);
    },
  );

  test.each(["127.0.0.1", "10.0.0.1", "localhost"])("refuses %s as the address of its own sshd", (address) => {
    expect(paths({ name: "a", address })).toEqual(["address"]);
  });

  test("gets the defaults of its release", () => {
    expect(withDefaults({ name: "a" }).image.mirror).toBe("http://deb.debian.org/debian");
    expect(withDefaults({ name: "a", image: { suite: "noble" } }).image.components).toContain("universe");
  });

  test("is the same with its defaults written out", () => {
    const spec = withDefaults({ name: "a" });
    expect(withDefaults(spec)).toEqual(spec);
  });
});

describe("a changed spec", () => {
  const recorded = withDefaults({ name: "a", network: "lab", privateAddress: "10.77.0.1/24" });

  test("that differs in nothing needs nothing, whatever the order of its fields", () => {
    const reordered = JSON.parse(JSON.stringify(Object.fromEntries(Object.entries(recorded).reverse())));
    expect(changesBetween(recorded, reordered)).toEqual({ restart: [], replace: [] });
    expect(canonical(recorded)).toBe(canonical(reordered));
  });

  test("leaves a running machine its incarnation", () => {
    const asked = { ...recorded, incarnation: "2", startTimeoutSeconds: 60 };
    expect(changesBetween(recorded, asked)).toEqual({ restart: [], replace: [] });
  });

  test("restarts the machine for CPUs and memory, and it stays the same machine", () => {
    const asked = { ...recorded, cpus: 4, memoryMib: 2048 };
    expect(changesBetween(recorded, asked)).toEqual({ restart: ["cpus", "memoryMib"], replace: [] });
    expect(identityOf(asked)).toEqual(identityOf(recorded));
  });

  test("is another machine when a field differs that the first boot burns in", () => {
    const { network: _, privateAddress: __, ...alone } = recorded;
    expect(changesBetween(recorded, { ...alone, user: "b" }).replace).toEqual(["user", "network", "privateAddress"]);
    expect(identityOf(alone)).not.toEqual(identityOf(recorded));
  });
});
