// The command provider waits between two dials 0.1 s at first, 1.5 times as long after each failure, 5 s at most.
const FIRST_WAIT_SECONDS = 0.1;
const WAIT_FACTOR = 1.5;
const LONGEST_WAIT_SECONDS = 5;

/** How long one dial may take before it counts as failed. */
export const PER_DIAL_TIMEOUT_SECONDS = 15;

/**
 * The provider limits failed dials, not time: this is the number of failures after which `seconds` have passed if each
 * dial is refused at once, as by a host that boots. Where packets are dropped, a dial takes up to
 * PER_DIAL_TIMEOUT_SECONDS, and the wait is more than four times as long.
 */
export function dialErrorLimit(seconds: number): number {
  let waited = 0;
  let wait = FIRST_WAIT_SECONDS;
  let failures = 0;
  while (waited < seconds) {
    waited += wait;
    wait = Math.min(wait * WAIT_FACTOR, LONGEST_WAIT_SECONDS);
    failures += 1;
  }
  return failures;
}
