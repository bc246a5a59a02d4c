import { describe, expect, test } from "vitest";
import type { CutPoint } from "../../../rig/cut-points";
import { attempt, type Scope } from "../support/Attempt";
import { powerCuts, revertedCuts } from "../support/faults";
import { endsProved, sceneAt } from "../support/scene";

/** The first `up`, cut there, and the host when it has its power again. */
async function powerCut(scope: Scope, point: CutPoint) {
  const scene = await sceneAt("fresh", { scope });
  // Nothing is written by the way: what was not made durable is lost for certain.
  await scene.room.root("sysctl -q vm.dirty_writeback_centisecs=0 vm.dirty_expire_centisecs=360000");
  const { stopped } = await scene.room.arm(point);
  const first = attempt(scene.stack);
  await stopped;
  await scene.room.cutPower();
  const cut = await first;
  expect(cut.ok).toBe(false);
  await scene.room.powerOn();
  return { scene, cut };
}

/** A listing without the copy of the toolkit that Pulumi has made in the user's home, of which `revert` knows nothing. */
const withoutCopy = (configuration: string) =>
  configuration
    .split("\n")
    .filter((line) => !/^home\/.*\/\.timebase-/.test(line))
    .join("\n");

describe("a power cut", () => {
  test.each(powerCuts)("%s", async (fault, scope, point) => {
    const { scene, cut } = await powerCut(scope, point);
    await endsProved(scene, "power", fault, cut);
  });

  test.each(revertedCuts)("%s", async (fault, scope, point) => {
    const { scene, cut } = await powerCut(scope, point);
    const { host } = scene.room;
    // As it was cut: something of ours is there.
    expect(withoutCopy(await host.configuration())).not.toBe(scene.pristine);
    await host.succeeds("sudo timebase revert --all");
    expect(withoutCopy(await host.configuration())).toBe(scene.pristine);
    await endsProved(scene, "power", fault, cut);
  });
});
