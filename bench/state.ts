import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Stack } from "@pulumi/pulumi/automation";

/** What a host takes in the state, as far as a stack grows with its hosts. */
export interface StateCost {
  resources: number;
  bytes: number;
  /** The same as PULUMI_DIY_BACKEND_GZIP=true writes it. */
  zippedBytes: number;
}

/** @param folder the file backend's */
export async function stateCost(stack: Stack, folder: string, hosts: readonly string[]): Promise<StateCost> {
  const { deployment } = await stack.exportStack();
  const resources = (deployment.resources as { urn: string }[]).filter(({ urn }) =>
    hosts.some((name) => urn.includes(name)),
  );
  const stacks = join(folder, ".pulumi/stacks/timebase-test");
  const file = readdirSync(stacks).find((name) => name === `${stack.name}.json`) ?? "";
  const state = readFileSync(join(stacks, file));
  return {
    resources: resources.length / hosts.length,
    bytes: state.length / hosts.length,
    zippedBytes: gzipSync(state).length / hosts.length,
  };
}
