import { existsSync } from "node:fs";
import { resolve, sep } from "node:path";
import { parseArgs } from "node:util";
import { keyPair } from "./cloud/keyPair";
import { didYouMean } from "./did-you-mean";
import { previewProgram, projectIn } from "./preview/preview";
import { exampleFolder, exampleNames, imagined, stackFile, storyOf } from "./preview/stories";
import { previewText } from "./preview/text";
import { type Unasked, unasked } from "./preview/unasked";

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
  const path = resolve(process.env.INIT_CWD ?? ".", wanted);
  const names = exampleNames();
  // A shell that completes a name puts a slash behind it, also behind that of a folder of the user's.
  const name = wanted.replace(/\/$/, "");
  if (names.includes(name) && (name === wanted || !existsSync(path))) return exampleFolder(name);
  if (/[/\\]|^\.+$/.test(wanted)) return path;
  throw new UsageError(
    `there is no example "${wanted}"${didYouMean(wanted, names)} (a folder is given as ./${wanted})`,
  );
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
  const project = projectIn(folder);
  const wholeKey = (key: string) => (key.includes(":") ? key : `${project.name}:${key}`);
  const ownKey = (key: string) => key.replace(`${project.name}:`, "");
  const whole = (config: Record<string, string>) =>
    Object.fromEntries(Object.entries(config).map(([key, value]) => [wholeKey(key), value]));
  const story = whole(storyOf(folder, keys));
  const file = values.stack === undefined ? undefined : stackFile(folder, values.stack, keys);
  const ofStack = whole(file?.config ?? {});
  const given = whole(configOf(values.config));
  const stack = { stack: file?.stack ?? "offline", config: { ...story, ...ofStack, ...given } };

  const failures = new Set<string>();
  const fail = (error: unknown) => void failures.add(withRemedy(messageOf(error)) + placeIn(folder, error));
  process.on("unhandledRejection", fail);
  // What the program says is no part of the result. That hosts may reboot is said of each of them anyway.
  console.log = console.info = (text) => {
    if (!String(text).startsWith("info: [runtime] ")) console.error(text);
  };
  const asked = new Set<string>();
  const imaginedKeys: Record<string, string> = {};
  const answer = (key: string) => {
    asked.add(key);
    const value = key in stack.config ? undefined : imagined(key, keys);
    if (value !== undefined) imaginedKeys[key] = value;
    return value;
  };
  const preview = await previewProgram(project, stack, keys, answer).catch(fail);
  // What the program left unhandled is told a turn later.
  await new Promise((told) => setImmediate(told));
  const asking = { project: project.name, asked, made: preview?.resources.map(({ type }) => type) };
  const ofArguments = unasked(Object.keys(given), asking);
  const told = ({ key, told }: Unasked) => `--config ${key}: ${told}`;
  for (const mistyped of ofArguments.filter(({ isMistyped }) => isMistyped)) failures.add(told(mistyped));
  // A file may have keys of other programs, or of this one as it was.
  const strange = [
    ...ofArguments.filter(({ isMistyped }) => !isMistyped).map(told),
    ...unasked(Object.keys(ofStack), asking).map(({ key, told }) => `${file?.name} ${key}: ${told}`),
    ...(file?.doubts ?? []),
  ];
  if (preview === undefined || failures.size > 0) {
    // Then the program speaks of a key that nobody gave.
    const closed = (file?.closed ?? [])
      .filter((key) => asked.has(wholeKey(key)) && !(wholeKey(key) in given))
      .map(ownKey)
      .map(
        (key) =>
          `${file?.name} ${key}: encrypted, so a made-up key stands for it; if the error is of that, give yours by --config ${key}=...`,
      );
    throw new Error([...failures, ...closed, ...strange].join("\n"));
  }
  const madeUp = Object.entries({ ...story, ...imaginedKeys })
    .filter(([key]) => !(key in ofStack || key in given))
    .map(([key, value]) => settingText(ownKey(key), value));
  process.stdout.write(values.json ? `${JSON.stringify({ ...preview, madeUp })}\n` : previewText(preview, madeUp));
  // Last, or nobody sees it above a long plan.
  for (const doubt of strange) console.error(doubt);
}

/** A setting as it is shown: a key to log in by is too long to be read, and nobody's business. */
function settingText(key: string, value: string): string {
  return value.length <= 60 ? `${key}=${value}` : key;
}

/** Where in the program it happened, if that is known. */
function placeIn(folder: string, error: unknown): string {
  const lines = error instanceof Error ? (error.stack ?? "").split("\n") : [];
  const isOurs = (line: string) => /^ +at /.test(line) && line.includes(folder + sep) && !line.includes("node_modules");
  const place = lines.find(isOurs);
  return place === undefined ? "" : `\n${place}`;
}

/** The remedy of Pulumi itself needs a stack. */
function withRemedy(message: string): string {
  const [, key] = /^Missing required configuration variable '(?:[^:']*:)?([^']*)'/.exec(message) ?? [];
  return key === undefined ? message : `${message}\nHere: give it by --config ${key}=..., or by the file of a --stack`;
}

/** Without what the SDK writes before it, once for each resource that waited. */
function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/^(error serializing property "[^"]*": )+/, "");
}

/** Node's parser of arguments throws errors with such a code. */
const isUsage = (error: unknown) =>
  error instanceof UsageError || String((error as { code?: unknown }).code).startsWith("ERR_PARSE_ARGS");

main().catch((error: unknown) => {
  process.exitCode = 1;
  process.stderr.write(`${messageOf(error)}\n${isUsage(error) ? `\n${help}` : ""}`);
});
