import { accessSync, constants, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { textOf, writeAtomically } from "./files";
import { places } from "./places";
import { step } from "./progress";
import { run } from "./run";

/** What runs the machine's instructions: the processor itself, or QEMU's software emulation. */
export type Accelerator = "kvm" | "tcg";

/**
 * QEMU's arguments. `max` under software emulation offers AMD SVM, so that `/dev/kvm` works inside the machine. Left out
 * are the features that software does worse than what programs do without them: AVX, and ERMS and FSRM, with which
 * memory is copied by one-byte instructions. A boot costs a tenth to a fifth less without them.
 *
 * `tb-size` (MiB) bounds the cache of translated code, by default 1 GiB. What a reboot leaves in it makes QEMU check
 * every byte that GRUB then writes to a page that once held code: 50 bytes a second, measured; minutes for an initrd.
 */
export const acceleratorArguments: Record<Accelerator, readonly string[]> = {
  kvm: ["-accel", "kvm", "-cpu", "host"],
  tcg: ["-accel", "tcg,thread=multi,tb-size=64", "-cpu", "max,-avx,-avx2,-erms,-fsrm"],
};

/** The value that the test's guest writes to QEMU's exit port; QEMU's exit status is twice that plus one. */
const exitValue = 0x2a;
export const exitStatus = exitValue * 2 + 1;

/** A boot sector that writes the exit value to port 0xf4 and halts. */
export function exitingBootSector(): Buffer {
  const sector = Buffer.alloc(512);
  Buffer.from([0xb0, exitValue, 0xe6, 0xf4, 0xfa, 0xf4]).copy(sector);
  sector.writeUInt16LE(0xaa55, 510);
  return sector;
}

const limitMillis = 10_000;

/**
 * KVM where it runs a guest to its end, else software emulation.
 *
 * That `/dev/kvm` can be opened proves nothing: on a machine that is virtual itself it may hang every guest. So a
 * guest of six bytes is run, with a time limit. The verdict is kept until this machine boots again.
 */
export async function chooseAccelerator(): Promise<Accelerator> {
  try {
    accessSync("/dev/kvm", constants.R_OK | constants.W_OK);
  } catch {
    return "tcg";
  }
  const bootId = (textOf("/proc/sys/kernel/random/boot_id") ?? "").trim();
  const verdictFile = join(dirname(places().images), `kvm-${bootId}`);
  const known = textOf(verdictFile);
  if (known === "kvm" || known === "tcg") return known;
  const verdict = (await step("testing whether KVM runs a guest", kvmWorks)) ? "kvm" : "tcg";
  mkdirSync(dirname(verdictFile), { recursive: true, mode: 0o700 });
  writeAtomically(verdictFile, verdict);
  return verdict;
}

async function kvmWorks(): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), "timebase-kvm-"));
  try {
    const disk = join(folder, "boot.img");
    writeFileSync(disk, exitingBootSector());
    const machine = ["-nodefaults", "-no-user-config", "-display", "none", "-m", "32", ...acceleratorArguments.kvm];
    const drive = ["-drive", `file=${disk},format=raw,if=ide`, "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"];
    const ending = await run("qemu-system-x86_64", [...machine, ...drive], { limitMillis });
    return ending.status === exitStatus;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
