import { exceeds, isSharp, type Naive, offBy, type Sample } from "./samples";

/** Smallest, middle and largest of a figure. */
export interface Spread {
  least: number;
  median: number;
  most: number;
}

/** What is to be said of one phase. Nanoseconds. */
export interface PhaseRow {
  phase: string;
  samples: number;
  claims: number;
  /** How many samples had no bound, by the check that refused it. */
  refusals: Record<string, number>;
  /** Of the sharp samples. */
  largestOffsetNs?: number;
  boundNs?: Spread;
  /** Bound divided by true offset, of the sharp samples. */
  ratio?: Spread;
  /** How often it was exceeded, taken for a bound. */
  naiveExceeded: Record<keyof Naive, number>;
  exceeded: number;
}

export function rowsOf(samples: readonly Sample[], phases: readonly string[]): PhaseRow[] {
  return phases.map((phase) =>
    rowOf(
      phase,
      samples.filter((sample) => sample.phase === phase),
    ),
  );
}

function rowOf(phase: string, samples: readonly Sample[]): PhaseRow {
  const claims = samples.filter(({ boundNs }) => boundNs !== undefined);
  const refusals: Record<string, number> = {};
  for (const { refusedBy } of samples) {
    if (refusedBy !== undefined) refusals[refusedBy] = (refusals[refusedBy] ?? 0) + 1;
  }
  const sharp = samples.filter(isSharp);
  const ratios = claims.filter(isSharp).map((sample) => (sample.boundNs ?? 0) / Math.max(offBy(sample), 1));
  return {
    phase,
    samples: samples.length,
    claims: claims.length,
    refusals,
    largestOffsetNs: spread(sharp.map(offBy))?.most,
    boundNs: spread(claims.map(({ boundNs = 0 }) => boundNs)),
    ratio: spread(ratios),
    naiveExceeded: {
      lastOffsetNs: samples.filter((sample) => exceeds(sample, sample.naive.lastOffsetNs)).length,
      formulaNs: samples.filter((sample) => exceeds(sample, sample.naive.formulaNs)).length,
    },
    exceeded: samples.filter((sample) => exceeds(sample, sample.boundNs)).length,
  };
}

export function spread(values: readonly number[]): Spread | undefined {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  const at = (index: number) => sorted[index] as number;
  return { least: at(0), median: at(sorted.length >> 1), most: at(sorted.length - 1) };
}
