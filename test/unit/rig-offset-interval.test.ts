import { describe, expect, test } from "vitest";
import {
  difference,
  type Exchange,
  hull,
  largestError,
  type OffsetInterval,
  offsetOf,
  smallestError,
  width,
} from "../../rig/offset-interval";

const now = 1_795_000_000_000_000_000n;
const random = (below: number) => BigInt(Math.floor(Math.random() * below));

/** What is seen of a clock that is ahead of ours by an offset, after delays on the way there and on the way back. */
const exchanged = (offsetNs: bigint, there: bigint, back: bigint): Exchange => ({
  stampNs: now,
  answerNs: now + there + offsetNs,
  seenNs: now + there + back,
});
const contains = ({ lowNs, highNs }: OffsetInterval, offsetNs: bigint) =>
  lowNs <= Number(offsetNs) && Number(offsetNs) <= highNs;

describe("the interval of an offset", () => {
  test("contains the true one, whatever the delays are, and is as wide as they are together", () => {
    for (let round = 0; round < 2_000; round++) {
      const offset = random(2e12) - 1_000_000_000_000n;
      const [there, back] = [random(10 ** (round % 10)), random(10 ** ((round * 7) % 10))];
      const interval = offsetOf(exchanged(offset, there, back));
      expect(contains(interval, offset), `offset ${offset}, delays ${there} and ${back}`).toBe(true);
      expect(width(interval)).toBe(Number(there + back));
    }
  });

  test("contains it where the mean, which believes in equal delays, is wrong by half of them", () => {
    const interval = offsetOf(exchanged(100n, 40_000n, 0n));
    expect(contains(interval, 100n)).toBe(true);
    expect((interval.lowNs + interval.highNs) / 2 - 100).toBe(20_000);
  });

  test("of a difference contains the true one, also when the first clock drifts between two looks at it", () => {
    for (let round = 0; round < 2_000; round++) {
      const look = (offset: bigint) => offsetOf(exchanged(offset, random(50_000), random(50_000)));
      const [start, drift, other] = [random(1e9), random(200_000) - 100_000n, random(1e9)];
      // Where the first one was when the other was looked at.
      const meanwhile = start + (drift * random(1001)) / 1000n;
      const seen = difference(hull(look(start), look(start + drift)), look(other));
      expect(contains(seen, meanwhile - other), `${start} + ${drift}, ${other}`).toBe(true);
    }
  });
});

test("the errors that an interval leaves possible, and those that it leaves no doubt about", () => {
  const errors = (lowNs: number, highNs: number) => [smallestError({ lowNs, highNs }), largestError({ lowNs, highNs })];
  expect(errors(-20, 30)).toEqual([0, 30]);
  expect(errors(-30, 20)).toEqual([0, 30]);
  expect(errors(20, 30)).toEqual([20, 30]);
  expect(errors(-30, -20)).toEqual([20, 30]);
});
