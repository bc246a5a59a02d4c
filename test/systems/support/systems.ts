import { amazon } from "./amazon";
import { distribution } from "./distributions";

/** Every system and boot loader; each has a test file of its own, because files run side by side. */
export const systems = {
  "amazon-linux-2": amazon("2", "GRUB in /boot/grub2, grubby, BIOS"),
  "amazon-linux-2023": amazon("2023", "GRUB with BLS entries, BIOS"),
  "debian-12": distribution("bookworm", "bios"),
  "debian-12-efi": distribution("bookworm", "efi"),
  "debian-13": distribution("trixie", "bios"),
  "debian-13-efi": distribution("trixie", "efi"),
  "ubuntu-22.04": distribution("jammy", "bios"),
  "ubuntu-22.04-efi": distribution("jammy", "efi"),
  "ubuntu-24.04": distribution("noble", "bios"),
  "ubuntu-24.04-efi": distribution("noble", "efi"),
};

/** What is checked on each of them, in this order: a row of the report. */
export const checks = [
  "1. `up`",
  "2. `sudo timebase status`",
  "3. a second converge",
  "4. `destroy` with `revertReboot`",
  "5. `up` with `RebootPolicy.Never`, a kernel update, and a reboot into it",
  "6. the boot loader's configuration made anew, and a reboot",
  "7. `destroy`, and a reboot",
] as const;

export type Check = (typeof checks)[number];
