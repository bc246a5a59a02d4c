/** The executable that the engine starts as the plugin. */
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The engine looks for this name in a plugin's folder. */
export const pluginExecutable = "pulumi-resource-command";

/**
 * A script, because the program it starts is TypeScript in a checkout with its own node and its own packages. The engine
 * starts it in the folder of the user's program, so nothing may depend on the working directory.
 */
export function launcherScript(checkout: string): string {
  return `#!/bin/sh
# Stand-in for the Pulumi command provider, installed by pulumi-timebase.
checkout=${shellQuoted(checkout)}
main="$checkout/rig/command-provider/main.ts"
node="$checkout/node_modules/.bin/node"
loader="$checkout/node_modules/tsx/dist/loader.mjs"
for file in "$main" "$node" "$loader"; do
    if ! [ -e "$file" ]; then
        echo "The stand-in for the command provider needs $file, which does not exist." >&2
        echo "If the checkout of pulumi-timebase moved, run its demo or its tests once from the new place;" >&2
        echo "if it has no node_modules, run npm ci there." >&2
        exit 1
    fi
done
exec "$node" --import "$loader" "$main" "$@"
`;
}

/** Writes a folder that `pulumi plugin install --file` takes. */
export function writePluginFolder(folder: string, checkout: string): void {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, pluginExecutable);
  writeFileSync(path, launcherScript(checkout));
  chmodSync(path, 0o755);
}

function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
