import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { GuestPtp, RebootPolicy, TimeRole, TimeSourceKind } from "../../components";
import { timeSection } from "../../components/clock/sections";
import { rebootNotice, tscBoot } from "../../components/plan/boot";
import type { HostPlan } from "../../components/plan/HostPlan";
import { renderPlan } from "../../components/plan/text";
import { defaultTimescale, type TimeSource, timeSourceLine } from "../../components/plan/time";
import { hostRoutes, hubClusterTimescale, hubSource } from "../../components/plan/topology";

const plan: HostPlan = {
  owner: "demo/local/cluster-node-1",
  host: "node-1",
  generation: "2 0123456789ab",
  os: "debian-12",
  boot: tscBoot(RebootPolicy.ToProve),
  time: {
    role: TimeRole.Hub,
    sources: [hubSource("10.77.0.1")],
    allow: ["10.77.0.0/24", "10.78.0.0/24"],
    pairs: [{ name: "node-2", address: "FD00::2" }],
    keys: [],
    timescale: "utc",
    maxErrorMicros: 1000,
    settleSeconds: 120,
  },
  guestPtp: { expectation: GuestPtp.Required },
};

describe("renderPlan", () => {
  test("is contract 1 of docs/architecture.md", () => {
    expect(renderPlan(plan)).toBe(
      `timebase-plan=1
owner=demo/local/cluster-node-1
host=node-1
generation=2 0123456789ab
os=debian-12
clocksource=tsc
boot-parameter=clocksource=tsc
boot-parameter=tsc=reliable
reboot=to-prove
time-role=hub
time-source=server 10.77.0.1 iburst minpoll 0 maxpoll 0 xleave
time-allow=10.77.0.0/24
time-allow=10.78.0.0/24
time-pair=node-2 fd00::2
timescale=utc
time-max-error-ns=1000000
time-settle-seconds=120
guest-ptp=required
`,
    );
  });

  test("says what the program knows better than the host, and only then", () => {
    const { owner, host } = plan;
    const boot = tscBoot(RebootPolicy.Never, { override: true, force: true, required: false });
    expect(renderPlan({ owner, host, boot })).toContain(
      "reboot=never\nboot-override=yes\nboot-force=yes\nboot-required=no\n",
    );
    const usual = tscBoot(RebootPolicy.Never, { override: false, force: false, required: true });
    expect(renderPlan({ owner, host, boot: usual })).not.toContain("boot-override");
    expect(renderPlan({ owner, host, boot: usual })).toBe(
      renderPlan({ owner, host, boot: tscBoot(RebootPolicy.Never) }),
    );
  });

  test("leaves out what the plan does not have", () => {
    const { owner, host, guestPtp } = plan;
    expect(renderPlan({ owner, host, guestPtp })).toBe(
      "timebase-plan=1\nowner=demo/local/cluster-node-1\nhost=node-1\nguest-ptp=required\n",
    );
  });

  test("no value can become a second line, whatever it is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (value) => {
        const lines = renderPlan(plan).split("\n").length;
        try {
          expect(renderPlan({ ...plan, host: value }).split("\n")).toHaveLength(lines);
        } catch (error) {
          expect((error as Error).message).toBe(
            'plan key "host": the value must be one non-empty line of printable ASCII characters',
          );
        }
      }),
    );
  });

  test("fractions of a microsecond become whole nanoseconds", () => {
    const time = { ...plan.time, maxErrorMicros: 0.0011 } as NonNullable<HostPlan["time"]>;
    expect(renderPlan({ ...plan, time })).toContain("time-max-error-ns=1\n");
  });

  // Naive: the hub's oscillator counts for nothing, which drifts as well, and nothing corrects it.
  test("two clocks may go apart by twice as much as one from UTC", () => {
    const of = (name: string, timescale: string, maxClockErrorPpm?: number, timeRole = TimeRole.Client) =>
      timeSection({ endpoint: { name }, timeRole, timescale, maxClockErrorPpm }).maxClockErrorPpm;
    expect(of("node-2", "hub:node-1")).toBe(100);
    expect(of("node-2", "hub:node-1", 10)).toBe(20);
    expect(of("node-1", "hub:node-1", 10, TimeRole.Hub)).toBe(10);
    expect(of("node-2", "utc")).toBeUndefined();
    expect(of("node-2", "utc", 10)).toBe(10);
  });

  test("what a clock may come to be off is the host's to know, unless it is stated", () => {
    const time = { ...plan.time, maxClockErrorPpm: 1 } as NonNullable<HostPlan["time"]>;
    expect(renderPlan(plan)).not.toContain("clock-error");
    expect(renderPlan({ ...plan, time })).toContain("\ntime-max-clock-error-ppm=1\n");
  });

  test("updates are logged where it is asked for", () => {
    const of = (trackingLog?: boolean) =>
      renderPlan({ ...plan, time: timeSection({ endpoint: { name: "a" }, timeRole: TimeRole.Hub, trackingLog }) });
    expect(of(true)).toContain("\ntime-tracking-log=yes\n");
    expect(of(false)).not.toContain("log");
    expect(of()).toBe(of(false));
  });
});

