import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeHost } from "./FakeHost";
import { client, dropin, hub, hubIdentity, onHub, ptpConf, ptpState, ptpUnit, says } from "./ptp";
import { shells } from "./shells";
import { boundFrom, conf, pmcSaid, proved, refclock } from "./sources";

const hubAnswer = "7F7F0101,,10,@NOW@.123456789,0.000000000,0.0,0.0,-12.345,0.0,1.0,0.0,0.0,0.0,Normal\n".replace(
  ",,",
  ",7F7F0101,",
);
describe.each(shells)("the proof of network PTP under %s", (shell) => {
  let host: FakeHost;
  beforeEach(() => {
    host = new FakeHost(shell);
  });
  afterEach(() => host.destroy());

  test.each(["3.1.1", "4.0", "4.2"])(
    "linuxptp %s: the whole path delay, and what is measured now, are in the bound",
    (version) => {
      host.converge(client);
      const said = pmcSaid("following", version);
      says(host, said);
      const proof = proved(host, client);
      expect(proof).toMatchObject({ status: 0, stderr: "" });
      const [delay, offset] = ["meanPathDelay", "offsetFromMaster"].map((key) =>
        Math.abs(Number(new RegExp(`${key} +(\\S+)`).exec(said)?.[1])),
      ) as [number, number];
      expect(delay).toBeGreaterThan(1000);
      const chrony = 12 + 95_000;
      // 125 ms between Syncs, in which the clocks may drift by 50 ppm.
      expect(proof.evidence.errorBoundNs).toEqual(boundFrom(chrony + delay + offset + 6245));
      expect(proof.evidence).toMatchObject({ source: "10.77.0.1", sourceKind: "ptp" });
      expect(proof.row("time.ptp-port")).toMatchObject({ verdict: "pass", found: "follows 10.77.0.1 (UNCALIBRATED)" });
      expect(proof.row("time.ptp-grandmaster")).toMatchObject({ verdict: "pass", found: hubIdentity });
      expect(proof.row("time.ptp-timestamps")).toMatchObject({ verdict: "pass", found: "SOFTWARE" });
      expect(proof.row("time.ptp-fresh")).toMatchObject({ verdict: "pass" });
      expect(proof.row("time.ptp-configuration").found).toBe("software time stamps on eth0");
    },
  );

  test("how far the program says that the hub is off is in the bound", () => {
    host.converge(client);
    says(host, pmcSaid("following"));
    const bound = (plan: string) => proved(host, plan).evidence.errorBoundNs as number;
    const vouched = client.replace("ptp 10.77.0.1", "ptp 10.77.0.1 trust error-ns 20000000");
    const naive = bound(client);
    host.converge(vouched);
    expect(host.read(conf)).toContain("prefer trust\n");
    // What the clock drifts while it is read differs, by less than a tenth.
    expect((bound(vouched) - naive) / 20e6).toBeCloseTo(1, 1);
  });

  test("a network card that could stamp by a clock of its own is told of", () => {
    host.converge(client);
    says(host, pmcSaid("following"));
    host.write("sys/class/net/eth0/device/ptp/ptp1/clock_name", "mlx5_p2p\n");
    const { status, row } = proved(host, client);
    expect(status).toBe(0);
    expect(row("time.ptp-configuration")).toMatchObject({
      verdict: "pass",
      found: "software time stamps on eth0 (those of its own clock, ptp1, are not used)",
    });
  });

  const other = (identity: string, said: string) => said.replaceAll(hubIdentity, identity);
  const lies: [what: string, said: () => string, check: string, found: string][] = [
    ["nobody answers, and pmc ends well", () => "", "time.ptp-port", "ptp4l does not answer"],
    ["the daemon is gone", () => pmcSaid("no-daemon"), "time.ptp-port", "ptp4l does not answer"],
    [
      "the hub is dead, and offset and path delay are the last ones",
      () => pmcSaid("hub-dead"),
      "time.ptp-port",
      "port LISTENING: no hub answers",
    ],
    ["there never was a hub", () => pmcSaid("no-hub"), "time.ptp-port", "port LISTENING: no hub answers"],
    ["the hub has just come", () => pmcSaid("starting"), "time.ptp-port", "port LISTENING: no hub answers"],
    ["another machine at the hub's address", () => pmcSaid("other-hub"), "time.ptp-grandmaster", "aacf89.fffe.87d5e6"],
    [
      "another one, by chance or not",
      () => other("027462.000a.4d0002", pmcSaid("following")),
      "time.ptp-grandmaster",
      "027462.000a.4d0002",
    ],
    [
      "the hub behind somebody who forwards",
      () => pmcSaid("following").replace("stepsRemoved     1", "stepsRemoved     2"),
      "time.ptp-grandmaster",
      `${hubIdentity} behind ${hubIdentity}-1`,
    ],
    [
      "time that is 37 s off",
      () => pmcSaid("following").replace(/(ptpTimescale +)0/, "$11"),
      "time.ptp-grandmaster",
      `${hubIdentity} in TAI`,
    ],
    [
      "stamps of another kind than the plan's",
      () => pmcSaid("following").replace("SOFTWARE", "HARDWARE"),
      "time.ptp-timestamps",
      "HARDWARE",
    ],
    [
      "Syncs that come no more",
      () => pmcSaid("following").replace(/@NOW@\d+/, "1795696345841912070"),
      "time.ptp-fresh",
      "last Sync ",
    ],
    [
      "a clock that was set back",
      () => pmcSaid("following").replace(/@NOW@\d+/, "4795696345841912070"),
      "time.ptp-fresh",
      "in the future: the clock was set back",
    ],
  ];
  test.each(lies)("%s: chronyd is content, and the proof is not", (_, said, check, found) => {
    host.converge(client);
    says(host, said());
    const { status, row, evidence } = proved(host, client);
    expect(row("time.synchronised")).toMatchObject({ verdict: "pass" });
    expect(row("time.source")).toMatchObject({ verdict: "pass" });
    expect(status).toBe(1);
    expect(row(check)).toMatchObject({ verdict: "fail", found: expect.stringContaining(found), remedy: /\w/ });
    expect(evidence.errorBoundNs).toBeNull();
    expect(evidence.errorBoundReason).toContain("the error of 10.77.0.1 itself is unknown: ");
  });

  test("where chronyd has no sample, the remedy is about PTP", () => {
    host.converge(client);
    says(host, pmcSaid("following"));
    host.chrony(refclock("PTP0").replace("#,*,PTP0", "#,?,PTP0"));
    expect(proved(host, client).row("time.source")).toMatchObject({
      verdict: "fail",
      found: "0 selected sources: PTP0 unusable",
      remedy: expect.stringContaining("UDP ports 319 and 320"),
    });
  });

  test("a path delay of nothing is no path delay", () => {
    host.converge(client);
    for (const delay of ["0.0", "-120.0", "1e3", "99999999999.0"]) {
      says(host, pmcSaid("following").replace(/(meanPathDelay +)\S+/, `$1${delay}`));
      expect(proved(host, client).evidence, delay).toMatchObject({
        errorBoundNs: null,
        errorBoundReason: expect.stringContaining(delay),
      });
    }
  });

  test("a hub serves at its own address, to the networks of the plan, and touches no clock", () => {
    onHub(host);
    const before = host.snapshot();
    host.converge(hub);
    const text = host.read(ptpConf);
    for (const line of [
      `clockIdentity ${hubIdentity}`,
      "masterOnly 1",
      "free_running 1",
      "[ens5]",
      "unicast_listen 1",
    ]) {
      expect(text).toContain(`\n${line}\n`);
    }
    expect(host.read(ptpUnit)).toContain("\nIPAddressAllow=10.77.0.0/24\n");
    expect(host.read(conf)).not.toContain("refclock");
    host.chrony(hubAnswer);
    host.write("fake/pmc", pmcSaid("serving"));
    const proof = proved(host, hub);
    expect(proof).toMatchObject({ status: 0, stderr: "" });
    expect(proof.evidence).toMatchObject({ errorBoundNs: 0, sourceKind: "itself" });
    expect(proof.row("time.ptp-port")).toMatchObject({ verdict: "pass", found: "serves PTP at 10.77.0.1 (MASTER)" });
    host.write("fake/pmc", pmcSaid("serving").replace("MASTER", "LISTENING"));
    expect(proved(host, hub)).toMatchObject({ status: 1 });
    host.write("fake/pmc", pmcSaid("serving").replaceAll(hubIdentity, "aacf89.fffe.87d5e6"));
    expect(proved(host, hub).row("time.ptp-grandmaster")).toMatchObject({ verdict: "fail" });
    host.run(["revert"], hub);
    expect(host.snapshot()).toEqual(before);
  });

  test("our own ptp4l is nobody else's, and no owner of the clock", () => {
    host.converge(client);
    says(host, pmcSaid("following"));
    host.process(600, "ptp4l");
    host.write("proc/600/cmdline", `/usr/sbin/ptp4l\0-f\0/${ptpConf}\0`);
    host.write("proc/600/status", "Name:\tptp4l\nCapEff:\t000001fffcffffff\n");
    host.converge(client);
    expect(proved(host, client).row("time.owner")).toMatchObject({ verdict: "pass" });
    host.write("proc/600/cmdline", "/usr/sbin/ptp4l\0-i\0eth0\0-S\0");
    host.write("proc/600/status", "Name:\tptp4l\nCapEff:\t000001ffffffffff\n");
    expect(proved(host, client).row("time.owner")).toMatchObject({ verdict: "fail" });
  });

  test("what a person made of the files is a failure, and is mended with chronyd's restart", () => {
    host.converge(client);
    says(host, pmcSaid("following"));
    for (const file of [ptpConf, ptpUnit, dropin]) {
      host.write(file, `${host.read(file)}# mine\n`);
      expect(proved(host, client).row("time.ptp-configuration"), file).toMatchObject({
        verdict: "fail",
        found: expect.stringContaining("was changed, or is gone"),
      });
      host.forgetCalls();
      host.converge(client);
      expect(host.calls()).toContain("systemctl restart chrony");
      expect(proved(host, client).status).toBe(0);
    }
    host.write("fake/interface", "eth1");
    expect(proved(host, client).row("time.ptp-configuration")).toMatchObject({ verdict: "fail" });
    host.converge(client);
    expect(host.read(ptpConf)).toContain("\n[eth1]\n");
  });

  test("the clock of a hub that is released is nobody's to follow, until it is taken back", () => {
    onHub(host);
    const answered = hub + host.converge(hub).stdout;
    host.run(["release"], "");
    expect(host.read(ptpState)).toBe("static inactive\n");
    expect(proved(host, answered).row("time.released")).toMatchObject({ verdict: "fail" });
    host.chrony(hubAnswer);
    host.write("fake/pmc", pmcSaid("serving"));
    const { status, stdout } = host.run(["resume"], "");
    expect(status).toBe(0);
    expect(stdout).toContain("time.ptp-port");
    expect(host.read(ptpState)).toBe("static active\n");
  });
});
