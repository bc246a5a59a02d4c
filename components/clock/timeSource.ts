import type * as pulumi from "@pulumi/pulumi";
import type { TimeSourceKind } from "../plan/enums";

/** One time source: an address, or what a cloud gives. An argument that the kind does not take is refused. */
export interface TimeSourceArgs {
  /** What the source is. Default: TimeSourceKind.Server. */
  kind?: pulumi.Input<TimeSourceKind>;
  /** A host name, an IPv4 or an IPv6 address. Required of a server and a pool, and for them only. */
  address?: pulumi.Input<string>;
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
   * How far the clock device itself may be off, in microseconds, 0.001 to 10,000,000; it is part of the error bound. For
   * devices that do not tell: required of an azure-phc, and of an auto on Azure. Default: 1000 for a gcp-phc, which is what
   * Google designs it for. The driver of an aws-phc tells it.
   */
  errorMicros?: pulumi.Input<number>;
}
