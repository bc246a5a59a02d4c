import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Stack } from "@pulumi/pulumi/automation";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type HostEvidence,
  LocalVm,
  parseEvidence,
  TimeKeyType,
  TimeRole,
  TimeSourceKind,
  TimeSync,
  type TimeSyncArgs,
} from "../../components";
import { chronyImage } from "../../rig/image";
import { largestError, type OffsetInterval, smallestError } from "../../rig/offset-interval";
import { trueDifference, type WatchedClock } from "../../rig/true-offset";
import { type Attempt, attempt } from "../faults/support/Attempt";
import { TestHost } from "../rig/support/host";
import { testStack } from "../rig/support/stack";

// How a client may be told the time by another machine, by the real daemons of two machines under systemd: with a key, with
// a certificate, by network PTP. Boot parameters are none of this, so nothing reboots.

const folder = mkdtempSync(join(tmpdir(), "timebase-sources-"));
process.env.XDG_STATE_HOME = join(folder, "machines");
const names = ["hub", "client"] as const;
const [hubAddress, clientAddress] = ["10.83.0.1", "10.83.0.2"];

const vms = { cpus: 1, memoryMib: 768, network: `sources-${process.pid}`, image: chronyImage };
const machinesProgram = async () => ({
  hub: new LocalVm("hub", { ...vms, privateAddress: `${hubAddress}/24` }).endpoint,
  client: new LocalVm("client", { ...vms, privateAddress: `${clientAddress}/24` }).endpoint,
});

type Wanted = Pick<TimeSyncArgs, "sources" | "keys" | "ptpAddress">;

