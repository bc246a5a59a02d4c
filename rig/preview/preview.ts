import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join, relative } from "node:path";
import { parse } from "yaml";
import { rebootNotice, TSC_BOOT_PARAMETERS } from "../../components/plan/boot";
import { RebootPolicy } from "../../components/plan/enums";
import { CONVERGE_COMMAND, planOf } from "../../components/remote/firstBoot";
import type { Keys } from "../cloud/keyPair";
import { ImaginedCloud } from "./cloud";

/** What `pulumi up` of a new stack would make. Secrets are masked, and what only a cloud decides has a name instead. */
export interface Preview {
  project: string;
  stack: string;
  resources: PreviewedResource[];
  hosts: PreviewedHost[];
}

export interface PreviewedResource {
  type: string;
  name: string;
  /** What the program gives it: no defaults of the provider. */
  inputs: Record<string, unknown>;
}

export interface PreviewedHost {
  /** The host's name in the plan; where there is no plan yet, the name of its clock component. */
  name: string;
  /** The plan's text; null where it depends on what is not known before something is made. */
  plan: string | null;
  /** Whether the plan lets the host reboot; null with the plan. */
  mayReboot: boolean | null;
  /** When it may, in a sentence. */
  reboot: string;
}

const MASK = "[secret]";
const UNKNOWN = "[known later]";

/**
 * Runs a Pulumi program as in a preview, against imagined clouds.
 * @param onAsked gets each such key that the program asks for, and may return a value for where the configuration has none
 * @throws whatever the program throws while it is loaded. What fails later is a rejection that nobody handles: the caller looks for those.
 */
export async function previewProgram(
  { name: project, folder, main }: Project,
  { stack, config }: Stack,
  keys: Keys,
  onAsked: (key: string) => string | undefined,
): Promise<Preview> {
  const load = createRequire(join(folder, "package.json"));
  // The program's own copy of the SDK: mocks of another one would be those of nobody.
  const pulumi = loadSdk(load, folder);
  requireProgram(load, folder, main);
  const cloud = new ImaginedCloud(keys, config["gcp:project"]);
  const made: PreviewedResource[] = [];
  pulumi.runtime.setMocks(
    {
      newResource: async ({ type, name, inputs }) => {
        made.push({ type, name, inputs });
        return cloud.made(type, name, inputs);
      },
      call: ({ token, inputs }) => cloud.called(token, inputs),
    },
    project,
    stack,
    true,
  );
  pulumi.runtime.setAllConfig(config);
  // What every `Config` reads by, also those of providers.
  const store = load("@pulumi/pulumi/runtime/config") as typeof pulumi.runtime;
  const { getConfig } = store;
  store.getConfig = (key) => {
    const value = onAsked(key);
    return getConfig(key) ?? value;
  };
  process.chdir(folder);
  load(main);
  await pulumi.runtime.disconnect();
  const shownOf = async ({ type, name, inputs }: PreviewedResource) => ({
    type,
    name,
    inputs: await shown(inputs, cloud),
  });
  // The program tells of them in an order that depends on who waited for whom.
  const resources = (await Promise.all(made.map(shownOf))).sort((a, b) => compare(a.name, b.name));
  return { project, stack, resources, hosts: resources.flatMap(hostOf) };
}

/** What a program is told of its stack. */
export interface Stack {
  stack: string;
  /** By whole keys: `project:key`. */
  config: Record<string, string>;
}

export interface Project {
  name: string;
  folder: string;
  /** The program's path. */
  main: string;
}

/** @throws an Error that says what is wrong with the folder. */
export function projectIn(folder: string): Project {
  const file = join(folder, "Pulumi.yaml");
  if (!existsSync(file)) throw new Error(`${folder} has no Pulumi.yaml: give the folder of a Pulumi program`);
  const { name, main = ".", runtime } = parse(readFileSync(file, "utf8")) ?? {};
  const language = typeof runtime === "object" ? runtime?.name : runtime;
  if (typeof name !== "string" || language !== "nodejs") {
    throw new Error(`${file} must have a name and the runtime nodejs, as programs in other languages do not run here`);
  }
  return { name, folder, main: join(folder, main) };
}

/** Not by locale: everywhere the same. */
function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** The marks by which the SDK knows its own values. */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

/** A value as it is shown. A key is masked also where the program has forgotten to make it a secret. */
async function shown<T>(value: T, cloud: ImaginedCloud): Promise<T>;
async function shown(value: unknown, cloud: ImaginedCloud): Promise<unknown> {
  if (typeof value === "string") return /PRIVATE KEY/.test(value) ? MASK : cloud.shown(value);
  if (Array.isArray(value)) return Promise.all(value.map((item) => shown(item, cloud)));
  if (typeof value !== "object" || value === null) return value;
  const mark = value as Record<string, unknown>;
  if (mark[SIGNATURE] === SECRET) return MASK;
  if (mark.__pulumiUnknown === true) return UNKNOWN;
  if (mark.__pulumiAsset === true || mark.__pulumiArchive === true)
    return `[files of ${basename(String(await mark.path))}]`;
  const entries = Object.entries(mark).map(async ([key, item]) => [key, await shown(item, cloud)]);
  return Object.fromEntries(await Promise.all(entries));
}

/** The host that a resource converges, if it is one of our commands that do. */
function hostOf({ type, name, inputs }: PreviewedResource): PreviewedHost[] {
  const atFirstBoot = inputs.update === CONVERGE_COMMAND;
  const converges = atFirstBoot || String(inputs.create).endsWith("/toolkit/timebase converge");
  if (type !== "command:remote:Command" || !converges) return [];
  const component = name.replace(/-converge$/, "");
  const plan = atFirstBoot ? planOf(String(inputs.stdin)) : String(inputs.stdin);
  if (!plan.startsWith("timebase-plan=")) {
    const reboot = "its plan depends on what is not known before something is made";
    return [{ name: component, plan: null, mayReboot: null, reboot }];
  }
  const values = (key: string) => [...plan.matchAll(new RegExp(`^${key}=(.*)$`, "gm"))].map(([, value = ""]) => value);
  const [host = component] = values("host");
  const [policy] = values("reboot");
  const more = values("boot-parameter").filter(
    (parameter) => !TSC_BOOT_PARAMETERS.some((known) => known === parameter),
  );
  const notice = rebootNotice(host, (policy ?? RebootPolicy.Never) as RebootPolicy, more);
  return [{ name: host, plan, mayReboot: notice !== undefined, reboot: notice ?? `${host}: never reboots` }];
}

function loadSdk(load: NodeJS.Require, folder: string): typeof import("@pulumi/pulumi") {
  try {
    return load("@pulumi/pulumi");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND") throw error;
    // Nothing lists what a copied example needs: its README does. Without a package.json npm would go to that of a folder above.
    const install = existsSync(join(folder, "package.json"))
      ? "npm install"
      : "npm init -y && npm install <path>/pulumi-timebase-0.1.0.tgz @pulumi/pulumi tsx";
    throw new Error(`the program in ${folder} has no @pulumi/pulumi: run \`${install}\` there`);
  }
}

/** @throws an Error for people: Node's tells of a module, and who wanted it. */
function requireProgram(load: NodeJS.Require, folder: string, main: string): void {
  try {
    load.resolve(main);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND") throw error;
    throw new Error(`${folder} has no program: ${relative(folder, main) || "index.ts"} is not there`);
  }
}
