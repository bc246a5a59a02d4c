/** The plugin of the `command` provider: the real one where it can be downloaded, else the rig's stand-in. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { mimickedVersion } from "../command-provider/provider";
import type { Progress } from "../engine";
import { launcherScript, pluginExecutable, writePluginFolder } from "../plugin/launcher";

export type CommandPluginOrigin = "official" | "stand-in";

/** The stand-in runs from this checkout. */
const checkout = resolve(__dirname, "..", "..");

/** `pulumi plugin install` has no time limit of its own. The archive has some 15 MB. */
const downloadWithinSeconds = 180;
/** When a probe has just failed: only for networks that a proxy opens for the CLI and not for node. */
const lastHopeSeconds = 8;

export interface PluginInstaller {
  /** The CLI's executable. */
  readonly pulumi: string;
  readonly env: Readonly<Record<string, string>>;
  readonly online: () => Promise<boolean>;
  readonly progress: Progress;
}

/** A stand-in stays until the cache folder is removed; it is installed again when its launcher changed. */
export async function ensureCommandPlugin(installer: PluginInstaller): Promise<CommandPluginOrigin> {
  const installed = installedLauncher(installer.env.PULUMI_HOME ?? "");
  if (installed === undefined && (await installedOfficially(installer))) {
    return "official";
  }
  if (installed !== undefined && !isStandIn(installed)) {
    return "official";
  }
  if (installed !== launcherScript("command", checkout)) {
    await installStandIn(installer);
  }
  return "stand-in";
}

function installedLauncher(pulumiHome: string): string | undefined {
  const path = join(pulumiHome, "plugins", `resource-command-v${mimickedVersion}`, pluginExecutable("command"));
  return existsSync(path) ? readFileSync(path, "latin1") : undefined;
}

/** The real plugin is a binary. */
function isStandIn(executable: string): boolean {
  return executable.startsWith("#!");
}

async function installedOfficially({ pulumi, env, online, progress }: PluginInstaller): Promise<boolean> {
  progress(`downloading the command provider ${mimickedVersion}`);
  const timeout = ((await online()) ? downloadWithinSeconds : lastHopeSeconds) * 1000;
  const args = ["plugin", "install", "resource", "command", mimickedVersion];
  const { failed } = await execa(pulumi, args, { env, timeout, reject: false, stdin: "ignore" });
  return !failed;
}

async function installStandIn({ pulumi, env, progress }: PluginInstaller): Promise<void> {
  progress("installing the stand-in for the command provider");
  const folder = mkdtempSync(join(tmpdir(), "timebase-plugin-"));
  try {
    writePluginFolder(folder, ["command"], checkout);
    const args = ["plugin", "install", "resource", "command", mimickedVersion, "--file", folder, "--reinstall"];
    await execa(pulumi, args, { env, stdin: "ignore" });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
