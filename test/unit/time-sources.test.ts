import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RebootPolicy, TimeKeyType, TimeSourceKind } from "../../components";
import { bootSection } from "../../components/clock/sections";
import { rebootNotice } from "../../components/plan/boot";
import { type TimeSource, timeSourceLine } from "../../components/plan/time";
import {
  kindsBootParameters,
  LeapSeconds,
  leapSecondsOf,
  TIME_SOURCE_KINDS,
  TIME_SOURCE_OPTIONS,
  type TimeSourceOption,
} from "../../components/plan/timeSourceKinds";
import { PENDING } from "../../components/plan/validate";
import { timeSources } from "../../components/plan/validateTime";

const errorsOf = (...sources: unknown[]) =>
  timeSources(sources, "sources").map(({ propertyPath, reason }) => `${propertyPath}: ${reason}`);

/** A value that the rule of each option accepts. */
const good = {
  address: "192.0.2.1",
  clockName: "card",
  iburst: true,
  minPollLog2: 1,
  maxPollLog2: 3,
  interleaved: true,
  prefer: true,
  trust: true,
  nts: false,
  key: { id: 5, type: TimeKeyType.Sha256, secret: "ASCII:0123456789" },
  errorMicros: 20,
} as const satisfies Required<Omit<TimeSource, "kind">>;

const kinds = Object.values(TimeSourceKind);
const byAddress = [TimeSourceKind.Server, TimeSourceKind.Pool];
const clouds = kinds.filter((kind) => !byAddress.includes(kind));
const sourceOf = (kind: TimeSourceKind, options: readonly TimeSourceOption[]) => ({
  kind,
  ...Object.fromEntries(options.map((option) => [option, good[option]])),
});
const least = (kind: TimeSourceKind) =>
  sourceOf(kind, Object.keys(TIME_SOURCE_KINDS[kind].needs) as TimeSourceOption[]);

describe("what each kind of source takes", () => {
  test("everything that it takes, or as little as it needs, is accepted", () => {
    for (const kind of kinds) {
      expect(errorsOf(sourceOf(kind, TIME_SOURCE_KINDS[kind].takes)), kind).toEqual([]);
      expect(errorsOf(least(kind)), kind).toEqual([]);
    }
  });

  test("of any options exactly those are refused that it does not take, and those asked for that it needs", () => {
    fc.assert(
      fc.property(fc.constantFrom(...kinds), fc.subarray([...TIME_SOURCE_OPTIONS]), (kind, options) => {
        const { takes, needs } = TIME_SOURCE_KINDS[kind];
        const wrong = [
          ...options.filter((option) => !(takes as readonly string[]).includes(option)),
          ...Object.keys(needs).filter((option) => !(options as string[]).includes(option)),
        ];
        const paths = timeSources([sourceOf(kind, options)], "sources").map(({ propertyPath }) => propertyPath);
        expect(paths.sort()).toEqual(wrong.map((option) => `sources[0].${option}`).sort());
      }),
    );
  });

  test("any other field is refused, whatever the kind", () => {
    fc.assert(
      fc.property(fc.constantFrom(...kinds), fc.stringMatching(/^[a-z]{1,12}$/), (kind, field) => {
        fc.pre(!(field in good) && field !== "kind");
        expect(errorsOf({ ...least(kind), [field]: 1 }).join()).toContain(`sources[0].${field}: is not an argument`);
      }),
    );
  });

  test.each([
    [{ kind: "aws-ntp", address: "a" }, "sources[0].address: is not for aws-ntp, which takes trust: leave it out"],
    [
      { kind: "aws-phc", errorMicros: 5 },
      "sources[0].errorMicros: is not for aws-phc, which takes trust: leave it out",
    ],
    [{ kind: "auto", trust: true }, "sources[0].trust: is not for auto, which takes errorMicros: leave it out"],
    [{}, "sources[0].address: is required"],
    [{ kind: "ptp" }, "sources[0].address: is required"],
    ...["hub.example", "fd00::1"].map((address): [object, unknown] => [
      { kind: "ptp", address },
      expect.stringContaining("sources[0].address: must be an"),
    ]),
    [
      { kind: "ptp", address: "10.0.0.1", interleaved: true },
      "sources[0].interleaved: is not for ptp, which takes address, trust, errorMicros: leave it out",
    ],
    [
      { kind: "phc", errorMicros: 1 },
      "sources[0].clockName: is required: it tells which device is meant: see /sys/class/ptp/*/clock_name on the host",
    ],
    [{ kind: "phc", clockName: "a\nb", errorMicros: 1 }, expect.stringContaining("sources[0].clockName: must be")],
    [
      { kind: "phc", clockName: "ptp_ocp0" },
      expect.stringContaining("sources[0].errorMicros: is required: a device does not tell how far it may be off"),
    ],
    [{ kind: "pool" }, "sources[0].address: is required"],
    [
      { kind: "azure-phc" },
      "sources[0].errorMicros: is required: how far the clock of an Azure host may be off is not published: " +
        "give what you can vouch for",
    ],
    [
      { address: "a", errorMicros: 5 },
      expect.stringContaining("sources[0].errorMicros: is not for server, which takes"),
    ],
    [
      { kind: "ntp" },
      "sources[0].kind: must be one of server, pool, aws-ntp, aws-phc, gcp-ntp, gcp-phc, azure-phc, phc, ptp, auto, " +
        'not "ntp"',
    ],
  ])("%j is refused", (source, error) => {
    expect(errorsOf(source)).toEqual([error]);
  });

  test("what is not known yet is not refused yet", () => {
    expect(errorsOf({ kind: PENDING, errorMicros: 5 }, PENDING, { address: PENDING })).toEqual([]);
    expect(timeSources(PENDING, "sources")).not.toContain("smears");
  });
});

