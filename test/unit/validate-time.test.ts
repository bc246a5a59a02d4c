import { describe, expect, test } from "vitest";
import { argsWith, PENDING } from "../../components/plan/validate";
import { ownErrorsFit, rolesFit, timeFields, timeSources } from "../../components/plan/validateTime";

const validateTime = argsWith(timeFields, rolesFit, ownErrorsFit);

describe("time", () => {
  test("a client must have a source", () => {
    expect(validateTime({})).toEqual([
      { propertyPath: "sources", reason: "must have a source: a client has no time of its own" },
    ]);
  });

  test("a client may be asked by who measures it, and measure others", () => {
    const key = { id: 5, type: "SHA256", secret: "ASCII:0123456789" };
    const client = { sources: [{ address: "a" }], allow: ["10.0.0.0/8"] };
    expect(validateTime({ ...client, pairs: [{ name: "node-2", address: "10.0.0.2", key }] })).toEqual([]);
    const pairs = [
      { name: "node 2", address: "10.0.0.256", key: { ...key, id: 0 } },
      { name: "node-3", ky: key },
    ];
    expect(validateTime({ ...client, pairs }).map(({ propertyPath }) => propertyPath)).toEqual([
      ...["pairs[0].name", "pairs[0].address", "pairs[0].key.id", "pairs[1].address", "pairs[1].ky"],
    ]);
    const other = { ...key, secret: "ASCII:9876543210" };
    expect(
      validateTime({ sources: [{ address: "a", key }], pairs: [{ name: "b", address: "b", key: other }] }),
    ).toEqual([
      { propertyPath: "pairs[0].key.id", reason: "is the id of another key, sources[0].key: give it one of its own" },
    ]);
  });

  test("a host serves network PTP to somebody, or follows it, and says what PTP does not", () => {
    const ptp = { kind: "ptp", address: "10.0.0.1" };
    const errors = (args: object) => validateTime(args).map(({ propertyPath, reason }) => `${propertyPath}: ${reason}`);
    expect(errors({ timeRole: "hub", ptpAddress: "10.0.0.1", allow: ["10.0.0.0/8"] })).toEqual([]);
    expect(errors({ timeRole: "hub", ptpAddress: "10.0.0.1", allow: PENDING })).toEqual([]);
    expect(errors({ sources: [ptp], timescale: "hub:node-1" })).toEqual([]);
    expect(errors({ sources: [ptp], timescale: PENDING })).toEqual([]);
    expect(errors({ sources: [{ ...ptp, errorMicros: 20 }] })).toEqual([]);
    expect(errors({ sources: [{ ...ptp, errorMicros: PENDING }] })).toEqual([]);
    expect(errors({ sources: [ptp] })).toEqual([
      "sources[0].errorMicros: is required: PTP does not tell how far its hub is off UTC; give what you can vouch for, or " +
        'timescale: "hub:<name>" if the hub\'s own clock is the time',
    ]);
    expect(errors({ ptpAddress: "fd00::1", sources: [{ ...ptp, errorMicros: 20 }] })).toEqual([
      "ptpAddress: must be an IPv4 address: network PTP is by IPv4 here",
      "ptpAddress: is for hubs: a client serves nobody (timeRole: TimeRole.Hub)",
      "allow: must have the networks of the clients, to which ptpAddress serves PTP",
      "sources[0].kind: cannot be ptp on a hub that serves PTP itself (ptpAddress)",
    ]);
  });

  test("a hub without sources cannot know UTC", () => {
    expect(validateTime({ timeRole: "hub", timescale: "utc" })).toEqual([
      { propertyPath: "timescale", reason: "cannot be utc for a hub without sources: leave it out, or give sources" },
    ]);
  });

  // Naive: that the clock of Google's hosts is designed for 1 ms shows in the proof, after the reboot.
  test.each([
    [
      { maxErrorMicros: 25, sources: [{ kind: "phc", clockName: "a", errorMicros: 100 }] },
      "100 us by itself (phc)",
      25,
    ],
    [{ sources: [{ kind: "gcp-phc" }] }, "1000 us by itself (gcp-phc)", 1000],
  ])("a source that may be off by all of the budget is none: %j", (args, own, budget) => {
    const reason = `may be off by ${own}, and maxErrorMicros allows ${budget} us in all: allow more, or take another source`;
    expect(validateTime(args)).toEqual([{ propertyPath: "sources[0]", reason }]);
  });

  test("a source may be off by less than the budget, and who knows what is not known yet", () => {
    const sources = [{ kind: "gcp-phc" }];
    for (const args of [
      { maxErrorMicros: 1500, sources },
      { maxErrorMicros: PENDING, sources },
      { maxErrorMicros: 25, sources: [{ kind: "auto", errorMicros: 25 }] },
    ])
      expect(validateTime(args)).toEqual([]);
    expect(validateTime({ sources: [{ kind: "gcp-phc", errorMicros: PENDING }] })).toEqual([]);
    expect(validateTime({ sources: [{ kind: "gcp-phc", errorMicros: 100 }] })).toEqual([]);
  });

  test("a hub that follows sources does not define a time of its own", () => {
    const hub = { timeRole: "hub", endpoint: { name: "node-1" }, sources: [{ address: "10.0.0.9" }] };
    const validate = argsWith({ ...timeFields, endpoint: () => [] }, rolesFit);
    expect(validate({ ...hub, timescale: "hub:node-1" })).toEqual([
      {
        propertyPath: "timescale",
        reason: "cannot be hub:node-1 for a hub that follows sources: leave it out, or leave the sources out",
      },
    ]);
    expect(validate({ ...hub, timescale: "hub:node-2" })).toEqual([]);
  });

  test.each([
    [{ maxErrorMicros: -1 }, "maxErrorMicros", "must be 0.001 to 10000000 microseconds, not -1"],
    [{ maxErrorMicros: Number.NaN }, "maxErrorMicros", "must be 0.001 to 10000000 microseconds, not NaN"],
    [{ settleTimeoutSeconds: 1.5 }, "settleTimeoutSeconds", "must be a whole number, 1 to 3600 seconds, not 1.5"],
    [
      { maxErrorMicros: "25" },
      "maxErrorMicros",
      'must be 0.001 to 10000000 microseconds, not "25", which is a text (of a configuration take getObject<number>)',
    ],
    [{ settleTimeoutSeconds: -5 }, "settleTimeoutSeconds", "must be 1 to 3600 seconds, not -5"],
    [{ trackingLog: "yes" }, "trackingLog", "must be true or false"],
    [{ maxClockErrorPpm: 0.05 }, "maxClockErrorPpm", "must be 0.1 to 1000 ppm, not 0.05"],
    [{ timeRole: "boss" }, "timeRole", 'must be one of client, hub, not "boss"'],
    [{ timescale: "tai" }, "timescale", 'must be "utc" or "hub:<name of the host that defines the time>"'],
    [
      { allow: ["10.0.0.0/8", "0.0.0.0/0"] },
      "allow[1]",
      '"0.0.0.0/0" is everybody: the time is for the cluster only, give its network, such as 10.0.0.0/16',
    ],
    [
      { allow: ["0.0.0.0/1", "128.0.0.0/1"] },
      "allow",
      "is everybody, all together: the time is for the cluster only, give its network, such as 10.0.0.0/16",
    ],
    [{ allow: "10.0.0.0/8" }, "allow", 'must be a list, such as ["10.77.0.0/24"]'],
  ])("%j is refused", (args, propertyPath, reason) => {
    expect(validateTime({ timeRole: "hub", ...args })).toContainEqual({ propertyPath, reason });
  });

  test("a poll interval has its order and its range", () => {
    expect(timeSources([{ address: "a", minPollLog2: 4, maxPollLog2: 2 }], "sources")).toEqual([
      { propertyPath: "sources[0].minPollLog2", reason: "must not be above maxPollLog2 (2)" },
    ]);
    expect(timeSources([{ address: "a", minPollLog2: -8 }], "sources")).toEqual([
      {
        propertyPath: "sources[0].minPollLog2",
        reason: "must be -7 to 24 as the logarithm of seconds to base 2, not -8",
      },
    ]);
  });

  test("smeared and exact sources do not mix", () => {
    expect(timeSources([{ address: "169.254.169.123" }, { address: "pool.ntp.org" }], "sources")).toEqual([
      {
        propertyPath: "sources",
        reason: "169.254.169.123 smears leap seconds and pool.ntp.org does not: use one kind only",
      },
    ]);
    expect(timeSources([{ address: "169.254.169.123" }, { address: "time.aws.com" }], "sources")).toEqual([]);
  });
});
