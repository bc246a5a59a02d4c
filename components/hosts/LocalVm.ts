import { createHash } from "node:crypto";
import { extname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { livingIncarnation } from "../../vm/record";
import { quoted } from "../../vm/shell";
import { canonical, identityOf, type VmSpecInput, withDefaults } from "../../vm/spec";
import { validateMachine } from "../../vm/spec-rules";
import { checkInputs } from "../inputs";
import { makeStrict } from "../plan/strictEnums";
import type { HostEndpoint } from "./endpoint";
import { localEndpoint } from "./localEndpoint";

/** A release of a distribution that a local machine can run. */
export enum LocalVmSuite {
  /** Debian 12. */
  Bookworm = "bookworm",
  /** Debian 13. */
  Trixie = "trixie",
  /** Ubuntu 22.04. */
  Jammy = "jammy",
  /** Ubuntu 24.04. */
  Noble = "noble",
}

/** What starts a local machine. */
export enum LocalVmFirmware {
  /** GRUB from the disk's first sectors. */
  Bios = "bios",
  /** GRUB from an EFI system partition; needs OVMF on the machine that runs Pulumi. */
  Efi = "efi",
}

/** The kind of network card that connects a local machine to others. */
export enum LocalVmNetworkCard {
  /** The fastest. */
  Virtio = "virtio",
  /**
   * Intel's 82576, which has a clock of its own (PHC); needs QEMU 8 or later. Its driver, igb, is not in the kernels that
   * distributions make for clouds. (QEMU's e1000e has one too, which runs 2.5 times too fast under Linux's driver for it.)
   */
  Igb = "igb",
}

/** What a local machine's image is made of. It is built once, from the distribution's archive, and cached. */
export interface LocalVmImageArgs {
  /** The distribution's release. Default: "bookworm". */
  suite?: pulumi.Input<LocalVmSuite>;
  /** What starts the machine, for which the image has its boot loader. Default: "bios". */
  firmware?: pulumi.Input<LocalVmFirmware>;
  /** Address of the distribution's archive, http:// or https://. Default: the distribution's own. */
  mirror?: pulumi.Input<string>;
  /** Components of the archive. Default: ["main"] for Debian, ["main", "universe"] for Ubuntu. */
  components?: pulumi.Input<pulumi.Input<string>[]>;
  /** Packages beyond those of a cloud's minimal image. Default: none. */
  packages?: pulumi.Input<pulumi.Input<string>[]>;
  /** Shell text that runs in the image, as root and with the network, after the packages' installation. Default: none. */
  setup?: pulumi.Input<string>;
  /** Path of the keyring, on this machine, that the archive is checked with. Default: the distribution's. */
  keyring?: pulumi.Input<string>;
}

/** The arguments of a `LocalVm`. */
export interface LocalVmArgs {
  /**
   * The machine's host name, unique among this user's local machines: 1 to 40 lower case letters, digits and hyphens, a
   * letter first. Default: the component's name.
   */
  name?: pulumi.Input<string>;
  /** What the machine's image is made of. Default: Debian 12 as its archive has it. */
  image?: pulumi.Input<LocalVmImageArgs>;
  /** Virtual CPUs, 1 to 64. A change restarts the machine on its disk. Default: 2. */
  cpus?: pulumi.Input<number>;
  /** Memory in MiB, 256 or more. A change restarts the machine on its disk. Default: 1024. */
  memoryMib?: pulumi.Input<number>;
  /** Size of the disk in GiB, 4 or more; it takes room as it fills. Default: 8. */
  diskGib?: pulumi.Input<number>;
  /** The loopback address of this machine that leads to the machine's sshd. Default: a free one of 127.77.0.0/24. */
  address?: pulumi.Input<string>;
  /** The user who logs in, with password-free sudo. Default: "timebase". */
  user?: pulumi.Input<string>;
  /** Name of the private network that connects it to other local machines of its user; needs `privateAddress`. Default: none. */
  network?: pulumi.Input<string>;
  /** The machine's address on `network`, with its prefix: "10.77.0.1/24". Default: none. */
  privateAddress?: pulumi.Input<string>;
  /** The kind of card on `network`. Default: LocalVmNetworkCard.Virtio. */
  networkCard?: pulumi.Input<LocalVmNetworkCard>;
  /** Shell commands that run once, as root, at the end of the first boot, the only one with cloud-init. Default: none. */
  firstBoot?: pulumi.Input<pulumi.Input<string>[]>;
  /** How long a boot may take until sshd answers, in seconds, 10 to 7200. Default: 600. */
  startTimeoutSeconds?: pulumi.Input<number>;
}

/**
 * A virtual machine on the machine that runs Pulumi (Linux on x86-64, with QEMU), made from the distribution's archive
 * as a cloud's image is: GRUB, cloud-init, the distribution's time daemon. It stays up between runs of Pulumi. One that
 * was stopped or killed shows as an update, and is started again on its own disk. A change of an argument that the first
 * boot burns in replaces it.
 */
export class LocalVm extends pulumi.ComponentResource {
  /** How to reach the machine: the `endpoint` of every clock component. Secret, as it holds the key. */
  readonly endpoint: pulumi.Output<HostEndpoint>;

  constructor(name: string, args: LocalVmArgs, opts?: pulumi.ComponentResourceOptions) {
    const input = { ...args, name: args?.name ?? name };
    const check = checkInputs("LocalVm", name, input, validateMachine);
    super("timebase:index:LocalVm", name, {}, opts);

    const spec = pulumi.output(input).apply((resolved) => given(check(resolved)));
    const vm = new local.Command(
      `${name}-vm`,
      {
        // By the shell's end the machinery learns of a Ctrl-C; with `||` no shell becomes the program itself.
        create: `TIMEBASE_CALLER=$$ ${vmProgram()} up || exit $?`,
        delete: `${vmProgram()} down`,
        stdin: spec.apply((known) => JSON.stringify({ ...known, incarnation: incarnationOf(known.name) })),
        triggers: [spec.apply((known) => digest(canonical(identityOf(withDefaults(known)))))],
        logging: local.Logging.Stderr,
        addPreviousOutputInEnv: false,
      },
      // A machine's name, folder and address are taken until it is gone.
      { parent: this, deleteBeforeReplace: true },
    );
    this.endpoint = pulumi.secret(
      pulumi
        .all([input.name, vm.stdout, vm.urn])
        .apply(([host, json, urn]) => ({ ...localEndpoint(host, json), machineUrn: urn })),
    );

    // The endpoint is in the state already, but for the key, as the output of the command that printed it.
    this.registerOutputs({});
  }
}

/** The arguments as a spec: plain JSON, without what was left out, for which the machinery has defaults. */
function given(resolved: unknown): VmSpecInput {
  return JSON.parse(JSON.stringify(resolved));
}

/**
 * Names one start of the machine. While it runs, its own: nothing changes. When it does not, a new one: the command's
 * input differs, so `up` runs and starts it, and what was proved on it is proved again. Two previews are equal.
 */
function incarnationOf(name: string): string {
  return livingIncarnation(name) ?? (pulumi.runtime.isDryRun() ? "the next start" : new Date().toISOString());
}

/** The command line of the machinery, by this very Node.js: the one on PATH may be too old. */
function vmProgram(): string {
  const extension = extname(__filename);
  const program = join(__dirname, `../../vm/main${extension}`);
  // In the library's own repository the machinery is TypeScript; the package has it compiled.
  const loader = extension === ".ts" ? ["--import", pathToFileURL(require.resolve("tsx")).href] : [];
  return [process.execPath, ...loader, program].map(quoted).join(" ");
}

/** Short, because every step of an update rewrites the state; the arguments themselves are on stdin. */
function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

makeStrict({ LocalVmFirmware, LocalVmNetworkCard, LocalVmSuite });
