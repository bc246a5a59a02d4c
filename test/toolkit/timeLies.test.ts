import fs from "node:fs";
import { expect, test } from "vitest";
import { type FakeHost, plans, synchronised } from "./FakeHost";
import { describeProof, type Lie } from "./lies";

const [tracking, source] = synchronised.trim().split("\n") as [string, string];
const columns = (changes: Record<number, string>): string =>
  tracking
    .split(",")
    .map((value, index) => changes[index + 1] ?? value)
    .join(",");
const answer = (changes: Record<number, string>, sources = source): string => `${columns(changes)}\n${sources}\n`;
const chrony = (text: string) => (host: FakeHost) => host.chrony(text);

/** A ptp4l that runs with these arguments; its configuration asks for software time stamps. */
const ptp4l =
  (...args: string[]) =>
  (host: FakeHost, configuration = "# ours\n[global]\n time_stamping\tsoftware\n[eth0]\nlogAnnounceInterval 1\n") => {
    host.process(600, "ptp4l");
    host.write("proc/600/cmdline", ["/usr/sbin/ptp4l", ...args, ""].join("\0"));
    for (const link of ["root", "cwd"]) {
      host.remove(`proc/600/${link}`);
      fs.symlinkSync(host.root, host.path(`proc/600/${link}`));
    }
    host.write("etc/ptp4l.conf", configuration);
  };

const isActive = "systemctl is-active chrony";
const normal = "chronyc -c tracking | grep ',Normal$'";
const selected = "chronyc -c sources | grep '^^,[*],10.77.0.1,'";
const written = "grep '^server 10.77.0.1 ' etc/chrony/chrony.conf";
/** What of tracking's columns is held to the budget. */
const small = (figure: string) => `chronyc -c tracking | awk -F, 'NR == 1 { exit ${figure} > 0.001 }'`;
const bound = "$5 + $11 / 2 + $12";
const noFlag = (pid: number, flag: string) => `! tr '\\0' '\\n' <proc/${pid}/cmdline | grep -x -e ${flag}`;

/** chronyd runs with these arguments. */
const chronyd =
  (...args: string[]) =>
  (host: FakeHost) =>
    host.write(
      "proc/500/cmdline",
      ["/usr/sbin/chronyd", ...args.map((arg) => arg.replace("ROOT", host.root)), ""].join("\0"),
    );
const ours = "ROOT/etc/chrony/chrony.conf";

