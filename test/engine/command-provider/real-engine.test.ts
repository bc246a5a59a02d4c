import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { LocalWorkspace, type Stack } from "@pulumi/pulumi/automation";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Engine, ensureEngine } from "../../../rig/engine";
import { activities, connection, server } from "./setting";

describe("on the real engine", () => {
  let engine: Engine;
  let folder: string;
  let stack: Stack;

  beforeAll(async () => {
    engine = await ensureEngine();
    folder = mkdtempSync(join(tmpdir(), "timebase-program-"));
    symlinkSync(resolve(__dirname, "../../../node_modules"), join(folder, "node_modules"));
    writeFileSync(
      join(folder, "Pulumi.yaml"),
      'name: test\nruntime: { name: nodejs, options: { typescript: false, nodeargs: "--import tsx" } }\nmain: index.ts\n',
    );
    writeFileSync(
      join(folder, "index.ts"),
      `import { local, remote } from "@pulumi/command";
       import * as pulumi from "@pulumi/pulumi";
       const connection = JSON.parse(process.env.CONNECTION as string) as { host: string };
       const first = new local.Command("first", { create: "echo hello", delete: "true" });
       const second = new remote.Command("second", {
         connection, create: "cat; echo progress >&2; sleep 1", delete: "true", stdin: first.stdout });
       const copied = new remote.CopyToRemote("copied", {
         connection, source: new pulumi.asset.StringAsset("text"), remotePath: "copied/file" }, { dependsOn: second });
       export const answer = second.stdout;`,
    );
    stack = await LocalWorkspace.createStack(
      { stackName: "test", workDir: folder },
      {
        pulumiCommand: engine.pulumi,
        envVars: {
          ...engine.env,
          PULUMI_BACKEND_URL: `file://${folder}`,
          PULUMI_CONFIG_PASSPHRASE: "test",
          CONNECTION: JSON.stringify(connection()),
        },
      },
    );
  }, 1_200_000);

  afterAll(() => rmSync(folder, { recursive: true }));

  it("dials nothing in a preview", async () => {
    expect((await stack.preview()).changeSummary).toEqual({ create: 4 });
    expect(activities()).toEqual([]);
  });

  it("creates, and shows progress under the resource", async () => {
    const progress: (string | undefined)[] = [];
    const { outputs, summary } = await stack.up({
      onEvent: ({ diagnosticEvent }) => {
        if (diagnosticEvent?.ephemeral) {
          progress.push(`${diagnosticEvent.urn?.split("::").at(-1)}: ${diagnosticEvent.message.trim()}`);
        }
      },
    });
    expect(summary.resourceChanges).toEqual({ create: 4 });
    expect(outputs.answer).toMatchObject({ value: "hello", secret: false });
    expect(progress).toContain("second: progress");
    expect(readFileSync(join(server.home, "copied/file"), "utf8")).toBe("text");
    expect(readFileSync(join(folder, ".pulumi/stacks/test/test.json"), "utf8")).not.toContain("PRIVATE KEY");
  });

  it("dials no host when nothing changed", async () => {
    expect((await stack.up()).summary.resourceChanges).toEqual({ same: 4 });
    expect(activities()).toEqual([]);
  });

  it("deletes", async () => {
    await stack.destroy();
    expect(activities().map(({ event }) => event)).toEqual(["dial", "session", "local"]);
  });
});
