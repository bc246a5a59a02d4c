import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { LocalWorkspace, type Stack } from "@pulumi/pulumi/automation";
import type { ClusterSummary } from "../components";
import { down } from "../vm/down";
import { machineFiles } from "../vm/qemu";
import { machineFolder, machinesOf, readRecord } from "../vm/record";
import { type Engine, ensureEngine } from "./engine";
import { describeEngine, setUp } from "./setup";
import { freeStack } from "./stack-lock";
import { changed, summaryJson, summaryTable } from "./summary";

const root = join(__dirname, "..");
const folder = join(root, ".demo");
/** The root program's, on its local machines. */
const network = "timebase-local";
const stackFile = join(root, "Pulumi.local.yaml");

const help = `The demo: two virtual machines on one trustworthy clock, proved.

  npm run demo             set everything up, then bring the machines up and prove them; changes nothing when all is well
  npm run demo -- --json   the same; the last line is one JSON object, everything else goes to stderr
  npm run demo:down        remove the machines and everything of them; the set-up stays cached. With -- --force also those
                           that this folder does not know of

The Pulumi state and its passphrase are in .demo/, images and engine in ~/.cache.
`;

async function up(json: boolean): Promise<void> {
  const start = performance.now();
  const engine = await setUp();
  const stack = await demoStack(engine);
  const show = json ? process.stderr : process.stdout;
  show.write(`\npulumi up of the stack "local"\n`);
  const result = await orderlyStopped(() =>
    stack.up({
      onOutput: (text) => show.write(text),
      color: show.isTTY ? "always" : "never",
      // The table says the same, for people.
      suppressOutputs: true,
    }),
  );
  const summary = result.outputs.summary?.value as ClusterSummary;
  const seconds = Math.round((performance.now() - start) / 1000);
  show.write(`\n${summaryTable(summary)}\n`);
  show.write(`${describeEngine(engine)}. ${changed(result)} resources changed, ${seconds} s.\n`);
  show.write(
    `Next: \`npm run demo\` again changes nothing; use the components in your own stack (README.md, examples/);`,
  );
  show.write(" `npm run demo:down` removes everything.\n");
  show.write(`To look around: ${summary.hosts.slice(0, 1).map(loginLine).join("")}, there: sudo timebase status\n`);
  if (json) process.stdout.write(`${summaryJson(summary)}\n`);
}

/** How a person logs in to a machine of the demo. */
function loginLine({ name }: { name: string }): string {
  const folder = machineFolder(name);
  const record = readRecord(folder);
  if (record === undefined) throw new Error(`there is no machine in ${folder}`);
  const { ssh, spec } = record;
  return `ssh -i ${machineFiles(folder).loginKey} -p ${ssh.port} ${spec.user}@${ssh.address}`;
}

/** A stack of its own: the rig's engine, a state and a passphrase in .demo/. */
async function demoStack({ pulumi, env }: Engine): Promise<Stack> {
  const state = join(folder, "state");
  mkdirSync(state, { recursive: true, mode: 0o700 });
  const passphrase = join(folder, "passphrase");
  if (!existsSync(passphrase)) {
    if (existsSync(stackFile)) {
      throw new Error(`${stackFile} belongs to another stack "local": move it away, then run this again`);
    }
    writeFileSync(passphrase, randomBytes(24).toString("base64"), { mode: 0o600 });
  }
  const stack = await LocalWorkspace.createOrSelectStack(
    { stackName: "local", workDir: root },
    {
      pulumiCommand: pulumi,
      envVars: {
        ...env,
        PULUMI_BACKEND_URL: `file://${state}`,
        PULUMI_CONFIG_PASSPHRASE: readFileSync(passphrase, "utf8"),
        // The state repeats itself, and every step writes it anew.
        PULUMI_DIY_BACKEND_GZIP: "true",
      },
    },
  );
  await freeStack(state, () => stack.cancel());
  return stack;
}

async function downAll(force: boolean): Promise<void> {
  if (existsSync(join(folder, "passphrase"))) {
    const stack = await demoStack(await ensureEngine((text) => process.stderr.write(`${text}\n`)));
    await orderlyStopped(() => stack.destroy({ onOutput: (text) => process.stdout.write(text) }));
    await stack.workspace.removeStack("local");
    rmSync(stackFile, { force: true });
  } else if (machinesOf(network).length > 0 && !force) {
    throw new Error(
      `${machinesOf(network).join(", ")} of network ${network} are there, and ${folder} knows of no demo: they are of another ` +
        "clone, of a stack of yours, or of a demo whose .demo/ was removed. `npm run demo:down -- --force` removes them.",
    );
  }
  // Of an `up` that was killed the state has not everything.
  for (const name of machinesOf(network)) await down(name);
  rmSync(folder, { recursive: true, force: true });
  process.stdout.write("The demo is gone. Engine and image stay cached for the next one.\n");
}

let interrupted = false;

/** The engine gets the Ctrl-C too, and ends what it has begun; whoever ended before it would leave its lock. */
async function orderlyStopped<T>(work: () => Promise<T>): Promise<T> {
  const stopping = () => {
    interrupted = true;
    process.stderr.write("\nstopping: waiting for what runs on the machines just now\n");
  };
  process.on("SIGINT", stopping);
  try {
    return await work();
  } finally {
    process.off("SIGINT", stopping);
  }
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: "boolean", default: false },
      force: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) process.stdout.write(help);
  else if (positionals.join(" ") === "down") await downAll(values.force);
  else if (positionals.length > 0) {
    // `demo:down` is `down` to us.
    const strange = positionals[0] === "down" ? positionals.slice(1) : positionals;
    throw new UsageError(`"${strange.join(" ")}" is not understood`);
  }
  // npm takes the option for its own when the `--` before it is forgotten.
  else await up(values.json || process.env.npm_config_json === "true");
}

class UsageError extends Error {}

const isDown = () => process.argv.includes("down");

/** Node's parser of arguments throws errors with such a code. */
const isUsage = (error: unknown) =>
  error instanceof UsageError || String((error as { code?: unknown }).code).startsWith("ERR_PARSE_ARGS");

main().catch((error: unknown) => {
  const text = error instanceof Error ? error.message : String(error);
  process.exitCode = 1;
  if (isUsage(error)) {
    process.stderr.write(`${text}\n\n${help}`);
    return;
  }
  if (interrupted) {
    process.exitCode = 130;
    process.stderr.write(
      "\nThe demo was interrupted: `npm run demo` goes on, `npm run demo:down` removes everything.\n",
    );
    return;
  }
  // The Automation API repeats everything that was shown already.
  const told = /\n(?:.*\n)*?(?=Diagnostics:)/.exec(text);
  const what = isDown() ? "The demo is not removed." : "The demo failed.";
  process.stderr.write(`\n${what}\n${told ? "The cause is above, under Diagnostics." : text}\n`);
  if (!isDown()) process.stderr.write("`npm run demo` tries again; `npm run demo:down` removes everything.\n");
});
