import { accessSync, constants, existsSync } from "node:fs";
import { join } from "node:path";
import { environment } from "./run";
import { Trouble } from "./trouble";

/** A program that this machine must have, and the package that brings it. */
export interface HostTool {
  /** Its name on PATH, or the absolute path of a file that is no program. */
  program: string;
  apt: string;
  dnf: string;
}

export const startingTools: readonly HostTool[] = [
  { program: "qemu-system-x86_64", apt: "qemu-system-x86", dnf: "qemu-system-x86-core" },
  { program: "qemu-img", apt: "qemu-utils", dnf: "qemu-img" },
  { program: "xorriso", apt: "xorriso", dnf: "xorriso" },
  { program: "ssh-keygen", apt: "openssh-client", dnf: "openssh" },
];

export const buildingTools: readonly HostTool[] = [
  { program: "mmdebstrap", apt: "mmdebstrap", dnf: "mmdebstrap" },
  { program: "apt-get", apt: "apt", dnf: "apt" },
  { program: "tar", apt: "tar", dnf: "tar" },
  { program: "mkfs.ext4", apt: "e2fsprogs", dnf: "e2fsprogs" },
  { program: "sfdisk", apt: "fdisk", dnf: "util-linux" },
];

/** What an EFI machine is started by. Only who asks for one needs it. */
export const efiTools: readonly HostTool[] = [
  { program: "/usr/share/OVMF/OVMF_CODE_4M.fd", apt: "ovmf", dnf: "edk2-ovmf" },
];

/** An ordinary user builds an image as the root of a name space of its own. */
export const nameSpaceTools: readonly HostTool[] = [
  { program: "newuidmap", apt: "uidmap", dnf: "shadow-utils" },
  { program: "newgidmap", apt: "uidmap", dnf: "shadow-utils" },
];

export function missingTools(tools: readonly HostTool[], isThere: (program: string) => boolean): HostTool[] {
  return tools.filter(({ program }) => !isThere(program));
}

export function missingOnPath(tools: readonly HostTool[]): HostTool[] {
  return missingTools(tools, onPath);
}

function onPath(program: string): boolean {
  if (program.startsWith("/")) return existsSync(program);
  return (environment.PATH ?? "").split(":").some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Throws one error that names everything that this machine lacks. */
export function requireTools(tools: readonly HostTool[]): void {
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new Trouble(
      `local virtual machines need Linux on x86-64, this is ${process.platform} on ${process.arch}`,
      "this machine",
      "run Pulumi on a Linux machine, or use SshHost with machines that exist",
    );
  }
  const missing = missingOnPath(tools);
  if (missing.length === 0) return;
  const packages = (manager: "apt" | "dnf") => [...new Set(missing.map((tool) => tool[manager]))].join(" ");
  throw new Trouble(
    `programs are missing: ${missing.map(({ program }) => program).join(", ")}`,
    "this machine's PATH, /usr/sbin and /sbin",
    `sudo apt-get install ${packages("apt")}   (or: sudo dnf install ${packages("dnf")})`,
  );
}