// In a configuration a source is one word.
test("an address alone, or one source alone, is told how it is written", () => {
  expect(errorsOf("pool.ntp.org" as never)).toEqual([
    expect.stringMatching(/^sources\[0\]: must be an object with address, .*, such as \{ address: "pool.ntp.org" \}$/),
  ]);
  expect(timeSources("pool.ntp.org", "sources")).toEqual([
    { propertyPath: "sources", reason: 'must be a list, such as [{ address: "pool.ntp.org" }]' },
  ]);
});

describe("sources that do not go together", () => {
  const mixed = (path: string, reason: string) => [`${path}: ${reason}: use one kind only`];
  test.each<[object[], string[]]>([
    [[{ kind: "aws-phc" }, { kind: "aws-ntp" }], mixed("sources", "aws-ntp smears leap seconds and aws-phc does not")],
    [
      [{ kind: "gcp-ntp" }, { address: "pool.ntp.org" }],
      mixed("sources", "gcp-ntp smears leap seconds and pool.ntp.org does not"),
    ],
    [
      [{ address: "169.254.169.123" }, { kind: "aws-phc" }],
      mixed("sources", "169.254.169.123 smears leap seconds and aws-phc does not"),
    ],
    [
      [{ kind: "gcp-phc" }, { kind: "gcp-ntp" }],
      mixed("sources", "gcp-ntp smears leap seconds and whether gcp-phc does is not documented"),
    ],
    // Of one kind a host of the other cloud would have none.
    [
      [{ kind: "aws-phc" }, { kind: "gcp-ntp" }],
      [
        "sources: gcp-ntp smears leap seconds and aws-phc does not: for hosts of both clouds take aws-ntp with gcp-ntp, which smear alike",
      ],
    ],
    [
      [{ kind: "gcp-phc" }, { address: "10.0.0.1" }],
      mixed("sources", "10.0.0.1 does not smear leap seconds and whether gcp-phc does is not documented"),
    ],
    [
      [
        { kind: "ptp", address: "10.0.0.1" },
        { kind: "ptp", address: "10.0.0.2" },
      ],
      ["sources[1].kind: ptp is in the list already"],
    ],
    [
      [
        { kind: "ptp", address: "10.0.0.1" },
        { address: "10.0.0.2", nts: true },
      ],
      [
        "sources[0]: cannot be authenticated, as the others are: leave ptp out: who can forge one source has a say in the time",
      ],
    ],
    [[{ kind: "ptp", address: "10.0.0.1" }, { address: "10.0.0.1" }], []],
    [
      [{ kind: "ptp", address: "10.0.0.1" }, { kind: "aws-ntp" }],
      mixed("sources", "aws-ntp smears leap seconds and 10.0.0.1 does not"),
    ],
    [[{ kind: "aws-ntp" }, { kind: "aws-ntp" }], ["sources[1].kind: aws-ntp is in the list already"]],
    [
      [{ kind: "auto" }, { address: "10.0.0.1" }],
      ["sources[0].kind: auto chooses the sources by itself: give no other source beside it"],
    ],
    [[{ kind: "aws-phc" }, { address: "10.0.0.1" }], []],
    [[{ kind: "aws-ntp" }, { address: "time.aws.com" }, { address: "time1.google.com" }], []],
  ])("%j", (sources, errors) => {
    expect(errorsOf(...sources)).toEqual(errors);
  });

  test("two sources are refused exactly when they differ in what they do with leap seconds", () => {
    const some = clouds.filter((kind) => kind !== TimeSourceKind.Auto).map(least);
    const addresses = ["169.254.169.123", "FD00:EC2::123", "time.aws.com", "10.77.0.1", "pool.ntp.org"];
    const any = fc.constantFrom<{ kind?: TimeSourceKind; address?: string }>(
      ...some,
      ...addresses.map((address) => ({ address })),
    );
    const leap = ({ kind = TimeSourceKind.Server, address }: { kind?: TimeSourceKind; address?: string }) =>
      leapSecondsOf(kind, address);
    fc.assert(
      fc.property(any, any, (one, other) => {
        fc.pre(one !== other);
        expect(errorsOf(one, other).length > 0).toBe(leap(one) !== leap(other));
      }),
    );
  });

  test("an address smears that is known to, however it is written, and no other", () => {
    for (const address of [
      "time3.google.com",
      "fd00:ec2:0:0::123",
      "FD00:EC2::123",
      "216.239.35.8",
      "169.254.169.254",
      "time.facebook.com",
    ]) {
      expect(leapSecondsOf(TimeSourceKind.Server, address)).toBe(LeapSeconds.Smeared);
    }
    expect(leapSecondsOf(TimeSourceKind.Pool, "time3.google.com.example")).toBe(LeapSeconds.Exact);
  });
});

