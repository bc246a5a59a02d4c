import { parseArgs } from "node:util";
import { execa } from "execa";
import type { Engine } from "./engine";
import { ensurePackages, testTools } from "./packages";
import { machineTools, setUp } from "./setup";

interface Stage {
  name: string;
  what: string;
  command: [string, ...string[]];
  /** What has to be set up first, beyond the npm dependencies: programs; or also the engine and an image. */
  needs?: "programs" | "engine";
}

const vitest = (project: string): Stage["command"] => ["vitest", "run", "--project", project, "--reporter=default"];

/** The cheapest first: a stage that fails ends the run. */
const stages: readonly Stage[] = [
  { name: "lint", what: "format and lint", command: ["biome", "check", "--error-on-warnings"] },
  { name: "types", what: "type check", command: ["tsc", "--noEmit"] },
  { name: "unit", what: "pure code", command: vitest("unit"), needs: "programs" },
  {
    name: "toolkit",
    what: "the toolkit in fake roots, under dash and bash",
    command: vitest("toolkit"),
    needs: "programs",
  },
  {
    name: "engine",
    what: "the engine with mocks and the stand-in",
    command: vitest("engine"),
    needs: "engine",
  },
  { name: "rig", what: "virtual machines that reboot", command: vitest("rig"), needs: "engine" },
];

const help = `npm test: sets up what the tests need, and runs all of them.

  npm test                      every stage: ${stages.map(({ name }) => name).join(", ")}
  npm test -- unit toolkit      these stages only
`;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { help: { type: "boolean", short: "h", default: false } },
  });
  if (values.help) {
    process.stdout.write(help);
    return;
  }
  const unknown = positionals.filter((name) => !stages.some((stage) => stage.name === name));
  if (unknown.length > 0) throw new Error(`there is no stage "${unknown.join('", "')}"\n\n${help}`);
  const chosen = stages.filter(({ name }) => positionals.length === 0 || positionals.includes(name));

  const start = performance.now();
  let engine: Engine | undefined;
  for (const { name, what, command, needs } of chosen) {
    console.log(`\n=== ${name}: ${what}`);
    if (needs === "programs") await ensurePackages(testTools, console.log);
    if (needs === "engine") engine ??= await setUp([...machineTools, ...testTools]);
    const began = performance.now();
    const [program, ...args] = command;
    const { exitCode } = await execa(program, args, {
      preferLocal: true,
      stdio: "inherit",
      env: engine?.env,
      reject: false,
    });
    if (exitCode !== 0) throw new Error(`=== ${name} failed. To run it alone: npm test -- ${name}`);
    console.log(`=== ${name}: passed in ${Math.round((performance.now() - began) / 1000)} s`);
  }
  console.log(`\nAll stages passed in ${Math.round((performance.now() - start) / 1000)} s.`);
}

main().catch((error: Error & { code?: string }) => {
  console.error(error.message);
  if (error.code?.startsWith("ERR_PARSE_ARGS")) console.error(`\n${help}`);
  process.exitCode = 1;
});