const lies: Lie[] = [
  {
    check: "time.owner",
    naive: "chronyd is active; so is a second one",
    believes: isActive,
    lie: (host) => host.process(900, "chronyd", 800),
    found: "chronyd (500) chronyd (900)",
  },
  {
    check: "time.owner",
    naive: "chronyd is active; so is ntpd, in a container of its own",
    believes: `${isActive} && ! systemctl is-active ntp`,
    lie: (host) => host.process(901, "ntpd", 800),
    found: "chronyd (500) ntpd (901)",
  },
  {
    check: "time.owner",
    naive: "chronyd is active; ptp4l steers a network card, if it does",
    believes: noFlag(600, "-S"),
    lie: ptp4l("-i", "eth0", "-mS"),
    found: "chronyd (500) ptp4l (600)",
  },
  {
    check: "time.owner",
    naive: "chronyd is active; there is no -S among ptp4l's arguments",
    believes: noFlag(600, "-S"),
    lie: ptp4l("-f", "/etc/ptp4l.conf", "-i", "eth0"),
    found: "chronyd (500) ptp4l (600)",
  },
  {
    check: "time.owner",
    naive: "chronyd was started; it is gone, and its last answer is well",
    believes: `${isActive} && ${normal}`,
    lie: (host) => {
      for (const folder of ["proc/500", "proc/501"]) host.remove(folder);
    },
    found: "no daemon",
  },
  {
    check: "time.owner",
    naive: "one daemon steers the clock, and no more; it is another one",
    believes: "[ $(cat proc/*/comm | grep -cx -e chronyd -e ntpd) = 1 ]",
    lie: (host) => {
      for (const folder of ["proc/500", "proc/501"]) host.remove(folder);
      host.process(901, "ntpd");
    },
    found: "ntpd (901)",
  },
  {
    check: "time.owner",
    naive: "no rival runs; one is enabled for the next boot",
    believes: "! systemctl is-active ntpsec",
    lie: (host) => host.write("fake/units/ntpsec.service", "enabled inactive\n"),
    found: "ntpsec.service enabled inactive",
  },
  {
    check: "time.owner",
    naive: "no unit of a rival's package is there; one comes of a script of System V",
    believes: '! [ -e "$TIMEBASE_ROOT/usr/lib/systemd/system/ntp.service" ]',
    lie: (host) => {
      host.write("fake/units/ntp.service", "enabled inactive\n");
      host.remove("usr/lib/systemd/system/ntp.service");
      host.write("run/systemd/generator.late/ntp.service", "");
    },
    found: "ntp.service enabled inactive",
  },
  {
    check: "time.owner",
    naive: "phc2sys.service is not active; an instance of its template is",
    believes: "! systemctl is-active phc2sys",
    lie: (host) => {
      host.write("fake/units/phc2sys@*.service", "static active\n");
      host.write("usr/lib/systemd/system/phc2sys@.service", "");
    },
    found: "phc2sys@*.service static active",
  },
  {
    check: "time.owner",
    naive: "chronyd runs; it is not enabled for the next boot",
    believes: isActive,
    lie: (host) => host.write("fake/units/chrony.service", "disabled active\n"),
    found: "chrony is not enabled",
  },
  {
    check: "time.configuration",
    naive: "the selected source is the expected one; somebody has added another",
    believes: selected,
    lie: (host) => host.write("etc/chrony/chrony.conf", `${host.read("etc/chrony/chrony.conf")}pool their.example\n`),
    found: "it was changed, or is gone",
  },
  {
    check: "time.configuration",
    naive: "the file is right; chronyd reads another one",
    believes: written,
    lie: (host) => host.write("proc/500/cmdline", "/usr/sbin/chronyd\0-F\x001\0-f\0/etc/chrony/mine.conf\0"),
    found: 'chronyd runs as "/usr/sbin/chronyd -F 1 -f /etc/chrony/mine.conf',
  },
  {
    check: "time.configuration",
    naive: "chronyd runs with the right file; it was told not to steer the clock",
    believes: written,
    lie: (host) => host.write("proc/500/cmdline", "/usr/sbin/chronyd\0-x\0"),
    found: 'chronyd runs as "/usr/sbin/chronyd -x',
  },
  {
    check: "time.configuration",
    naive: "chronyd was given the right file; and told not to steer the clock, after it",
    believes: "tr '\\0' ' ' <proc/500/cmdline | grep -F -e \" -f $TIMEBASE_ROOT/etc/chrony/chrony.conf \"",
    lie: chronyd("-f", ours, "-x"),
    found: "chrony.conf -x",
  },
  {
    check: "time.configuration",
    naive: "chronyd was given the right file; the last one counts",
    believes: "tr '\\0' ' ' <proc/500/cmdline | grep -F -e \" -f $TIMEBASE_ROOT/etc/chrony/chrony.conf \"",
    lie: chronyd("-f", ours, "-f", "/etc/chrony/mine.conf"),
    found: "-f /etc/chrony/mine.conf",
  },
  {
    check: "time.configuration",
    naive: "there is no -x among chronyd's arguments; it is joined to another flag",
    believes: noFlag(500, "-x"),
    lie: chronyd("-F", "1", "-4x"),
    found: "-4x",
  },
  {
    check: "time.configuration",
    naive: "there is no -f among chronyd's arguments; it is joined to its file",
    believes: noFlag(500, "-f"),
    lie: chronyd("-nf/etc/chrony/mine.conf"),
    found: "-nf/etc/chrony/mine.conf",
  },
  {
    check: "time.configuration",
    naive: "chronyd was given no other file; directives of its arguments are read instead of any",
    believes: noFlag(500, "-f"),
    lie: chronyd("-F", "1", "server 10.77.0.1 iburst"),
    found: "server 10.77.0.1 iburst",
  },
  {
    check: "time.configuration",
    naive: "the file is right; chronyd was never restarted with it",
    believes: written,
    lie: (host) => host.write("run/timebase.chrony-restart-due", ""),
    found: "it runs with an earlier configuration",
  },
  {
    check: "time.daemon",
    naive: "the configuration file is right",
    believes: written,
    lie: (host) => host.remove("fake/chronyc"),
    found: "506 Cannot talk to daemon",
  },
  {
    check: "time.daemon",
    naive: "missing columns parse to 0, which is perfect",
    believes: small(bound),
    lie: chrony("0A4D0001,10.77.0.1,11\n"),
    found: "0A4D0001,10.77.0.1,11",
  },
  {
    check: "time.daemon",
    naive: "a column that is no number counts as 0",
    believes: small(bound),
    lie: chrony(answer({ 12: "nan" })),
    found: 'tracking column 12 is "nan"',
  },
  {
    check: "time.synchronised",
    naive: "leap status is Normal, bound 0: a server with only `local stratum 10`",
    believes: `${normal} && ${small(bound)}`,
    lie: chrony(
      `7F7F0101,127.127.1.1,10,@NOW@.0,0.000000000,0.000000000,0.000000000,0.000,0.000,0.000,0.000000000,0.000000000,0.0,Normal\n`,
    ),
    found: "only its own clock (local reference)",
  },
  {
    check: "time.synchronised",
    naive: "chronyc answers, all figures 0: never synchronised",
    believes: small("$5"),
    lie: chrony(
      "00000000,,0,0.000000000,0.000000000,0.0,0.0,0.000,0.000,0.000,1.000000000,1.000000000,0.0,Not synchronised\n",
    ),
    found: "never synchronised",
  },
  {
    check: "time.synchronised",
    naive: "waitsync is content and leap Normal in the first seconds",
    believes: normal,
    lie: chrony(answer({ 10: "1000000.000" })),
    found: "first seconds: frequency uncertain by 1000000.000 ppm",
  },
  {
    check: "time.synchronised",
    naive: "leap Normal long after the only server died",
    believes: normal,
    lie: chrony(answer({ 4: "1600000000.0" })),
    found: "stale: last update",
  },
  {
    check: "time.synchronised",
    naive: "the last update is not old: it is in the future",
    believes: `chronyc -c tracking | awk -F, -v now="$(date +%s)" 'NR == 1 { exit now - $4 > 10 }'`,
    lie: chrony(answer({ 4: "9999999999.0" })),
    found: "in the future: the clock was set back",
  },
  {
    check: "time.synchronised",
    naive: "the offset is small",
    believes: small("$5"),
    lie: chrony(answer({ 14: "Not synchronised" })),
    found: "not synchronised",
  },
  {
    check: "time.synchronised",
    naive: "the leap status is not that of a clock that is not synchronised",
    believes: "! chronyc -c tracking | grep ',Not synchronised$'",
    lie: chrony(answer({ 14: "Unknown" })),
    found: 'leap status "Unknown"',
  },
  {
    check: "time.source",
    naive: "a dead server keeps its star",
    believes: selected,
    lie: chrony(answer({}, source.replace(",377,", ",0,"))),
    found: "10.77.0.1 does not answer (reach 0)",
  },
  {
    check: "time.source",
    naive: "synchronised, but to somebody else",
    believes: normal,
    lie: chrony(answer({}, source.replace("10.77.0.1", "203.0.113.9"))),
    found: "unexpected source 203.0.113.9",
  },
  {
    check: "time.source",
    naive: "synchronised to the expected source; somebody else is combined with it",
    believes: selected,
    lie: chrony(answer({}, `${source}\n${source.replace("*", "+").replace("10.77.0.1", "203.0.113.9")}`)),
    found: "unexpected source 203.0.113.9",
  },
  {
    check: "time.source",
    naive: "synchronised to the expected source, within a small bound; it has lost its own source",
    believes: `${selected} && ${normal} && ${small(bound)}`,
    lie: chrony(
      `${synchronised}10.77.0.1,0A4D0001,123,10.77.0.2,0A4D0002,Normal,4,Server,10,0,1,-25,0.000000030,0.000000,0.000000,7F7F0101,,1795720754.4,-0.000000399,0.000005990,0.000000064,0.000056842,0.00,111,111,1111,No,No,Kernel,Kernel,14,14,14\n`,
    ),
    plan: plans.all.replace("timescale=hub:hub", "timescale=utc"),
    found: "10.77.0.1 follows nobody",
  },
  {
    check: "time.source",
    naive: "synchronised to the right name, but by a device on this host",
    believes: "chronyc -c sources | grep ',[*],10.77.0.1,'",
    lie: chrony(answer({}, source.replace("^", "#"))),
    found: "10.77.0.1 is a refclock",
  },
  {
    check: "time.source",
    naive: "leap Normal, while every source is a falseticker",
    believes: normal,
    lie: chrony(answer({}, source.replace("*", "x"))),
    found: "0 selected sources: 10.77.0.1 falseticker",
  },
  {
    check: "time.undisturbed",
    naive: "chronyd says that the clock is right; somebody has set it by 20 us since",
    believes: small(bound),
    lie: (host) => host.write("fake/clock-set", "20000"),
    found: "the clock was set, or this source was not looked at before",
  },
  {
    check: "time.undisturbed",
    naive:
      "chronyd has measured after the clock was set, and the kernel takes it for synchronised; but an exchange of before",
    believes: `${small(bound)} && grep ' xleave$' etc/chrony/chrony.conf`,
    lie: (host) => host.write("run/timebase.clock-looked", "1700000000000000000 0 10.77.0.1/0A4D0001 0 0\n"),
    found: "measured 1 of 2 times since",
  },
  {
    check: "time.undisturbed",
    naive: "chronyd has measured since the clock was set; another source, and follows this one by what it said before",
    believes: small(bound),
    lie: (host) => host.write("run/timebase.clock-looked", "1700000000000000000 0 10.77.0.9/0A4D0009 0 9\n"),
    found: "measured 0 of 2 times since",
  },
  {
    check: "time.undisturbed",
    naive:
      "chronyd has measured since the clock was set; another server of the same pool, and follows this one by what it said before",
    believes: small(bound),
    lie: (host) => host.write("run/timebase.clock-looked", "1700000000000000000 0 10.77.0.1/0A4D0009 0 9\n"),
    found: "measured 0 of 2 times since",
  },
  {
    check: "time.undisturbed",
    naive: "chronyd says that the clock is right; nobody can tell whether it was set",
    believes: small(bound),
    lie: (host) => {
      host.meanwhile("perl", "exit 127");
      host.meanwhile("python3", 'case "$*" in *"clocks.py apart"*) exit 1 ;; esac');
    },
    found: "neither perl nor Python tells",
  },
  {
    check: "time.undisturbed",
    naive: "the estimate is within its bound; the first measurement of a clock that was set is beyond it",
    believes: small(bound),
    lie: chrony(answer({}, source.replace(",-0.000010000,", ",0.200000000,"))),
    found: "off by 199750.0 us, and chronyd's estimate has room for 307.0 us",
  },
  {
    check: "time.undisturbed",
    naive: "the last measurement is within the bound: what is no number counts as 0",
    believes: "chronyc -c sources | awk -F, '/^^/ { exit $8 + $10 > 0.001 }'",
    lie: chrony(answer({}, source.replace(",-0.000010000,", ",?,"))),
    found: 'the last measurement says "?", within "0.000250000"',
  },
  {
    check: "time.bound",
    naive: "the last offset is 10 us; root delay and dispersion are not",
    believes: small("$6"),
    lie: chrony(answer({ 11: "0.004", 12: "0.0005" })),
    found: "25",
  },
  {
    check: "time.bound",
    naive: "waitsync's max-correction: what is still to be corrected is small; the error is not",
    believes: small("$5"),
    lie: chrony(answer({ 11: "0.004", 12: "0.0005" })),
    found: "25",
  },
  {
    check: "time.bound",
    naive:
      "the formula's figures are small; they are of before somebody has set the clock, and the last measurement is not",
    believes: small(bound),
    lie: chrony(answer({}, source.replace(",-0.000010000,", ",0.000500000,").replace("0.000250000", "0.000700000"))),
    found: "12",
  },
];

