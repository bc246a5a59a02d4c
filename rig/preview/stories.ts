import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parse } from "yaml";
import type { Keys } from "../cloud/keyPair";
import { didYouMean } from "../did-you-mean";

// What a program needs of its stack's configuration, as far as its README has the user set it.

const root = join(__dirname, "../..");

type Config = Record<string, string>;

/** The network of an imagined user (RFC 5737). */
const SSH_FROM = "203.0.113.7/32";
/** A region that has the type of machine for guests. */
const aws = { "aws:region": "eu-central-1", sshFrom: SSH_FROM };
const gcp = { "gcp:project": "my-project", sshFrom: SSH_FROM };

/** The configuration of each example. A key without a colon is the project's own, as in `pulumi config set`. */
export const STORIES: Readonly<Record<string, (keys: Keys) => Config>> = {
  "aws-cluster": () => aws,
  "aws-amazon-linux-2": () => aws,
  "gcp-cluster": () => gcp,
  "two-clouds": () => ({ ...gcp, ...aws }),
  celestial: () => gcp,
  "existing-hosts": ({ publicKey, privateKey }) => ({
    privateKey,
    bastionHostKey: publicKey,
    hostKeys: JSON.stringify({ "rack-1": publicKey, "rack-2": publicKey, "rack-3": publicKey }),
  }),
  "in-your-stack": ({ publicKey, privateKey }) => ({ privateKey, address: "203.0.113.10", hostKey: publicKey }),
};

/** What an example's README has the user set; nothing for a program in another folder. */
export function storyOf(folder: string, keys: Keys): Config {
  const name = basename(folder);
  return folder === exampleFolder(name) ? (STORIES[name]?.(keys) ?? {}) : {};
}

/** What stands for a setting of a program that nobody gave: for a key of a machine, which need not be there yet. */
export function imagined(setting: string, { publicKey, privateKey }: Keys): string | undefined {
  if (/private_?key$/i.test(setting)) return privateKey;
  return /host_?key$/i.test(setting) ? publicKey : undefined;
}

/** What a stack's file has (github.com/pulumi/pulumi, sdk/go/common/workspace/project.go, ProjectStack). */
const OF_A_STACK = ["config", "environment", "secretsprovider", "encryptedkey", "encryptionsalt"];

/** A stack's file. */
export interface StackFile {
  /** The stack's own name. */
  stack: string;
  name: string;
  config: Config;
  /** The keys of what is encrypted, and no key by its name: what stands for it suits few arguments. */
  closed: string[];
  /** What the engine would pass over. */
  doubts: string[];
}

/** The file that has the configuration of a stack. What is encrypted becomes a key that opens nothing. */
export function stackFile(folder: string, stack: string, keys: Keys): StackFile {
  // A stack's whole name has its organization, and its project, too.
  const own = stack.split("/").at(-1) ?? stack;
  const name = `Pulumi.${own}.yaml`;
  const file = join(folder, name);
  if (!existsSync(file))
    throw new Error(`there is no ${file}: give --stack the name of a stack that has a file: dev for Pulumi.dev.yaml`);
  const whole = mapIn(parse(readFileSync(file, "utf8")), file);
  const config = Object.entries(mapIn(whole.config, `config in ${file}`));
  const closed = new Set<string>();
  const plain = (key: string, value: unknown) => {
    // A part of a value may be encrypted, too.
    const text = JSON.stringify(value, (part, held) => {
      if (!isEncrypted(held)) return held;
      const standIn = imagined(part || key, keys);
      if (standIn === undefined) closed.add(key);
      return standIn ?? keys.privateKey;
    });
    return text.startsWith('"') ? JSON.parse(text) : text;
  };
  return {
    stack: own,
    name,
    config: Object.fromEntries(config.map(([key, value]) => [key, plain(key, value)])),
    closed: [...closed],
    doubts: Object.keys(whole)
      .filter((key) => !OF_A_STACK.includes(key))
      .map((key) => `${name} ${key}: a stack's file has no such key${didYouMean(key, OF_A_STACK)}`),
  };
}

function isEncrypted(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.hasOwn(value, "secure");
}

/** What YAML has of keys and values; nothing is none. */
function mapIn(value: unknown, where: string): Record<string, unknown> {
  if (typeof (value ?? {}) !== "object" || Array.isArray(value)) {
    throw new Error(`${where} must be keys with values, such as sshFrom: 203.0.113.7/32`);
  }
  return { ...(value as object) };
}

/** The names of the examples that are there. */
export function exampleNames(): string[] {
  return readdirSync(join(root, "examples"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}

/** The folder of an example. */
export function exampleFolder(name: string): string {
  return join(root, "examples", name);
}
