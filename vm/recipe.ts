import { createHash } from "node:crypto";
import { type Firmware, firmwareFacts } from "./firmware";
import { quoted } from "./shell";
import { canonical, type ImageSpec } from "./spec";
import { aptSources, commonPackages, suites } from "./suites";

/** Size of the image's disk: what a machine asks for beyond it, cloud-init grows into at the first boot. */
export const imageGib = 4;

/**
 * Files that are there before the packages are installed, because the kernel's installation reads them. None is a
 * configuration file of a package.
 *
 * The initial RAM disk has just the drivers of a virtual machine: GRUB reads it through the BIOS, which is slow under
 * software emulation.
 */
export const earlyFiles: Readonly<Record<string, string>> = {
  "/etc/hosts": "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n",
  "/etc/initramfs-tools/conf.d/driver-policy": "MODULES=list\nCOMPRESS=lz4\n",
  "/usr/share/initramfs-tools/modules.d/timebase": "virtio_pci\nvirtio_blk\next4\n",
  "/etc/default/locale": "LANG=C.UTF-8\n",
  "/etc/default/grub.d/10_cloud.cfg": [
    "# Set by the image: no menu, and the kernel's messages on the serial console. A file that sorts after this one wins.",
    "GRUB_TIMEOUT=0",
    "GRUB_RECORDFAIL_TIMEOUT=0",
    "GRUB_TERMINAL=console",
    "GRUB_DISABLE_OS_PROBER=true",
    'GRUB_CMDLINE_LINUX_DEFAULT="console=tty1 console=ttyS0"',
    "",
  ].join("\n"),
  // Not JSON: cloud-init's own shell program looks for the list at the start of a line.
  "/etc/cloud/cloud.cfg.d/90_timebase.cfg": [
    "datasource_list: [ NoCloud, None ]",
    "# The only one that a minimal system has; with another, cloud-init fails.",
    "locale: C.UTF-8",
    "# The sources that the image was built from are known to be within reach.",
    "apt: { preserve_sources_list: true }",
    "system_info: { network: { renderers: [ networkd ] } }",
    "",
  ].join("\n"),
};

/** The line on the serial console that says that the finishing boot got to its end. */
export const finishedMark = "timebase-image-finished";

/**
 * PID 1 of the one boot that finishes an image: only a running machine shows GRUB's installer the disk as the machine
 * will see it, and this needs neither SSH nor root on the building machine. It moves itself into memory first: an open
 * file would keep the file system from becoming read-only.
 */
export const finishScript = (firmware: Firmware): string => `#!/bin/sh
set -eu
if [ "$0" = /timebase-finish.sh ]; then mv "$0" /run/ && exec /bin/sh /run/timebase-finish.sh; fi
export PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive
trap 'sync; poweroff -ff' EXIT
${firmwareFacts[firmware].install}
update-grub
sync
mount -o remount,ro /
echo ${finishedMark}
`;

function writing(files: Readonly<Record<string, string>>): string {
  return Object.entries(files)
    .map(([path, text]) => {
      const target = `"$1"${quoted(path)}`;
      return `mkdir -p "$(dirname ${target})" && printf %s ${quoted(text)} > ${target}`;
    })
    .join("\n");
}

/** What turns installed packages into an image. The name server is the building machine's while the setup text runs. */
function customize({ firmware = "bios", setup }: ImageSpec): string {
  return `set -eu
export DEBIAN_FRONTEND=noninteractive
${writing({ "/timebase-finish.sh": finishScript(firmware) })}
chmod 755 "$1/timebase-finish.sh"
chroot "$1" systemctl enable systemd-networkd systemd-resolved systemd-timesyncd
chroot "$1" apt-get clean
rm -f "$1/etc/resolv.conf" && cat /etc/resolv.conf > "$1/etc/resolv.conf"
chroot "$1" /bin/sh -euc ${quoted(setup === "" ? ":" : setup)}
ln -sf ../run/systemd/resolve/stub-resolv.conf "$1/etc/resolv.conf"
rm -f "$1"/etc/ssh/ssh_host_*_key*
echo localhost > "$1/etc/hostname"
`;
}

/** Arguments of `mmdebstrap`, which writes the root file system as a tar archive to its stdout. */
export function mmdebstrapArguments(image: ImageSpec, mode: "root" | "unshare"): string[] {
  const facts = suites[image.suite];
  const { packages: bootLoader, fstab } = firmwareFacts[image.firmware ?? "bios"];
  const packages = [
    ...new Set([...[...commonPackages, ...bootLoader].sort(), ...facts.packages, facts.kernel, ...image.packages]),
  ];
  return [
    "--variant=minbase",
    "--architectures=amd64",
    `--mode=${mode}`,
    "--format=tar",
    `--keyring=${image.keyring}`,
    // apt's lists stay, so that a machine can install a package without asking the archive for 50 MB of them first.
    "--skip=cleanup/apt",
    `--include=${packages.join(",")}`,
    `--essential-hook=set -eu\n${writing({ "/etc/fstab": fstab, ...earlyFiles })}`,
    `--customize-hook=${customize(image)}`,
    image.suite,
    "-",
    ...aptSources(image.suite, image.mirror, image.components),
  ];
}

/**
 * Turns the root file system on stdin, a tar archive, into a partitioned disk on stdout: an archive again, because that
 * keeps the disk's holes. Runs as root, or as the root of a user's own name space, which may not write where the user
 * may; hence stdin and stdout.
 */
export function diskScript(firmware: Firmware): string {
  const { partitions, rootStartMib, tailMib } = firmwareFacts[firmware];
  return `set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/root"
tar -x --numeric-owner --xattrs --xattrs-include='*' --exclude='./dev/*' -f - -C "$work/root"
truncate -s ${imageGib}G "$work/disk.raw"
printf '${partitions}' | sfdisk --quiet "$work/disk.raw"
mkfs.ext4 -q -F -L root -E offset=${rootStartMib * 1048576},lazy_itable_init=0,lazy_journal_init=0 \\
  -d "$work/root" "$work/disk.raw" ${imageGib * 1024 - rootStartMib - tailMib}M
tar -c -S -f - -C "$work" disk.raw
`;
}

/** Name of an image: its release, and a hash of everything that determines its content. */
export function imageId(image: ImageSpec): string {
  const content = canonical([mmdebstrapArguments(image, "root"), diskScript(image.firmware ?? "bios")]);
  return `${image.suite}-${createHash("sha256").update(content).digest("hex").slice(0, 16)}`;
}
