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
 * memory is copied by one-byte instructions. A boot costs a tenth to a fifth less without them. And LA57, which makes page
 * tables five levels deep: Ubuntu 24.04's kernel once died of a double fault with it, in QEMU 7.2.
 *
 * `tb-size` (MiB) bounds the cache of translated code, by default 1 GiB. What a reboot leaves in it makes QEMU check
 * every byte that GRUB then writes to a page that once held code: 50 bytes a second, measured; minutes for an initrd.
 */
export const acceleratorArguments: Record<Accelerator, readonly string[]> = {
  kvm: ["-accel", "kvm", "-cpu", "host"],
  tcg: ["-accel", "tcg,thread=multi,tb-size=64", "-cpu", "max,-avx,-avx2,-erms,-fsrm,-la57"],
};

/** The value that the test's guest writes to QEMU's exit port; QEMU's exit status is twice that plus one. */
const exitValue = 0x2a;
export const exitStatus = exitValue * 2 + 1;

/** Rounds of the test guest's loop: a tenth of a second of any processor, and minutes of one that KVM emulates itself. */
const rounds = 0x400_0000;

/** Where the BIOS loads a boot sector. */
const origin = 0x7c00;

/**
 * A boot sector that enters protected mode, counts its rounds, writes the exit value to port 0xf4 and halts. The counting is
 * the test: a KVM without the processor's help runs what a guest's kernel does instruction by instruction, and hangs Linux.
 */
export function exitingBootSector(): Buffer {
  const sector = Buffer.alloc(512);
  const [flat, protectedMode, descriptors, descriptorTable] = [0x08, 0x17, 0x28, 0x38];
  const word = (value: number) => [value & 0xff, value >> 8];
  const code: [at: number, bytes: number[]][] = [
    [0x00, [0xfa, 0x31, 0xc0, 0x8e, 0xd8]], // cli; xor ax, ax; mov ds, ax
    [0x05, [0x0f, 0x01, 0x16, ...word(origin + descriptorTable)]], // lgdt
    [0x0a, [0x0f, 0x20, 0xc0, 0x0c, 0x01, 0x0f, 0x22, 0xc0]], // cr0 |= 1
    [0x12, [0xea, ...word(origin + protectedMode), ...word(flat)]], // jmp flat:protectedMode
    [protectedMode, [0xb9, ...word(rounds & 0xffff), ...word(rounds >>> 16)]], // mov ecx, rounds
    [0x1c, [0x49, 0x75, 0xfd]], // dec ecx; jnz to the dec
    [0x1f, [0xb0, exitValue, 0xe6, 0xf4, 0xf4, 0xeb, 0xfd]], // mov al, exitValue; out 0xf4, al; hlt; jmp to the hlt
    [descriptors + flat, [0xff, 0xff, 0, 0, 0, 0x9a, 0xcf, 0]], // 4 GiB of 32-bit code
    [descriptorTable, [...word(15), ...word(origin + descriptors), 0, 0]],
    [510, [0x55, 0xaa]],
  ];
  for (const [at, bytes] of code) sector.set(bytes, at);
  return sector;
}

const limitMillis = 10_000;

/**
 * KVM where it runs a guest to its end, else software emulation.
 *
 * That `/dev/kvm` can be opened proves nothing: on a machine that is virtual itself it may hang every guest, or every one
 * that has work to do. So a guest is run, with a time limit. The verdict is kept until this machine boots again.
 */
export async function chooseAccelerator(): Promise<Accelerator> {
  try {
    accessSync("/dev/kvm", constants.R_OK | constants.W_OK);
  } catch {
    return "tcg";
  }
  const bootId = (textOf("/proc/sys/kernel/random/boot_id") ?? "").trim();
  const verdictFile = join(dirname(places().images), `accelerator-${bootId}`);
  const known = textOf(verdictFile);
  if (known === "kvm" || known === "tcg") return known;
  const verdict = (await step("testing whether KVM runs a guest", () => runsGuest("kvm"))) ? "kvm" : "tcg";
  mkdirSync(dirname(verdictFile), { recursive: true, mode: 0o700 });
  writeAtomically(verdictFile, verdict);
  return verdict;
}

/** Whether a guest that has work to do gets to its end within the time limit. */
export async function runsGuest(accelerator: Accelerator): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), "timebase-kvm-"));
  try {
    const disk = join(folder, "boot.img");
    writeFileSync(disk, exitingBootSector());
    const machine = [
      "-nodefaults",
      "-no-user-config",
      "-display",
      "none",
      "-m",
      "32",
      ...acceleratorArguments[accelerator],
    ];
    const drive = ["-drive", `file=${disk},format=raw,if=ide`, "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"];
    const ending = await run("qemu-system-x86_64", [...machine, ...drive], { limitMillis });
    return ending.status === exitStatus;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
