import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { type PropertyMap, secret } from "../../../rig/plugin/property-values";
import { checked, connection, provider, remote, urnOf } from "./setting";

describe("inputs", () => {
  const failuresOf = async (urn: string, inputs: PropertyMap) =>
    (await provider.check(urn, {}, inputs)).failures?.map(({ property }) => property);

  it("refuses everything that it does not know", async () => {
    expect(await failuresOf(remote, { connection: connection({ hots: "x" }), crate: "true" })).toEqual([
      "crate",
      "connection.hots",
    ]);
    await expect(provider.check(urnOf("command:remote:Nope"), {}, {})).rejects.toThrow(
      "no resource command:remote:Nope",
    );
  });

  it.each([
    ["a missing connection", {}, ["connection"]],
    ["a missing host", { connection: {} }, ["connection.host"]],
    ["a wrong type", { connection: { host: "h", port: "22" }, create: 1 }, ["create", "connection.port"]],
    ["a wrong word", { connection: { host: "h" }, logging: "all" }, ["logging"]],
    ["an unsupported property", { connection: { host: "h" }, environment: { A: "b" } }, ["environment"]],
    [
      "a mistake in the proxy",
      { connection: { host: "h", proxy: { prot: 1 } } },
      ["connection.proxy.prot", "connection.proxy.host"],
    ],
  ])("refuses %s", async (_what, inputs, properties) => {
    expect(await failuresOf(remote, inputs)).toEqual(properties);
  });

  it("accepts what a preview does not know yet", async () => {
    const unknown = pulumi.runtime.unknownValue;
    expect(await failuresOf(remote, { connection: unknown, create: unknown })).toEqual([]);
    expect(await failuresOf(remote, { connection: { host: unknown, port: unknown } })).toEqual([]);
  });

  it("fills in defaults and makes the whole connection a secret", async () => {
    const inputs = await checked(remote, { connection: { host: "h", password: secret("p"), proxy: { host: "b" } } });
    const defaults = { user: "root", port: 22, dialErrorLimit: 10, perDialTimeout: 15 };
    expect(inputs.connection).toEqual(
      secret({ host: "h", password: "p", ...defaults, proxy: { host: "b", ...defaults } }),
    );
  });
});

describe("diff", () => {
  it("sees changes through secrets, replaces for triggers only, and ignores outputs", async () => {
    const state = { connection: secret(connection()), create: "true", triggers: [1], stdout: "out", stderr: "" };
    const { stdout: _stdout, stderr: _stderr, ...same } = state;
    expect(await provider.diff("id", remote, state, same)).toEqual({ changes: false, replaces: [] });
    expect(await provider.diff("id", remote, state, { ...same, triggers: [2] })).toEqual({
      changes: true,
      replaces: ["triggers"],
    });
    const moved = { ...same, connection: secret(connection({ dialErrorLimit: 7 })) };
    expect(await provider.diff("id", remote, state, moved)).toEqual({ changes: true, replaces: [] });
  });
});
