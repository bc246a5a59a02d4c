import { describe, expect, test } from "vitest";
import { argsWith, fields, PENDING } from "../../components/plan/validate";
import { bootFields, endpointFields } from "../../components/plan/validateHost";
import { HOST_KEY } from "./support/keys";

const endpoint = fields(endpointFields);

describe("the conditions of boot parameters", () => {
  const errorsOf = (args: object) =>
    argsWith(bootFields)(args).map((error) => `${error.propertyPath}: ${error.reason}`);

  test("are true or false, or known later", () => {
    expect(errorsOf({})).toEqual([]);
    expect(errorsOf({ override: true, force: false, required: PENDING, revertReboot: true })).toEqual([]);
    expect(errorsOf({ override: "yes", force: 1, required: "no", revertReboot: "true" })).toEqual([
      "override: must be true or false",
      "force: must be true or false",
      "required: must be true or false",
      "revertReboot: must be true or false",
    ]);
  });

  test("but what decides which resources there are cannot become known later", () => {
    expect(errorsOf({ revertReboot: PENDING })).toEqual([
      "revertReboot: must be plain true or false, because it decides which resources there are",
    ]);
  });
});

describe("endpoints", () => {
  const good = { name: "node-1", address: "10.0.0.1", hostKey: HOST_KEY };

  test("the least that reaches a host", () => {
    expect(endpoint(good, "endpoint")).toEqual([]);
  });

  test("what is not known yet is not refused yet", () => {
    expect(endpoint(PENDING, "endpoint")).toEqual([]);
    expect(endpoint({ ...good, privateKey: PENDING, proxy: PENDING }, "endpoint")).toEqual([]);
  });

  test("a key that is left out is asked for, with how to come by it", () => {
    expect(endpoint({ name: "node-1", address: "10.0.0.1" }, "endpoint")).toEqual([
      {
        propertyPath: "endpoint.hostKey",
        reason:
          "is required: run `ssh-keyscan -t ed25519 <address>` over a trusted path, compare its key with the one in " +
          "/etc/ssh/ssh_host_ed25519_key.pub on the host, and paste the line",
      },
    ]);
  });

  test.each([
    ["10.0.0.1", /^must be an object with name, address,/],
    [{ ...good, __pulumiResource: true }, /^is a whole resource: give its output/],
  ])("%j is none", (value, reason) => {
    expect(endpoint(value, "endpoint")).toEqual([{ propertyPath: "endpoint", reason: expect.stringMatching(reason) }]);
  });

  test("all that is wrong at once, with its path", () => {
    const bad = {
      name: "node 1",
      port: 0,
      user: "a b",
      generation: "a b",
      proxy: { address: "bastion", port: 1.5 },
    };
    expect(endpoint(bad, "endpoint").map(({ propertyPath }) => propertyPath)).toEqual([
      "endpoint.name",
      "endpoint.address",
      "endpoint.port",
      "endpoint.user",
      "endpoint.hostKey",
      "endpoint.generation",
      "endpoint.proxy.port",
      "endpoint.proxy.hostKey",
    ]);
  });
});

describe("fields", () => {
  const rules = { maxErrorMicros: () => [], maxPairwiseMicros: () => [], hub: () => [] };
  const hintOf = (key: string) => fields(rules)({ [key]: 1 }, "it").map(({ reason }) => reason);

  test.each([
    ["maxErorMicros", "did you mean maxErrorMicros?"],
    ["max_error_micros", "did you mean maxErrorMicros?"],
    ["MaxPairwiseMicro", "did you mean maxPairwiseMicros?"],
    ["maxPairMicros", "did you mean maxPairwiseMicros?"],
    ["maxPairwise", "did you mean maxPairwiseMicros?"],
    ["maxErrorUs", "did you mean maxErrorMicros?"],
    ["Hub", "did you mean hub?"],
    ["hup", "did you mean hub?"],
    ["zone", "there are maxErrorMicros, maxPairwiseMicros, hub"],
    ["constructor", "there are maxErrorMicros, maxPairwiseMicros, hub"],
  ])("%s is not one", (key, hint) => {
    expect(hintOf(key)).toEqual([`is not an argument; ${hint}`]);
  });

  test("a field that is left undefined is not there", () => {
    expect(hintOf("hub")).toEqual([]);
    expect(fields(rules)({ zone: undefined }, "it")).toEqual([]);
  });
});
