import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { keyPair } from "./cloud/keyPair";
import { didYouMean } from "./did-you-mean";
import { previewProgram } from "./preview/preview";
import { exampleFolder, exampleNames, stackConfig, storyOf } from "./preview/stories";
import { previewText } from "./preview/text";

const help = `The full plan of an example, or of a Pulumi program in a folder, without any account, network or engine.

  npm run preview:offline -- <example>               every resource, every host's plan, whether it may reboot
  npm run preview:offline -- <example> --json        the same as one JSON object (npm run --silent for nothing else)
  npm run preview:offline -- ./folder --stack dev    a program of yours, with the configuration in Pulumi.dev.yaml
  ... --config key=value                             another value of the configuration; repeatable

Examples: ${exampleNames().join(", ")}
`;

class UsageError extends Error {}

/** The folder of an example, or the one that is meant by a path: that has a slash in it, or is where we are. */
function folderOf(wanted: string): string {
  if (/[/\\]|^\.+$/.test(wanted)) return resolve(process.env.INIT_CWD ?? ".", wanted);
  const names = exampleNames();
  if (names.includes(wanted)) return exampleFolder(wanted);
  throw new UsageError(`there is no example "${wanted}"${didYouMean(wanted, names)}`);
}

function configOf(settings: readonly string[]): Record<string, string> {
  const entries = settings.map((setting) => {
    const [, key, value] = /^([^=]+)=(.*)$/s.exec(setting) ?? [];
    if (key === undefined)
      throw new UsageError(`--config ${setting} must be key=value, such as sshFrom=203.0.113.7/32`);
    return [key, value];
  });
  return Object.fromEntries(entries);
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: "boolean", default: false },
      stack: { type: "string" },
      config: { type: "string", multiple: true, default: [] },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const [wanted, ...more] = positionals;
  if (values.help || wanted === undefined) {
    process.stdout.write(help);
    return;
  }
  if (more.length > 0) throw new UsageError(`one example at a time, not also ${more.join(", ")}`);
  const folder = folderOf(wanted);
  // It opens nothing: made anew for each preview.
  const keys = keyPair();
  const ofStack = values.stack === undefined ? {} : stackConfig(folder, values.stack, keys);
  const story = storyOf(folder, keys);
  const given = configOf(values.config);

  const failures = new Set<string>();
  process.on("unhandledRejection", (reason) => failures.add(messageOf(reason)));
  // What the program says is no part of the result. That hosts may reboot is said of each of them anyway.
  console.log = console.info = (text) => {
    if (!String(text).startsWith("info: [runtime] ")) console.error(text);
  };
  const { preview, asked } = await previewProgram(folder, { ...story, ...ofStack, ...given }, keys);
  // What the program left unhandled is told a turn later.
  await new Promise((told) => setImmediate(told));
  if (failures.size > 0) throw new Error([...failures].join("\n"));
  // A provider's key is read by the provider.
  const unread = Object.keys(given).find((key) => !key.includes(":") && !asked.includes(key));
  if (unread !== undefined)
    throw new UsageError(
      `--config ${unread}: the program asks for no such key${didYouMean(unread, asked)}\nIt asks for: ${asked.join(", ") || "none"}`,
    );
  const madeUp = Object.entries(story).filter(([key]) => !(key in { ...ofStack, ...given }));
  process.stdout.write(values.json ? `${JSON.stringify(preview)}\n` : previewText(preview, madeUp));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Node's parser of arguments throws errors with such a code. */
const isUsage = (error: unknown) =>
  error instanceof UsageError || String((error as { code?: unknown }).code).startsWith("ERR_PARSE_ARGS");

main().catch((error: unknown) => {
  process.exitCode = 1;
  process.stderr.write(`${messageOf(error)}\n${isUsage(error) ? `\n${help}` : ""}`);
});
