import { inspect } from "node:util";
import { expect, test } from "vitest";
import * as timebase from "../../components";

const enums = Object.entries(timebase).filter(([, value]) => typeof value === "object" && value !== null);

test("there are enums, each of which refuses a member that it does not have", () => {
  expect(enums.map(([name]) => name)).toEqual(
    expect.arrayContaining(["RebootPolicy", "Topology", "HostPhc", "Verdict"]),
  );
  for (const [name, members] of enums) {
    expect(() => Reflect.get(members, "Nonsense"), name).toThrow(`${name} has no member Nonsense; there are `);
  }
});

test("one that was mistyped is told what was meant", () => {
  const { RebootPolicy } = timebase as unknown as { RebootPolicy: Record<string, string> };
  expect(() => RebootPolicy.Nevr).toThrow("RebootPolicy has no member Nevr; did you mean Never?");
  expect(RebootPolicy.Never).toBe("never");
});

test("everything else is done with an enum as with any object", () => {
  for (const [name, members] of enums) {
    expect(Object.values(members).every((value) => typeof value === "string")).toBe(true);
    expect(inspect(members)).toContain(Object.keys(members)[0]);
    expect(`${members} ${JSON.stringify(members)}`).toContain("[object Object]");
    expect("Nonsense" in members, name).toBe(false);
  }
});
