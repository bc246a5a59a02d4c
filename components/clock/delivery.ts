import type * as pulumi from "@pulumi/pulumi";

/** Of the arguments of a clock, where its host fetches the toolkit. No argument itself, as it goes with that of a whole cluster. */
const toolkitUrls = new WeakMap<object, pulumi.Input<string>>();

/** The same arguments, of a host that has its plan from its first boot if there is a URL. */
export function delivered<Args extends object>(args: Args, toolkitUrl: pulumi.Input<string> | undefined): Args {
  if (toolkitUrl !== undefined) toolkitUrls.set(args, toolkitUrl);
  return args;
}

/** Absent: the plan is delivered by SSH. */
export function toolkitUrlOf(args: object): pulumi.Input<string> | undefined {
  return toolkitUrls.get(args);
}
