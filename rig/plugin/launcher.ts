/** The executable that the engine starts as a stand-in's plugin. */
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

interface Program {
  /** Where it begins in a checkout. It gets the name before the arguments. */
  readonly main: string;
  /** Files of packages, to load before tsx looks at every module that is loaded: the engine starts it anew for each step. */
  readonly preloaded: readonly string[];
}

const pulumiServer = "@pulumi/pulumi/provider/server.js";
const cloud: Program = { main: "rig/cloud-provider/main.ts", preloaded: [pulumiServer] };

/** The stand-ins, by the name of their package. */
const standIns = {
  command: { main: "rig/command-provider/main.ts", preloaded: [pulumiServer, "ssh2/lib/index.js"] },
  aws: cloud,
  gcp: cloud,
  tls: cloud,
} as const satisfies Record<string, Program>;

export type StandIn = keyof typeof standIns;

/** The engine looks for this name in a plugin's folder, and on PATH. */
export function pluginExecutable(name: StandIn): string {
  return `pulumi-resource-${name}`;
}

/**
 * A script, because the program it starts is TypeScript in a checkout with its own node and its own packages. The engine
 * starts it in the folder of the user's program, so nothing may depend on the working directory.
 */
export function launcherScript(name: StandIn, checkout: string): string {
  const { main, preloaded } = standIns[name];
  const files = preloaded.map((file) => `"$checkout/node_modules/${file}"`);
  const requires = files.map((file) => `--require ${file} `).join("");
  return `#!/bin/sh
# Stand-in for the Pulumi ${name} provider, installed by pulumi-timebase.
checkout=${shellQuoted(checkout)}
main="$checkout/${main}"
node="$checkout/node_modules/.bin/node"
loader="$checkout/node_modules/tsx/dist/loader.mjs"
for file in "$main" "$node" "$loader" ${files.join(" ")}; do
    if ! [ -e "$file" ]; then
        echo "The stand-in for the ${name} provider needs $file, which does not exist." >&2
        echo "If the checkout of pulumi-timebase moved, run its demo or its tests once from the new place;" >&2
        echo "if it has no node_modules, run npm ci there." >&2
        exit 1
    fi
done
exec "$node" ${requires}--import "$loader" "$main" ${name} "$@"
`;
}

/** Writes a folder that `pulumi plugin install --file` takes, and that may be on PATH. */
export function writePluginFolder(folder: string, names: readonly StandIn[], checkout: string): void {
  mkdirSync(folder, { recursive: true });
  for (const name of names) {
    const path = join(folder, pluginExecutable(name));
    writeFileSync(path, launcherScript(name, checkout));
    chmodSync(path, 0o755);
  }
}

function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
