/** An offset of two clocks, in nanoseconds, that is true for certain: it lies within the interval. */
export interface OffsetInterval {
  lowNs: number;
  highNs: number;
}

/** A stamp of our clock, a reading of another clock taken after that stamp was seen, and our clock after that was seen. */
export interface Exchange {
  stampNs: bigint;
  answerNs: bigint;
  seenNs: bigint;
}

/**
 * The other clock minus ours when it was read. Ours showed then at least the stamp and at most what it showed when the
 * answer was seen, whatever the ways took: unlike a mean, this holds for asymmetric paths too.
 */
export function offsetOf({ stampNs, answerNs, seenNs }: Exchange): OffsetInterval {
  return { lowNs: Number(answerNs - seenNs), highNs: Number(answerNs - stampNs) };
}

/** The smallest interval that has both: of an offset that went from one to the other. */
export function hull(one: OffsetInterval, other: OffsetInterval): OffsetInterval {
  return { lowNs: Math.min(one.lowNs, other.lowNs), highNs: Math.max(one.highNs, other.highNs) };
}

/** Of two clocks that were compared with the same one: the first minus the second. */
export function difference(first: OffsetInterval, second: OffsetInterval): OffsetInterval {
  return { lowNs: first.lowNs - second.highNs, highNs: first.highNs - second.lowNs };
}

export function width({ lowNs, highNs }: OffsetInterval): number {
  return highNs - lowNs;
}

/** The largest error that the two clocks can have had: what a claimed bound has to reach. */
export function largestError({ lowNs, highNs }: OffsetInterval): number {
  return Math.max(Math.abs(lowNs), Math.abs(highNs));
}

/** The smallest error that they must have had: a claimed bound below it is wrong for certain. */
export function smallestError({ lowNs, highNs }: OffsetInterval): number {
  return Math.max(lowNs, -highNs, 0);
}
