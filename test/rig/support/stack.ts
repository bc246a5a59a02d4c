import { mkdirSync, mkdtempSync } from "node:fs";
import { join } from "node:path";
import { LocalWorkspace, type PulumiFn, type Stack } from "@pulumi/pulumi/automation";
import { ensureEngine } from "../../../rig/engine";

/** A stack of this test run: its program runs in this process, its state is in a folder of the test's own. */
export async function testStack(name: string, folder: string, program: PulumiFn): Promise<Stack> {
  const { pulumi, env } = await ensureEngine();
  const state = join(folder, "state");
  mkdirSync(state, { recursive: true });
  return LocalWorkspace.createOrSelectStack(
    { projectName: "timebase-test", stackName: name, program },
    {
      pulumiCommand: pulumi,
      workDir: mkdtempSync(join(folder, "project-")),
      // The user's own keys are nothing to a test.
      envVars: { ...env, PULUMI_BACKEND_URL: `file://${state}`, PULUMI_CONFIG_PASSPHRASE: "test", SSH_AUTH_SOCK: "" },
    },
  );
}
