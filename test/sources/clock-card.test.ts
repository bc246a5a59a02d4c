import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Stack } from "@pulumi/pulumi/automation";
import { execaSync } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LocalVm, LocalVmNetworkCard, TimeSourceKind, TimeSync } from "../../components";
import { chronyImage } from "../../rig/image";
import { attempt } from "../faults/support/Attempt";
import { TestHost } from "../rig/support/host";
import { testStack } from "../rig/support/stack";

// A network card with a clock of its own, which a real chronyd follows as its only source. QEMU has such a card since
// version 8.

const folder = mkdtempSync(join(tmpdir(), "timebase-card-"));
process.env.XDG_STATE_HOME = join(folder, "machines");

/** The kernels that Debian makes for clouds lack the card's driver. */
const image = {
  setup: `${chronyImage.setup}DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet linux-image-amd64
DEBIAN_FRONTEND=noninteractive apt-get purge --yes --quiet 'linux-image-*cloud*'
`,
};

const version = Number(/version (\d+)/.exec(execaSync("qemu-system-x86_64", ["--version"]).stdout)?.[1]);
if (version < 8) console.log(`Skipped: QEMU ${version} has no card with a clock that is right. It takes QEMU 8.`);

describe.skipIf(version < 8)("a card's clock", () => {
  let machines: Stack;
  let host: TestHost;
  let device: string;
  let clockName: string;
  let pristine: string;

  beforeAll(async () => {
    machines = await testStack("card-machine", folder, async () => {
      const network = `card-${process.pid}`;
      const networkCard = LocalVmNetworkCard.Igb;
      const args = { cpus: 1, memoryMib: 768, network, networkCard, privateAddress: "10.84.0.1/24", image };
      return { card: new LocalVm("card", args).endpoint };
    });
    const { outputs } = await machines.up();
    host = new TestHost(outputs.card?.value, folder);
    await host.cloudInitEnd();
    pristine = await host.configuration();
    // The host has KVM's clock too, where this computer has KVM: of its cards it is the one.
    device = await host.run("ls -d /sys/bus/pci/drivers/igb/*/ptp/ptp* | sed 's#.*/##'");
    clockName = await host.run(`cat /sys/class/ptp/${device}/clock_name`);
  });

  afterAll(async () => {
    await machines?.destroy();
    rmSync(folder, { recursive: true, force: true });
  });

  const following = (name: string, stack: string) =>
    testStack(stack, folder, async () => {
      const { evidence } = new TimeSync("clock", {
        endpoint: host.asSshHost().endpoint,
        sources: [{ kind: TimeSourceKind.Phc, clockName: name, errorMicros: 250 }],
        maxErrorMicros: 20_000,
        settleTimeoutSeconds: 90,
      });
      return { evidence };
    });

  test("that the machine does not have is refused, and nothing is changed", async () => {
    const refused = await attempt(await following("ptp_ocp", "missing"));
    expect(refused.ok).toBe(false);
    expect(refused.said).toContain("phc: there is no clock ptp_ocp in /sys/class/ptp");
    await (await following("ptp_ocp", "missing")).destroy();
    // The copy of the toolkit stays with a host that was refused: nothing in the state could remove it.
    await host.run("rm -rf ~/.timebase-*");
    expect(await host.configuration()).toBe(pristine);
  });

  test("is followed, and its own error is in the bound", async () => {
    const stack = await following(clockName, "present");
    const { ok, output, evidence } = await attempt(stack);
    expect(ok, output).toBe(true);
    expect(evidence).toMatchObject({ source: `/dev/${device}`, sourceKind: "refclock", timescale: "utc" });
    expect(evidence?.errorBoundNs).toBeGreaterThan(250_000);
    // Past the product: how far the system's clock is from the card's, read between two readings of the system's.
    const apart = Number(await host.succeeds("sudo python3 -", readingBoth(device)));
    console.log(`apart ${apart} ns; bound ${evidence?.errorBoundNs} ns`);
    expect(Math.abs(apart)).toBeLessThan(evidence?.errorBoundNs ?? 0);
    // The control: a clock that is off is seen, by the proof and from here.
    await host.run("sudo systemctl stop chrony; sudo date -s '+0.25 seconds'");
    expect(Math.abs(Number(await host.succeeds("sudo python3 -", readingBoth(device))))).toBeGreaterThan(100_000_000);
    const screen = await host.run("sudo cat /var/lib/timebase/plans/time | sudo timebase prove 2>&1 >/dev/null");
    expect(screen).toMatch(/FAIL +time\./);
    await stack.destroy();
    expect(await host.configuration()).toBe(pristine);
  });
});

/** The sharpest of some readings: the system's clock minus the card's, in nanoseconds. */
const readingBoth = (device: string) => `
import os, time
card = (~os.open("/dev/${device}", os.O_RDONLY) << 3) | 3
def look():
    before = time.clock_gettime_ns(time.CLOCK_REALTIME)
    there = time.clock_gettime_ns(card)
    after = time.clock_gettime_ns(time.CLOCK_REALTIME)
    return after - before, (before + after) // 2 - there
print(min(look() for _ in range(50))[1])
`;
