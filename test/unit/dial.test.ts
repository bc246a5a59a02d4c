import fc from "fast-check";
import { expect, test } from "vitest";
import { dialErrorLimit } from "../../components/remote/dial";

/** How long the command provider waits in all until it has failed this often. */
function waitedAfter(failures: number): number {
  let waited = 0;
  for (let wait = 0.1, failure = 0; failure < failures; failure += 1, wait = Math.min(wait * 1.5, 5)) {
    waited += wait;
  }
  return waited;
}

test("ten minutes are about 130 dials", () => {
  expect(dialErrorLimit(600)).toBe(128);
});

test("the provider's own default of 10 is about 11 seconds", () => {
  expect(dialErrorLimit(11)).toBe(10);
});

test("waits at least as long as asked, and one dial longer at most", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 86_400 }), (seconds) => {
      const limit = dialErrorLimit(seconds);
      expect(waitedAfter(limit)).toBeGreaterThanOrEqual(seconds - 1e-6);
      expect(waitedAfter(limit - 1)).toBeLessThan(seconds);
    }),
  );
});
