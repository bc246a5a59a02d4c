import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeHost, plans } from "./FakeHost";
import { conf, following, pmcSaid, proved, refclock, refusal } from "./sources";

const ptpConf = "etc/linuxptp/timebase.conf";
const ptpUnit = "etc/systemd/system/timebase-ptp4l.service";
const dropin = "etc/systemd/system/chrony.service.d/timebase-ptp.conf";
const linuxptp = "fake/packages/linuxptp";
const hubIdentity = "027462.000a.4d0001";

/** A client of the hub that defines the time, by PTP only. */
const client = following(plans.time, "ptp 10.77.0.1").replace("timescale=utc", "timescale=hub:hub");
const hub = plans.hub.replace("time-allow=", "time-ptp=10.77.0.1\ntime-allow=");

const hubAnswer = "7F7F0101,,10,@NOW@.123456789,0.000000000,0.0,0.0,-12.345,0.0,1.0,0.0,0.0,0.0,Normal\n".replace(
  ",,",
  ",7F7F0101,",
);

describe.each(["dash", "bash"])("network PTP under %s", (shell) => {
  let host: FakeHost;
  beforeEach(() => {
    host = new FakeHost(shell);
  });
  afterEach(() => host.destroy());

  /** A client that follows: its chronyd has the samples, and its ptp4l says this. */
  const says = (said: string): void => {
    host.chrony(refclock("PTP0").replace("0.000010000,0.000002000", "0.000000001,0.000095000"));
    host.write("fake/pmc", said);
  };
  /** A hub, with its own address. */
  const onHub = (): void => {
    host.write("fake/addresses", "10.77.0.1\n");
    host.write("fake/interface", "ens5");
  };

  test("a client's ptp4l measures for chronyd, which alone has the clock", () => {
    const before = host.snapshot();
    host.converge(client);
    expect(host.read(conf)).toContain("\nrefclock SHM 16 refid PTP0 poll -1 dpoll -3 prefer\n");
    expect(host.read(conf)).not.toContain("server");
    const text = host.read(ptpConf);
    for (const line of ["slaveOnly 1", "clock_servo ntpshm", "ntpshm_segment 16", "UDPv4 10.77.0.1", "[eth0]"]) {
      expect(text).toContain(`\n${line}\n`);
    }
    expect(text).toContain("\ntime_stamping software\n");
    // linuxptp 3.1.1 ends at a word that it does not know.
    expect(text).not.toMatch(/clientOnly|serverOnly/);
    const service = host.read(ptpUnit);
    expect(service).toContain("\nCapabilityBoundingSet=~CAP_SYS_TIME\n");
    expect(service).toContain("\nPartOf=chrony.service\n");
    expect(service).toContain("\nIPAddressDeny=any\nIPAddressAllow=10.77.0.1\n");
    expect(host.read(dropin)).toContain("\nWants=timebase-ptp4l.service\n");
    expect(host.read("fake/units/timebase-ptp4l.service")).toBe("static active\n");

    const writes = host.writes();
    host.forgetCalls();
    host.converge(client);
    expect(host.writes()).toEqual(writes);
    expect(host.calls().filter((call) => /apt-get|restart/.test(call))).toEqual([]);

    host.run(["revert"], client);
    expect(host.snapshot()).toEqual(before);
    expect(host.exists(linuxptp)).toBe(false);
    expect(host.read("fake/units/timebase-ptp4l.service")).toBe("static inactive\n");
  });

  test.each(["3.1.1", "4.0", "4.2"])(
    "linuxptp %s: the whole path delay, and what is measured now, are in the bound",
    (version) => {
      host.converge(client);
      const said = pmcSaid("following", version);
      says(said);
      const proof = proved(host, client);
      expect(proof).toMatchObject({ status: 0, stderr: "" });
      const [delay, offset] = ["meanPathDelay", "offsetFromMaster"].map((key) =>
        Math.abs(Number(new RegExp(`${key} +(\\S+)`).exec(said)?.[1])),
      ) as [number, number];
      expect(delay).toBeGreaterThan(1000);
      const chrony = 12 + 95_000;
      // 125 ms between Syncs, in which the clocks may drift by 50 ppm.
      expect(proof.evidence.errorBoundNs).toBeCloseTo(chrony + delay + offset + 6250, -1);
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
    says(pmcSaid("following"));
    const bound = (plan: string) => proved(host, plan).evidence.errorBoundNs as number;
    const vouched = client.replace("ptp 10.77.0.1", "ptp 10.77.0.1 trust error-ns 20000");
    const naive = bound(client);
    host.converge(vouched);
    expect(host.read(conf)).toContain("prefer trust\n");
    expect(bound(vouched)).toBe(naive + 20_000);
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
    says(said());
    const { status, row, evidence } = proved(host, client);
    expect(row("time.synchronised")).toMatchObject({ verdict: "pass" });
    expect(row("time.source")).toMatchObject({ verdict: "pass" });
    expect(status).toBe(1);
    expect(row(check)).toMatchObject({ verdict: "fail", found: expect.stringContaining(found), remedy: /\w/ });
    expect(evidence.errorBoundNs).toBeNull();
    expect(evidence.errorBoundReason).toContain("the error of 10.77.0.1 itself is unknown: ");
  });

  test("a path delay of nothing is no path delay", () => {
    host.converge(client);
    for (const delay of ["0.0", "-120.0", "1e3", "99999999999.0"]) {
      says(pmcSaid("following").replace(/(meanPathDelay +)\S+/, `$1${delay}`));
      expect(proved(host, client).evidence, delay).toMatchObject({
        errorBoundNs: null,
        errorBoundReason: expect.stringContaining(delay),
      });
    }
  });

  test("a hub serves at its own address, to the networks of the plan, and touches no clock", () => {
    onHub();
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

  const refusals: [what: string, make: () => void, plan: string, why: string, system?: string][] = [
    [
      "a system without linuxptp",
      () => {},
      client,
      "amazon-linux-2023 has no package of linuxptp",
      "amazon-linux-2023",
    ],
    ["no route to the hub", () => host.write("fake/no-route", ""), client, "no route to 10.77.0.1"],
    ["a client that is the hub", () => onHub(), client, "10.77.0.1, which it is to follow by PTP, is its own address"],
    [
      "a hub by the address of a NAT",
      () => {},
      hub,
      "10.77.0.1, at which it is to serve PTP, is no address of its own",
    ],
    [
      "a ptp4l of somebody else",
      () => {
        host.process(600, "ptp4l");
        host.write("proc/600/cmdline", "/usr/sbin/ptp4l\0-i\0eth0\0");
      },
      client,
      "another ptp4l runs here already (process 600)",
    ],
    [
      "two hubs",
      () => {},
      client.replace("time-source=", "time-source=ptp 10.77.0.9\ntime-source="),
      "more than one hub by PTP",
    ],
    [
      "both sides",
      () => {},
      client.replace("time-role=client", "time-role=hub\ntime-ptp=10.77.0.2"),
      "to serve PTP and to follow it",
    ],
    [
      "a client that serves",
      () => {},
      plans.time.replace("time-source", "time-ptp=10.77.0.2\ntime-source"),
      "time-ptp is for a hub",
    ],
    ...[
      "ptp",
      "ptp hub.example",
      "ptp 10.77.0",
      "ptp 10.77.0.1.2",
      "ptp 10.77.0.1 prefer",
      "ptp 10.77.0.1 error-ns x",
    ].map((source): [string, () => void, string, string] => [
      source,
      () => {},
      following(client, source),
      `"time-source=${source}" is not understood`,
    ]),
  ];
  test.each(refusals)("%s is refused before any change", (_, make, plan, why, system) => {
    if (system !== undefined) {
      host.destroy();
      host = new FakeHost(shell, system);
    }
    make();
    expect(refusal(host, plan)).toContain(why);
  });

  test("our own ptp4l is nobody else's, and no owner of the clock", () => {
    host.converge(client);
    says(pmcSaid("following"));
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
    says(pmcSaid("following"));
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

  test("a ptp4l that has ended is started again with chronyd", () => {
    host.converge(client);
    host.write("fake/units/timebase-ptp4l.service", "static inactive\n");
    host.converge(client);
    expect(host.read("fake/units/timebase-ptp4l.service")).toBe("static active\n");
  });

  test("a plan without PTP takes the files away, and the revert the package", () => {
    const before = host.snapshot();
    host.converge(client);
    host.converge(plans.time);
    for (const file of [ptpConf, ptpUnit, dropin]) expect(host.exists(file), file).toBe(false);
    expect(host.read("fake/units/timebase-ptp4l.service")).toBe("static inactive\n");
    expect(host.read(conf)).not.toContain("PTP0");
    host.run(["revert"], plans.time);
    expect(host.exists(linuxptp)).toBe(false);
    expect(host.snapshot()).toEqual(before);
  });

  test("a linuxptp that was there stays, and so does one that others need", () => {
    host.write(linuxptp, "");
    host.write("etc/linuxptp/ptp4l.conf", "mine\n");
    const before = host.snapshot();
    host.converge(client);
    host.run(["revert"], client);
    expect(host.exists(linuxptp)).toBe(true);
    expect(host.snapshot()).toEqual(before);
    host.remove(linuxptp);
    host.converge(client);
    host.write("fake/packages/needy", "");
    host.write("fake/needs-linuxptp", "needy");
    expect(host.run(["revert"], client).stderr).toContain("linuxptp stays: removing it would remove needy too");
    expect(host.exists(linuxptp)).toBe(true);
  });

  test("an installation that fails says so, and a linuxptp that the user installs later is his", () => {
    host.write("fake/packages/chrony", "");
    host.write("fake/units/chrony.service", "enabled active\n");
    host.write("fake/apt-get-fails", "");
    const configuration = host.exists(conf);
    const { status, stderr } = host.run(["converge"], client);
    expect(status).toBe(1);
    expect(stderr).toContain("the package lists could not be refreshed");
    expect(host.exists(conf)).toBe(configuration);
    host.remove("fake/apt-get-fails");
    host.write(linuxptp, "");
    host.converge(client);
    host.run(["revert"], client);
    expect(host.exists(linuxptp)).toBe(true);
  });
});
