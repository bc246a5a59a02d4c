import { readdirSync, readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import type { Stack } from "@pulumi/pulumi/automation";
import {
  HostClock,
  type HostEvidence,
  type RebootPolicy,
  SshHost,
  TimeRole,
  TscClocksource,
} from "../../../components";
import type { TestHost } from "../../rig/support/host";
import { testStack } from "../../rig/support/stack";

/** What became of one `pulumi up`. */
export interface Attempt {
  ok: boolean;
  /** What the user reads: of the toolkit's errors and remedies each once, or the engine's last error. Empty when ok. */
  said: string;
  /** All that the engine printed, progress lines too. */
  output: string;
  evidence?: HostEvidence;
}

/** What a stack sets: everything, or the boot parameters alone, which spares an emulated machine a minute of packages. */
export type Scope = "everything" | "boot";

interface Options {
  scope?: Scope;
  reboot?: RebootPolicy;
  revertReboot?: boolean;
  rebootTimeoutSeconds?: number;
  /** The stack's name. Two stacks of one name are one stack. */
  name?: string;
}

let stacks = 0;

/** A user's stack with one host. It defines the time, so that one machine is enough for everything that is set. */
export function clockStack(host: TestHost, folder: string, options: Options = {}): Promise<Stack> {
  const { scope = "everything", name = `fault-${process.pid}-${++stacks}`, ...args } = options;
  return testStack(name, folder, async () => {
    const { address, port, user, hostKey, privateKey = "" } = host.endpoint;
    const machine = { address, port, user, hostKey, privateKey: pulumi.secret(privateKey) };
    const { endpoint } = new SshHost(host.endpoint.name, machine);
    const clock =
      scope === "boot"
        ? new TscClocksource("clock", { endpoint, ...args })
        : // The machine emulates and shares its cores: how tight the bound is is not what is tested.
          new HostClock("clock", { endpoint, timeRole: TimeRole.Hub, maxErrorMicros: 5000, ...args });
    return { evidence: clock.evidence };
  });
}

/** One `pulumi up`, to its end. `show` gets what the engine prints, as it comes. */
export async function attempt(stack: Stack, show: (text: string) => void = () => {}): Promise<Attempt> {
  let output = "";
  const onOutput = (text: string) => {
    output += text;
    show(text);
  };
  try {
    const { outputs } = await stack.up({ onOutput });
    return { ok: true, said: "", output, evidence: outputs.evidence?.value };
  } catch (error) {
    return { ok: false, said: errorsIn(String(error)), output: `${output}\n${error}` };
  }
}

/** What a person takes from a failed `up`. */
export function errorsIn(text: string): string {
  const lines = text.split("\n").map((line) => line.trim());
  const told = lines
    // What to do about a warning is no part of what failed.
    .filter((line, index) => !(line.startsWith("what to do:") && lines[index - 1]?.startsWith("warn ")))
    .map((line) => /^(?:timebase: )?((?:error on|what to do:|FAIL |found ).*)$/.exec(line)?.[1])
    .filter((line) => line !== undefined);
  // The command provider repeats the whole command.
  const engine = lines
    .filter((line) => /^error: (?!update failed)/.test(line))
    .map((line) => line.replace(/: running ".*/, ""));
  return [...new Set(told.length > 0 ? told : engine)].join("\n");
}

/** The `pulumi` that this process runs, and everything that it has started: the innermost last. */
export function engineProcesses(): number[] {
  const parents = new Map<number, number[]>();
  const names = new Map<number, string>();
  for (const entry of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, "utf8");
      const end = stat.lastIndexOf(")");
      const parent = Number(stat.slice(end + 2).split(" ")[1]);
      parents.set(parent, [...(parents.get(parent) ?? []), Number(entry)]);
      names.set(Number(entry), stat.slice(stat.indexOf("(") + 1, end));
    } catch {
      // It has ended meanwhile.
    }
  }
  const below = (pid: number): number[] => [pid, ...(parents.get(pid) ?? []).flatMap(below)];
  return (parents.get(process.pid) ?? []).filter((pid) => names.get(pid) === "pulumi").flatMap(below);
}
