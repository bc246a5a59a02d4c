import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeHost, plans } from "./FakeHost";
import { client, dropin, hub, linuxptp, onHub, ptpConf, ptpState, ptpUnit } from "./ptp";
import { shells } from "./shells";
import { conf, following, refusal } from "./sources";

describe.each(shells)("network PTP under %s", (shell) => {
  let host: FakeHost;
  beforeEach(() => {
    host = new FakeHost(shell);
  });
  afterEach(() => host.destroy());

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
    expect(host.read(ptpState)).toBe("static active\n");

    const writes = host.writes();
    host.forgetCalls();
    host.converge(client);
    expect(host.writes()).toEqual(writes);
    expect(host.calls().filter((call) => /apt-get|restart/.test(call))).toEqual([]);

    host.run(["revert"], client);
    expect(host.snapshot()).toEqual(before);
    expect(host.exists(linuxptp)).toBe(false);
    expect(host.read(ptpState)).toBe("static inactive\n");
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
    [
      "a client that is the hub",
      () => onHub(host),
      client,
      "10.77.0.1, which it is to follow by PTP, is its own address",
    ],
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

  test("a ptp4l that has ended is started again with chronyd", () => {
    host.converge(client);
    host.write(ptpState, "static inactive\n");
    host.converge(client);
    expect(host.read(ptpState)).toBe("static active\n");
  });

  test("a plan without PTP takes the files away, and the revert the package", () => {
    const before = host.snapshot();
    host.converge(client);
    host.converge(plans.time);
    for (const file of [ptpConf, ptpUnit, dropin]) expect(host.exists(file), file).toBe(false);
    expect(host.read(ptpState)).toBe("static inactive\n");
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

  /** A converge or a revert that is killed when it is about to put this file in its place, or to run this. */
  const cutAt = (verb: "converge" | "revert", plan: string, program: string, words: string) => {
    host.meanwhile(program, `case "$*" in ${words}) cut; exit 1 ;; esac`);
    const { status } = host.run([verb], plan);
    host.remove("fake/bin");
    return status;
  };
  test("whatever cuts a converge, the next one goes on with it, and the revert gives everything back", () => {
    const cuts = [
      ...[ptpConf, ptpUnit, dropin].map((file) => ["sync", `"$TIMEBASE_ROOT"/${file}.timebase-new`] as const),
      ["apt-get", "*linuxptp*"],
      ["systemctl", "daemon-reload*"],
      ["systemctl", "restart*"],
    ] as const;
    for (const [program, words] of cuts) {
      for (const next of ["converge", "revert"]) {
        const before = host.snapshot();
        expect(cutAt("converge", client, program, words), words).toBe(null);
        if (next === "converge") {
          host.converge(client);
          for (const file of [ptpConf, ptpUnit, dropin]) expect(host.exists(file), file).toBe(true);
          expect(host.read(ptpState)).toBe("static active\n");
        }
        const { status, stderr } = host.run(["revert"], client);
        expect(status, `${words}: ${stderr}`).toBe(0);
        expect(stderr).not.toContain("somebody else");
        expect(host.snapshot(), words).toEqual(before);
        expect(host.exists(linuxptp)).toBe(false);
        host.destroy();
        host = new FakeHost(shell);
      }
    }
  });

  test("whatever cuts a revert, the next one ends it", () => {
    const cuts = [
      ["systemctl", "stop*"],
      ["systemctl", "daemon-reload*"],
      ["apt-get", "*linuxptp-*"],
      ["apt-get", "*chrony-*"],
    ] as const;
    for (const [program, words] of cuts) {
      const before = host.snapshot();
      host.converge(client);
      expect(cutAt("revert", client, program, words), words).toBe(null);
      expect(host.run(["revert"], client).status).toBe(0);
      expect(host.snapshot(), words).toEqual(before);
      expect(host.exists(linuxptp)).toBe(false);
      host.destroy();
      host = new FakeHost(shell);
    }
  });
});
