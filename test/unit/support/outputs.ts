import type * as pulumi from "@pulumi/pulumi";

/** What an output keeps to itself. */
interface Internals<T> {
  promise(): Promise<T>;
  isKnown: Promise<boolean>;
  isSecret: Promise<boolean>;
}

/** The value of an output, or its error. `apply` would wait for ever for an output that failed. */
export function resolved<T>(output: pulumi.Output<T>): Promise<T> {
  return (output as unknown as Internals<T>).promise();
}

/** Whether an output's value is known in this run. */
export function isKnown<T>(output: pulumi.Output<T>): Promise<boolean> {
  return (output as unknown as Internals<T>).isKnown;
}

/** Whether an output is kept secret. */
export function isSecretOutput<T>(output: pulumi.Output<T>): Promise<boolean> {
  return (output as unknown as Internals<T>).isSecret;
}
