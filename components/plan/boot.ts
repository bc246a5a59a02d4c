import { RebootPolicy } from "./enums";
import type { PlanLine } from "./text";

/** The clocksource that the host must have at every boot. */
export interface BootSection {
  clocksource: string;
  /** Kernel boot parameters, one each. */
  parameters: readonly string[];
  reboot: RebootPolicy;
  /** Ours comes last where the user's own parameters say otherwise. */
  override: boolean;
  /** Also on a machine where `tsc=reliable` may be a lie. */
  force: boolean;
  /** Without it, a machine that has no TSC at all is not applicable instead of an error. */
  required: boolean;
}

/** What the program knows better than the host. */
export type BootConditions = Partial<Pick<BootSection, "override" | "force" | "required">>;

/**
 * `clocksource=tsc` alone is refused by a kernel that marked the TSC unstable at boot; `tsc=reliable` turns those
 * stability checks off (Linux, Documentation/admin-guide/kernel-parameters.txt).
 */
export const TSC_BOOT_PARAMETERS = ["clocksource=tsc", "tsc=reliable"] as const;

/** When each policy reboots, as the preview says it. */
const REBOOT_CONDITIONS = {
  [RebootPolicy.ToProve]: "are not live on its running kernel",
  [RebootPolicy.IfNeeded]:
    "are not live, and either its running kernel cannot switch to tsc or a new kernel would get what this one was given",
  [RebootPolicy.Never]: undefined,
} as const satisfies Record<RebootPolicy, string | undefined>;

/**
 * The section for a host that must keep its time by the TSC, which is what KVM's clock pairing demands. `more` are the
 * parameters that something else on the host needs: they become live by the same boot.
 */
export function tscBoot(
  reboot: RebootPolicy,
  conditions: BootConditions = {},
  more: readonly string[] = [],
): BootSection {
  const { override = false, force = false, required = true } = conditions;
  return { clocksource: "tsc", parameters: [...TSC_BOOT_PARAMETERS, ...more], reboot, override, force, required };
}

/** The lines of the section. */
export function bootLines(section: BootSection): PlanLine[] {
  return [
    ["clocksource", section.clocksource],
    ...section.parameters.map((parameter): PlanLine => ["boot-parameter", parameter]),
    ["reboot", section.reboot],
    ...lineIf(section.override, "boot-override", "yes"),
    ...lineIf(section.force, "boot-force", "yes"),
    ...lineIf(!section.required, "boot-required", "no"),
  ];
}

function lineIf(condition: boolean, ...line: PlanLine): PlanLine[] {
  return condition ? [line] : [];
}

/** What a preview says about a host, or undefined if the policy rules a reboot out. */
export function rebootNotice(host: string, policy: RebootPolicy, more: readonly string[] = []): string | undefined {
  const condition = REBOOT_CONDITIONS[policy];
  if (condition === undefined) {
    return undefined;
  }
  const parameters = [...TSC_BOOT_PARAMETERS, ...more].join(" ");
  return (
    `${host}: may reboot once if this update configures it and ${parameters} ${condition} ` +
    `(reboot policy ${policy}; RebootPolicy.Never forbids it). ` +
    `Until it is back, its proof says "Dial N/M failed: retrying". If it does not come back within rebootTimeoutSeconds, the proof ` +
    "fails by the last dial's error: look at the host's console, then run `pulumi up` again."
  );
}