describe("time sources", () => {
  const lines: [TimeSource, string][] = [
    [{ address: "ntp.example" }, "server ntp.example iburst"],
    [{ address: "ntp.example", iburst: false }, "server ntp.example"],
    [{ address: "pool.example", kind: TimeSourceKind.Pool, prefer: true }, "pool pool.example iburst prefer"],
    [{ address: "fd00:ec2::123", minPollLog2: 4, maxPollLog2: 4 }, "server fd00:ec2::123 iburst minpoll 4 maxpoll 4"],
    [{ address: "FD00:EC2:0:0::123" }, "server fd00:ec2::123 iburst"],
    [{ address: "a", minPollLog2: -2, interleaved: true, trust: true }, "server a iburst minpoll -2 xleave trust"],
  ];
  test.each(lines)("%j is a chrony line", (source, line) => {
    expect(timeSourceLine(source)).toBe(line);
  });
});

describe("timescales", () => {
  test("a hub without sources defines its own", () => {
    expect(defaultTimescale(TimeRole.Hub, "node-1", [])).toBe("hub:node-1");
    expect(hubClusterTimescale(["node-1"], [])).toBe("hub:node-1");
  });

  test("sources bring the world's time", () => {
    expect(defaultTimescale(TimeRole.Hub, "node-1", [{ address: "a" }])).toBe("utc");
    expect(defaultTimescale(TimeRole.Client, "node-1", [])).toBe("utc");
    expect(hubClusterTimescale(["node-1", "node-2"], [{ address: "a" }])).toBe("utc");
    expect(() => hubClusterTimescale(["node-1", "node-2"], [])).toThrow("one hub defines the time, and there are 2");
  });
});

describe("a hub admits its clients", () => {
  test("by one route each", () => {
    expect(hostRoutes(["10.77.0.12", "fd00::2"])).toEqual(["10.77.0.12/32", "fd00::2/128"]);
  });

  test("but not by name", () => {
    expect(() => hostRoutes(["node-2.local"])).toThrow(
      `"node-2.local" cannot be admitted by name: set the endpoint's privateAddress to an IP address, ` +
        "or the cluster's network to a CIDR",
    );
  });
});

describe("the preview announces a reboot", () => {
  const LATE =
    'Until it is back, its proof says "Dial N/M failed: retrying". If it does not come back within rebootTimeoutSeconds, the ' +
    "proof fails by the last dial's error: look at the host's console, then run `pulumi up` again.";

  test.each([
    [
      RebootPolicy.ToProve,
      "node-1: may reboot once if this update configures it and clocksource=tsc tsc=reliable are not live on its " +
        "running kernel (reboot policy to-prove; RebootPolicy.Never forbids it). " +
        LATE,
    ],
    [
      RebootPolicy.IfNeeded,
      "node-1: may reboot once if this update configures it and clocksource=tsc tsc=reliable are not live, " +
        "and either its running kernel cannot switch to tsc or a new kernel would get what this one was given (reboot policy if-needed; RebootPolicy.Never forbids it). " +
        LATE,
    ],
    [RebootPolicy.Never, undefined],
  ])("%s", (policy, notice) => {
    expect(rebootNotice("node-1", policy)).toBe(notice);
  });
});
