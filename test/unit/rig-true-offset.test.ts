import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { width } from "../../rig/offset-interval";
import { answering, makePage, trueDifference, trueOffset, type WatchedClock } from "../../rig/true-offset";

// The machine's program and ours, in a page that is a mere file: both see this machine's clock, so the truth is known.
const guest = join(__dirname, "../../rig/clock-page/guest.py");
/** An error that no load of this machine hides: how close a look is depends on what else runs. */
const errorNs = 50_000_000;
const closeNs = 20_000_000;
// Programs that start, on a machine that may be busy with others.
vi.setConfig({ testTimeout: 60_000 });

let folder: string;
let clocks: WatchedClock[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "timebase-clock-page-"));
  clocks = [];
});
afterEach(async () => {
  await Promise.all(clocks.map((clock) => clock.close()));
  rmSync(folder, { recursive: true, force: true });
});

/** @param aheadNs by how much the clock of the program's Python is made wrong */
async function start(name: string, aheadNs = 0): Promise<WatchedClock> {
  const page = join(folder, name);
  makePage(page);
  const code = `
import runpy, sys, time
right = time.time_ns
time.time_ns = lambda: right() + ${aheadNs}
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")`;
  const clock = await answering(page, execa("python3", ["-c", code, guest, page]));
  clocks.push(clock);
  return clock;
}

test("a clock's error is seen, with its sign, again and again", async () => {
  const [right, ahead, behind] = await Promise.all([
    start("right"),
    start("ahead", errorNs),
    start("behind", -errorNs),
  ]);
  for (const [one, other, truth] of [
    [right, right, 0],
    [ahead, right, errorNs],
    [behind, right, -errorNs],
    [ahead, behind, 2 * errorNs],
  ] as const) {
    const seen = await trueDifference(one, other);
    expect(seen.lowNs).toBeLessThanOrEqual(truth);
    expect(seen.highNs).toBeGreaterThanOrEqual(truth);
    expect(width(seen)).toBeLessThan(closeNs);
  }
});

test("a clock that answers no more is an error, and no old answer", async () => {
  const clock = await start("gone");
  expect(width(await trueOffset(clock))).toBeLessThan(closeNs);
  await clock.close();
  await expect(trueOffset(clock)).rejects.toThrow(`the machine of ${clock.page} has rebooted, or hangs`);
});

test("a program that can not answer says why", async () => {
  const broken = execa("python3", [guest, join(folder, "absent")]);
  await expect(answering("", broken)).rejects.toThrow("No such file or directory");
});
