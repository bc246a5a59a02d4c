import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { runAwk } from "./awkProgram";
import { again, looked } from "./chronyc";
import { recording } from "./recordings";

// Whether the time is authenticated, by what chronyd says of itself: recorded from real ones, and of what none ever said.

const versions = ["4.2", "4.3", "4.5", "4.6"];

const recorded = (version: string, situation: string) => recording("authdata", version, situation);

const byKey = "server 127.0.0.1 iburst minpoll 0 maxpoll 0 xleave key 5\n";
const byNts = "server localhost iburst nts\n";

/** The row of the check, and the bound. */
const read = (text: string | Buffer, now: number, sources: string) => {
  const stdout = runAwk(
    "chrony_state",
    { service: "chrony", now, itself: "no", budget_ns: 1_000_000, ...looked(text) },
    Buffer.concat([Buffer.from(text), Buffer.from(again(text))]),
    { TIMEBASE_SOURCES: sources, TIMEBASE_ERRORS: "ENA0 20000\n" },
  );
  const rows = [...stdout.matchAll(/^check=(.*)$/gm)].map(([, row = ""]) => row.split("\t"));
  for (const row of rows) expect(row).toHaveLength(5);
  const [, verdict, expected, found, remedy] = rows.find(([id]) => id === "time.authentication") ?? [];
  const failed = rows.filter(([, verdict]) => verdict === "fail").map(([id]) => id);
  return { verdict, expected, found, remedy, failed, bound: /^bound-ns=(.*)$/m.exec(stdout)?.[1] };
};

test("a server that is called as an option is has none of it", () => {
  const { text, now } = recorded("4.3", "plain");
  expect(read(text.replaceAll("127.0.0.1", "nts"), now, "server nts iburst\n").verdict).toBeUndefined();
  expect(read(text.replaceAll("127.0.0.1", "key"), now, "server key iburst\n").verdict).toBeUndefined();
});

/** What who looks at the configuration says: the option is there. */
const naive = (sources: string): boolean => /\b(nts|key \d+)\b/.test(sources);

describe.each(versions)("chrony %s, recorded", (version) => {
  test.each([
    ["sk", byKey, "127.0.0.1 by key 5", "127.0.0.1: symmetric key 5, 144 bits"],
    ["sk-cipher", byKey.replace("key 5", "key 30"), "127.0.0.1 by key 30", "127.0.0.1: symmetric key 30, 128 bits"],
    ["nts", byNts, "localhost by NTS", "localhost: NTS, 256 bits"],
  ])("%s is authenticated", (situation, sources, expected, found) => {
    const { text, now } = recorded(version, situation);
    const state = read(text, now, sources);
    expect(state).toMatchObject({ verdict: "pass", expected, found, remedy: "", failed: [] });
    expect(Number(state.bound)).toBeGreaterThan(0);
  });

  test.each([
    ["plain", byKey, "127.0.0.1 is not authenticated"],
    ["plain", byNts.replace("localhost", "127.0.0.1"), "127.0.0.1 is not authenticated"],
    ["sk", byKey.replace("key 5", "key 6"), "127.0.0.1 is authenticated by symmetric key 5"],
    ["sk", byNts.replace("localhost", "127.0.0.1"), "127.0.0.1 is authenticated by a symmetric key"],
    ["nts", byKey.replace("127.0.0.1", "localhost"), "localhost is authenticated by NTS"],
    ["sk-unknown", byKey, "no server is selected; 127.0.0.1: chronyd has no symmetric key 5"],
    ["nts-refused", byNts, "no server is selected; localhost: no key by NTS so far, attempts: 1"],
    ["nts-untrusted", byNts, "no server is selected; localhost: no key by NTS so far, attempts: 1"],
  ])("%s is not what was asked for, whatever the configuration says (%#)", (situation, sources, found) => {
    const { text, now } = recorded(version, situation);
    expect(naive(sources)).toBe(true);
    const state = read(text, now, sources);
    expect(state).toMatchObject({ verdict: "fail", found });
    expect(state.bound, "a time that anybody may have forged has no bound").toBeUndefined();
    expect(state.remedy).toContain(sources.includes("nts") ? "TCP port 4460" : "the same key, by the same id");
  });

  test("of a plan without authentication nothing is said", () => {
    const { text, now } = recorded(version, "plain");
    expect(read(text, now, byKey.replace(" key 5", ""))).toMatchObject({ verdict: undefined, failed: [] });
  });
});

