import { text } from "node:stream/consumers";
import { down } from "./down";
import { requireTools, startingTools } from "./host-tools";
import { ensureImage } from "./image";
import { endWith } from "./interruption";
import { livingProcess } from "./process";
import { machineFiles } from "./qemu";
import { machineFolder, readRecord } from "./record";
import { type VmSpec, type VmSpecInput, withDefaults } from "./spec";
import { validateSpec } from "./spec-rules";
import { Trouble } from "./trouble";
import { up } from "./up";

const help = `Local virtual machines of pulumi-timebase.

usage: main.ts <command> < spec.json

  up      make the machine run and wait for its SSH; prints how to reach it, and where its private key is
  down    stop the machine and remove everything of it; needs only the name
  status  whether the machine exists and runs
  image   build the machine's image, if the cache lacks it, and print its path

The spec is a JSON object; only "name" is needed:
  {"name": "node-1", "cpus": 2, "memoryMib": 1024, "diskGib": 8, "user": "timebase",
   "image": {"suite": "bookworm", "packages": ["jq"], "setup": "shell text, run in the image as root"},
   "network": "lab", "privateAddress": "10.77.0.1/24", "firstBoot": ["shell command"]}

One line of JSON goes to stdout, progress to stderr. Exit status 0, or 1 with what happened, where, and what to do.
With the process id of its parent in TIMEBASE_CALLER, it gives up when that is gone, and removes a machine that it was making.
Images are kept in $XDG_CACHE_HOME (~/.cache), machines in $XDG_STATE_HOME (~/.local/state), in timebase/.
`;

const commands: Record<string, (spec: VmSpec) => Promise<unknown>> = {
  up,
  down: async ({ name }) => {
    await down(name);
    return { name, removed: true };
  },
  status: async ({ name }) => {
    const record = readRecord(machineFolder(name));
    const pid = livingProcess(machineFiles(machineFolder(name)).pid);
    return { name, exists: record !== undefined, running: pid !== undefined, pid, ...record?.ssh, ...record?.started };
  },
  image: async ({ image }) => {
    requireTools(startingTools);
    return { image: await ensureImage(image) };
  },
};

async function readSpec(): Promise<VmSpec> {
  const value = parsed(await text(process.stdin));
  const errors = validateSpec(value);
  if (errors.length === 0) return withDefaults(value as VmSpecInput);
  const lines = errors.map(({ propertyPath, reason }) => `${propertyPath} ${reason}`);
  throw new Trouble(
    `the spec is not valid:\n    ${lines.join("\n    ")}`,
    "stdin",
    "correct these fields; --help shows a spec",
  );
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new Trouble(`the spec is not JSON: ${(error as Error).message}`, "stdin", "--help shows a spec");
  }
}

async function main(name: string | undefined): Promise<void> {
  if (name === "--help" || name === "-h") {
    process.stdout.write(help);
    return;
  }
  const command = name === undefined || !Object.hasOwn(commands, name) ? undefined : commands[name];
  if (command === undefined) {
    throw new Trouble(
      name === undefined ? "no command given" : `there is no command ${name}`,
      "the first argument",
      `use one of ${Object.keys(commands).join(", ")}, or --help`,
    );
  }
  process.stdout.write(`${JSON.stringify(await command(await readSpec()))}\n`);
}

const caller = Number(process.env.TIMEBASE_CALLER);
if (caller > 0) endWith(caller);

main(process.argv[2]).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Trouble ? error.message : (error as Error).stack}\n`);
  process.exitCode = 1;
});
