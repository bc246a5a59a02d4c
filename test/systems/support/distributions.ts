import { LocalVmFirmware, LocalVmSuite } from "../../../components";
import { trapImage } from "../../../rig/image";
import { ubuntuKeyring } from "../../../rig/ubuntu-keyring";
import type { System } from "./system";

interface Distribution extends Pick<System, "system" | "newKernel" | "newKernelName"> {
  suite: LocalVmSuite;
}

const install = (kernel: string) =>
  `apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends ${kernel}`;

/** The new kernels are those of a later release, which every archive has for its users of new hardware. */
const distributions = {
  bookworm: {
    system: "debian-12",
    suite: LocalVmSuite.Bookworm,
    newKernel: install("linux-image-6.12-cloud-amd64"),
    newKernelName: /vmlinuz-6\.12\./,
  },
  trixie: {
    system: "debian-13",
    suite: LocalVmSuite.Trixie,
    newKernel: [
      "sed 's/ trixie / trixie-backports /;q' /etc/apt/sources.list >/etc/apt/sources.list.d/backports.list",
      install("--target-release=trixie-backports linux-image-cloud-amd64"),
    ].join("\n"),
    newKernelName: /vmlinuz-(6\.1[3-9]|[7-9])\./,
  },
  jammy: {
    system: "ubuntu-22.04",
    suite: LocalVmSuite.Jammy,
    newKernel: install("linux-image-virtual-hwe-22.04"),
    newKernelName: /vmlinuz-6\.8\./,
  },
  noble: {
    system: "ubuntu-24.04",
    suite: LocalVmSuite.Noble,
    newKernel: install("linux-image-virtual-hwe-24.04"),
    newKernelName: /vmlinuz-(6\.(9|[1-9]\d)|[7-9])\./,
  },
} as const satisfies Record<string, Distribution>;

const loaders = {
  bios: { bootLoader: "GRUB, BIOS", firmware: {} },
  efi: { bootLoader: "GRUB, EFI with a stub", firmware: { firmware: LocalVmFirmware.Efi } },
} as const;

/** A release from its own archive, with the traps of the tests' image. */
export function distribution(release: keyof typeof distributions, firmware: keyof typeof loaders): System {
  const { suite, ...facts } = distributions[release];
  const { bootLoader, firmware: loader } = loaders[firmware];
  const keyring = async () => (facts.system.startsWith("ubuntu") ? { keyring: await ubuntuKeyring() } : {});
  return {
    ...facts,
    id: `${release}-${firmware}`,
    bootLoader,
    machine: "real",
    spec: async () => ({ image: { ...trapImage, suite, ...loader, ...(await keyring()) } }),
    regenerate: "update-grub",
  };
}
