import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";

// The workflow for a user's pull request: what nobody may forget about it, and the script that it runs without credentials.

const root = resolve(__dirname, "../..");
const text = readFileSync(join(root, ".github/workflows/preview.yml"), "utf8");
const workflow = parse(text);
const job = workflow.jobs.preview;

interface Step {
  name?: string;
  uses?: string;
  if?: string;
  run?: string;
  with?: Record<string, unknown>;
  env?: Record<string, string>;
}
const steps: Step[] = job.steps;
const step = (name: string) => steps.find((one) => one.name === name) as Step;

describe("a pull request of somebody else", () => {
  test("gets no secret: only who calls the workflow decides when it runs", () => {
    expect(Object.keys(workflow.on)).toEqual(["workflow_call"]);
    expect(workflow.permissions).toEqual({ contents: "read", "pull-requests": "write", "id-token": "write" });
    const secret = Object.values(workflow.on.workflow_call.secrets) as { required: boolean }[];
    expect(secret.map(({ required }) => required)).toEqual(secret.map(() => false));
    const withSecrets = steps.filter((one) => JSON.stringify(one).includes("secrets."));
    expect(withSecrets.map(({ name }) => name)).toEqual(["AWS", "Google Cloud", "Preview"]);
    for (const one of withSecrets)
      expect(one.if).toMatch(/^env\.HAS_CREDENTIALS == 'true'($| && env\.HAS_(AWS|GOOGLE) == 'true'$)/);
    // Whatever the event is that it was called on.
    expect(job.env.HAS_CREDENTIALS).toContain("head.repo.full_name == github.repository) && (secrets.");
  });

  test("is a role of a cloud, where there is one, and needs no key for it", () => {
    expect(step("AWS").with?.["role-to-assume"]).toContain("{{ inputs.aws-role }}");
    expect(step("Google Cloud").with?.workload_identity_provider).toContain("{{ inputs.google-provider }}");
    const keys = [step("AWS"), step("Google Cloud")].flatMap((one) =>
      Object.values(one.with ?? {}).filter((value) => String(value).includes("secrets.")),
    );
    expect(keys).toHaveLength(4);
    // Each action takes one of both, and a caller may hand over all of its secrets.
    for (const key of keys)
      expect(key).toMatch(/^\$\{\{ inputs\.(aws-role|google-provider) == '' && secrets\.\w+ \|\| '' \}\}$/);
    // In the step's own environment an empty key would come before what the role has given.
    expect(Object.keys(step("Preview").env ?? {})).toEqual(["PULUMI_ACCESS_TOKEN", "PULUMI_CONFIG_PASSPHRASE"]);
  });

  test("is run by actions that nobody can change meanwhile", () => {
    const uses = [...text.matchAll(/uses: (.*)/g)].map(([, used]) => used);
    expect(uses).toHaveLength(steps.filter((one) => one.uses !== undefined).length);
    expect(uses.filter((used) => !/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(used ?? ""))).toEqual([]);
  });

  test("cannot write into a script by the name of a folder or a stack", () => {
    const scripts = steps.flatMap(({ run }) => run ?? []);
    expect(scripts.length).toBeGreaterThan(1);
    expect(scripts.filter((script) => script.includes("${{"))).toEqual([]);
  });

  test("gets one of both previews, never none", () => {
    expect(step("Preview without credentials").if).toBe("env.HAS_CREDENTIALS != 'true'");
    expect(step("Preview").with).toMatchObject({ command: "preview", diff: true, "comment-on-pr": true });
  });
});

describe("the script without credentials", () => {
  let temp: string;
  beforeEach(() => {
    temp = mkdtempSync(join(tmpdir(), "timebase-workflow-"));
  });
  afterEach(() => rmSync(temp, { recursive: true }));

  function run(program: string) {
    const summary = join(temp, "summary.md");
    writeFileSync(summary, "");
    const { status, stdout, stderr } = spawnSync("bash", ["-e"], {
      cwd: root,
      input: step("Preview without credentials").run,
      encoding: "utf8",
      env: {
        PATH: process.env.PATH,
        HOME: temp,
        GITHUB_WORKSPACE: root,
        GITHUB_STEP_SUMMARY: summary,
        RUNNER_TEMP: temp,
        PROGRAM: program,
        STACK_NAME: "my-org/dev",
        TIMEBASE: ".",
      },
    });
    return { status, stdout, stderr, summary: readFileSync(summary, "utf8") };
  }

  test("writes the plan into the run's summary", () => {
    const { status, stdout, summary } = run("examples/gcp-cluster");
    expect([status, stdout]).toEqual([0, expect.stringContaining("\n3 hosts:\n")]);
    expect(summary).toContain("````\nWhat `pulumi up` of gcp-cluster would make");
    expect(summary.trimEnd()).toMatch(/\n````$/);
  });

  test("fails where the program does, with its reason", () => {
    expect(run("examples")).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("has no Pulumi.yaml"),
      summary: "",
    });
  });
});
