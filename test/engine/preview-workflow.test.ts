import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { runInNewContext } from "node:vm";
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

const expression = (text: string) => `\${{ ${text} }}`;

/** The value of an expression of GitHub's that means the same in JavaScript: where nothing that it asks for is null. */
const evaluated = (of: string, contexts: Record<string, unknown>) =>
  runInNewContext((/^\$\{\{(.*)\}\}$/s.exec(of) as RegExpExecArray)[1] as string, contexts);

const NO_SECRETS = {
  PULUMI_ACCESS_TOKEN: "",
  PULUMI_CONFIG_PASSPHRASE: "",
  AWS_ACCESS_KEY_ID: "",
  AWS_SECRET_ACCESS_KEY: "",
  AWS_SESSION_TOKEN: "",
  GOOGLE_CREDENTIALS: "",
};

describe("a pull request of somebody else", () => {
  test("gets no secret: only who calls the workflow decides when it runs", () => {
    expect(Object.keys(workflow.on)).toEqual(["workflow_call"]);
    const { secrets } = workflow.on.workflow_call;
    expect(secrets).toEqual(Object.fromEntries(Object.keys(NO_SECRETS).map((name) => [name, { required: false }])));
    const withSecrets = steps.filter((one) => JSON.stringify(one).includes("secrets."));
    expect(withSecrets.map(({ name }) => name)).toEqual(["Preview"]);
    expect(
      steps.filter(({ name }) => ["AWS", "Google Cloud", "Preview"].includes(name ?? "")).map((one) => one.if),
    ).toEqual([
      "env.HAS_CREDENTIALS == 'true' && inputs.aws-role != ''",
      "env.HAS_CREDENTIALS == 'true' && inputs.google-provider != ''",
      "env.HAS_CREDENTIALS == 'true'",
    ]);
  });

  const from = (fullName: string) => ({ pull_request: { head: { repo: { full_name: fullName } } } });
  // Whatever the event is that it was called on.
  test.each([
    ["a pull request of the repository", from("ours/stacks"), true],
    ["one of a fork", from("theirs/stacks"), false],
    ["no pull request", {}, true],
  ])("has credentials only if it is no fork's: %s", (_, event, has) => {
    const github = { repository: "ours/stacks", event };
    const hasCredentials = (secrets: Partial<typeof NO_SECRETS>) =>
      evaluated(job.env.HAS_CREDENTIALS, { github, secrets: { ...NO_SECRETS, ...secrets } });
    expect(hasCredentials({ PULUMI_ACCESS_TOKEN: "token" })).toBe(has);
    expect(hasCredentials({ PULUMI_CONFIG_PASSPHRASE: "phrase" })).toBe(has);
    expect(hasCredentials({ AWS_ACCESS_KEY_ID: "key", GOOGLE_CREDENTIALS: "key" })).toBe(false);
  });

  // A run does not start at all where a workflow, or a job of it, asks for more than its caller grants.
  test("is previewed for callers who grant nothing for a role, too", () => {
    expect([workflow.permissions, job.permissions]).toEqual([undefined, undefined]);
  });

  test("is a role of a cloud, where there is one, and needs no key for it", () => {
    expect(step("AWS").with).toEqual({
      "role-to-assume": expression("inputs.aws-role"),
      "aws-region": expression("inputs.aws-region"),
    });
    expect(step("Google Cloud").with).toEqual({
      workload_identity_provider: expression("inputs.google-provider"),
      service_account: expression("inputs.google-service-account"),
    });
  });

  test.each([
    ["a role", "role", "of the role"],
    ["keys", "", "of the keys"],
  ])("is previewed with %s, whatever secrets the caller hands over", (_, role, expected) => {
    const names = Object.keys(NO_SECRETS).filter((name) => name.startsWith("AWS_"));
    const all = (value: string) => Object.fromEntries(names.map((name) => [name, value]));
    const contexts = { inputs: { aws_role: role }, secrets: all("of the keys"), env: all(role && "of the role") };
    // A name of JavaScript's has no hyphen.
    const given = (name: string) =>
      evaluated((step("Preview").env?.[name] ?? "").replaceAll("inputs.aws-role", "inputs.aws_role"), contexts);
    expect(names.map(given)).toEqual(names.map(() => expected));
    expect(step("Preview").env?.GOOGLE_CREDENTIALS).toBe(
      expression("inputs.google-provider == '' && secrets.GOOGLE_CREDENTIALS || ''"),
    );
  });

  // The region that AWS is asked in is the program's, too: a default would be taken for what the program wants.
  test("is previewed for no region that nobody has named", () => {
    expect(workflow.on.workflow_call.inputs["aws-region"].default).toBe("");
    expect(step("Preview").env?.AWS_REGION).toBe(expression("inputs.aws-region"));
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

describe("what a role takes", () => {
  test.each([
    ["no role", {}, 0, ""],
    ["an AWS role", { AWS_ROLE: "arn", ROLE_REGION: "eu-north-1", ACTIONS_ID_TOKEN_REQUEST_URL: "https://" }, 0, ""],
    [
      "no region",
      { AWS_ROLE: "arn", ACTIONS_ID_TOKEN_REQUEST_URL: "https://" },
      1,
      "::error::aws-role needs aws-region",
    ],
    ["a role, without the permission", { AWS_ROLE: "arn", ROLE_REGION: "eu-north-1" }, 1, "need id-token: write"],
    ["a Google provider, without the permission", { GOOGLE_PROVIDER: "projects/1" }, 1, "need id-token: write"],
  ])("is asked for by name: %s", (_, env, status, told) => {
    const check = step("Check what a role takes");
    expect(check.if).toBe("env.HAS_CREDENTIALS == 'true'");
    const ran = spawnSync("bash", ["-e"], { input: check.run, encoding: "utf8", env });
    expect([ran.status, ran.stderr]).toEqual([status, ""]);
    expect(ran.stdout).toContain(told);
  });
});

describe("the script without credentials", () => {
  let temp: string;
  beforeEach(() => {
    temp = mkdtempSync(join(tmpdir(), "timebase-workflow-"));
  });
  afterEach(() => rmSync(temp, { recursive: true }));

  function run(program: string, timebase = ".") {
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
        TIMEBASE: timebase,
      },
    });
    return { status, stdout, stderr, summary: readFileSync(summary, "utf8") };
  }

  test("writes the plan into the run's summary", () => {
    const { status, stdout, summary } = run("examples/gcp-cluster");
    expect([status, stdout]).toEqual([0, expect.stringContaining("\n2 hosts:\n")]);
    expect(summary).toContain("````\nWhat `pulumi up` of gcp-cluster would make");
    expect(summary.trimEnd()).toMatch(/\n````$/);
  });

  // Whoever has not named it finds out when the first fork asks: a repository of stacks has other scripts, or none.
  test.each([
    ["no package", undefined],
    ["another package", { name: "stacks", scripts: { preview: "pulumi preview" } }],
  ])("tells how to name pulumi-timebase where there is %s", (_, content) => {
    if (content !== undefined) writeFileSync(join(temp, "package.json"), JSON.stringify(content));
    const { status, stdout, stderr, summary } = run("examples/gcp-cluster", temp);
    expect([status, stderr, summary]).toEqual([1, "", ""]);
    expect(stdout).toMatch(/^::error::.*: add timebase: <owner>\/pulumi-timebase to the inputs .*\n$/);
    expect(workflow.on.workflow_call.inputs).toHaveProperty("timebase");
  });

  test("fails where the program does, with its reason", () => {
    expect(run("examples")).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("has no Pulumi.yaml"),
      summary: "",
    });
  });
});
