import { TimeSourceKind } from "../../plan/enums";
import type { InputErrors } from "../../plan/validate";
import { HostPhc } from "../cloud/args";

// Facts about Amazon's machines. They change: when a list changes, change its rows and its date.

/** When the facts were read. */
export const AS_OF = "2026-11-25";

/** What the machines of one family can do. All sizes of a family are alike, but for bare metal. */
export interface Family {
  /** Nested virtualization: `cpuOptions.nestedVirtualization` gives KVM to an instance that is itself virtual. */
  nested: boolean;
  /** A clock of the hardware (PHC) in a placement group of the strategy precision-time. */
  phc: boolean;
  /** The same without a placement group, in `PHC_REGIONS`. */
  phcWithoutGroup: boolean;
}

const nested = { nested: true, phc: false, phcWithoutGroup: false };
const phc = { nested: false, phc: true, phcWithoutGroup: false };
const olderPhc = { nested: false, phc: true, phcWithoutGroup: true };
const both = { nested: true, phc: true, phcWithoutGroup: false };
const bothOlder = { nested: true, phc: true, phcWithoutGroup: true };

/**
 * The x86-64 families of which something is known. A family that is not here has neither.
 *
 * - `phc`, `phcWithoutGroup`: EC2 User Guide, "Set the time reference on your EC2 instance to use the local Amazon Time
 *   Sync Service", Access the enhanced Amazon Time Sync Service and Access the PTP Hardware Clock
 *   (docs.aws.amazon.com/AWSEC2/latest/UserGuide/configure-ec2-ntp.html); What's New of 2026-06-30, precision time
 *   placement groups, for all commercial regions.
 * - `nested`: EC2 User Guide, "Use nested virtualization to run hypervisors in Amazon EC2 instances"; What's New of
 *   2026-02, first for C8i, M8i, R8i, and of 2026-06 for the rest. What a region has now: `aws ec2 describe-instance-types --filters
 *   Name=processor-info.supported-features,Values=nested-virtualization`.
 */
export const FAMILIES: Readonly<Record<string, Family>> = {
  m7i: bothOlder,
  "m7i-flex": both,
  m7a: olderPhc,
  m8a: phc,
  m8i: nested,
  m8id: nested,
  "m8i-flex": nested,
  c7i: both,
  "c7i-flex": both,
  c7a: phc,
  c8i: nested,
  c8id: nested,
  "c8i-flex": nested,
  r7i: bothOlder,
  r7a: olderPhc,
  r7id: phc,
  r7iz: nested,
  r8i: nested,
  r8id: nested,
  "r8i-flex": nested,
  x8i: nested,
  x8adez: phc,
  "x8adz-3tb": phc,
  "x8adz-6tb": phc,
  x8adzs: phc,
  x8aedez: phc,
  "x8aedz-3tb": phc,
  "x8aedz-6tb": phc,
  x8aez: phc,
  x8az: phc,
  i7i: nested,
  i7ie: nested,
};

/** Where the families with `phcWithoutGroup` need no placement group (the same page, "Legacy access"). */
export const PHC_REGIONS: readonly string[] = [
  "us-east-1",
  "us-east-2",
  "ap-southeast-5",
  "ap-southeast-7",
  "ap-northeast-1",
  "eu-north-1",
];

const OTHER_PARTITION = /^(cn|us-gov|us-iso\w?|eu-isoe|eusc)-/;

/** Whether there are precision-time placement groups: in the commercial regions only. */
export function hasPrecisionGroups(region = ""): boolean {
  return !OTHER_PARTITION.test(region);
}

/**
 * The European Sovereign Cloud, and the families that nest there: its own copy of the guide of `nested` has "C8i, M8i, and R8i
 * instances" only (docs.aws.eu/AWSEC2/latest/UserGuide/amazon-ec2-nested-virtualization.html, read 2026-11-27).
 */
const SOVEREIGN = /^eusc-/;
const NESTED_IN_SOVEREIGN = /^[cmr]8i/;

/** It can do all that can be wished for. */
export const DEFAULT_INSTANCE_TYPE = "m7i.large";

/**
 * The type for guests alone: of the generation that nested virtualization began with, and the only one that each of
 * Amazon's texts names, also its API reference of 2026-11 (CpuOptionsRequest: "supported only on 8th generation Intel-based
 * instance types (c8i, m8i, r8i, and their flex variants)"). The older ones came in 2026-06, by its guide.
 */
export const GUESTS_INSTANCE_TYPE = "m8i.large";

/**
 * The type for a host of which none is stated. A clock that is only wished for takes guests no type that may refuse them; but
 * in a group of the user's for the clock nothing without one can be launched.
 */
export function defaultInstanceType(
  { guests, phc }: Pick<Machine, "guests" | "phc">,
  hasPlacementGroup: boolean,
): string {
  const needsClock = phc === HostPhc.Required || (phc === HostPhc.IfAvailable && hasPlacementGroup);
  return guests && !needsClock ? GUESTS_INSTANCE_TYPE : DEFAULT_INSTANCE_TYPE;
}

/** What a machine is to be and to do. */
export interface Machine {
  instanceType: string;
  guests: boolean;
  phc: HostPhc;
  spot: boolean;
  /** Absent where nothing is known of the provider's. */
  region?: string;
}

/** The family of an instance type: "m7i-flex" of "m7i-flex.large". */
export function familyOf(instanceType: string): string {
  return instanceType.split(".")[0] ?? "";
}

