/** How a run of the engine gets the stand-ins for clouds: the only way, so that nobody gets them by accident. */
import { delimiter, join, resolve } from "node:path";
import { writePluginFolder } from "../plugin/launcher";
import { loopbackMachines, type Machines, noMachines } from "./machines";
import { virtualMachines } from "./virtual";

const FOLDER = "TIMEBASE_STAND_IN_CLOUD";
const MACHINES = "TIMEBASE_STAND_IN_MACHINES";

const kinds = { none: () => noMachines, loopback: loopbackMachines, virtual: virtualMachines } as const;

export type MachineKind = keyof typeof kinds;

const checkout = resolve(__dirname, "../..");

/**
 * The environment in which the engine takes the stand-ins for its providers, and what is in them is in a folder: it
 * prefers plugins on PATH to those that it has or downloads.
 * @param machines what becomes of instances: nothing, addresses of loopback, or virtual machines
 */
export function standInCloud(
  folder: string,
  machines: MachineKind,
  env: Readonly<Record<string, string>>,
): Record<string, string> {
  const plugins = pluginsOf(folder);
  writePluginFolder(plugins, ["aws", "gcp", "tls"], checkout);
  return { ...env, PATH: [plugins, env.PATH].join(delimiter), [FOLDER]: folder, [MACHINES]: machines };
}

/** Where the executables of a stand-in cloud are. */
export const pluginsOf = (folder: string) => join(folder, "plugins");

/** The same, for the plugin. The machines' own files are in the folder, too. */
export function standInOf(env: NodeJS.ProcessEnv): { folder: string; machines: Machines } {
  const folder = env[FOLDER];
  if (!folder) {
    throw new Error(
      `this is a stand-in for a cloud's provider, for tests: ${FOLDER} must name the folder of its clouds`,
    );
  }
  env.XDG_STATE_HOME = folder;
  return { folder, machines: kinds[env[MACHINES] as MachineKind](folder) };
}