describe("several sources", () => {
  const { text, now } = recorded("4.3", "nts");
  const [tracking = ""] = text.split("\n");
  const pool = "pool localhost iburst nts\n";
  const source = (state: string, name = "localhost") => `^,${state},${name},10,0,377,0,0.0,0.0,0.0001`;
  const nts = (id: number, cookies = 8, name = "localhost") => `${name},NTS,${id},15,256,11,0,0,${cookies},100`;
  const state = (sources: string, ...lines: string[]) => read([tracking, ...lines].join("\n"), now, sources);

  test("the servers of a pool have one name: the one that is used counts, not the first of them", () => {
    expect(state(pool, source("?"), source("*"), nts(0, 0), nts(3))).toMatchObject({ verdict: "pass" });
    expect(state(pool, source("*"), source("?"), nts(0, 0), nts(3))).toMatchObject({
      verdict: "fail",
      found: "localhost: no key by NTS so far, attempts: 0",
    });
  });

  test("one that is only combined has a say in the time, too", () => {
    const both = `${byNts}server b.example nts\n`;
    const second = (line: string) => state(both, source("*"), source("+", "b.example"), nts(1), line);
    expect(second(nts(1, 8, "b.example"))).toMatchObject({ verdict: "pass", failed: [] });
    expect(second("b.example,-,0,0,0,4294967295,0,0,0,0").found).toBe("b.example is not authenticated");
    expect(second(nts(1, 8, "c.example")).found).toMatch(/^b.example: .* could not be read$/);
    expect(state(both, source("*"), source("+", "b.example"), nts(1)).found).toMatch(/could not be read$/);
  });

  test("cookies that are used up are no authentication any more", () => {
    expect(state(byNts, source("*"), nts(1, 0)).found).toBe("localhost: no cookies of NTS are left");
  });

  test("a device of the host needs none", () => {
    const refclock = tracking.replace(/^[^,]*,localhost/, "454E4130,ENA0");
    const lines = [refclock, source("-"), "#,*,ENA0,0,0,377,1,0.0,0.0,0.000005", nts(0, 0)];
    const sources = `${byNts}refclock PHC /dev/ptp0 refid ENA0 poll 0 prefer\n`;
    expect(read(lines.join("\n"), now, sources)).toMatchObject({
      verdict: "pass",
      found: "/dev/ptp0 is a device of this host",
    });
  });
});

describe("what no chronyd ever said", () => {
  const good = versions.flatMap((version) =>
    [
      { situation: "sk", sources: byKey },
      { situation: "nts", sources: byNts },
    ].map(({ situation, sources }) => ({ ...recorded(version, situation), sources })),
  );
  const odd = fc.oneof(
    fc.constantFrom(
      "",
      "-",
      "?",
      "SK",
      "NTS",
      "nts",
      "0",
      "00",
      "1e5",
      "-1",
      "+5",
      "5.0",
      "0x5",
      "inf",
      "4294967301",
      "*",
    ),
    fc.string({ maxLength: 8 }).map((text) => text.replaceAll("\n", "")),
  );

  /** A pass without the very words of an authenticated source would be a lie. */
  const holds = (text: string | Buffer, now: number, sources: string) => {
    const state = read(text, now, sources);
    if (state.verdict !== "pass") {
      expect(state.bound).toBeUndefined();
      expect(state.failed).not.toEqual([]);
      return;
    }
    const mode =
      sources === byNts ? /^localhost,NTS,0*[1-9]\d*,[1-9]\d*,[1-9]\d*,/m : /^127\.0\.0\.1,SK,0*5,[1-9]\d*,[1-9]\d*,/m;
    expect(text.toString()).toMatch(mode);
  };

  test("columns of something else", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...good),
        fc.nat(2),
        fc.nat(13),
        odd,
        ({ text, now, sources }, line, column, value) => {
          const lines = text.split("\n");
          const columns = (lines[line] as string).split(",");
          columns[column % columns.length] = value;
          lines[line] = columns.join(",");
          holds(lines.join("\n"), now, sources);
        },
      ),
      { numRuns: 200 },
    );
  });

  test("truncations and random bytes in the middle", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...good),
        fc.nat(300),
        fc.uint8Array({ maxLength: 30 }),
        (recording, length, bytes) => {
          const { text, now, sources } = recording;
          holds(text.slice(0, length), now, sources);
          const middle = [text.slice(0, length), Buffer.from(bytes), text.slice(length)].map((part) =>
            Buffer.from(part),
          );
          holds(Buffer.concat(middle), now, sources);
        },
      ),
      { numRuns: 80 },
    );
  });
});
