import { readFileSync } from "node:fs";
import { RunError } from "@pulumi/pulumi";
import type { RunningVm } from "../../vm/up";
import type { HostEndpoint } from "./endpoint";

/** How to reach a local machine, by what its command printed. */
export function localEndpoint(name: string, json: string): HostEndpoint {
  const { address, port, user, hostKey, privateKeyFile, privateAddress, incarnation }: RunningVm = JSON.parse(json);
  return {
    name,
    address,
    port,
    user,
    hostKey,
    privateKey: keyIn(privateKeyFile, name),
    privateAddress: privateAddress?.replace(/\/.*/, "") ?? address,
    generation: incarnation,
  };
}

function keyIn(file: string, name: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new RunError(
      `LocalVm "${name}": its private key cannot be read (${(error as Error).message}): ` +
        "if the machine's folder was removed, `pulumi up` of the whole stack makes it again",
    );
  }
}
