import { GuestPtpState, type HostEvidence } from "./HostEvidence";

/**
 * What chronyd in a host's microVMs is configured with: the host's clock, by the hypercall of ptp_kvm, and the host's own error.
 * A PHC tells chronyd nothing of its error, but half of a refclock's `delay` counts as such (chrony.conf(5)). So with twice
 * the host's budget as delay, the bound that `chronyc tracking` gives in the microVM, |system time| + root dispersion + root
 * delay / 2, is its host's and its own, as long as the host keeps its budget.
 *
 * @param maxErrorMicros the budget of the host's error bound, a number above 0: anything else throws
 * @returns undefined where the host has no PTP clock for guests, or no bound within the budget
 */
export function guestChronyConf(evidence: HostEvidence, maxErrorMicros: number): string | undefined {
  const { name, guestPtp, timescale, errorBoundNs } = evidence;
  if (!(maxErrorMicros > 0 && Number.isFinite(maxErrorMicros))) {
    throw new RangeError(`maxErrorMicros must be a number above 0, not ${maxErrorMicros}`);
  }
  if (guestPtp !== GuestPtpState.Available || errorBoundNs === undefined || errorBoundNs > maxErrorMicros * 1000) {
    return undefined;
  }
  return `# For the microVMs of ${name}: its clock, which is within ${maxErrorMicros} us of ${timescale} as long as its proof holds.
# The delay is twice that, so that |system time| + root dispersion + root delay / 2 of \`chronyc tracking\` is the bound
# of the microVM: its host's and its own.
refclock PHC /dev/ptp0 poll -2 dpoll -2 offset 0 delay ${((2 * maxErrorMicros) / 1e6).toFixed(9)} trust prefer
# A microVM is born or resumed with a clock of the past: step at once, before the application starts.
makestep 0.001 3
# ppm; chrony's own default of 1 is too optimistic for a virtual machine.
maxclockerror 50
`;
}
