import { join } from "node:path";
import { createInterface } from "node:readline";
import { type ExecaChildProcess, execa } from "execa";
import { pluginExecutable } from "../plugin/launcher";
import { type MachineKind, pluginsOf, standInCloud } from "./environment";

const names = ["aws", "gcp", "tls"] as const;

/** Stand-ins that have started already. */
export interface AttachedCloud {
  /** For the engine, which finds them by it. */
  env: Record<string, string>;
  close(): Promise<void>;
}

/**
 * The stand-ins for clouds, for who runs the engine many times: it starts its providers anew each time,
 * and these take seconds to read their SDKs' types. Here they start once, and the engine attaches itself to them.
 */
export async function attachedCloud(
  folder: string,
  engineEnv: Readonly<Record<string, string>>,
  machines: MachineKind = "none",
): Promise<AttachedCloud> {
  const env = standInCloud(folder, machines, engineEnv);
  const plugins = names.map((name) => execa(join(pluginsOf(folder), pluginExecutable(name)), { env }));
  const ports = await Promise.all(plugins.map(portOf));
  const providers = names.map((name, index) => `${name}:${ports[index]}`).join();
  return {
    env: { ...env, PULUMI_DEBUG_PROVIDERS: providers },
    close: async () => {
      for (const plugin of plugins) plugin.kill();
      await Promise.allSettled(plugins);
    },
  };
}

/** A plugin's first line is its port. */
async function portOf(plugin: ExecaChildProcess): Promise<string> {
  const lines = createInterface(plugin.stdout as NodeJS.ReadableStream)[Symbol.asyncIterator]();
  const { value } = await lines.next();
  if (value === undefined) throw await plugin.catch((error: Error) => error);
  return value;
}
