import type { GuestPtp } from "./enums";
import type { PlanLine } from "./text";

/** Whether the host can serve the time to microVMs by KVM's clock pairing (`ptp_kvm` in the guest). */
export interface GuestPtpSection {
  expectation: GuestPtp;
}

/** The lines of the section. */
export function guestPtpLines(section: GuestPtpSection): PlanLine[] {
  return [["guest-ptp", section.expectation]];
}
