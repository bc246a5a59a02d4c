import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { claim, OWN_ERROR, read, type State, versions } from "./chronyc";
import { type Recording, recordings } from "./recordings";

// What chronyc never said: whatever the text, a check with a reason, and no wrong number.

describe("what no chronyc ever said", () => {
  const everything = versions.flatMap((version) => recordings("chronyc", version));
  const good = everything.filter(({ situation }) => ["server", "refclock"].includes(situation));

  /** Whatever the text: one row for each check, and a bound that is what the text leaves room for, or unknown with a reason. */
  const holds = (text: string | Buffer, now: number, locale?: string): State => {
    const state = read(text, now, "no", locale);
    const { values, checks } = state;
    expect(Object.keys(checks)).toContain("time.daemon");
    expect(Object.keys(checks)).toContain("time.bound");
    const bound = values["bound-ns"];
    if (bound === undefined) {
      expect(values["bound-reason"]).toMatch(/\S/);
      expect(checks["time.bound"]).toMatchObject({ verdict: "fail", found: `unknown: ${values["bound-reason"]}` });
      return state;
    }
    expect(bound).toMatch(/^[1-9][0-9]{0,17}$/);
    expect(Object.values(checks).every(({ verdict, found }) => verdict !== "fail" || found.endsWith(" us"))).toBe(true);
    const own = values.kind === "refclock" ? OWN_ERROR : 0;
    const expected = claim(text.toString(), own, now);
    expect(Math.abs(Number(bound) - expected)).toBeLessThanOrEqual(1 + expected * 1e-9);
    return state;
  };

  test("the recordings themselves", () => {
    for (const { text, now } of everything) holds(text, now);
  });

  const recording = fc.constantFrom(...good);
  const odd = fc.oneof(
    fc.constantFrom(
      "",
      "-",
      "nan",
      "inf",
      "-inf",
      "0x10",
      "1e999",
      "-1e999",
      "1e-999",
      "1e5",
      "+1",
      "-1",
      "0",
      "00",
      "1.2.3",
    ),
    fc.constantFrom(
      "*",
      "#",
      "=",
      "Normal",
      "4294967295",
      "99999999999999999999",
      "377",
      "378",
      "1,5",
      "\t",
      "a\tb",
      " ",
      "'",
    ),
    fc.double().map(String),
    fc.string({ maxLength: 12 }).map((text) => text.replaceAll("\n", "")),
  );

  test("columns of something else", () => {
    fc.assert(
      fc.property(recording, fc.nat(1), fc.nat(13), odd, ({ text, now }, line, column, value) => {
        const lines = text.split("\n");
        const columns = (lines[line] as string).split(",");
        columns[column % columns.length] = value;
        lines[line] = columns.join(",");
        holds(lines.join("\n"), now);
      }),
      { numRuns: 250 },
    );
  });

  test("truncations, lines twice, and lines in any order", () => {
    fc.assert(
      fc.property(recording, fc.nat(400), fc.boolean(), ({ text, now }, length, twice) => {
        const cut = text.slice(0, length);
        holds(twice ? `${cut}\n${text}` : cut, now);
      }),
      { numRuns: 80 },
    );
    for (const { text, now } of good) {
      const bound = (lines: string[]) => holds(lines.join("\n"), now).values["bound-ns"];
      const lines = text.split("\n");
      expect(bound([...lines].reverse())).toBe(bound(lines));
    }
  });

  test("random bytes, alone and in the middle", () => {
    fc.assert(
      fc.property(recording, fc.uint8Array({ maxLength: 60 }), fc.nat(400), ({ text, now }, bytes, at) => {
        holds(Buffer.from(bytes), now);
        const middle = [Buffer.from(text.slice(0, at)), Buffer.from(bytes), Buffer.from(text.slice(at))];
        const state = read(Buffer.concat(middle), now);
        if (state.values["bound-ns"] === undefined) expect(state.values["bound-reason"]).toMatch(/\S/);
        else expect(Number(state.values["bound-ns"])).toBeGreaterThan(0);
      }),
      { numRuns: 80 },
    );
  });

  test("the decimals of another locale", () => {
    for (const { text, now } of good) {
      const { values, checks } = holds(text.replaceAll(".", ","), now, "de_DE.UTF-8");
      expect(values["bound-ns"]).toBeUndefined();
      expect(checks["time.daemon"]?.verdict).toBe("fail");
    }
  });

  test("nothing", () => {
    expect(holds("", 0).checks["time.daemon"]).toEqual({ verdict: "fail", found: "no answer" });
  });

  test.each([
    [5, 12, "a clock that is off by nothing, of a source without any error", "implausible: "],
    [11, 11, "a root delay below 0, which makes the bound smaller", 'tracking column 11 is "-0.9"'],
    [12, 12, "a root dispersion below 0", 'tracking column 12 is "-0.9"'],
    [13, 13, "an update interval of 300 years, after which nothing is stale", 'tracking column 13 is "1e10"'],
  ])("column %i to %i: %s", (first, last, _, reason) => {
    const { text, now } = good[0] as Recording;
    const lines = text.split("\n");
    const value = first === 5 ? "0.0" : first === 13 ? "1e10" : "-0.9";
    const columns = (lines[0] as string).split(",").map((column, index) => {
      const number = index + 1;
      const figure = first === 5 ? [5, 11, 12].includes(number) : number >= first && number <= last;
      return figure ? value : column;
    });
    lines[0] = columns.join(",");
    const { values } = holds(lines.join("\n"), now);
    expect(values["bound-ns"]).toBeUndefined();
    expect(values["bound-reason"]).toContain(reason);
  });
});
