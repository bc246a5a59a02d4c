import type { System } from "./system";

export const debian: Omit<System, "id" | "bootLoader" | "spec"> = {
  system: "debian-12",
  machine: "real",
  // The kernel of the next release, which is in this one's archive too.
  newKernel: "apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y linux-image-6.12-cloud-amd64",
  newKernelName: /vmlinuz-6\.12\./,
  regenerate: "update-grub",
};
