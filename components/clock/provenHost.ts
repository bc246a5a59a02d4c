import * as pulumi from "@pulumi/pulumi";
import { type HostEvidence, Verdict } from "../evidence/HostEvidence";
import { heldWarnings } from "../evidence/held";
import { parseEvidence } from "../evidence/parse";
import { firstBootDigest } from "../hosts/cloud/firstBoot";
import { completeEndpoint, type HostEndpointArgs } from "../hosts/endpoint";
import { refuse } from "../inputs";
import { rebootNotice } from "../plan/boot";
import { type OperatingSystem, ProveWhen, RebootPolicy } from "../plan/enums";
import type { HostPlan } from "../plan/HostPlan";
import { renderPlan } from "../plan/text";
import { holdsKeys, settleLine } from "../plan/time";
import { kindsBootParameters } from "../plan/timeSourceKinds";
import { at } from "../plan/validate";
import { firstBootScript, order } from "../remote/firstBoot";
import { firstBootCommands } from "../remote/firstBootCommands";
import { copyFolder, type HostProofs, hostCommands } from "../remote/hostCommands";
import { toolkitDigest, toolkitFolder } from "../remote/toolkit";
import type { TimeSourceArgs } from "./timeSource";

/** What every clock component knows of its host once its arguments are resolved. */
export interface HostInputs {
  endpoint: pulumi.Unwrap<HostEndpointArgs>;
  operatingSystem?: OperatingSystem;
  prove?: ProveWhen;
  connectTimeoutSeconds?: number;
  rebootTimeoutSeconds?: number;
  settleErrorMicros?: number;
}

/** The parts of a plan in which components differ. */
export type PlanSections = Pick<HostPlan, "boot" | "time" | "guestPtp">;

const DEFAULT_CONNECT_SECONDS = 600;
const DEFAULT_REBOOT_SECONDS = 600;

/** Of each component, how it proves its host again. No property of it, because other languages have every one as an output. */
const again = new WeakMap<pulumi.ComponentResource, HostProofs["again"]>();

/**
 * Proves the host of a component once more, by one more command, `<name>-<suffix>`, after the first proof and whenever
 * `triggers` change. `more` are lines that it is given beside those of the first proof.
 */
export function provenAgain(
  component: pulumi.ComponentResource,
  suffix: string,
  triggers: pulumi.Input<string[]>,
  more = "",
): pulumi.Output<HostEvidence> {
  const prove = again.get(component);
  if (prove === undefined) {
    throw new Error("only a component that has proved its host can prove it again");
  }
  return prove(suffix, triggers, more).apply(parseEvidence);
}

/** What differs between the ways in which hosts are taken through the three. */
export interface ProvenHostOptions {
  /** Whether a revert reboots the host and proves what came back. */
  revertReboot?: boolean;
  /** Where the toolkit's archive lies, of a host that has its plan from its first boot. */
  toolkitUrl?: pulumi.Input<string>;
}

/**
 * Takes one host through plan, converge and prove. `owner` is unique on the host: a component that comes again under
 * the same owner takes back the sections that it no longer has.
 */
export function provenHost<Inputs extends HostInputs>(
  name: string,
  owner: string,
  inputs: pulumi.Output<Inputs>,
  sections: (inputs: Inputs) => PlanSections,
  parent: pulumi.ComponentResource,
  { revertReboot = false, toolkitUrl }: ProvenHostOptions = {},
): pulumi.Output<HostEvidence> {
  // The inputs are secret as a whole, because the endpoint holds the key. The plan takes everything but that one, and so is
  // legible, unless it has the keys of time sources in it.
  const plan = pulumi.unsecret(inputs).apply((known) => {
    const planned = sections(known);
    const text = planText(owner, known, planned, generationOf(known.endpoint));
    return planned.time && holdsKeys(planned.time) ? pulumi.secret(text) : pulumi.output(text);
  });
  const shared = {
    endpoint: inputs.apply(({ endpoint }) => completeEndpoint(endpoint)),
    proveTriggers: pulumi.unsecret(inputs).apply(({ prove }) => proveTriggers(prove ?? ProveWhen.OnChange)),
    connectSeconds: inputs.apply((known) => known.connectTimeoutSeconds ?? DEFAULT_CONNECT_SECONDS),
    rebootSeconds: inputs.apply((known) => known.rebootTimeoutSeconds ?? DEFAULT_REBOOT_SECONDS),
  };
  const settle = pulumi.unsecret(inputs).apply(({ settleErrorMicros }) => settleLine(settleErrorMicros ?? undefined));
  const proofs =
    toolkitUrl === undefined
      ? hostCommands(name, { ...shared, plan, settle, folder: copyFolder(fullOwner(owner)), revertReboot }, parent)
      : firstBootCommands(name, { ...shared, order: orders(owner, inputs, sections, plan, toolkitUrl) }, parent);
  again.set(parent, proofs.again);
  return proofs.proved.apply((line) => {
    const evidence = parseEvidence(line);
    warn(heldWarnings(evidence), parent);
    return evidence;
  });
}

