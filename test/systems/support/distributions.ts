import { trapImage } from "../../../rig/image";
import { ubuntuKeyring } from "../../../rig/ubuntu-keyring";
import type { Firmware } from "../../../vm/firmware";
import type { SuiteName } from "../../../vm/suites";
import type { System } from "./system";

type Distribution = Pick<System, "system" | "newKernel" | "newKernelName"> & { setup?: string };

/**
 * networkd of systemd 249 gives up an interface that udev renames while it is configured, which an emulated machine is
 * slow enough for: "Failed to set IAID+DUID: Device or resource busy".
 */
const renamedFirst = `mkdir -p /etc/systemd/system/systemd-networkd.service.d
printf '[Unit]\\nWants=systemd-udev-settle.service\\nAfter=systemd-udev-settle.service\\n' \
  >/etc/systemd/system/systemd-networkd.service.d/renamed-first.conf
`;

const install = (kernel: string) =>
  `apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends ${kernel}`;

/** The new kernels are those of a later release, which every archive has for its users of new hardware. */
const distributions = {
  bookworm: {
    system: "debian-12",
    newKernel: install("linux-image-6.12-cloud-amd64"),
    newKernelName: /vmlinuz-6\.12\./,
  },
  trixie: {
    system: "debian-13",
    newKernel: [
      "sed 's/ trixie / trixie-backports /;q' /etc/apt/sources.list >/etc/apt/sources.list.d/backports.list",
      install("--target-release=trixie-backports linux-image-cloud-amd64"),
    ].join("\n"),
    newKernelName: /vmlinuz-(6\.1[3-9]|[7-9])\./,
  },
  jammy: {
    system: "ubuntu-22.04",
    newKernel: install("linux-image-virtual-hwe-22.04"),
    newKernelName: /vmlinuz-6\.8\./,
    setup: renamedFirst,
  },
  noble: {
    system: "ubuntu-24.04",
    newKernel: install("linux-image-virtual-hwe-24.04"),
    newKernelName: /vmlinuz-(6\.(9|[1-9]\d)|[7-9])\./,
  },
} as const satisfies Record<SuiteName, Distribution>;

const bootLoaders = { bios: "GRUB, BIOS", efi: "GRUB, EFI with a stub" } as const satisfies Record<Firmware, string>;

/** A release from its own archive, with the traps of the tests' image. */
export function distribution(suite: SuiteName, firmware: Firmware): System {
  const { setup = "", ...facts }: Distribution = distributions[suite];
  const keyring = async () => (facts.system.startsWith("ubuntu") ? { keyring: await ubuntuKeyring() } : {});
  return {
    ...facts,
    id: `${suite}-${firmware}`,
    bootLoader: bootLoaders[firmware],
    machine: "real",
    spec: async () => ({ image: { setup: trapImage.setup + setup, suite, firmware, ...(await keyring()) } }),
    regenerate: "update-grub",
  };
}
