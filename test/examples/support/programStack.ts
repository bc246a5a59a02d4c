import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { LocalWorkspace, type Stack } from "@pulumi/pulumi/automation";
import { ensureEngine } from "../../../rig/engine";
import type { Environment } from "./exampleStack";

export const root = resolve(__dirname, "../../..");

/**
 * A stack of a program of the test's own, in a folder with nothing else in it: transforms of one that runs in this process
 * lose what is secret (@pulumi/pulumi 3.270).
 * @param program JavaScript, by `require`
 * @param providers the engine's environment, with where its providers come from
 */
export async function programStack(
  folder: string,
  program: string,
  providers: (env: Environment) => Environment | Promise<Environment>,
): Promise<Stack> {
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  writeFileSync(join(folder, "package.json"), '{ "main": "index.js" }');
  writeFileSync(join(folder, "Pulumi.yaml"), "name: timebase-test\nruntime: nodejs\n");
  writeFileSync(join(folder, "index.js"), program);
  const { pulumi: pulumiCommand, env } = await ensureEngine();
  const envVars = {
    ...(await providers({ ...env })),
    PULUMI_BACKEND_URL: `file://${folder}`,
    PULUMI_CONFIG_PASSPHRASE: "test",
  };
  return LocalWorkspace.createStack({ stackName: "test", workDir: folder }, { pulumiCommand, envVars });
}

/** The text of such a stack's state. */
export function stateOf(folder: string): string {
  return readFileSync(join(folder, ".pulumi/stacks/timebase-test/test.json"), "utf8");
}

/** The instances of either cloud that are in it. */
export function instancesIn(folder: string): { urn: string; id: string; inputs: Record<string, unknown> }[] {
  return JSON.parse(stateOf(folder)).checkpoint.latest.resources.filter(({ type }: { type: string }) =>
    type.endsWith(":Instance"),
  );
}
