import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { beforeAll, describe, expect, it } from "vitest";
import type { PropertyMap } from "../../../rig/plugin/property-values";
import { activities, connection, copy, create, scratch, server, update } from "./setting";

describe("copy to remote", () => {
  const { specialSigKey, specialAssetSig, specialArchiveSig } = pulumi.runtime;
  const asset = (content: PropertyMap) => ({ [specialSigKey]: specialAssetSig, ...content });
  const archive = (content: PropertyMap) => ({ [specialSigKey]: specialArchiveSig, ...content });
  const text = (content: string) => asset({ text: content, hash: content });
  const put = (source: PropertyMap, remotePath: string) =>
    create(copy, { connection: connection(), source, remotePath });
  const remoteText = (path: string) => readFileSync(join(server.home, path), "utf8");

  beforeAll(() => {
    mkdirSync(join(scratch, "tree/sub"), { recursive: true });
    writeFileSync(join(scratch, "tree/a"), "A", { mode: 0o755 });
    writeFileSync(join(scratch, "tree/sub/b"), "");
    mkdirSync(join(server.home, "folder"));
    writeFileSync(join(server.home, "file"), "old");
  });

  const tree = (slash = "") => archive({ path: join(scratch, "tree") + slash });
  const file = () => asset({ path: join(scratch, "tree/a") });

  it.each([
    ["a folder into a folder", () => tree(), "folder", "folder/tree/sub/b", ""],
    ["a folder to a new path", () => tree(), "new/path", "new/path/tree/a", "A"],
    ["a folder's content", () => tree("/"), "content", "content/sub/b", ""],
    ["a file into a folder", () => file(), "folder", "folder/a", "A"],
    ["a file to a new path", () => file(), "fresh/name", "fresh/name", "A"],
    ["a file over a file", () => file(), "file", "file", "A"],
    ["a text", () => text("hello"), "text/file", "text/file", "hello"],
    ["an asset archive", () => archive({ assets: { "x/y": text("y"), t: tree() } }), "mixed", "mixed/x/y", "y"],
    ["a folder in an asset archive", () => archive({ assets: { t: tree() } }), "nested", "nested/t/a", "A"],
  ])("copies %s", async (_what, source, remotePath, result, content) => {
    await put(source(), remotePath);
    expect(remoteText(result)).toBe(content);
  });

  it.each([
    ["a folder over a file", () => tree(), "occupied"],
    ["a text over a folder", () => text("x"), "folder"],
    ["an asset archive over a file", () => archive({ assets: { x: text("x") } }), "occupied"],
    ["a remote asset", () => asset({ uri: "https://example.com/x" }), "x"],
    ["a file that does not exist", () => asset({ path: join(scratch, "missing") }), "x"],
  ])("refuses %s", async (_what, source, remotePath) => {
    writeFileSync(join(server.home, "occupied"), "");
    await expect(put(source(), remotePath)).rejects.toThrow();
  });

  it("copies a long file whole", async () => {
    writeFileSync(join(scratch, "long"), "0123456789".repeat(100_000));
    await put(asset({ path: join(scratch, "long") }), "long");
    expect(remoteText("long")).toBe("0123456789".repeat(100_000));
  });

  it("copies again only when content or path changed", async () => {
    const state = await put(text("one"), "again/file");
    const dials = () => activities().filter(({ event }) => event === "dial").length;
    const inputs = { connection: connection({ dialErrorLimit: 9 }), source: text("one"), remotePath: "again/file" };
    await update(copy, state, inputs);
    expect(dials()).toBe(1);
    await update(copy, state, { ...inputs, source: text("two") });
    expect(remoteText("again/file")).toBe("two");
    await update(copy, state, { ...inputs, remotePath: "again/other" });
    expect(readdirSync(join(server.home, "again"))).toEqual(["file", "other"]);
    expect(dials()).toBe(3);
  });
});
