import { createHash } from "node:crypto";
import { hardwareAddress, interfaceNames } from "./qemu";
import type { VmSpec } from "./spec";

/** Key pairs of a machine, as OpenSSH writes them. */
export interface MachineKeys {
  /** Public key that may log in. */
  login: string;
  /** The machine's own key pair: known before the first boot, so that nobody has to trust a first connection. */
  host: { private: string; public: string };
}

/** The files that cloud-init's NoCloud source reads, by name. JSON is YAML, so no writer of YAML is needed. */
export function seedFiles(spec: VmSpec, keys: MachineKeys): Record<string, string> {
  const user = spec.cloud?.userTexts.userData ?? configText(userData(spec, keys));
  const network = `${JSON.stringify(networkConfig(spec), null, 1)}\n`;
  // cloud-init takes another id for another machine and runs all first-boot work again.
  const id = createHash("sha256").update(user).update(network).digest("hex").slice(0, 16);
  const meta = { "instance-id": `${spec.name}-${id}`, "local-hostname": spec.name };
  const texts = { "user-data": user, "meta-data": `${JSON.stringify(meta)}\n`, "network-config": network };
  return spec.cloud === undefined ? texts : { ...texts, "vendor-data": spec.cloud.userTexts.vendorData };
}

/** A text that cloud-init takes for a configuration, by its first line. */
export function configText(config: object): string {
  return `#cloud-config\n${JSON.stringify(config, null, 1)}\n`;
}

function userData(spec: VmSpec, keys: MachineKeys): Record<string, unknown> {
  return {
    manage_etc_hosts: "localhost",
    ...spec.userData,
    users: [
      {
        name: spec.user,
        shell: "/bin/bash",
        sudo: "ALL=(ALL) NOPASSWD:ALL",
        lock_passwd: true,
        ssh_authorized_keys: [keys.login],
      },
    ],
    ssh_deletekeys: true,
    ssh_keys: { ed25519_private: keys.host.private, ed25519_public: keys.host.public },
    // The first boot was the only one that it had work at; without it an emulated boot costs a third less.
    runcmd: [...spec.firstBoot, "touch /etc/cloud/cloud-init.disabled"],
  };
}

function networkConfig(spec: VmSpec): Record<string, unknown> {
  const names = interfaceNames(spec);
  const outside = {
    match: { macaddress: hardwareAddress(spec.name, "outside") },
    "set-name": names.outside,
    dhcp4: true,
  };
  if (spec.privateAddress === undefined) return { version: 2, ethernets: { [names.outside]: outside } };
  const inside = {
    match: { macaddress: hardwareAddress(spec.name, "private") },
    "set-name": names.private,
    addresses: [spec.privateAddress, ...(spec.cloud === undefined ? [] : [spec.cloud.linkLocal])],
  };
  return { version: 2, ethernets: { [names.outside]: outside, [names.private]: inside } };
}
