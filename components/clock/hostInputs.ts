import * as pulumi from "@pulumi/pulumi";
import { checkInputs, checkKnown } from "../inputs";
import type { InputErrors } from "../plan/validate";
import { systemFits } from "../plan/validateHost";
import type { HostArgs } from "./args";

/**
 * The door of a component for one host: what is plain is checked before anything is registered, the rest as soon as it is known.
 * The machine's system is compared already in the preview that makes the machine.
 */
export function hostInputs<Args extends HostArgs>(
  component: string,
  name: string,
  args: Args,
  validate: (args: unknown) => InputErrors,
): pulumi.Output<pulumi.Unwrap<Args>> {
  const check = checkInputs(component, name, args, validate);
  const { operatingSystem, endpoint } = args;
  const judged = { operatingSystem, endpoint: { machine: machineFieldsOf(endpoint, ["operatingSystem"]) } };
  return pulumi
    .all([pulumi.secret(args), checkKnown(component, name, judged, systemFits)])
    .apply(([known]) => check(known)) as pulumi.Output<pulumi.Unwrap<Args>>;
}

/**
 * Fields of what is known of a machine before it is there, each as soon as it is known itself. Where there is no machine, none
 * is there.
 */
export function machineFieldsOf(endpoint: HostArgs["endpoint"], fields: readonly string[]): Record<string, unknown> {
  const { machine } = pulumi.output(endpoint);
  return Object.fromEntries(fields.map((field) => [field, Reflect.get(machine as object, field)]));
}
