import * as pulumi from "@pulumi/pulumi";

/**
 * The region of a machine that states none, where it is plain: by the stack's configuration, else by the environment, as the
 * default provider reads them (@pulumi/aws, config.region). Providers of the program's own may be elsewhere.
 */
export function defaultRegion(opts: pulumi.ComponentResourceOptions = {}): string | undefined {
  const isDefault =
    opts.provider === undefined &&
    Object.keys(opts.providers ?? {}).length === 0 &&
    opts.parent?.getProvider("aws:ec2/instance:Instance") === undefined;
  const { AWS_REGION, AWS_DEFAULT_REGION } = process.env;
  return isDefault ? new pulumi.Config("aws").get("region") || AWS_REGION || AWS_DEFAULT_REGION : undefined;
}
