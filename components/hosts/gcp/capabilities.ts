import { TimeSourceKind } from "../../plan/enums";
import type { InputErrors } from "../../plan/validate";
import { HostPhc } from "../cloud/args";

// Facts about Google's machines. They change: when a list changes, change its rows and its date.

/** When the facts were read. */
export const AS_OF = "2026-11-25";

/** What the machines of one series can do. */
export interface Series {
  /** The maker of the processor, which decides nested virtualization. */
  processor: "Intel" | "AMD" | "Arm";
  /** Nested virtualization: `advancedMachineFeatures.enableNestedVirtualization`. */
  nested: boolean;
  /** The clock of the host below by `ptp_kvm`. */
  ptpKvm: boolean;
  /** The kind of disk to boot from. The newest series have no Persistent Disk. */
  bootDisk: "pd-balanced" | "hyperdisk-balanced";
}

const intel = { processor: "Intel", nested: true, ptpKvm: false, bootDisk: "pd-balanced" } as const;
const amd = { processor: "AMD", nested: false, ptpKvm: false, bootDisk: "pd-balanced" } as const;
const arm = { processor: "Arm", nested: false, ptpKvm: false, bootDisk: "hyperdisk-balanced" } as const;
const hyperdisk = { bootDisk: "hyperdisk-balanced" } as const;

/**
 * The series of which something is known. One that is not here has neither clock nor nested virtualization.
 *
 * - `nested`: "About nested virtualization", Restrictions: no AMD and no Arm processor, no E2, no memory-optimized machine
 *   (cloud.google.com/compute/docs/instances/nested-virtualization/overview).
 * - `ptpKvm`: "Configure accurate time for Compute Engine VMs", Supported machine types. It has a list of zones too, which
 *   is not repeated here (docs.cloud.google.com/compute/docs/instances/time-synchronization/configure-time-sync).
 * - `bootDisk`: "About Hyperdisk" and "Persistent Disk", Machine series support. Of A2 and G2, which are older than what has
 *   Hyperdisk only: SkyPilot's table of Google's page (github.com/skypilot-org/skypilot/pull/5457, 2025-04), and for A2 that of
 *   OpenShift's installer (pkg/types/gcp/machinepools.go, InstanceTypeToDiskTypeMap); both read 2026-11-27. Whether their
 *   machines can nest is not looked up.
 */
export const SERIES: Readonly<Record<string, Series>> = {
  c3: { ...intel, ptpKvm: true },
  c3d: { ...amd, ptpKvm: true },
  c4: { ...intel, ...hyperdisk, ptpKvm: true },
  c4d: { ...amd, ...hyperdisk, ptpKvm: true },
  c2: intel,
  n1: intel,
  n2: intel,
  n4: { ...intel, ...hyperdisk },
  c2d: amd,
  n2d: amd,
  n4d: { ...amd, ...hyperdisk },
  t2d: amd,
  e2: { ...intel, nested: false },
  m1: { ...intel, nested: false },
  m2: { ...intel, nested: false },
  m3: { ...intel, nested: false },
  m4: { ...intel, ...hyperdisk, nested: false },
  a2: { ...intel, nested: false },
  g2: { ...intel, nested: false },
  c4a: arm,
  n4a: arm,
  t2a: { ...arm, bootDisk: "pd-balanced" },
};

/** It can do all that can be wished for, so that a wish added later does not need another type. */
export const DEFAULT_MACHINE_TYPE = "c3-standard-4";

/** What a machine is to be and to do. */
export interface Machine {
  machineType: string;
  guests: boolean;
  phc: HostPhc;
  spot: boolean;
}

/** The series of a machine type: "c3" of "c3-standard-4". The oldest types do not name theirs. */
export function seriesOf(machineType: string): string {
  const word = machineType.split("-")[0] ?? "";
  return /^(custom|f1|g1)$/.test(word) ? "n1" : word;
}

/**
 * Whether a machine type is a whole machine, without a hypervisor below it: "c3-highcpu-192-metal". It has an IDPF network
 * interface ("Using the IDPF network interface") and no Shielded VM ("General-purpose machine family", C3 machine series),
 * and is not sold as spot ("Spot VMs", Limitations; all under docs.cloud.google.com/compute/docs).
 */
export function isBareMetal(machineType: string): boolean {
  return machineType.endsWith("-metal");
}

/**
 * Whether maintenance can move a machine elsewhere. Else it must be told to stop it: whole machines, those with GPUs or TPUs,
 * and H4D ("Set VM host maintenance policy", Limitations).
 */
export function canMigrate(machineType: string): boolean {
  return !isBareMetal(machineType) && !/^(a\d|g\d|ct\d|h4d$)/.test(seriesOf(machineType));
}

/** Whether the machine must be made with nested virtualization. */
export function needsNestedVirtualization({ guests, machineType }: Machine): boolean {
  return guests && !isBareMetal(machineType);
}

/** The kind of disk that the machine can boot from. Each series that is not in the table has Hyperdisk. */
export function bootDiskType(machineType: string): string {
  return isBareMetal(machineType)
    ? "hyperdisk-balanced"
    : (SERIES[seriesOf(machineType)]?.bootDisk ?? "hyperdisk-balanced");
}

/** The time sources that a machine has. */
export function timeSourcesOf({ machineType }: Machine): TimeSourceKind[] {
  const hasClock = !isBareMetal(machineType) && SERIES[seriesOf(machineType)]?.ptpKvm === true;
  return hasClock ? [TimeSourceKind.GcpNtp, TimeSourceKind.GcpPhc] : [TimeSourceKind.GcpNtp];
}

/** Why a machine cannot be what is wished, with what can. */
export function impossible(machine: Machine): InputErrors {
  const { machineType, guests, phc } = machine;
  const refused = (reason: string) => [{ propertyPath: "machineType", reason }];
  const series = seriesOf(machineType);
  if (SERIES[series]?.processor === "Arm") {
    return refused(
      `${machineType} is an arm64 machine, which has no TSC, so that neither its clocksource can be tsc nor its microVMs ` +
        `get a PTP clock: take an x86-64 one, such as ${DEFAULT_MACHINE_TYPE}`,
    );
  }
  const isMetal = isBareMetal(machineType);
  if (isMetal && machine.spot) {
    const reason = `cannot be true with ${machineType}: Google has no bare metal machines on spot; leave it out, or take ${DEFAULT_MACHINE_TYPE}, where guests run by nested virtualization (${AS_OF})`;
    return [{ propertyPath: "spot", reason }];
  }
  const isRefused = isMetal ? phc === HostPhc.Required : !seriesFor(machine).includes(series);
  const wishes = [
    ...(guests ? ["nested virtualization (guests)"] : []),
    ...(phc === HostPhc.Required ? ["clock of the host below, ptp_kvm (phc)"] : []),
  ];
  const there = `there is in ${seriesFor(machine).join(", ")}${isMetal ? ", but not on bare metal" : ""}`;
  return wishes.length > 0 && isRefused
    ? refused(`${machineType} has no ${wishes.join(" with ")}; ${there} (${AS_OF})`)
    : [];
}

/** The series that have all that is wished of a machine, in the order of the table. */
export function seriesFor({ guests, phc }: Pick<Machine, "guests" | "phc">): string[] {
  return Object.entries(SERIES).flatMap(([series, has]) =>
    (!guests || has.nested) && (phc !== HostPhc.Required || has.ptpKvm) ? series : [],
  );
}
