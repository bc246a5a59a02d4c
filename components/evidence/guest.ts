import { GuestPtpState, type HostEvidence } from "./HostEvidence";

/**
 * What chronyd in a host's microVMs is given as chrony.conf: the host's clock by the hypercall of ptp_kvm, and the host's own
 * error. A PHC tells chronyd nothing of its error, but half of a refclock's `delay` counts as such (chrony.conf(5)). So
 * with twice the host's bound as delay, the bound that `chronyc tracking` gives in the microVM, |system time| + root
 * dispersion + root delay / 2, is its host's and its own. Absent where there is no PTP clock for guests, or no bound.
 */
export function guestChronyConf(evidence: HostEvidence): string | undefined {
  const { name, asOf, guestPtp, timescale, errorBoundNs } = evidence;
  if (guestPtp !== GuestPtpState.Available || errorBoundNs === undefined) {
    return undefined;
  }
  const delay = Math.max(2 * errorBoundNs, 1) / 1e9;
  return `# For the microVMs of ${name}: its clock, which was within ${(errorBoundNs / 1000).toFixed(1)} us of ${timescale} at ${asOf}.
# The delay is twice that, so that |system time| + root dispersion + root delay / 2 of \`chronyc tracking\` is the bound
# of the microVM: its host's and its own.
refclock PHC /dev/ptp0 poll -2 dpoll -2 offset 0 delay ${delay.toFixed(9)} trust prefer
# A microVM is born or resumed with a clock of the past: step at once, before the application starts.
makestep 0.001 3
`;
}
