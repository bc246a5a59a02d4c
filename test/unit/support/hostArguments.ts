import * as pulumi from "@pulumi/pulumi";
import { afterEach, beforeEach, expect, test } from "vitest";
import { OperatingSystem } from "../../../components";
import { aws, gcp } from "./clouds";
import { finishProgram, type Registered, startEngine } from "./mocks";

// What the tests of a host's arguments have in common.

const clouds = {
  resources: {
    ...aws.resources,
    ...gcp.resources,
    "pulumi:providers:aws": {
      required: ["region"],
      optional: ["skipCredentialsValidation", "skipRegionValidation"],
      outputs: () => ({}),
    },
  },
  functions: { ...aws.functions, ...gcp.functions },
};
let registered: Registered[];

/** Every test of the file in a preview of both clouds. */
export function previewBothClouds(): void {
  beforeEach(() => {
    registered = startEngine({ preview: true, cloud: clouds });
  });
  afterEach(finishProgram);
}

/** Undefined stands for an argument that is taken away. */
export type Wrong = readonly [args: Record<string, unknown>, error: string];

/** As the SDK marks its own, in whatever copy of it. */
export const A_RESOURCE = { __pulumiResource: true, id: pulumi.output("vpc-0123456789abcdef0") };

/** When the capability tables were read. */
export const ON = "(2026-11-25)";

export const later = <T>(value: T) => pulumi.output(value);

export const NO_TSC =
  "is an arm64 machine, which has no TSC, so that neither its clocksource can be tsc nor its microVMs get a PTP clock: " +
  "take an x86-64 one, such as";

type AnyHost = new (name: string, args: object, opts?: object) => unknown;

/** The message by which a host refuses arguments; or "accepted". */
export function refusal(host: unknown, args: object, name = "a", opts: object = {}): string {
  const least = { operatingSystem: OperatingSystem.Ubuntu2204, sshFrom: ["203.0.113.7/32"] };
  try {
    new (host as AnyHost)(name, { ...least, ...args }, opts);
    return "accepted";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** A test a row: the whole message, and nothing made. */
export function refuses(type: string, host: unknown, wrong: readonly Wrong[]): void {
  test.each(wrong.map((row, index) => [index, ...row] as const))("refuses wrong arguments %i: %o", (_, args, error) => {
    expect(refusal(host, args)).toBe(`${type} "a" has 1 input error:\n  ${error}`);
    expect(registered).toEqual([]);
  });
}
