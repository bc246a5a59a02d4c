import { describe, expect, test } from "vitest";
import { attempt } from "../support/Attempt";
import { endsProved, sceneAt } from "../support/scene";

describe("cloud-init", () => {
  test("still runs, and ends with an error: exit status 2 where it has one", async () => {
    const scene = await sceneAt("fresh", { scope: "boot" });
    await scene.room.root("rm /etc/cloud/cloud-init.disabled");
    const pristine = await scene.room.host.configuration();
    // Once: the boot that converge orders is not to wait for it again.
    await scene.room.root(`printf '%s\\n' '#!/bin/sh' 'rm "$0"' 'sleep 60' 'exit 1' >/var/lib/cloud/scripts/per-boot/rig
chmod 755 /var/lib/cloud/scripts/per-boot/rig`);
    await scene.room.reboot();
    const first = await attempt(scene.stack);
    expect(first.output).toContain("waiting for cloud-init");
    expect(first.output).toContain("cloud-init has ended with errors");
    expect(first.said).toBe("");
    await endsProved(
      { ...scene, pristine },
      "cloud-init",
      "1. still runs for a minute, then ends with an error",
      first,
    );
  });

  test("has failed: there is no result", async () => {
    const scene = await sceneAt("live", { scope: "boot" });
    await scene.room.root("rm -f /run/cloud-init/disabled /run/cloud-init/result.json");
    const first = await attempt(scene.stack);
    expect(first.said).toBe("");
    expect(first.output).toContain("cloud-init has ended with errors");
    await endsProved(scene, "cloud-init", "2. has crashed and left no result", first);
  });

  test("is absent", async () => {
    const scene = await sceneAt("live", { scope: "boot" });
    await scene.room.root("mv /usr/bin/cloud-init /root/ && rm -rf /run/cloud-init");
    const first = await attempt(scene.stack);
    expect(first.said).toBe("");
    expect(first.output).not.toContain("cloud-init");
    await endsProved(scene, "cloud-init", "3. is absent", first);
  });
});
