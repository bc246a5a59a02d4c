import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HostPhc } from "../../components/hosts/cloud/args";
import {
  AS_OF,
  bootDiskType,
  canMigrate,
  DEFAULT_MACHINE_TYPE,
  impossible,
  needsNestedVirtualization,
  SERIES,
  seriesFor,
  seriesOf,
  timeSourcesOf,
} from "../../components/hosts/gcp/capabilities";

describe("the table", () => {
  test("is dated, and has nested virtualization on Intel only", () => {
    expect(AS_OF).toMatch(/^20\d\d-\d\d-\d\d$/);
    const wrong = Object.entries(SERIES).filter(([, has]) => has.nested && has.processor !== "Intel");
    expect(wrong).toEqual([]);
  });

  test("has the clock in the series of the documentation", () => {
    expect(seriesFor({ guests: false, phc: HostPhc.Required })).toEqual(["c3", "c3d", "c4", "c4d"]);
  });

  test("has a default that can do all that can be wished for", () => {
    expect(impossible({ machineType: DEFAULT_MACHINE_TYPE, guests: true, phc: HostPhc.Required, spot: true })).toEqual(
      [],
    );
  });
});

test.each([
  ["c3-standard-4", "c3"],
  ["n2-custom-4-8192", "n2"],
  ["custom-4-8192", "n1"],
  ["f1-micro", "n1"],
  ["c3-highcpu-192-metal", "c3"],
])("%s is of the series %s", (type, series) => {
  expect(seriesOf(type)).toBe(series);
});

test.each([
  ["c3-standard-4", "pd-balanced"],
  ["c4-standard-4", "hyperdisk-balanced"],
  ["c3-highcpu-192-metal", "hyperdisk-balanced"],
  ["a2-highgpu-1g", "pd-balanced"],
  ["a2-ultragpu-1g", "pd-balanced"],
  ["g2-standard-4", "pd-balanced"],
  ["g4-standard-48", "hyperdisk-balanced"],
  ["a3-ultragpu-8g", "hyperdisk-balanced"],
  ["a4-highgpu-8g", "hyperdisk-balanced"],
  ["z9-standard-4", "hyperdisk-balanced"],
])("%s boots from %s", (type, disk) => {
  expect(bootDiskType(type)).toBe(disk);
});

test.each([
  ["c3-standard-4", true],
  ["n2-custom-4-8192", true],
  ["custom-4-8192", true],
  ["c4a-standard-4", true],
  ["c3-highcpu-192-metal", false],
  ["a2-highgpu-1g", false],
  ["a3-megagpu-8g", false],
  ["g2-standard-4", false],
  ["ct6e-standard-4t", false],
  ["ct5lp-hightpu-4t", false],
  ["h4d-standard-192", false],
])("maintenance can move %s: %s", (machineType, expected) => {
  expect(canMigrate(machineType)).toBe(expected);
});

test.each([
  ["c3-standard-4", true],
  ["c3-highcpu-192-metal", false],
])("guests on %s need nested virtualization: %s", (machineType, expected) => {
  const machine = { machineType, guests: true, phc: HostPhc.None, spot: false };
  expect(impossible(machine)).toEqual([]);
  expect(needsNestedVirtualization(machine)).toBe(expected);
  expect(needsNestedVirtualization({ ...machine, guests: false })).toBe(false);
});

test("a wish is granted by every series that is named when it is refused, and by no other", () => {
  const anyWish = fc.record({
    guests: fc.boolean(),
    phc: fc.constantFrom(...Object.values(HostPhc)),
    spot: fc.boolean(),
  });
  const anySeries = fc.constantFrom(...Object.keys(SERIES), "z9");
  fc.assert(
    fc.property(anySeries, anyWish, (series, { guests, phc, spot }) => {
      const reasons = impossible({ machineType: `${series}-standard-4`, guests, phc, spot });
      const hasNoWish = !guests && phc !== HostPhc.Required;
      const isArm = SERIES[series]?.processor === "Arm";
      expect(reasons.length > 0).toBe(isArm || (!hasNoWish && !seriesFor({ guests, phc }).includes(series)));
      for (const { reason } of reasons) expect(reason).toMatch(/there is in \S|such as \S/);
    }),
  );
});

test.each([
  ["c3-standard-4", ["gcp-ntp", "gcp-phc"]],
  ["c3-standard-192-metal", ["gcp-ntp"]],
  ["n2-standard-4", ["gcp-ntp"]],
])("%s has the sources %j", (machineType, sources) => {
  expect(timeSourcesOf({ machineType, guests: false, phc: HostPhc.None, spot: false })).toEqual(sources);
});
