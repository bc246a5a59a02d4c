import { boundAt, type HostEvidence, isKnown, Verdict } from "../../../components";
import { type Exchange, offsetOf, smallestError, width } from "../../../rig/offset-interval";

// What a host claims of its clock, beside what the clock was.

/** One proof of a host, and the time, from outside, in which it was made. */
export interface Proof {
  phase: string;
  startedNs: bigint;
  endedNs: bigint;
  evidence: HostEvidence;
  naive: Naive;
}

/** Numbers of chrony's that people take for the error, in nanoseconds, whatever else it says. */
export interface Naive {
  /** The last offset. */
  lastOffsetNs: number;
  /** System time offset + root dispersion + root delay / 2: the same arithmetic as the bound's, without any check. */
  formulaNs: number;
}

/** The clock at one instant, and what the proof that was just being made says of it. */
export interface Sample {
  phase: string;
  /** Seconds since the first. */
  atSeconds: number;
  /** The true offset is between these two, in nanoseconds. */
  offset: { lowNs: number; highNs: number };
  /** The bound that the host claims for this instant; without one, the check that refuses it. */
  boundNs?: number;
  refusedBy?: string;
  naive: Naive;
}

/**
 * Joins proofs and looks at the clock. A claim is made for the instant `asOf` of its evidence, and, with what the clock can
 * have drifted since (`boundAt`), for later ones. It is held to all looks from there on until the proof has ended; what is
 * done to a clock after that is no concern of it.
 */
export function samplesOf(proofs: readonly Proof[], looks: readonly Exchange[]): Sample[] {
  const originNs = looks[0]?.stampNs ?? 0n;
  return proofs.flatMap(({ phase, startedNs, endedNs, evidence, naive }) => {
    const asOfNs = BigInt(Date.parse(evidence.asOf)) * 1_000_000n;
    return looks
      .filter(({ stampNs, answerNs, seenNs }) => stampNs >= startedNs && seenNs <= endedNs && answerNs >= asOfNs)
      .map((look) => ({
        phase,
        atSeconds: Number(look.stampNs - originNs) / 1e9,
        offset: offsetOf(look),
        ...claimAt(evidence, look.answerNs),
        naive,
      }));
  });
}

function claimAt(evidence: HostEvidence, clockNs: bigint): Pick<Sample, "boundNs" | "refusedBy"> {
  const bound = boundAt(evidence, new Date(Number(clockNs / 1_000_000n)));
  return isKnown(bound) ? { boundNs: bound.ns } : { refusedBy: refusal(evidence) };
}

/** The first check that fails on its own account: that there is no bound follows from another one. */
function refusal({ checks }: HostEvidence): string {
  const failed = checks.filter(({ verdict }) => verdict === Verdict.Fail).map(({ id }) => id);
  return failed.find((id) => id !== "time.bound") ?? failed[0] ?? "no check";
}

/** A look that a busy machine has blurred by more than this can refute a claim, but not tell how good it is. */
const sharpNs = 200_000;

export const isSharp = ({ offset }: Sample): boolean => width(offset) <= sharpNs;

/** Whether the clock was certainly further off than claimed: with the bound, or with what people take for one. */
export const exceeds = ({ offset }: Sample, claimedNs: number | undefined): boolean =>
  claimedNs !== undefined && smallestError(offset) > claimedNs;

/** How far off the clock was, as well as it could be seen, in nanoseconds. */
export const offBy = ({ offset: { lowNs, highNs } }: Sample): number => Math.abs(lowNs + highNs) / 2;
