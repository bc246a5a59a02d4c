import type { BootSection } from "./boot";
import type { GuestPtpSection } from "./guestPtp";
import type { TimeSection } from "./time";

/** What one host is asked to be: the whole input of `timebase converge` and `timebase prove`. */
export interface HostPlan {
  /** Who owns what the plan sets: `<project>/<stack>/<component name>`. The host refuses a second owner. */
  owner: string;
  /** The host's name in evidence and messages. */
  host: string;
  /** Changes when the machine or the toolkit changed. Hosts ignore it; it makes both verbs run again. */
  generation?: string;
  /** The declared system. The host refuses the plan if it runs another one. */
  os?: string;
  /** Present: the host keeps its time by this clocksource. */
  boot?: BootSection;
  /** Present: the host follows (and perhaps serves) this time. */
  time?: TimeSection;
  /** Present: the host's ability to serve microVMs is verified. */
  guestPtp?: GuestPtpSection;
}
