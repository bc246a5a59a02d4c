import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { cacheFolder, keep, keptOrigin, withLock } from "../../rig/engine/cache";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "timebase-cache-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
  vi.unstubAllEnvs();
});

it("lives where XDG says", () => {
  vi.stubEnv("XDG_CACHE_HOME", "/somewhere");
  expect(cacheFolder()).toBe("/somewhere/pulumi-timebase");
});

describe("a kept folder", () => {
  const engine = () => join(folder, "engine");
  const fill = (content: string) => async (unfinished: string) => {
    writeFileSync(join(unfinished, "bin/pulumi"), content);
  };

  it("is known by its origin", async () => {
    expect(keptOrigin(engine())).toBeUndefined();
    await keep(engine(), "download", fill("binary"));
    expect(keptOrigin(engine())).toBe("download");
  });

  it.each([
    ["a truncated file", () => writeFileSync(join(engine(), "bin/pulumi"), "bin")],
    ["a missing file", () => rmSync(join(engine(), "bin/pulumi"))],
    ["a missing manifest", () => rmSync(join(engine(), "manifest.json"))],
    ["a truncated manifest", () => writeFileSync(join(engine(), "manifest.json"), "{")],
  ])("does not count with %s, and is made anew", async (_what, damage) => {
    await keep(engine(), "download", fill("binary"));
    damage();
    expect(keptOrigin(engine())).toBeUndefined();
    await keep(engine(), "download", fill("binary"));
    expect(keptOrigin(engine())).toBe("download");
  });

  it("is not there until it is complete", async () => {
    const failing = keep(engine(), "download", async (unfinished) => {
      await fill("half")(unfinished);
      throw new Error("no space left");
    });
    await expect(failing).rejects.toThrow("no space left");
    expect(existsSync(engine())).toBe(false);
    await keep(engine(), "download", fill("whole"));
    expect(readFileSync(join(engine(), "bin/pulumi"), "utf8")).toBe("whole");
  });
});

it("lets one at a time prepare the engine, and tells the others that they wait", async () => {
  const events: string[] = [];
  const work = (name: string) =>
    withLock(
      folder,
      (text) => events.push(`${name}: ${text}`),
      async () => {
        events.push(`${name} begins`);
        await sleep(100);
        events.push(`${name} ends`);
      },
    );
  const first = work("first");
  await vi.waitFor(() => expect(events).toContain("first begins"));
  await Promise.all([first, work("second")]);
  expect(events).toEqual([
    "first begins",
    "second: waiting for another process that prepares the engine",
    "first ends",
    "second begins",
    "second ends",
  ]);
});
