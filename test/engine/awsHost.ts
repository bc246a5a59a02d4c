import type * as pulumi from "@pulumi/pulumi";
import { AwsHost, type AwsHostArgs, OperatingSystem } from "../../components";
import { aws } from "../unit/support/clouds";
import {
  finishProgram,
  inputsOf,
  type MockCloud,
  optionsRecorder,
  type Registered,
  revealed,
  startEngine,
} from "../unit/support/mocks";
import { resolved } from "../unit/support/outputs";

// The host of the tests with mocks, and what its making registers.

export const least = { operatingSystem: OperatingSystem.Ubuntu2204, sshFrom: ["198.51.100.7/32"] };

export async function made(
  args: Partial<AwsHostArgs> = {},
  cloud: MockCloud = aws,
  preview = false,
): Promise<Registered[]> {
  const registered = startEngine({ preview, cloud });
  const host = new AwsHost("a", { ...least, ...args });
  await (preview ? resolved(host.urn) : resolved(host.endpoint));
  await finishProgram();
  return registered;
}

export const instanceOf = async (args: Partial<AwsHostArgs> = {}) => inputsOf(await made(args), "a-instance");

export const cloudConfigOf = (instance: Registered["inputs"]) =>
  JSON.parse(revealed(instance.userData).replace(/^#cloud-config\n# .*\n/, ""));

/** The resource options of each resource, as a transformation of the component's sees them: the way for users as well. */
export async function optionsOf(args: Partial<AwsHostArgs>): Promise<Record<string, pulumi.CustomResourceOptions>> {
  const options: Record<string, pulumi.CustomResourceOptions> = {};
  startEngine({ preview: false, cloud: aws });
  const transformations = [optionsRecorder(options)];
  await resolved(new AwsHost("a", { ...least, ...args }, { transformations }).endpoint);
  await finishProgram();
  return options;
}
