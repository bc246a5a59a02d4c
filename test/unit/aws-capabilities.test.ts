import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  AS_OF,
  DEFAULT_INSTANCE_TYPE,
  defaultInstanceType,
  FAMILIES,
  familiesFor,
  impossible,
  isArm64,
  isBareMetal,
  type Machine,
  needsNestedVirtualization,
  needsPrecisionGroup,
  PHC_REGIONS,
  timeSourcesOf,
} from "../../components/hosts/aws/capabilities";
import { HostPhc } from "../../components/hosts/cloud/args";

const machine = (more: Partial<Machine>): Machine => ({
  instanceType: DEFAULT_INSTANCE_TYPE,
  guests: false,
  phc: HostPhc.None,
  spot: false,
  ...more,
});
const anyWish = fc.record({
  guests: fc.boolean(),
  phc: fc.constantFrom(...Object.values(HostPhc)),
  spot: fc.boolean(),
});
const anyFamily = fc.constantFrom(...Object.keys(FAMILIES), "t3", "m5", "c6i", "m7g", "c8gd");

describe("the table", () => {
  test("is dated, and its families are x86-64", () => {
    expect(AS_OF).toMatch(/^20\d\d-\d\d-\d\d$/);
    expect(Object.keys(FAMILIES).filter((family) => isArm64(`${family}.large`))).toEqual([]);
  });

  test("has a clock without a group only where it has one with a group, and for the families of the documentation", () => {
    const without = Object.entries(FAMILIES).flatMap(([family, has]) => (has.phcWithoutGroup ? [family] : []));
    expect(without.filter((family) => !FAMILIES[family]?.phc)).toEqual([]);
    expect(without.sort()).toEqual(["m7a", "m7i", "r7a", "r7i"]);
    expect(PHC_REGIONS).toHaveLength(6);
  });

  test("has a default that can do all that can be wished for", () => {
    for (const guests of [true, false]) {
      for (const phc of Object.values(HostPhc)) {
        expect(impossible(machine({ guests, phc }))).toEqual([]);
        for (const hasGroup of [true, false]) {
          const instanceType = defaultInstanceType({ guests, phc }, hasGroup);
          expect(impossible(machine({ guests, phc, instanceType }))).toEqual([]);
        }
      }
    }
  });

  test.each([
    [true, HostPhc.None, false, "m8i.large"],
    [true, HostPhc.None, true, "m8i.large"],
    [true, HostPhc.IfAvailable, false, "m8i.large"],
    [true, HostPhc.IfAvailable, true, "m7i.large"],
    [true, HostPhc.Required, false, "m7i.large"],
    [false, HostPhc.None, false, "m7i.large"],
    [false, HostPhc.IfAvailable, false, "m7i.large"],
  ])("has for guests %s, a clock %s and a group of the user's %s by default %s", (guests, phc, hasGroup, expected) => {
    expect(defaultInstanceType({ guests, phc }, hasGroup)).toBe(expected);
  });

  // Nobody is to lose a launch by what is only wished for.
  test("has for guests what it has without a wish for a clock, whatever the region, and launches it like that", () => {
    for (const region of [undefined, "eu-north-1", "eu-central-1", "cn-north-1"]) {
      const asked = { guests: true, region };
      const launched = (phc: HostPhc) => {
        const it = machine({ ...asked, phc, instanceType: defaultInstanceType({ guests: true, phc }, false) });
        return [it.instanceType, needsPrecisionGroup(it), needsNestedVirtualization(it)];
      };
      expect(launched(HostPhc.IfAvailable)).toEqual(launched(HostPhc.None));
    }
  });
});

describe("arm64", () => {
  test.each([
    "a1.large",
    "m6g.large",
    "c7gn.large",
    "m7g-flex.large",
    "im4gn.xlarge",
    "x2gd.metal",
    "g5g.xlarge",
    "i8ge.2xlarge",
    "hpc7g.4xlarge",
    "t4g.micro",
  ])("%s is", (type) => expect(isArm64(type)).toBe(true));
  test.each([
    "g5.xlarge",
    "g4dn.xlarge",
    "m7i.large",
    "m7i-flex.large",
    "c5.metal",
    "i3en.metal",
    "u7i-6tb.112xlarge",
    "x8adz-3tb.large",
    "gr6.4xlarge",
    "trn1.2xlarge",
  ])("%s is not", (type) => expect(isArm64(type)).toBe(false));
});

test.each([
  ["c5.metal", true],
  ["m7i.metal-24xl", true],
  ["m7i.large", false],
  ["metal.large", false],
])("%s: bare metal %s", (type, expected) => {
  expect(isBareMetal(type)).toBe(expected);
});

