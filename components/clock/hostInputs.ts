import * as pulumi from "@pulumi/pulumi";
import { checkInputs, checkKnown } from "../inputs";
import type { InputErrors } from "../plan/validate";
import { systemFits } from "../plan/validateHost";
import type { HostArgs } from "./args";

/**
 * The door of a component for one host: what is plain is checked before anything is registered. Returns what gives the arguments
 * once all of them are known; the machine's system is compared as soon as it is, in the preview that makes the machine.
 */
export function hostInputs<Args extends HostArgs>(
  component: string,
  name: string,
  args: Args,
  validate: (args: unknown) => InputErrors,
): () => pulumi.Output<pulumi.Unwrap<Args>> {
  const check = checkInputs(component, name, args, validate);
  return () =>
    pulumi
      .all([pulumi.secret(args), checkKnown(component, name, plainOf(args), systemFits)])
      .apply(([known]) => check(known)) as pulumi.Output<pulumi.Unwrap<Args>>;
}

/** What is known of a machine before it is there. Where there is no machine, no field of it is. */
function plainOf({ operatingSystem, endpoint }: HostArgs) {
  const { machine } = pulumi.output(endpoint);
  return {
    operatingSystem,
    endpoint: { machine: { operatingSystem: Reflect.get(machine as object, "operatingSystem") } },
  };
}
