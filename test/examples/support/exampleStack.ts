import { mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { LocalWorkspace, type Stack } from "@pulumi/pulumi/automation";
import { ensureEngine } from "../../../rig/engine";
import { exampleFolder } from "../../../rig/preview/stories";

const root = resolve(__dirname, "../../..");

export type Environment = Record<string, string>;

/**
 * A stack of an example's very program on the real engine. Engine and configuration have their files in a folder of the
 * test's own, where the program appears by links: the example's folder stays as it is.
 * @param providers the engine's environment, with where its providers come from
 */
export async function exampleStack(
  name: string,
  folder: string,
  config: Record<string, string>,
  providers: (env: Environment) => Environment | Promise<Environment>,
): Promise<Stack> {
  const { pulumi, env } = await ensureEngine();
  const workDir = join(folder, name);
  mkdirSync(workDir);
  for (const file of readdirSync(exampleFolder(name)))
    symlinkSync(join(exampleFolder(name), file), join(workDir, file));
  // What is above it in its place.
  for (const file of ["node_modules", "package.json", "tsconfig.json"])
    symlinkSync(join(root, file), join(workDir, file));
  const envVars = {
    ...(await providers({ ...env })),
    PULUMI_BACKEND_URL: `file://${workDir}`,
    PULUMI_CONFIG_PASSPHRASE: "test",
  };
  const stack = await LocalWorkspace.createStack({ stackName: "test", workDir }, { pulumiCommand: pulumi, envVars });
  await stack.setAllConfig(Object.fromEntries(Object.entries(config).map(([key, value]) => [key, { value }])));
  return stack;
}