describe("guests", () => {
  test.each([
    ["m7i.large", true],
    ["m7i.metal-24xl", false],
    ["c5.metal", false],
  ])("on %s need nested virtualization: %s", (instanceType, expected) => {
    expect(impossible(machine({ instanceType, guests: true }))).toEqual([]);
    expect(needsNestedVirtualization(machine({ instanceType, guests: true }))).toBe(expected);
    expect(needsNestedVirtualization(machine({ instanceType }))).toBe(false);
  });

  test("do not run on bare metal that there is not", () => {
    expect(impossible(machine({ instanceType: "m7i-flex.metal", guests: true }))).toHaveLength(1);
  });

  test.each([
    ["m7i.large", false],
    ["x8i.large", false],
    ["m8i.large", true],
    ["c8i-flex.large", true],
    ["r8id.large", true],
    ["m7i.metal-24xl", true],
  ])("in the European Sovereign Cloud run on %s: %s", (instanceType, can) => {
    expect(impossible(machine({ instanceType, guests: true, region: "eusc-de-east-1" }))).toHaveLength(can ? 0 : 1);
    expect(impossible(machine({ instanceType, guests: true, region: "eu-central-1" }))).toEqual([]);
    expect(impossible(machine({ instanceType, region: "eusc-de-east-1" }))).toEqual([]);
  });

  test("run by default in every region that is not known to have other families", () => {
    const instanceType = defaultInstanceType({ guests: true, phc: HostPhc.IfAvailable }, false);
    for (const region of ["eusc-de-east-1", "us-gov-west-1", "cn-north-1", "eu-central-1"])
      expect(impossible(machine({ instanceType, guests: true, region }))).toEqual([]);
  });

  test("run on spot on bare metal only", () => {
    expect(impossible(machine({ instanceType: "c5.metal", guests: true, spot: true }))).toEqual([]);
    expect(familiesFor({ guests: true, phc: HostPhc.None, spot: true })).toEqual([]);
  });
});

describe("a placement group", () => {
  const needs = (more: Partial<Machine>) => needsPrecisionGroup(machine(more));

  test("is for a clock, where it is not there without", () => {
    expect(needs({})).toBe(false);
    expect(needs({ phc: HostPhc.IfAvailable })).toBe(true);
    expect(needs({ phc: HostPhc.IfAvailable, region: "eu-north-1" })).toBe(false);
    expect(needs({ phc: HostPhc.IfAvailable, region: "eu-north-1", instanceType: "c7i.large" })).toBe(true);
    expect(needs({ phc: HostPhc.IfAvailable, region: "cn-north-1" })).toBe(false);
    expect(needs({ phc: HostPhc.IfAvailable, instanceType: "m6i.large" })).toBe(false);
    expect(needs({ phc: HostPhc.Required, region: "eu-north-1" })).toBe(true);
  });
});

describe("a wish", () => {
  test("if available is never refused for its own sake", () => {
    fc.assert(
      fc.property(anyFamily, fc.boolean(), fc.boolean(), (family, guests, spot) => {
        const asked = { instanceType: `${family}.large`, guests, spot };
        const reasons = (phc: HostPhc) => impossible(machine({ ...asked, phc }));
        expect(reasons(HostPhc.IfAvailable)).toEqual(reasons(HostPhc.None));
      }),
    );
  });

  test("is granted by every family that is named when it is refused, and by no other", () => {
    fc.assert(
      fc.property(anyWish, anyFamily, (wish, family) => {
        const refused = impossible(machine({ ...wish, instanceType: `${family}.large` })).length > 0;
        const hasNoWish = !wish.guests && wish.phc !== HostPhc.Required;
        expect(refused).toBe(isArm64(`${family}.large`) || (!hasNoWish && !familiesFor(wish).includes(family)));
      }),
    );
  });

  test("that is refused is always answered by something that can do it", () => {
    fc.assert(
      fc.property(anyWish, anyFamily, (wish, family) => {
        for (const { reason } of impossible(machine({ ...wish, instanceType: `${family}.large` }))) {
          expect(reason).toMatch(/there is in \S|such as \S/);
        }
      }),
    );
  });
});

test.each<[Partial<Machine>, boolean, boolean]>([
  [{ instanceType: "m8i.large", phc: HostPhc.IfAvailable }, true, false],
  [{ instanceType: "m7i.large", phc: HostPhc.Required }, false, true],
  [{ instanceType: "m7i.large", phc: HostPhc.IfAvailable, region: "eu-central-1" }, false, true],
  // The user's group may be of the strategy that it takes.
  [{ instanceType: "c7i.large" }, true, true],
  [{ instanceType: "c7i.large" }, false, false],
  [{ instanceType: "m7i.large", region: "eu-north-1" }, false, true],
  [{ instanceType: "m7i.large", region: "eu-central-1" }, false, false],
  // Nobody knows where it is.
  [{ instanceType: "m7i.large" }, false, true],
])("of %j, with a placement group of the user's: %s, it may be that it has a clock: %s", (more, group, hasClock) => {
  expect(timeSourcesOf(machine(more), group)).toEqual(["aws-ntp", ...(hasClock ? ["aws-phc"] : [])]);
});
