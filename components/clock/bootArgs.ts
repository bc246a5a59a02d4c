import type * as pulumi from "@pulumi/pulumi";

/** Arguments about what the boot parameters may meet on a host. Declared once: the schema takes what is extended. */
export interface BootConditionArgs {
  /**
   * Whether `clocksource=tsc` wins over another clocksource among the user's own boot parameters, by coming last, until
   * the revert. `tsc=unstable` and `notsc` are refused all the same: the kernel obeys them wherever they stand.
   * Default: false, a contradiction is an error that names file and line.
   */
  override?: pulumi.Input<boolean>;
  /**
   * Whether to set `tsc=reliable`, which turns the kernel's own watch over the TSC off, on a machine where it may be a
   * lie: no virtual machine, and more than two sockets, no constant_tsc or nonstop_tsc, or a TSC that the kernel has
   * marked unstable. The proof warns. Default: false, such a machine is an error.
   */
  force?: pulumi.Input<boolean>;
  /**
   * Whether a host without any TSC (arm64) is an error. With false the clocksource is "not-applicable" in its evidence,
   * and the rest is made so and proved; set `guestPtp: GuestPtp.Reported` beside it, because the probe knows x86-64 only.
   * Default: true.
   */
  required?: pulumi.Input<boolean>;
  /**
   * Whether destroying also reboots the host and proves that its old clocksource is back; `rebootTimeoutSeconds` says how
   * long the host may take. Plain, because it decides whether there is one more command, `<name>-reverted`. Set it before
   * the destroy, by an `up`. Default: false, the running kernel keeps its parameters until its next boot.
   */
  revertReboot?: boolean;
}
