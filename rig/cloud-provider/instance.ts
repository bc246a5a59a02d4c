/** What is read from an instance of either cloud. Pure. */
import type { Inputs } from "../cloud/resources";
import type { Entry } from "./record";

export function isInstance(type: string): boolean {
  return type.endsWith(":Instance");
}

interface Nic {
  networkIp?: string;
  accessConfigs?: { natIp?: string }[];
}

function nicOf(properties: Inputs): Nic {
  const [nic = {}] = (properties.networkInterfaces ?? []) as Nic[];
  return nic;
}

export function privateAddressOf({ properties }: Entry): string {
  return String(properties.privateIp ?? nicOf(properties).networkIp);
}

/** Empty where it has none. */
export function publicAddressOf({ properties }: Entry): string {
  return String(properties.publicIp ?? nicOf(properties).accessConfigs?.[0]?.natIp ?? "");
}
