import { describe, expect, test } from "vitest";
import { attempt, engineProcesses } from "../support/Attempt";
import { sessionCuts } from "../support/faults";
import { endsProved, sceneAt } from "../support/scene";
import { killSession } from "../support/session";

describe("the session is cut", () => {
  test.each(sessionCuts)("%s", async (fault, scope, point) => {
    const scene = await sceneAt("live", { scope });
    const { stopped } = await scene.room.arm(point);
    const first = attempt(scene.stack);
    await stopped;
    await scene.room.root(killSession);
    const cut = await first;
    expect(cut.ok).toBe(false);
    // What was at work goes on meanwhile, as it would: the second `up` meets it.
    await scene.room.release();
    await endsProved(scene, "session", fault, cut);
  });

  test("Ctrl-C of up, in the middle of grub-mkconfig", async () => {
    const scene = await sceneAt("live", { scope: "boot" });
    const { stopped } = await scene.room.arm({ when: "before", call: "basename /boot/vmlinuz-*" });
    const first = attempt(scene.stack);
    await stopped;
    process.kill(engineProcesses()[0] ?? Number.NaN, "SIGINT");
    await scene.room.release();
    const cut = await first;
    expect(cut.ok).toBe(false);
    await endsProved(scene, "session", "07. Ctrl-C of `up`, in the middle of grub-mkconfig", cut);
  });
});