test("an address with a zone is told of as every other one, beside what else is wrong", () => {
  const errors = timeSources([{ address: "fe80::1%eth0" }], "sources");
  expect(errors.map(({ propertyPath }) => propertyPath)).toEqual(["sources[0].address"]);
});

describe("in the plan", () => {
  test.each<[TimeSource, string]>([
    [{ kind: TimeSourceKind.AwsPhc }, "aws-phc"],
    [{ kind: TimeSourceKind.AwsNtp, trust: true }, "aws-ntp trust"],
    [{ kind: TimeSourceKind.AzurePhc, trust: true, errorMicros: 0.5 }, "azure-phc trust error-ns 500"],
    [{ kind: TimeSourceKind.Phc, clockName: "My card 1", errorMicros: 0.1 }, "phc My?card?1 error-ns 100"],
    [{ kind: TimeSourceKind.Auto, errorMicros: 20 }, "auto error-ns 20000"],
    [{ kind: TimeSourceKind.Ptp, address: "10.77.0.1" }, "ptp 10.77.0.1"],
    [
      { kind: TimeSourceKind.Ptp, address: "10.77.0.1", trust: true, errorMicros: 3 },
      "ptp 10.77.0.1 trust error-ns 3000",
    ],
    [{ address: "10.77.0.1" }, "server 10.77.0.1 iburst"],
    [{ kind: TimeSourceKind.Pool, address: "pool.example", iburst: false }, "pool pool.example"],
  ])("%j is %s", (source, line) => {
    expect(timeSourceLine(source)).toBe(line);
  });

  test("a device that only a boot brings adds its boot parameter, once, and the preview says so", () => {
    const parameters = (...sources: TimeSource[]) => bootSection({ sources }).parameters;
    expect(parameters({ kind: TimeSourceKind.AwsPhc }, { address: "10.0.0.1" })).toEqual([
      "clocksource=tsc",
      "tsc=reliable",
      "ena.phc_enable=1",
    ]);
    expect(parameters({ kind: TimeSourceKind.GcpPhc })).toEqual(["clocksource=tsc", "tsc=reliable"]);
    expect(kindsBootParameters([TimeSourceKind.Auto, TimeSourceKind.AwsPhc, PENDING, "x"])).toEqual([
      "ena.phc_enable=1",
    ]);
    expect(rebootNotice("node-1", RebootPolicy.ToProve, ["ena.phc_enable=1"])).toContain(
      "clocksource=tsc tsc=reliable ena.phc_enable=1 are not live",
    );
  });
});
