import type * as pulumi from "@pulumi/pulumi";
import type { TimeKeyType, TimeSourceKind } from "../plan/enums";

/**
 * A symmetric key that a server and its clients share, so that nobody between them can forge the time. It reaches hosts on
 * standard input only, is a secret in the Pulumi state, and lies on a host in a file that only root can read.
 */
export interface TimeKeyArgs {
  /** The key's number, the same on both sides, 1 to 4,294,967,295. Not secret. */
  id: pulumi.Input<number>;
  /** What the key is for, the same on both sides. A chrony that does not know it refuses the plan. */
  type: pulumi.Input<TimeKeyType>;
  /**
   * The key: "HEX:" and hexadecimal digits, or "ASCII:" and printable characters without blanks. As long as the cipher wants
   * it, which is 16 bytes for AES128 and 32 for AES256; for a hash 10 bytes at least. `chronyc keygen 1 AES128` makes one.
   */
  secret: pulumi.Input<string>;
}

/** One time source: an address, or what a cloud gives. An argument that the kind does not take is refused. */
export interface TimeSourceArgs {
  /** What the source is. Default: TimeSourceKind.Server. */
  kind?: pulumi.Input<TimeSourceKind>;
  /**
   * A host name, an IPv4 or an IPv6 address. Required of a server and a pool, and of a ptp, which takes an IPv4 address only; not
   * for the others.
   */
  address?: pulumi.Input<string>;
  /** The name of a clock device, as `cat /sys/class/ptp/*\/clock_name` prints it on the host. Required of a phc; only for it. */
  clockName?: pulumi.Input<string>;
  /** Whether the first measurements are made in quick succession. Default: true. */
  iburst?: pulumi.Input<boolean>;
  /** The shortest interval between two requests: the logarithm of seconds to base 2, -7 to 24. Default: chrony's, 6. */
  minPollLog2?: pulumi.Input<number>;
  /** The longest interval between two requests: the logarithm of seconds to base 2, -7 to 24. Default: chrony's, 10. */
  maxPollLog2?: pulumi.Input<number>;
  /**
   * Whether to use interleaved mode, which gets the server's true time of sending (chrony.conf(5), `xleave`). Of no use
   * behind a NAT. Default: false.
   */
  interleaved?: pulumi.Input<boolean>;
  /** Whether this source wins over the others that are good enough. Default: false. */
  prefer?: pulumi.Input<boolean>;
  /** Whether this source is right when sources disagree (chrony.conf(5), `trust`). Default: false. */
  trust?: pulumi.Input<boolean>;
  /**
   * Whether the server has to prove who it is, by Network Time Security (RFC 8915): with a certificate that the host trusts, on
   * TCP port 4460. Mostly that takes a host name as `address`. Other servers and pools in the list must be authenticated,
   * too. Default: false.
   */
  nts?: pulumi.Input<boolean>;
  /** The symmetric key that the server shares with this host, instead of `nts`; likewise. Default: none. */
  key?: pulumi.Input<TimeKeyArgs>;
  /**
   * How far the clock device itself may be off, in microseconds, 0.001 to 10,000,000; it is part of the error bound. For
   * devices that do not tell: required of a phc, of an azure-phc, and of an auto on Azure. Default: 1000 for a gcp-phc, which is what
   * Google designs it for. The driver of an aws-phc tells it. Of a ptp it is how far its hub may be off the timescale: required
   * unless the timescale is the hub's own ("hub:<name>"); what network and time stamps may add is measured.
   */
  errorMicros?: pulumi.Input<number>;
}

/** A host whose clock is measured, and not followed. */
export interface TimePairArgs {
  /** The host's name, in the evidence and in messages. */
  name: pulumi.Input<string>;
  /** A host name, an IPv4 or an IPv6 address. One that is among the `sources` too is measured as that source. */
  address: pulumi.Input<string>;
  /** The symmetric key that both hosts have, so that nobody else can answer. Default: none. */
  key?: pulumi.Input<TimeKeyArgs>;
}
