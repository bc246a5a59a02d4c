/** What a fake host of each system has before us: the documented files of its cloud image, and what it boots by. */
export interface FakeSystem {
  /** The system's name in the toolkit's table. */
  name: string;
  /** Every file that makes it this system. */
  files: Record<string, string>;
  /** GRUB's configuration on BIOS, and on an EFI system partition. */
  grubCfg: string;
  efiGrubCfg: string;
  /** The program that makes GRUB's configuration anew. */
  mkconfig: string;
  /** Whether an entry is a file of its own. */
  bls: boolean;
  /** Where the parameters for kernels to come are. */
  future: string;
  /** Where its sudo finds a program of the administrator's. */
  sbin: string;
  chrony: { conf: string; service: string; drift: string; preinstalled: boolean };
}

const release = (id: string, version: string, name: string): Record<string, string> => ({
  "etc/os-release": `PRETTY_NAME="${name} ${version}"\nNAME="${name}"\nVERSION_ID="${version}"\nID=${id}\n`,
});

const debianLike = (id: string, version: string, name: string): FakeSystem => ({
  name: `${id}-${version}`,
  files: {
    ...release(id, version, name),
    "etc/default/grub":
      "# mine, and 'quoted'\nGRUB_DEFAULT=0\nGRUB_TIMEOUT=5\nGRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\nGRUB_CMDLINE_LINUX='audit=0' # keep",
    "etc/default/grub.d/50-cloudimg-settings.cfg":
      'GRUB_TIMEOUT=0\nGRUB_CMDLINE_LINUX_DEFAULT="console=tty1 console=ttyS0"\n',
    "fake/kernels": "6.1.0-41-cloud-amd64\n",
    "fake/packages/systemd-timesyncd": "",
    "fake/units/systemd-timesyncd.service": "enabled active\n",
    "fake/units/ssh.service": "enabled active\n",
    "run/cloud-init/result.json": '{"v1": {"errors": []}}',
  },
  grubCfg: "boot/grub/grub.cfg",
  efiGrubCfg: `boot/efi/EFI/${id}/grub.cfg`,
  mkconfig: "grub-mkconfig",
  bls: false,
  future: "etc/default/grub.d/zz-timebase.cfg",
  sbin: "usr/local/sbin",
  chrony: {
    conf: "etc/chrony/chrony.conf",
    service: "chrony",
    drift: "/var/lib/chrony/chrony.drift",
    preinstalled: false,
  },
});

const amazonDefaults =
  'GRUB_CMDLINE_LINUX_DEFAULT="console=tty0 console=ttyS0,115200n8 net.ifnames=0 nvme_core.io_timeout=4294967295 rd.shell=0"\n' +
  'GRUB_TIMEOUT=0\nGRUB_DISABLE_RECOVERY="true"\n';

const amazon = (version: string, files: Record<string, string>, bls: boolean): FakeSystem => ({
  name: `amazon-linux-${version}`,
  files: {
    ...release('"amzn"', version, "Amazon Linux"),
    "fake/packages/chrony": "",
    "fake/units/chronyd.service": "enabled active\n",
    "fake/units/sshd.service": "enabled active\n",
    "run/cloud-init/result.json": '{"v1": {"errors": []}}',
    "etc/chrony.conf": "server 169.254.169.123 prefer iburst minpoll 4 maxpoll 4\ndriftfile /var/lib/chrony/drift\n",
    "etc/chrony.keys": "",
    ...files,
  },
  grubCfg: "boot/grub2/grub.cfg",
  efiGrubCfg: "boot/efi/EFI/amzn/grub.cfg",
  mkconfig: "grub2-mkconfig",
  bls,
  future: "etc/default/grub",
  sbin: "usr/sbin",
  chrony: { conf: "etc/chrony.conf", service: "chronyd", drift: "/var/lib/chrony/drift", preinstalled: true },
});

/** An entry as grub2's kernel-install script makes it. */
export const blsEntry = (kernel: string, options: string): string =>
  `title Amazon Linux (${kernel}) 2023\nversion ${kernel}\nlinux /boot/vmlinuz-${kernel}\ninitrd /boot/initramfs-${kernel}.img\n` +
  `options ${options}\ngrub_users $grub_users\ngrub_arg --unrestricted\ngrub_class amzn\n`;

export const blsFolder = "boot/loader/entries";

const blsOptions = "root=UUID=1234 ro  console=tty0 console=ttyS0,115200n8 nvme_core.io_timeout=4294967295 ";

export const systems: FakeSystem[] = [
  debianLike("ubuntu", "22.04", "Ubuntu"),
  debianLike("ubuntu", "24.04", "Ubuntu"),
  debianLike("debian", "12", "Debian GNU/Linux"),
  debianLike("debian", "13", "Debian GNU/Linux"),
  amazon(
    "2",
    {
      "etc/default/grub": amazonDefaults,
      "fake/kernels": "4.14.355-280.708.amzn2.x86_64\n5.10.230-223.885.amzn2.x86_64\n",
    },
    false,
  ),
  amazon(
    "2023",
    {
      "etc/default/grub": `${amazonDefaults}GRUB_ENABLE_BLSCFG="true"\n`,
      "fake/kernels": "6.1.115-126.197.amzn2023.x86_64\n6.12.8-9.amzn2023.x86_64\n",
      [`${blsFolder}/0123-6.1.115-126.197.amzn2023.x86_64.conf`]: blsEntry(
        "6.1.115-126.197.amzn2023.x86_64",
        blsOptions,
      ),
      [`${blsFolder}/0123-6.12.8-9.amzn2023.x86_64.conf`]: blsEntry("6.12.8-9.amzn2023.x86_64", blsOptions),
    },
    true,
  ),
];

export const systemOf = (name: string): FakeSystem => {
  const found = systems.find((system) => system.name === name);
  if (!found) throw new Error(`no such system: ${name}`);
  return found;
};
