import { makeStrict } from "./strictEnums";

/** The host's operating system, in the words of its own `/etc/os-release`. */
export enum OperatingSystem {
  /** Ubuntu 22.04 LTS. */
  Ubuntu2204 = "ubuntu-22.04",
  /** Ubuntu 24.04 LTS. */
  Ubuntu2404 = "ubuntu-24.04",
  /** Debian 12. */
  Debian12 = "debian-12",
  /** Debian 13. */
  Debian13 = "debian-13",
  /** Amazon Linux 2. Its support by Amazon ended on 30 June 2026: the proof warns of it. */
  AmazonLinux2 = "amazon-linux-2",
  /** Amazon Linux 2023. */
  AmazonLinux2023 = "amazon-linux-2023",
}

/** When a host may be rebooted so that its kernel boot parameters become live. At most one reboot is ever ordered. */
export enum RebootPolicy {
  /** Reboot unless the parameters are on the running kernel's command line: only a boot proves that they persist. */
  ToProve = "to-prove",
  /**
   * Reboot only if the running kernel cannot switch to the clocksource by itself, or if kernels to come get what the running one
   * was given, as on Amazon Linux 2023 without /etc/kernel/cmdline.
   */
  IfNeeded = "if-needed",
  /** Never reboot. A reboot that would be needed is reported, and the proof fails. */
  Never = "never",
}

/** When a host is proved again. */
export enum ProveWhen {
  /** When its plan, the toolkit or its machine has changed, and after a proof that failed. */
  OnChange = "on-change",
  /** At each `up`: every preview then shows the proofs as replaced, and what depends on their evidence as unknown. */
  EveryUp = "every-up",
}

/** How the plan of a host reaches it for the first time. */
export enum Delivery {
  /** By SSH, when the machine is there: three sessions a host. */
  Ssh = "ssh",
  /**
   * By cloud-init, with the machine: it converges and reboots at its first boot, and the only session is its proof. For hosts whose
   * `firstBoot` is a `firstBootPlan`.
   */
  CloudInit = "cloud-init",
}

/** A cloud whose machines are made here. */
export enum Cloud {
  /** Amazon EC2. */
  Aws = "aws",
  /** Google Compute Engine. */
  Gcp = "gcp",
}

/** What happens when this host cannot give its microVMs a PTP clock. */
export enum GuestPtp {
  /** The proof fails. */
  Required = "required",
  /** The evidence says so, and the proof passes. */
  Reported = "reported",
}

/** What a host does with the time it has. */
export enum TimeRole {
  /** Follows its time sources. */
  Client = "client",
  /** Follows its sources, if it has any, and serves time to the cluster. */
  Hub = "hub",
}

/** Where the hosts of a cluster get their time from. */
export enum Topology {
  /** Hubs, one or more, serve all others, which keeps a large cluster from hammering an external time server. */
  Hub = "hub",
  /** Every host follows sources of its own: what its cloud gives it, or what is stated. No host serves another one. */
  Provider = "provider",
  /**
   * One hub serves all others by network PTP (IEEE 1588, unicast, with time stamps of the software), and defines the time by its
   * own clock. On systems whose packages have linuxptp: Ubuntu and Debian.
   */
  Ptp = "ptp",
}

/**
 * What a symmetric key is for, in the words of chrony.keys(5). MD5 is left out: who listens can forge what it protects.
 */
export enum TimeKeyType {
  /** A cipher with a key of 128 bits. */
  Aes128 = "AES128",
  /** A cipher with a key of 256 bits. */
  Aes256 = "AES256",
  /** A hash, for servers that know nothing better. */
  Sha1 = "SHA1",
  /** A hash. */
  Sha256 = "SHA256",
  /** A hash. */
  Sha384 = "SHA384",
  /** A hash. */
  Sha512 = "SHA512",
}

/** What a time source is: an address, or what a cloud gives to each of its machines. */
export enum TimeSourceKind {
  /** One server. */
  Server = "server",
  /** A name that stands for several servers. */
  Pool = "pool",
  /** Amazon's time service on the link of every EC2 instance. It smears leap seconds. */
  AwsNtp = "aws-ntp",
  /**
   * The clock device of an EC2 instance's network adapter, of the instance types and placements that have one. Its driver
   * offers it only after a boot with `ena.phc_enable=1`, which `HostClock` and `ExperimentCluster` see to.
   */
  AwsPhc = "aws-phc",
  /** Google's time service on the link of every Compute Engine machine. It smears leap seconds. */
  GcpNtp = "gcp-ntp",
  /** The clock of a Compute Engine machine's host, by the kernel module ptp_kvm. */
  GcpPhc = "gcp-phc",
  /** The clock of an Azure machine's host, by Hyper-V. */
  AzurePhc = "azure-phc",
  /**
   * A clock device of the machine itself: a card that a satellite receiver or a grandmaster disciplines. It has to tell UTC.
   */
  Phc = "phc",
  /**
   * A hub of this library that serves network PTP (its `ptpAddress`). On systems whose packages have linuxptp: Ubuntu and Debian.
   * PTP itself has no authentication, and does not tell how far the hub is off.
   */
  Ptp = "ptp",
  /**
   * What the cloud that the host finds itself on has: its clock device if this machine has one, else its time service. It
   * stands alone in the list. A reboot is not ordered for it where the policy is RebootPolicy.IfNeeded.
   */
  Auto = "auto",
}

makeStrict({
  Cloud,
  Delivery,
  GuestPtp,
  OperatingSystem,
  ProveWhen,
  RebootPolicy,
  TimeKeyType,
  TimeRole,
  TimeSourceKind,
  Topology,
});