describeProof("of time", /^time\./, lies, (truth) => {
  test("a daemon in a container that may not set the clock owns nothing", () => {
    truth.host.process(900, "chronyd", 800);
    truth.host.write("proc/900/status", "Name:\tchronyd\nCapEff:\t0000000000003400\n");
    truth.host.process(901, "ntpd", 801);
    fs.mkdirSync(truth.host.path("proc/901/ns"));
    fs.symlinkSync("user:[4026532000]", truth.host.path("proc/901/ns/user"));
    expect(truth.host.run(["prove"], plans.all + truth.answers)).toMatchObject({ status: 0 });
  });

  test("ptp4l is an owner of the clock where it steers it, and only there", () => {
    const runs: [args: string[], configuration: string, verdict: string][] = [
      [["-i", "eth0"], "", "pass"],
      [["-i", "-S"], "", "pass"],
      [["-f", "/etc/ptp4l.conf"], "[global]\ntime_stamping hardware\n", "pass"],
      [["-f", "/etc/ptp4l.conf"], "[global]\n# time_stamping software\n", "pass"],
      [["-S", "--free_running=1"], "", "pass"],
      [["-S", "-fetc/ptp4l.conf"], "[global]\nfree_running 1\n", "pass"],
      [["-H", "-f", "/etc/ptp4l.conf"], "[global]\ntime_stamping software\n", "pass"],
      [["-S", "-f", "/etc/ptp4l.conf"], "[global]\nmasterOnly 1\n[eth0]\n", "pass"],
      [["-S", "--clock_servo", "ntpshm"], "", "pass"],
      [["-L"], "", "fail"],
      [["--time_stamping=software"], "", "fail"],
      [["-S", "-f", "/etc/ptp4l.conf"], "[global]\ntime_stamping hardware\n", "fail"],
      [["-S", "-f", "/etc/ptp4l.conf"], "[global]\nserverOnly 1\n[eth0]\nserverOnly 0\n", "fail"],
      [["-f", "etc/ptp4l.conf"], "[global]\ntime_stamping software\nfree_running 0\n", "fail"],
      [["-f", "/etc/gone.conf"], "", "fail"],
    ];
    for (const [args, configuration, verdict] of runs) {
      ptp4l(...args)(truth.host, configuration);
      const { checks } = JSON.parse(truth.host.run(["prove"], plans.all + truth.answers).stdout);
      const owner = checks.find(({ id }: { id: string }) => id === "time.owner");
      expect(owner, `${args} ${configuration}`).toMatchObject({ verdict });
    }
  });

  test("chronyd's arguments are no lie where it reads our file and steers the clock", () => {
    for (const args of [
      [],
      ["-f", ours],
      ["-F", "1", "-u", "_chrony", `-4nf${ours}`],
      ["-f", "/etc/chrony/mine.conf", "-f", ours],
      ["-F", "-x"],
      ["-t", "-Q"],
    ]) {
      chronyd(...args)(truth.host);
      expect(truth.host.run(["prove"], plans.all + truth.answers), `${args}`).toMatchObject({ status: 0 });
    }
  });

  test("the clocks are read by perl where perl can, and by Python where it cannot, as exactly", () => {
    truth.host.meanwhile("python3", 'case "$*" in *"clocks.py apart"*) echo >>"$TIMEBASE_ROOT/fake/by-python" ;; esac');
    const byPython = () => {
      truth.host.write("fake/by-python", "");
      expect(truth.host.run(["prove"], plans.all + truth.answers)).toMatchObject({ status: 0 });
      return truth.host.read("fake/by-python") !== "";
    };
    expect(byPython()).toBe(false);
    // An ELF header: of 64 bits and arm64, whose call has another number than this kernel's; of 32 bits and x86; of 32 bits and
    // x86-64 (x32).
    for (const [bits, machine] of [
      [2, 183],
      [1, 3],
      [1, 62],
    ] as const) {
      const header = Buffer.alloc(20);
      header.write("\x7fELF");
      header.writeUInt8(bits, 4);
      header.writeUInt16LE(machine, 18);
      fs.writeFileSync(truth.host.path("fake/self"), header);
      expect(byPython(), `${bits} ${machine}`).toBe(true);
    }
    truth.host.remove("fake/self");
    truth.host.meanwhile("perl", "exit 127");
    expect(byPython(), "no perl").toBe(true);
  });

  // Naive: who waits for the next measurement of a source that is polled every 17 minutes waits for longer than he has.
  test("a measurement that is waited for is asked for, once", () => {
    const looked = "run/timebase.clock-looked";
    const settling = `${plans.all.replace("settle-seconds=0", "settle-seconds=9")}${truth.answers}`;
    expect(truth.host.run(["prove"], settling)).toMatchObject({ status: 0 });
    expect(truth.host.exists("fake/bursts")).toBe(false);
    truth.host.write(looked, "");
    expect(truth.host.run(["prove"], settling)).toMatchObject({ status: 0 });
    // Naive: the name of a pool, which chronyc looks up itself, and finds an address that chronyd does not know.
    expect(truth.host.read("fake/bursts")).toBe("burst 2/4\n");
    expect(truth.host.read(looked)).toMatch(/^1700000000000000000 0 10\.77\.0\.1\/0A4D0001 \S+ 2\n$/);
  });

  test("a source that is polled slowly is not stale for having been selected a moment ago", () => {
    const old = String(Math.floor(Date.now() / 1000) - 60);
    const slow = source.replace("^,*,10.77.0.1,10,0,", "^,*,10.77.0.1,10,6,");
    truth.host.chrony(answer({ 4: `${old}.5`, 13: "5.0" }, slow));
    // A minute at 50 ppm.
    const patient = plans.all.replace("error-ns=1000000", "error-ns=5000000") + truth.answers;
    expect(truth.host.run(["prove"], patient)).toMatchObject({ status: 0 });
    truth.host.chrony(answer({ 4: `${old}.5`, 13: "5.0" }));
    expect(truth.host.run(["prove"], plans.all + truth.answers).stderr).toMatch(/stale: last update [56]\d s ago/);
  });

  test("a bound that is not known is null with a reason, not 0", () => {
    truth.host.chrony(answer({ 14: "Not synchronised" }));
    const evidence = JSON.parse(truth.host.run(["prove"], plans.all).stdout);
    expect(evidence).toMatchObject({ errorBoundNs: null, errorBoundReason: "not synchronised" });
  });

  test("a hub has no error against the timescale that it defines, and only then", () => {
    const local =
      "7F7F0101,127.127.1.1,10,@NOW@.0,0.000000000,0.000000000,0.000000000,0.000,0.000,0.000,0.000000000,0.000000000,0.0,Normal\n";
    truth.host.chrony(local);
    const evidence = JSON.parse(truth.host.run(["prove"], plans.hub).stdout);
    expect(evidence).toMatchObject({
      errorBoundNs: 0,
      source: "itself",
      sourceKind: "itself",
      timescale: "hub:node-1",
    });
    truth.host.chrony(synchronised);
    expect(truth.host.run(["prove"], plans.hub).stderr).toContain("FAIL  time.source");
  });
});
