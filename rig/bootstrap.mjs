// Starts a TypeScript program of this repository on a machine that has nothing but Node.js and npm:
// `node rig/bootstrap.mjs <program.ts> [arguments]`. It installs the npm dependencies when they are not those of
// package-lock.json, and runs the program by the Node.js that they bring. Plain JavaScript, no dependencies.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const bin = join(root, "node_modules/.bin");
const stamp = join(root, "node_modules/.timebase-installed");
const oldestNode = 22;

async function installDependencies() {
  const wanted = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  const start = Date.now();
  console.error("Installing the npm dependencies (once) ...");
  // Versions are those of the lock file, which stays as it is. Not `npm ci`: it refuses a lock file that lacks optional
  // packages of other platforms, and a mirror of the registry may lack those. stdout is kept for the program.
  const npm = spawn("npm", ["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
  });
  const seconds = () => Math.round((Date.now() - start) / 1000);
  // On a terminal npm shows itself that it lives.
  const ticker = process.stderr.isTTY
    ? undefined
    : setInterval(() => console.error(`Installing the npm dependencies (once) ... ${seconds()} s`), 10_000);
  const [status] = await once(npm, "exit").catch((error) => [error.message]);
  clearInterval(ticker);
  if (status !== 0) stop(`npm install failed (${status}). Is the npm registry reachable?`);
  writeFileSync(stamp, wanted);
  console.error(`Installed the npm dependencies in ${seconds()} s.`);
}

/** The dependency `node` brings a Node.js that is new enough, unless npm was told to leave optional packages out. */
function findNode() {
  for (const node of [join(bin, "node"), process.execPath]) {
    const version = spawnSync(node, ["--version"], { encoding: "utf8" }).stdout ?? "";
    if (Number(/^v(\d+)/.exec(version)?.[1]) >= oldestNode) return node;
  }
  return stop(`Node.js ${oldestNode} or later is needed, this is ${process.version}: see https://nodejs.org`);
}

function stop(message) {
  console.error(message);
  process.exit(1);
}

await installDependencies();
// A Ctrl-C goes to the program too, whose end is waited for.
process.on("SIGINT", () => {});
const [program, ...rest] = process.argv.slice(2);
// What is loaded before tsx is loaded in half the time.
const run = spawnSync(findNode(), ["--require", "@pulumi/pulumi", "--import", "tsx", join(root, program), ...rest], {
  cwd: root,
  stdio: "inherit",
  env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` },
});
process.exit(run.status ?? 1);
