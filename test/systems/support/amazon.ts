import { amazonImage } from "../../../rig/amazon/image";
import type { System } from "./system";

export const amazon = (version: "2" | "2023", bootLoader: string): System => ({
  id: `amazon-${version}`,
  system: `amazon-linux-${version}`,
  bootLoader,
  machine: "laid out like it",
  spec: async () => ({ image: amazonImage(version), user: "ec2-user" }),
  newKernel: "new-kernel 9.9.9-9.amzn",
  newKernelName: /vmlinuz-9\.9\.9-9\.amzn/,
  regenerate: "grub2-mkconfig -o /boot/grub2/grub.cfg",
});