/** Says by the engine what does not fail a proof, and is easily missed in the evidence. A preview has only what was said before. */
export function warn(warnings: readonly string[], component: pulumi.ComponentResource): void {
  if (!pulumi.runtime.isDryRun()) {
    for (const warning of warnings) {
      pulumi.log.warn(warning, component);
    }
  }
}

function fullOwner(owner: string): string {
  return `${pulumi.getProject()}/${pulumi.getStack()}/${owner}`;
}

function generationOf({ generation }: HostInputs["endpoint"]): string {
  return [generation, toolkitDigest(toolkitFolder())].filter(Boolean).join(" ");
}

function planText(
  owner: string,
  known: Pick<HostInputs, "operatingSystem"> & { endpoint: { name: string } },
  sections: PlanSections,
  generation?: string,
): string {
  const { endpoint, operatingSystem: os } = known;
  return renderPlan({ owner: fullOwner(owner), host: endpoint.name, generation, os, ...sections });
}

/** What a machine is to be told before there is one: its plan, but for what the machine itself adds to it. */
export function firstBootOf(
  owner: string,
  known: Pick<HostInputs, "operatingSystem"> & { endpoint: { name: string } },
  sections: PlanSections,
  toolkitUrl: string,
): string {
  return firstBootScript(toolkitUrl, planText(owner, known, sections));
}

/** The order of each host: refused if its machine would be told another one at its first boot. */
function orders<Inputs extends HostInputs>(
  owner: string,
  inputs: pulumi.Output<Inputs>,
  sections: (inputs: Inputs) => PlanSections,
  plan: pulumi.Output<string>,
  toolkitUrl: pulumi.Input<string>,
): pulumi.Output<string> {
  return pulumi.all([pulumi.unsecret(inputs), plan, toolkitUrl]).apply(([known, text, url]) => {
    const inputsOf = known as unknown as Inputs;
    if (inputsOf.endpoint.firstBoot !== firstBootDigest(firstBootOf(owner, inputsOf, sections(inputsOf), url))) {
      const reason =
        `the machine of "${inputsOf.endpoint.name}" is told another plan at its first boot than that of "${owner}": give its host ` +
        "firstBoot: firstBootPlan(cluster, host, args) with this cluster's name, this host's and the same arguments";
      refuse("HostClock", owner, [{ propertyPath: "endpoint.firstBoot", reason }]);
    }
    return order(url, text);
  });
}

/** None at all by default: with an empty list, the stacks that exist would prove all their hosts once more. */
function proveTriggers(when: ProveWhen): string[] | undefined {
  switch (when) {
    case ProveWhen.OnChange:
      return undefined;
    case ProveWhen.EveryUp:
      return [new Date().toISOString()];
    default:
      return when satisfies never;
  }
}

/**
 * Says in the preview that the host may reboot. The engine's resource hooks would say it only when the host is about to
 * be converged; they fail with every language host older than they are, so the sentence names the condition instead.
 */
export function announceReboot(
  name: string,
  policy: pulumi.Input<RebootPolicy> | undefined,
  component: pulumi.ComponentResource,
  sources?: pulumi.Input<pulumi.Input<TimeSourceArgs>[]>,
): void {
  if (!pulumi.runtime.isDryRun()) {
    return;
  }
  pulumi.output(policy ?? RebootPolicy.ToProve).apply((known) => {
    const notice = rebootNotice(name, known, kindsBootParameters(plainKinds(sources)));
    return notice === undefined ? undefined : pulumi.log.info(notice, component);
  });
}

/** The kinds of sources as far as they are plain: what is not known yet must not keep the sentence from being said. */
function plainKinds(sources: unknown): unknown[] {
  return Array.isArray(sources) ? sources.map((source) => at(source, "kind")) : [];
}

/** A figure that a passed proof lacks only where it says that there is no such thing on the machine. */
export function provenIfApplicable<Key extends keyof HostEvidence>(
  evidence: pulumi.Output<HostEvidence>,
  key: Key,
): pulumi.Output<HostEvidence[Key]> {
  return evidence.apply((known) =>
    known.checks.some(({ verdict }) => verdict === Verdict.NotApplicable) ? known[key] : present(known, key),
  ) as pulumi.Output<HostEvidence[Key]>;
}

/** A figure that a passed proof cannot lack. */
export function proven<Key extends keyof HostEvidence>(
  evidence: pulumi.Output<HostEvidence>,
  key: Key,
): pulumi.Output<NonNullable<HostEvidence[Key]>> {
  return evidence.apply((known) => present(known, key)) as pulumi.Output<NonNullable<HostEvidence[Key]>>;
}

function present<Key extends keyof HostEvidence>(known: HostEvidence, key: Key): NonNullable<HostEvidence[Key]> {
  const value = known[key];
  if (value === undefined) {
    throw new Error(`${known.name}: the proof passed without "${key}"; the toolkit on the host is damaged`);
  }
  return value;
}
