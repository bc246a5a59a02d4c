import { parseArgs } from "node:util";
import { execa } from "execa";
import { efiTools } from "../vm/host-tools";
import { didYouMean } from "./did-you-mean";
import type { Engine } from "./engine";
import { ensurePackages, testTools } from "./packages";
import { inTheirOwnNetwork, onThisComputer, port22, type Ways } from "./port-22";
import { machineTools, setUp } from "./setup";

interface Stage {
  name: string;
  what: string;
  command: [string, ...string[]];
  env?: Record<string, string>;
  /** What has to be set up first, beyond the npm dependencies: programs; or also the engine and an image. */
  needs?: "programs" | "engine";
  /** How its tests get port 22 of loopback, if they listen there. */
  port22?: Ways;
  /** Takes so long that it runs only when it is named. */
  long?: true;
}

const vitest = (...projects: string[]): Stage["command"] => [
  "vitest",
  "run",
  ...projects.flatMap((project) => ["--project", project]),
  "--reporter=default",
];

/** The cheapest first: a stage that fails ends the run. */
const stages: readonly Stage[] = [
  { name: "lint", what: "format and lint", command: ["biome", "check", "--error-on-warnings"] },
  { name: "types", what: "type check", command: ["tsc", "--noEmit"] },
  { name: "unit", what: "pure code", command: vitest("unit"), needs: "programs" },
  {
    name: "toolkit",
    what: "the toolkit in fake roots, by each system's shell",
    command: vitest("toolkit"),
    needs: "programs",
  },
  {
    name: "engine",
    what: "the engine with mocks and the stand-in",
    command: vitest("engine"),
    needs: "engine",
    port22: inTheirOwnNetwork,
  },
  {
    name: "rig",
    what: "virtual machines: one to which faults happen, and beside it a cluster that reboots",
    command: vitest("machine", "rig"),
    needs: "engine",
  },
  {
    name: "examples",
    what: "the examples in full, on stand-ins for their clouds",
    command: vitest("examples"),
    needs: "engine",
    port22: onThisComputer,
    long: true,
  },
  {
    name: "cloud",
    what: "the examples in your own accounts, which costs money",
    command: vitest("cloud"),
    needs: "engine",
    long: true,
  },
  {
    name: "bash",
    what: "the toolkit in fake roots once more, all by Amazon Linux's shell and awk",
    command: vitest("toolkit"),
    env: { TIMEBASE_SHELLS: "bash", TIMEBASE_AWK: "gawk" },
    needs: "programs",
    long: true,
  },
  { name: "systems", what: "every system and boot loader", command: vitest("systems"), needs: "engine", long: true },
  { name: "sweep", what: "every fault", command: vitest("sweep"), needs: "engine", long: true },
  {
    name: "sources",
    what: "keys, certificates and network PTP between machines",
    command: vitest("sources"),
    needs: "engine",
    long: true,
  },
  {
    name: "truth",
    what: "the claimed bound of a clock beside its true offset",
    command: vitest("truth"),
    needs: "engine",
    long: true,
  },
];

const namesOf = (wanted: (stage: Stage) => boolean) =>
  stages
    .filter(wanted)
    .map(({ name }) => name)
    .join(", ");

const help = `npm test: sets up what the tests need, and runs all of them.

  npm test                      these stages: ${namesOf(({ long }) => !long)}
  npm test -- unit toolkit      these stages only
  npm run test:examples         the same as npm test -- examples; without KVM it takes an hour
  npm run test:cloud            the same as npm test -- cloud: real machines, in accounts whose credentials are there
  npm run test:faults           the same as npm test -- bash systems sweep; hours without KVM, and writes docs/systems.md
  npm run test:sources          the same as npm test -- sources; ten minutes without KVM: keys, certificates and network PTP
  npm run test:truth            the same as npm test -- truth; a quarter of an hour, and writes docs/ground-truth.md
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
  const names = stages.map(({ name }) => name);
  const unknown = positionals.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new Error(`there is no stage "${unknown}"${didYouMean(unknown, names)}\n\n${help}`);
  const chosen = stages.filter(({ name, long }) => (positionals.length === 0 ? !long : positionals.includes(name)));

  const start = performance.now();
  let engine: Engine | undefined;
  for (const { name, what, command, env, needs, port22: ways } of chosen) {
    console.log(`\n=== ${name}: ${what}`);
    if (needs === "programs") await ensurePackages(testTools, console.log);
    if (needs === "engine") engine ??= await setUp([...machineTools, ...efiTools, ...testTools]);
    const by = ways === undefined ? [] : await port22(ways, console.log);
    const began = performance.now();
    const [program = "", ...args] = [...by, ...command];
    const { exitCode } = await execa(program, args, {
      preferLocal: true,
      stdio: "inherit",
      env: { ...engine?.env, ...env },
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
