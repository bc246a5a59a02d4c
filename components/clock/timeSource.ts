import type * as pulumi from "@pulumi/pulumi";
import type { TimeSourceKind } from "../plan/enums";

/** One NTP source. */
export interface TimeSourceArgs {
  /** A host name, an IPv4 or an IPv6 address. */
  address: pulumi.Input<string>;
  /** Whether the address is one server or stands for several. Default: TimeSourceKind.Server. */
  kind?: pulumi.Input<TimeSourceKind>;
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
}
