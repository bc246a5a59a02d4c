import type * as pulumi from "@pulumi/pulumi";
import { GcpHost, type GcpHostArgs, OperatingSystem } from "../../components";
import { gcp } from "../unit/support/clouds";
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

export const least = { operatingSystem: OperatingSystem.Ubuntu2404, sshFrom: ["198.51.100.7/32"] };

export async function made(args: Partial<GcpHostArgs> = {}, cloud: MockCloud = gcp): Promise<Registered[]> {
  const registered = startEngine({ preview: false, cloud });
  await resolved(new GcpHost("a", { ...least, ...args }).endpoint);
  await finishProgram();
  return registered;
}

export const instanceOf = async (args: Partial<GcpHostArgs> = {}) => inputsOf(await made(args), "a-instance");

// The mocked engine takes the whole of an input for secret when a part of it is.
export const metadataOf = (instance: Registered["inputs"]) => revealed(instance.metadata);

export const cloudConfigOf = (instance: Registered["inputs"]) =>
  JSON.parse(metadataOf(instance)["user-data"].replace(/^#cloud-config\n# .*\n/, ""));

/** The resource options of each resource, as a transformation of the component's sees them. */
export async function optionsOf(args: Partial<GcpHostArgs>): Promise<Record<string, pulumi.CustomResourceOptions>> {
  const options: Record<string, pulumi.CustomResourceOptions> = {};
  startEngine({ preview: false, cloud: gcp });
  const transformations = [optionsRecorder(options)];
  await resolved(new GcpHost("a", { ...least, ...args }, { transformations }).endpoint);
  await finishProgram();
  return options;
}
