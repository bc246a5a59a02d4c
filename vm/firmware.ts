import { existsSync } from "node:fs";
import { Trouble } from "./trouble";

/** What starts a machine, and so which boot loader its image has. */
export const firmwares = ["bios", "efi"] as const;
export type Firmware = (typeof firmwares)[number];

/** What the firmware decides about an image. */
export interface FirmwareFacts {
  packages: readonly string[];
  fstab: string;
  /** For `sfdisk`. */
  partitions: string;
  /** Number of the root file system's partition, the last one, so that it can grow. */
  root: number;
  rootStartMib: number;
  /** What of the disk's end is the partition table's. */
  tailMib: number;
  /** Shell text that puts the boot loader onto /dev/vda, run by the running machine as root. */
  install: string;
}

const rootLine = "LABEL=root / ext4 discard,errors=remount-ro 0 1\n";

export const firmwareFacts: Readonly<Record<Firmware, FirmwareFacts>> = {
  bios: {
    packages: ["grub-pc"],
    fstab: rootLine,
    partitions: "label: dos\\nstart=1MiB, type=83, bootable\\n",
    root: 1,
    rootStartMib: 1,
    tailMib: 0,
    install: `echo 'grub-pc grub-pc/install_devices multiselect /dev/vda' | debconf-set-selections
grub-install /dev/vda`,
  },
  // As clouds have it: the signed loader, whose configuration on the EFI system partition only leads to the one on /boot.
  efi: {
    packages: ["grub-efi-amd64", "grub-efi-amd64-signed", "shim-signed", "dosfstools"],
    fstab: `${rootLine}LABEL=ESP /boot/efi vfat umask=0077 0 1\n`,
    partitions: "label: gpt\\nstart=1MiB, size=127MiB, type=U\\ntype=L\\n",
    root: 2,
    rootStartMib: 128,
    tailMib: 1,
    install: `mkfs.vfat -n ESP /dev/vda1
mkdir -p /boot/efi
mount -t vfat /dev/vda1 /boot/efi
# Where firmware looks that knows of no system: Ubuntu's takes that for granted, and Debian's wants to be told.
removable=$(grub-install --help | grep -o -m 1 -- --force-extra-removable || :)
grub-install --target=x86_64-efi --efi-directory=/boot/efi --no-nvram $removable
umount /boot/efi`,
  },
};

/** Places of the firmware itself, and of the template of a machine's variables: Debian and Ubuntu, Fedora. */
const efiFiles = [
  { code: "/usr/share/OVMF/OVMF_CODE_4M.fd", variables: "/usr/share/OVMF/OVMF_VARS_4M.fd" },
  { code: "/usr/share/edk2/ovmf/OVMF_CODE.fd", variables: "/usr/share/edk2/ovmf/OVMF_VARS.fd" },
] as const;

export function efiFirmware(): { code: string; variables: string } {
  const found = efiFiles.find(({ code, variables }) => existsSync(code) && existsSync(variables));
  if (found !== undefined) return found;
  throw new Trouble(
    "the EFI firmware for virtual machines is missing",
    efiFiles.map(({ code }) => code).join(", "),
    "sudo apt-get install ovmf   (or: sudo dnf install edk2-ovmf)",
  );
}