/** Whether an instance is a whole machine, without a hypervisor below it. */
export function isBareMetal(instanceType: string): boolean {
  return /\.metal(-|$)/.test(instanceType);
}

/** Amazon's arm64 families have a "g" behind the number of their generation, but for the first, A1. */
export function isArm64(instanceType: string): boolean {
  return /^(a1|[a-z]+\d+[a-z]*g[a-z]*)([.-]|$)/.test(instanceType);
}

/** Whether the instance must be launched with nested virtualization. */
export function needsNestedVirtualization({ guests, instanceType }: Machine): boolean {
  return guests && !isBareMetal(instanceType);
}

/**
 * Whether a machine is launched in a precision-time placement group. With HostPhc.Required always, because such a launch
 * fails where the hardware is not to be had; with HostPhc.IfAvailable not where the clock is there without one.
 */
export function needsPrecisionGroup(machine: Machine): boolean {
  const family = FAMILIES[familyOf(machine.instanceType)];
  const region = machine.region ?? "";
  switch (machine.phc) {
    case HostPhc.None:
      return false;
    case HostPhc.IfAvailable:
      return (
        family?.phc === true && hasPrecisionGroups(region) && !(family.phcWithoutGroup && PHC_REGIONS.includes(region))
      );
    case HostPhc.Required:
      return true;
    default:
      return machine.phc satisfies never;
  }
}

/** The time sources that a machine has, or may have by its placement: a clock needs hardware that its launch asks for. */
export function timeSourcesOf(machine: Machine, hasPlacementGroup: boolean): TimeSourceKind[] {
  const family = FAMILIES[familyOf(machine.instanceType)];
  const withoutGroup =
    family?.phcWithoutGroup === true && (machine.region === undefined || PHC_REGIONS.includes(machine.region));
  const hasClock = family?.phc === true && (hasPlacementGroup || needsPrecisionGroup(machine) || withoutGroup);
  return hasClock ? [TimeSourceKind.AwsNtp, TimeSourceKind.AwsPhc] : [TimeSourceKind.AwsNtp];
}

/** Why a machine cannot be what is wished, with what can. */
export function impossible(machine: Machine): InputErrors {
  const { instanceType, region = "" } = machine;
  const wishes = wishesOf(machine);
  const where = isSovereign(machine) ? ` in ${region}` : "";
  const refused = (reason: string) => [{ propertyPath: "instanceType", reason }];
  if (isArm64(instanceType)) {
    return refused(
      `${instanceType} is an arm64 machine, which has no TSC, so that neither its clocksource can be tsc nor its microVMs ` +
        `get a PTP clock: take an x86-64 one, such as ${DEFAULT_INSTANCE_TYPE}`,
    );
  }
  if (machine.phc === HostPhc.Required && !hasPrecisionGroups(region)) {
    return [
      {
        propertyPath: "phc",
        reason: `cannot be "required" in ${region}: precision-time placement groups are in Amazon's commercial regions only (${AS_OF})`,
      },
    ];
  }
  return wishes.length === 0 || canDo(machine)
    ? []
    : refused(`${instanceType} has no ${wishes.join(" with ")}${where}; ${remedy(machine)} (${AS_OF})`);
}

/**
 * The families that have all that is wished of a machine, in the order of the table. On spot none nests: "AWS does not allow
 * cpu_options.nested_virtualization with spot instances" is what others met (guardianproject.dev, ops/nix-builder-autoscaler,
 * commit 02b1a063, read 2026-11-27); Amazon's guide has nothing of it. A bare metal machine needs none.
 */
export function familiesFor(machine: Pick<Machine, "guests" | "phc" | "spot" | "region">): string[] {
  const nests = (family: string) => !machine.spot && (!isSovereign(machine) || NESTED_IN_SOVEREIGN.test(family));
  return Object.entries(FAMILIES).flatMap(([family, has]) =>
    (!machine.guests || (has.nested && nests(family))) && (machine.phc !== HostPhc.Required || has.phc) ? family : [],
  );
}

function isSovereign({ region = "" }: Pick<Machine, "region">): boolean {
  return SOVEREIGN.test(region);
}

function canDo(machine: Machine): boolean {
  const { instanceType, guests, phc } = machine;
  return isBareMetal(instanceType)
    ? hasMetal(familyOf(instanceType)) && (phc !== HostPhc.Required || FAMILIES[familyOf(instanceType)]?.phc === true)
    : familiesFor({ ...machine, guests }).includes(familyOf(instanceType));
}

function wishesOf({ guests, phc, spot }: Machine): string[] {
  return [
    ...(guests ? [spot ? "nested virtualization on spot (guests, spot)" : "nested virtualization (guests)"] : []),
    ...(phc === HostPhc.Required ? ["hardware clock (phc)"] : []),
  ];
}

/** Of the flexible families there is no bare metal (Amazon EC2 instance types, "Flex instances"). */
function hasMetal(family: string): boolean {
  return !family.endsWith("-flex");
}

function remedy(machine: Machine): string {
  const families = familiesFor(machine);
  const metal = machine.guests
    ? machine.phc === HostPhc.Required
      ? `a .metal size of ${familiesFor({ ...machine, guests: false })
          .filter(hasMetal)
          .join(", ")}`
      : "any .metal size of an x86-64 family"
    : undefined;
  return `there is in ${[families.join(", "), metal].filter(Boolean).join("; or ")}`;
}
