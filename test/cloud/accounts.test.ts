import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Stack } from "@pulumi/pulumi/automation";
import { afterAll, describe, expect, test } from "vitest";
import { changed } from "../../rig/summary";
import { exampleStack } from "../examples/support/exampleStack";

// Real machines in the account of whoever asks for it: this costs money. Each example with the configuration that its
// README names, and destroyed at the end, whatever happened.

const { AWS_REGION, GOOGLE_PROJECT, SSH_FROM } = process.env;
const hasAny = (...names: string[]) => names.some((name) => process.env[name]);
const aws = hasAny("AWS_ACCESS_KEY_ID", "AWS_PROFILE") ? AWS_REGION : undefined;
const gcp = hasAny("GOOGLE_CREDENTIALS", "GOOGLE_APPLICATION_CREDENTIALS") ? GOOGLE_PROJECT : undefined;

const examples: Readonly<Record<string, Record<string, string | undefined>>> = {
  "aws-cluster": { "aws:region": aws },
  "aws-amazon-linux-2": { "aws:region": aws },
  "gcp-cluster": { "gcp:project": gcp },
  "two-clouds": { "aws:region": aws, "gcp:project": gcp },
  celestial: { "gcp:project": gcp },
};

describe.each(Object.entries(examples))("%s in an account", (name, account) => {
  const config = { ...account, sshFrom: SSH_FROM };
  const missing = Object.keys(config).filter((key) => !config[key as keyof typeof config]);
  if (missing.length > 0) {
    console.log(
      `${name}: skipped, as there is no ${missing.join(", no ")}. It takes SSH_FROM (your address, as 203.0.113.7/32); for ` +
        "AWS its credentials and AWS_REGION; for Google GOOGLE_APPLICATION_CREDENTIALS and GOOGLE_PROJECT.",
    );
  }
  const folder = mkdtempSync(join(tmpdir(), "timebase-account-"));
  let stack: Stack | undefined;
  afterAll(async () => {
    await stack?.destroy();
    rmSync(folder, { recursive: true });
  });

  test.skipIf(missing.length > 0)("is up and proved, and changes nothing by a second up", async () => {
    stack = await exampleStack(name, folder, config as Record<string, string>, (env) => env);
    const { outputs } = await stack.up();
    expect(outputs.ready?.value).toBe(true);
    expect(changed(await stack.up())).toBe(0);
  });
});
