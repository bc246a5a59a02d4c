/**
 * A Pulumi engine for the demo and the tests: what a normal machine has or downloads, and, where nothing but package
 * registries can be reached, one that is built from Go modules.
 */
import { delimiter, dirname, isAbsolute, join } from "node:path";
import { PulumiCommand } from "@pulumi/pulumi/automation";
import { cacheFolder, keep, keptOrigin, withLock } from "./engine/cache";
import { type CommandPluginOrigin, ensureCommandPlugin } from "./engine/command-plugin";
import { downloadsAreReachable, installOfficially } from "./engine/download";
import { buildEngine } from "./engine/go-build";

/** Called with one line for people, at least once a second during long steps. */
export type Progress = (text: string) => void;

export type CliOrigin = "path" | "download" | "built from Go modules";

export interface Engine {
  /** For the `pulumiCommand` option of an Automation API workspace. */
  readonly pulumi: PulumiCommand;
  /**
   * For the `envVars` option, or to be merged into the environment of a `pulumi` process: the rig's own PULUMI_HOME and
   * cache of compiled modules, and a PATH on which CLI, language host and the node of this checkout come first.
   */
  readonly env: Readonly<Record<string, string>>;
  readonly cli: { readonly version: string; readonly origin: CliOrigin };
  readonly commandPlugin: { readonly origin: CommandPluginOrigin };
}

/** What the library needs of the engine. */
const oldestVersion = "3.249.0";

/**
 * Finds or makes a CLI of at least 3.249, its node language host, and the plugin of the command provider. What it makes is
 * kept in `$XDG_CACHE_HOME/pulumi-timebase` (default `~/.cache`): later calls need neither network nor time. Remove
 * that folder to start over. May be called by several processes at once.
 *
 * @throws an Error that names the remedy when there is neither a CLI, nor a way to download one, nor Go.
 */
export async function ensureEngine(progress: Progress = () => undefined): Promise<Engine> {
  const cache = cacheFolder();
  return withLock(cache, progress, async () => {
    const online = once(downloadsAreReachable);
    const { pulumi, origin } = await ensureCli(join(cache, "engine"), online, progress);
    const env = environment(pulumi, cache);
    const plugin = await ensureCommandPlugin({ pulumi: pulumi.command, env, online, progress });
    return {
      pulumi,
      env,
      cli: { version: String(pulumi.version), origin },
      commandPlugin: { origin: plugin },
    };
  });
}

interface Cli {
  readonly pulumi: PulumiCommand;
  readonly origin: CliOrigin;
}

async function ensureCli(root: string, online: () => Promise<boolean>, progress: Progress): Promise<Cli> {
  const onPath = await PulumiCommand.get().catch(() => undefined);
  if (onPath?.version && onPath.version.compare(oldestVersion) >= 0) {
    return { pulumi: onPath, origin: "path" };
  }
  if (keptOrigin(root) === undefined) {
    await makeCli(root, online, progress);
  }
  return { pulumi: await PulumiCommand.get({ root }), origin: keptOrigin(root) as CliOrigin };
}

async function makeCli(root: string, online: () => Promise<boolean>, progress: Progress): Promise<void> {
  progress("downloading the Pulumi CLI");
  const refused = (await online())
    ? await keep(root, "download" satisfies CliOrigin, installOfficially).catch((error: Error) => error.message)
    : "Pulumi's downloads cannot be reached";
  if (refused === undefined) {
    return;
  }
  await keep(root, "built from Go modules" satisfies CliOrigin, (folder) => buildEngine(folder, progress)).catch(
    (error: Error) => {
      throw new Error(
        `There is no Pulumi engine.\n- On PATH: no pulumi of at least ${oldestVersion}.\n- Download: ${refused}.\n` +
          `- Build from Go modules: ${error.message}.\nInstall the Pulumi CLI ` +
          "(https://www.pulumi.com/docs/install), or Go 1.25 or later where only package registries can be reached.",
      );
    },
  );
}

function environment(pulumi: PulumiCommand, cache: string): Record<string, string> {
  const cliFolder = isAbsolute(pulumi.command) ? [dirname(pulumi.command)] : [];
  const nodeFolder = join(__dirname, "..", "node_modules", ".bin");
  return {
    PATH: [...cliFolder, nodeFolder, process.env.PATH ?? ""].join(delimiter),
    PULUMI_HOME: join(cache, "pulumi-home"),
    // Every update starts some processes of Node.js, which would each compile the same modules: a quarter of their time.
    NODE_COMPILE_CACHE: join(cache, "node-compile-cache"),
    // The sources are type-checked by `npm test`, not at each start: and the host that is built from Go modules is too old
    // for the options of Pulumi.yaml, and takes ts-node.
    PULUMI_NODEJS_TRANSPILE_ONLY: "true",
    PULUMI_SKIP_UPDATE_CHECK: "true",
  };
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => {
    result ??= work();
    return result;
  };
}
