import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { acceleratorArguments, chooseAccelerator } from "./accelerator";
import { tailOf, textOf, withFile } from "./files";
import { type Firmware, firmwareFacts } from "./firmware";
import { step } from "./progress";
import { diskScript, finishedMark, mmdebstrapArguments } from "./recipe";
import { type Ending, run } from "./run";
import type { ImageSpec } from "./spec";
import { Trouble } from "./trouble";

const finishLimitMillis = 15 * 60_000;

/** Builds an image under its final name. Whoever calls holds the image's lock. */
export async function buildImage(image: ImageSpec, path: string): Promise<void> {
  const work = `${path}.building`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { mode: 0o700 });
  try {
    await bootstrap(image, work, `${path}.log`);
    const firmware = image.firmware ?? "bios";
    await makeDisk(work, firmware);
    await finish(work, `${path}.log`, firmware);
    const draft = join(work, "image.qcow2");
    const convert = () => run("qemu-img", ["convert", "-O", "qcow2", join(work, "disk.raw"), draft]);
    succeeded(await step("writing the image", convert), "qemu-img convert");
    renameSync(draft, path);
    rmSync(`${path}.log`, { force: true });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function bootstrap(image: ImageSpec, work: string, log: string): Promise<void> {
  if (!existsSync(image.keyring)) {
    throw new Trouble(
      `the keyring that ${image.suite} is checked with is missing`,
      image.keyring,
      `install debian-archive-keyring or ubuntu-keyring, or name another keyring in image.keyring`,
    );
  }
  const mode = process.getuid?.() === 0 ? "root" : "unshare";
  const ending = await withReadableCopy(image.keyring, (keyring) =>
    withFile(log, "w", (stderr) =>
      withFile(join(work, "root.tar"), "w", (stdout) =>
        step(
          `installing ${image.suite} from ${image.mirror}`,
          () => run("mmdebstrap", mmdebstrapArguments({ ...image, keyring }, mode), { stdout, stderr }),
          () => tailOf(log, 1),
        ),
      ),
    ),
  );
  if (ending.status === 0) return;
  const report = tailOf(log, 25);
  throw new Trouble(`the system could not be installed:\n${report}`, log, bootstrapRemedy(report));
}

/** apt reads the keyring as a user of its own, who may not look into a home; it then says that the keys are unknown. */
async function withReadableCopy<T>(keyring: string, work: (copy: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "timebase-keyring-"));
  try {
    const copy = join(folder, "archive.gpg");
    copyFileSync(keyring, copy);
    chmodSync(folder, 0o755);
    chmodSync(copy, 0o644);
    return await work(copy);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What helps against a failure of `mmdebstrap`, by what its log says. */
export function bootstrapRemedy(report: string): string {
  if (/subuid|subgid|newuidmap|newgidmap|unshare/i.test(report)) {
    return 'give your user a range of user ids, "sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $USER", and allow user name spaces';
  }
  if (/NO_PUBKEY|not signed|signatures/i.test(report)) return "name the archive's keyring in image.keyring";
  if (/resolv|connect|Failed to fetch|404/i.test(report)) {
    return "check that this machine reaches the archive, or name another one in image.mirror";
  }
  return "read the log; a failure of the setup text or an unknown package shows in its last lines";
}

async function makeDisk(work: string, firmware: Firmware): Promise<void> {
  const [root, disk] = [join(work, "root.tar"), join(work, "disk.tar")];
  // A dash that a signal ends does not do what it was to do at its exit.
  const shell = ["sh", "-c", `trap 'exit 143' INT TERM\n${diskScript(firmware)}`];
  const [program = "", ...args] = process.getuid?.() === 0 ? shell : ["mmdebstrap", "--unshare-helper", ...shell];
  await step("making the file system", async () => {
    await withFile(root, "r", (stdin) =>
      withFile(disk, "w", async (stdout) => succeeded(await run(program, args, { stdin, stdout }), "mkfs.ext4")),
    );
    succeeded(await run("tar", ["-x", "-S", "-f", disk, "-C", work]), "tar");
  });
  const boot = ["--strip-components=2", "--wildcards", "./boot/vmlinuz-*", "./boot/initrd.img-*"];
  succeeded(await run("tar", ["-x", "-f", root, "-C", work, ...boot]), "tar");
}

async function finish(work: string, log: string, firmware: Firmware): Promise<void> {
  const only = (prefix: string) => join(work, readdirSync(work).find((name) => name.startsWith(prefix)) ?? prefix);
  const accelerator = await chooseAccelerator();
  const args = [
    ...["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-smp", "2", "-m", "1024"],
    ...acceleratorArguments[accelerator],
    ...["-drive", `file=${join(work, "disk.raw")},format=raw,if=virtio,cache=unsafe`, "-serial", `file:${log}`],
    ...["-kernel", only("vmlinuz-"), "-initrd", only("initrd.img-")],
    ...["-append", `root=/dev/vda${firmwareFacts[firmware].root} rw console=ttyS0 panic=-1 init=/timebase-finish.sh`],
  ];
  const boot = () => run("qemu-system-x86_64", args, { limitMillis: finishLimitMillis });
  const ending = await step(`installing the boot loader (one boot, ${accelerator})`, boot, () => tailOf(log, 1));
  if (textOf(log)?.includes(finishedMark)) return;
  throw new Trouble(
    `the boot loader could not be installed${ending.timedOut ? " in time" : ""}:\n${ending.stderr}${tailOf(log, 25)}`,
    log,
    "read the console above; a setup text that breaks the boot is the usual cause",
  );
}

function succeeded(ending: Ending, program: string): void {
  if (ending.status === 0) return;
  throw new Trouble(
    `${program} failed: ${ending.stderr.trim() || `status ${ending.status}`}`,
    "the image's build",
    "check that the file systems of the cache folder and of TMPDIR have 4 GiB free",
  );
}