describe("a client of a hub on real machines", () => {
  let machines: Stack;
  let clocks: Stack;
  let hosts: Record<(typeof names)[number], TestHost>;
  let pristine: string[];
  let wanted: { hub: Wanted; client: Wanted };
  const both = <T>(work: (host: TestHost) => Promise<T>) => Promise.all(names.map((name) => work(hosts[name])));

  const program = async () => {
    const args = { maxErrorMicros: 20_000, settleTimeoutSeconds: 90, timescale: "hub:hub" };
    const hub = new TimeSync("hub", {
      endpoint: hosts.hub.asSshHost().endpoint,
      timeRole: TimeRole.Hub,
      allow: ["10.83.0.0/24"],
      ...args,
      ...wanted.hub,
    });
    const { endpoint } = hosts.client.asSshHost();
    const client = new TimeSync("client", { endpoint, ...args, ...wanted.client }, { dependsOn: hub });
    return { evidence: client.evidence };
  };

  async function up(hub: Wanted, client: Wanted): Promise<Attempt> {
    wanted = { hub, client };
    return attempt(clocks);
  }
  const proved = ({ ok, output, evidence }: Attempt): HostEvidence => {
    expect(ok, output).toBe(true);
    expect(evidence?.checks.filter(({ verdict }) => verdict === "fail")).toEqual([]);
    return evidence as HostEvidence;
  };
  /** What the client proves now, of its own plan: without waiting, or as soon as it can. */
  const prove = async (settleSeconds = 1): Promise<HostEvidence> =>
    parseEvidence(
      await hosts.client.run(
        `sudo sed 's/^time-settle-seconds=.*/time-settle-seconds=${settleSeconds}/' /var/lib/timebase/plans/time | sudo timebase prove 2>/dev/null`,
      ),
    );
  const checkOf = ({ checks }: HostEvidence, id: string) => checks.find((check) => check.id === id);
  /** What somebody sees who looks whether the daemon runs, and whether the word is in its configuration. */
  const naive = (word: string) =>
    hosts.client.run(
      `systemctl is-active chrony; sudo cat /etc/chrony/chrony.conf | grep -q "^server .* ${word}" && echo there`,
    );

  beforeAll(async () => {
    machines = await testStack("machines", folder, machinesProgram);
    const { outputs } = await machines.up();
    hosts = Object.fromEntries(names.map((name) => [name, new TestHost(outputs[name]?.value, folder)])) as typeof hosts;
    await both((host) => host.cloudInitEnd());
    pristine = await both((host) => host.configuration());
    clocks = await testStack("clocks", folder, program);
  });

  afterAll(async () => {
    await machines?.destroy();
    rmSync(folder, { recursive: true, force: true });
  });

  const key = { id: 7, type: TimeKeyType.Aes128, secret: "HEX:00112233445566778899AABBCCDDEEFF" };
  const byKey = (secret = key.secret): Wanted => ({ sources: [{ address: hubAddress, key: { ...key, secret } }] });

  test("by a key that both have is proved, and by another one is not", async () => {
    const forged = await up({ keys: [key] }, byKey("HEX:FF112233445566778899AABBCCDDEEFF"));
    expect(forged.ok).toBe(false);
    expect(forged.said).toMatch(/FAIL +time\.authentication/);
    expect(forged.said).toContain("the same key, by the same id");
    expect(await naive("key 7")).toBe("active\nthere");

    const evidence = proved(await up({ keys: [key] }, byKey()));
    expect(checkOf(evidence, "time.authentication")).toMatchObject({
      verdict: "pass",
      found: `${hubAddress}: symmetric key 7, 128 bits`,
    });
    // What chronyd says, past the product; and who may read the key.
    expect(await hosts.client.run("sudo chronyc -n -c authdata")).toMatch(/^10\.83\.0\.1,SK,7,/);
    expect(await hosts.client.run("sudo grep -rl 00112233445566778899 /etc | xargs sudo stat -c '%a %U'")).toMatch(
      /^600 \S+$/,
    );
  });

  test("by a certificate is proved, once the client trusts it", async () => {
    // A server beside the hub's own daemon, which touches no clock. A proof of the hub would refuse it all the same: its plan
    // stays as it is.
    await hosts.hub.succeeds(`sudo sh -ec '
      mkdir -p /root/nts && cd /root/nts
      openssl req -x509 -newkey rsa:2048 -nodes -keyout key -out cert -days 30 -subj /CN=hub.test -addext subjectAltName=DNS:hub.test
      printf "%s\\n" "ntsserverkey /root/nts/key" "ntsservercert /root/nts/cert" "allow 10.83.0.0/24" "local stratum 9" \\
        "port 11123" "cmdport 0" "bindcmdaddress /" "pidfile /run/nts.pid" >conf
      systemd-run --unit=nts-server chronyd -x -d -u root -f /root/nts/conf' 2>&1`);
    const certificate = await hosts.hub.run("sudo cat /root/nts/cert");
    await hosts.client.run(`echo "${hubAddress} hub.test" | sudo tee -a /etc/hosts`);
    const byNts = { sources: [{ address: "hub.test", nts: true }] };
    const untrusted = await up({ keys: [key] }, byNts);
    expect(untrusted.ok).toBe(false);
    expect(untrusted.said).toMatch(/FAIL +time\.authentication/);
    expect(await naive("nts")).toBe("active\nthere");

    await hosts.client.succeeds(
      "sudo tee /usr/local/share/ca-certificates/hub.crt >/dev/null && sudo update-ca-certificates 2>&1 && sudo systemctl restart chrony",
      `${certificate}\n`,
    );
    const evidence = proved(await up({ keys: [key] }, byNts));
    expect(checkOf(evidence, "time.authentication")).toMatchObject({
      verdict: "pass",
      found: expect.stringMatching(/^hub\.test: NTS, \d+ bits$/),
    });
    expect(await hosts.client.run("sudo chronyc -N -c authdata")).toMatch(/^hub\.test,NTS,/);
  });

  test("by network PTP is within its bound of the truth, and a dead hub is no hub", async () => {
    await hosts.hub.run("sudo systemctl stop nts-server");
    const ptp = { sources: [{ kind: TimeSourceKind.Ptp, address: hubAddress }] };
    const evidence = proved(await up({ ptpAddress: hubAddress }, ptp));
    expect(evidence).toMatchObject({ source: hubAddress, sourceKind: "ptp" });
    expect(checkOf(evidence, "time.ptp-timestamps")).toMatchObject({ verdict: "pass", found: "SOFTWARE" });
    // Nothing else tells the client the time.
    expect(await hosts.client.run("sudo chronyc -n -c sources | cut -d, -f1,3")).toBe("#,PTP0");

    const clocks = await both((host) => host.watchedClock());
    const [hub, client] = clocks as [WatchedClock, WatchedClock];
    const { errorBoundNs } = await prove(60);
    const looks: OffsetInterval[] = [];
    for (let look = 0; look < 5; look++) looks.push(await trueDifference(client, hub));
    await Promise.all(clocks.map((clock) => clock.close()));
    const micros = (ns: number) => (ns / 1000).toFixed(0);
    const texts = looks.map(({ lowNs, highNs }) => `${micros(lowNs)} to ${micros(highNs)}`);
    console.log(`network PTP: true offset ${texts.join(", ")} us; bound ${micros(errorBoundNs ?? Number.NaN)} us`);
    expect(errorBoundNs).toBeGreaterThan(0);
    // A look that a busy machine has blurred can only refute the bound; the sharpest one has to confirm it.
    expect(Math.min(...looks.map(largestError))).toBeLessThanOrEqual(errorBoundNs as number);
    for (const look of looks) expect(smallestError(look)).toBeLessThanOrEqual(errorBoundNs as number);

    await hosts.hub.succeeds("sudo systemctl stop timebase-ptp4l && sleep 15");
    // ptp4l and chronyd of the client still run, and still tell the last figures.
    expect(await hosts.client.run("systemctl is-active chrony timebase-ptp4l")).toBe("active\nactive");
    const dead = await prove();
    expect(dead.errorBoundNs).toBeUndefined();
    expect(checkOf(dead, "time.ptp-port")).toMatchObject({
      verdict: "fail",
      found: "port LISTENING: no hub answers",
    });
    await hosts.hub.succeeds("sudo systemctl start timebase-ptp4l && sleep 30");
    // The hub that is there again is a source that has to be measured again.
    expect((await prove(60)).checks.filter(({ verdict }) => verdict === "fail")).toEqual([]);
  });

  test("is given back as it was, without linuxptp", async () => {
    await clocks.destroy();
    // What the test itself has set up for the certificate.
    await hosts.client.succeeds(
      "sudo sh -e",
      "sed -i '/ hub.test$/d' /etc/hosts; rm /usr/local/share/ca-certificates/hub.crt; update-ca-certificates --fresh 2>&1\n",
    );
    expect(await both((host) => host.configuration())).toEqual(pristine);
    expect(await both((host) => host.run("dpkg-query -W linuxptp 2>&1 | grep -c 'no packages found'"))).toEqual([
      "1",
      "1",
    ]);
    expect(await both((host) => host.run("systemctl is-active chrony; systemctl --failed --no-legend"))).toEqual([
      "active",
      "active",
    ]);
  });
});
