import * as pulumi from "@pulumi/pulumi";
import { PROVE_COMMAND } from "../../../components/remote/firstBoot";
import { printed } from "./evidence";

/** What was registered, in the order of registration. */
export interface Registered {
  type: string;
  name: string;
  // biome-ignore lint/suspicious/noExplicitAny: inputs are whatever the engine was given
  inputs: Record<string, any>;
}

export interface MockOptions {
  preview: boolean;
  /** What `prove` prints, from its plan. Default: healthy evidence of the plan's host. */
  prove?: (plan: string) => string;
  /** The cloud's resources and functions. Default: none, each of them is an error. */
  cloud?: MockCloud;
  /** What a resource, by its name, waits for before it is there. Default: nothing. */
  wait?: (name: string) => Promise<unknown>;
}

/** A cloud's resources and functions, by their tokens. */
export interface MockCloud {
  resources: Record<string, MockResource>;
  /** A function may look at the provider that it is asked of. */
  // biome-ignore lint/suspicious/noExplicitAny: as below
  functions: Record<string, (inputs: Record<string, any>, provider?: string) => object>;
}

export interface MockResource {
  /** Without any of these the cloud would choose a default of its own, or refuse. */
  required: readonly string[];
  /** What may be there besides. */
  optional: readonly string[];
  /** What the cloud adds. */
  outputs: (inputs: Registered["inputs"], name: string) => object;
  /** What a provider says in a preview of what the cloud will add to something that was given. Default: nothing. */
  previewed?: (inputs: Registered["inputs"]) => object;
}

/** Exactly the inputs that each resource may have. Anything else fails the test: an unread input is a silent mistake. */
const INPUTS = {
  /** What an example's experiment is; no component makes one like it. */
  "command:local:Command": ["create"],
  "command:remote:CopyToRemote": ["connection", "source", "remotePath", "triggers"],
  "command:remote:Command": [
    "connection",
    "create",
    "update",
    "delete",
    "stdin",
    "logging",
    "addPreviousOutputInEnv",
    "triggers",
  ],
} as const;

const NO_CLOUD: MockCloud = { resources: {}, functions: {} };

const SECRET = "4dabf18193072939515e22adb298388d";

/** Starts a mocked engine that fails closed. Call it before components are made. */
export function startEngine({
  preview,
  prove = healthy,
  cloud = NO_CLOUD,
  wait = async () => {},
}: MockOptions): Registered[] {
  const registered: Registered[] = [];
  pulumi.runtime.setMocks(
    {
      async newResource({ type, name, inputs }) {
        const mocked = cloud.resources[type];
        if (mocked === undefined) refuseUnknown(type, inputs);
        else refuseUnlike(type, inputs, mocked);
        registered.push({ type, name, inputs });
        await wait(name);
        // What the cloud decides is not known in a preview.
        if (mocked !== undefined)
          return preview
            ? { id: "", state: { ...inputs, ...mocked.previewed?.(inputs) } }
            : { id: `${name}-id`, state: { ...inputs, ...mocked.outputs(inputs, name) } };
        const stdout = preview || type !== "command:remote:Command" ? {} : { stdout: stdoutOf(inputs, prove) };
        return { id: `${name}-id`, state: { ...inputs, ...stdout } };
      },
      call({ token, inputs, provider }) {
        const answer = cloud.functions[token];
        if (answer === undefined) throw new Error(`unexpected call of ${token}`);
        return answer(inputs, provider);
      },
    },
    "demo",
    "local",
    preview,
  );
  return registered;
}

/** Waits until the engine has everything that the last test's components told it. For afterEach. */
export async function finishProgram(): Promise<void> {
  await pulumi.runtime.disconnect();
}

/** The inputs of one registered resource. */
export function inputsOf(registered: Registered[], name: string): Registered["inputs"] {
  const found = registered.filter((resource) => resource.name === name);
  if (found.length !== 1 || found[0] === undefined) {
    throw new Error(`${found.length} resources are named ${name}: ${registered.map((resource) => resource.name)}`);
  }
  return found[0].inputs;
}

/** The names of what was registered, in its order. */
export function namesOf(registered: Registered[]): string[] {
  return registered.map(({ name }) => name);
}

/** A transformation that remembers the options of each resource, by its name. */
export function optionsRecorder(options: Record<string, pulumi.CustomResourceOptions>): pulumi.ResourceTransformation {
  return ({ name, opts, props }) => {
    options[name] = opts;
    return { props, opts };
  };
}

/** Whether the engine was given this input as a secret. */
export function isSecret(input: unknown): boolean {
  return typeof input === "object" && input !== null && SECRET in input;
}

/** The value inside a secret. */
// biome-ignore lint/suspicious/noExplicitAny: as above
export function revealed(input: any): any {
  return isSecret(input) ? input.value : input;
}

function refuseUnknown(type: string, inputs: Registered["inputs"]): void {
  if (type.startsWith("timebase:index:")) {
    if (Object.keys(inputs).length > 0) {
      throw new Error(`${type} has inputs, and they would be in the state: ${Object.keys(inputs)}`);
    }
    return;
  }
  const allowed: readonly string[] | undefined = INPUTS[type as keyof typeof INPUTS];
  if (allowed === undefined) {
    throw new Error(`unexpected resource type ${type}`);
  }
  const unknown = Object.keys(inputs).filter((key) => !allowed.includes(key));
  if (unknown.length > 0) {
    throw new Error(`unexpected input of ${type}: ${unknown}`);
  }
}

function refuseUnlike(type: string, inputs: Registered["inputs"], { required, optional }: MockResource): void {
  const unknown = Object.keys(inputs).filter((key) => !required.includes(key) && !optional.includes(key));
  const missing = required.filter((key) => inputs[key] === undefined);
  if (unknown.length + missing.length > 0) {
    throw new Error(`${type} has unexpected inputs (${unknown}) or lacks some (${missing})`);
  }
}

function stdoutOf(inputs: Registered["inputs"], prove: (plan: string) => string): string {
  // The command provider does nothing then.
  if (inputs.create === undefined) return "";
  if (inputs.create === PROVE_COMMAND) return prove(revealed(inputs.stdin));
  const verb = String(inputs.create).split("/toolkit/timebase ").at(-1) ?? "";
  if (/^before \.timebase-[0-9a-f]{12}\/before$/.test(verb)) return "";
  switch (verb) {
    case "converge":
      // The command provider cuts the last newline off.
      return "converged-boot-id=0a1b2c3d-0000-4000-8000-000000000000\nconverged-reboot=ordered";
    case "prove --repair":
      return prove(revealed(inputs.stdin));
    default:
      throw new Error(`unexpected command: ${inputs.create}`);
  }
}

/** Healthy evidence of the host that the plan names, and of all that it is to measure. */
export function healthy(plan: string): string {
  const value = (key: string) => plan.match(new RegExp(`^${key}=(.*)$`, "m"))?.[1];
  const pairs = [...plan.matchAll(/^time-pair=(\S+)/gm)].map(([, host]) => ({
    ...{ host, offsetNs: 100_000, errorNs: 20_000, ageMs: 2000, reason: "" },
  }));
  const evidence = { host: value("host"), owner: value("owner"), timescale: value("timescale") ?? null };
  return printed({ ...evidence, ...(pairs.length > 0 ? { pairs } : {}) });
}
