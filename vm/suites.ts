/** What differs between the distributions' releases that an image can be built of. */
export interface SuiteFacts {
  distribution: "debian" | "ubuntu";
  mirror: string;
  components: readonly string[];
  /** The kernel that the distribution's own cloud images boot; it has the KVM modules. */
  kernel: string;
  /** Packages that cloud images of this release have and that `minbase` lacks, besides those every release needs. */
  packages: readonly string[];
  /** Pocket with security updates; it is in a second archive on Debian. */
  security: { suite: string; mirror?: string };
  /** Keyring on the building machine that signs the release, and the package that has it. */
  keyring: { path: string; package: string };
}

const debian = {
  distribution: "debian",
  mirror: "http://deb.debian.org/debian",
  components: ["main"],
  kernel: "linux-image-cloud-amd64",
  packages: ["systemd-resolved", "systemd-timesyncd"],
  keyring: { path: "/usr/share/keyrings/debian-archive-keyring.gpg", package: "debian-archive-keyring" },
} as const;

const ubuntu = {
  distribution: "ubuntu",
  mirror: "http://archive.ubuntu.com/ubuntu",
  components: ["main", "universe"],
  kernel: "linux-image-virtual",
  // Debian requires these, or its kernel does; and by lsb_release GRUB knows that it is Ubuntu's, whose signed loader looks
  // for its configuration in a folder of that name.
  packages: ["apt", "e2fsprogs", "gpgv", "initramfs-tools", "lsb-release", "netbase"],
  keyring: { path: "/usr/share/keyrings/ubuntu-archive-keyring.gpg", package: "ubuntu-keyring" },
} as const;

const debianSecurity = (suite: string) => ({ suite, mirror: "http://deb.debian.org/debian-security" });

/** One row a release. Jammy's `systemd` still contains the resolver. */
export const suites = {
  bookworm: { ...debian, security: debianSecurity("bookworm-security") },
  trixie: { ...debian, security: debianSecurity("trixie-security") },
  jammy: { ...ubuntu, packages: [...ubuntu.packages, "systemd-timesyncd"], security: { suite: "jammy-security" } },
  noble: {
    ...ubuntu,
    packages: [...ubuntu.packages, "systemd-resolved", "systemd-timesyncd"],
    security: { suite: "noble-security" },
  },
} as const satisfies Record<string, SuiteFacts>;

export type SuiteName = keyof typeof suites;

/** What every release gets on top of `minbase` to be what a cloud's image is. */
export const commonPackages = [
  "ca-certificates",
  "cloud-guest-utils",
  "cloud-init",
  "dbus",
  "fdisk",
  "iproute2",
  "iputils-ping",
  "lz4",
  "openssh-server",
  "python3",
  "sudo",
  "systemd-sysv",
  "udev",
] as const;

/**
 * The archive's lines for `apt`. A mirror of one's own is used for the release and its updates; it replaces the
 * security archive too, which may be out of reach where a mirror is needed.
 */
export function aptSources(suite: SuiteName, mirror: string, components: readonly string[]): string[] {
  const facts: SuiteFacts = suites[suite];
  const line = (uri: string, pocket: string) => `deb ${uri} ${pocket} ${components.join(" ")}`;
  const lines = [line(mirror, suite), line(mirror, `${suite}-updates`)];
  if (facts.security.mirror === undefined) lines.push(line(mirror, facts.security.suite));
  else if (mirror === facts.mirror) lines.push(line(facts.security.mirror, facts.security.suite));
  return lines;
}
