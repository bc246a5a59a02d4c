import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { runAwk } from "./awkProgram";
import { recording, recordings } from "./recordings";

// What pmc says, as checks and a figure: from recorded output of each version of linuxptp, and of what it never said.

const versions = ["3.1.1", "4.0", "4.2"];
const identity = "027462.000a.b10001";
const INTERVAL_NS = 125_000_000;
const SERVER_ERROR_NS = 20_000;
const DRIFT_PPM = 50;

const everything = versions.flatMap((version) => recordings("pmc", version));
const following = everything.filter(({ situation }) => situation === "following");

interface State {
  checks: Record<string, { verdict: string; found: string }>;
  error?: string;
}

const read = (text: string | Buffer, now: number, role = "client", locale = "C"): State => {
  const variables = {
    role,
    now,
    identity,
    address: "10.177.0.1",
    stamping: "SOFTWARE",
    interval_ns: INTERVAL_NS,
    server_error_ns: SERVER_ERROR_NS,
    drift_ppm: DRIFT_PPM,
  };
  const stdout = runAwk("pmc_state", variables, text, { LC_ALL: locale });
  const state: State = { checks: {} };
  for (const line of stdout.split("\n").filter(Boolean)) {
    const [key, value] = [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)];
    if (key === "error") {
      expect(state.error).toBeUndefined();
      state.error = value;
      continue;
    }
    expect(key).toBe("check");
    const fields = value.split("\t");
    expect(fields, line).toHaveLength(5);
    expect(state.checks, "each check once").not.toHaveProperty([fields[0] as string]);
    state.checks[fields[0] as string] = { verdict: fields[1] as string, found: fields[3] as string };
  }
  return state;
};

const figure = (text: string, key: string): number => Number(new RegExp(`\\b${key} +(\\S+)`).exec(text)?.[1]);

/** The whole path delay, the offset now, what the clocks drift between two Syncs, and what the program says of the hub. */
const formula = (text: string): number =>
  Math.abs(figure(text, "meanPathDelay")) +
  Math.abs(figure(text, "offsetFromMaster")) +
  INTERVAL_NS * DRIFT_PPM * 1e-6 +
  SERVER_ERROR_NS;

describe.each(versions)("linuxptp %s, recorded", (version) => {
  const of = (situation: string) => recording("pmc", version, situation);

  test("a client that follows", () => {
    const { text, now } = of("following");
    const { checks, error } = read(text, now);
    expect(Object.values(checks).map(({ verdict }) => verdict)).toEqual(["pass", "pass", "pass", "pass"]);
    expect(Math.abs(Number(error) - formula(text))).toBeLessThanOrEqual(1);
  });

  test("a hub that serves has no error of its own to tell", () => {
    const { text, now } = of("serving");
    const { checks, error } = read(text, now, "server");
    expect(Object.values(checks).map(({ verdict }) => verdict)).toEqual(["pass", "pass", "pass"]);
    expect(error).toBeUndefined();
    expect(read(text, now).checks["time.ptp-port"]).toEqual({ verdict: "fail", found: "port MASTER" });
    expect(read(of("following").text, now, "server").checks["time.ptp-port"]?.verdict).toBe("fail");
  });

  test.each([
    ["no-hub", "time.ptp-port", "port LISTENING: no hub answers"],
    ["starting", "time.ptp-port", "port LISTENING: no hub answers"],
    ["hub-dead", "time.ptp-port", "port LISTENING: no hub answers"],
    ["other-hub", "time.ptp-grandmaster", "aacf89.fffe.87d5e6"],
    ["no-daemon", "time.ptp-port", "ptp4l does not answer"],
  ])("%s: a named reason, and no figure", (situation, check, found) => {
    const { text, now } = of(situation);
    const { checks, error } = read(text, now);
    expect(checks[check]).toEqual({ verdict: "fail", found });
    expect(error).toMatch(/^\? \S/);
  });

  test("the naive reading of a hub that is dead is a figure, and the right grandmaster", () => {
    const { text, now } = of("hub-dead");
    expect(text).toMatch(/gmPresent +true/);
    expect(text).toContain(`grandmasterIdentity                   ${identity}`);
    expect(figure(text, "meanPathDelay")).toBeGreaterThan(0);
    expect(read(text, now).checks["time.ptp-fresh"]).toEqual({ verdict: "fail", found: "no Sync" });
  });

  test("a hub that has just died is still fresh, and is not after some seconds", () => {
    const { text, now } = of("hub-just-dead");
    expect(read(text, now).checks["time.ptp-fresh"]?.verdict).toBe("pass");
    expect(read(text, now + 60).checks["time.ptp-fresh"]).toMatchObject({
      verdict: "fail",
      found: expect.stringMatching(/^last Sync 6[0-9] s ago$/),
    });
  });
});

describe("what no pmc ever said", () => {
  /** Whatever the text: rows that say what is wrong, and an error that is the formula's or unknown with a reason. */
  const holds = (text: string | Buffer, now: number, locale?: string): State => {
    const state = read(text, now, "client", locale);
    expect(state.checks).toHaveProperty(["time.ptp-port"]);
    if (state.error?.startsWith("? ")) return state;
    expect(state.error).toMatch(/^[1-9][0-9]{0,15}$/);
    expect(Object.values(state.checks).map(({ verdict }) => verdict)).toEqual(["pass", "pass", "pass", "pass"]);
    expect(Math.abs(Number(state.error) - formula(text.toString()))).toBeLessThanOrEqual(
      1 + formula(text.toString()) * 1e-9,
    );
    return state;
  };

  const recording = fc.constantFrom(...following);
  const odd = fc.oneof(
    fc.constantFrom("", "-", "nan", "inf", "-inf", "0x10", "1e999", "1e5", "+1", "-1", "0", "00", "1.2.3", "1,5"),
    fc.constantFrom(
      "SLAVE",
      "LISTENING",
      "FAULTY",
      "true",
      "false",
      "4294967295",
      "99999999999999999999999999",
      "a\tb",
    ),
    fc.double().map(String),
    fc.bigInt().map(String),
    fc.string({ maxLength: 12 }).map((text) => text.replaceAll("\n", "")),
  );

  test("the recordings themselves", () => {
    for (const { text, now } of everything) holds(text, now);
  });

  test("values of something else, and lines twice", () => {
    fc.assert(
      fc.property(recording, fc.nat(60), odd, fc.boolean(), ({ text, now }, at, value, twice) => {
        const lines = text.split("\n");
        const index = at % lines.length;
        const line = lines[index] as string;
        const changed = line.replace(/^(\t\t\S+ +).*/, (_, key) => key + value);
        lines.splice(index, 1, changed, ...(twice ? [line] : []));
        holds(lines.join("\n"), now);
      }),
      { numRuns: 250 },
    );
  });

  test("a value of two words is none, and no line after it takes its place", () => {
    for (const { text, now } of following) {
      const line = /^\t\tmeanPathDelay .*$/m.exec(text)?.[0] as string;
      for (const lines of [`${line} 7`, `${line} 7\n${line}`, `\t\tmeanPathDelay\n${line}`]) {
        const { checks, error } = read(text.replace(line, lines), now);
        expect(error).toMatch(/^\? .*meanPathDelay/);
        expect(checks["time.ptp-port"]?.verdict).toBe("fail");
      }
    }
  });

  test("truncations, and answers twice", () => {
    fc.assert(
      fc.property(recording, fc.nat(3000), fc.boolean(), ({ text, now }, length, twice) => {
        const cut = text.slice(0, length);
        const state = holds(twice ? `${cut}\n${text}` : cut, now);
        if (twice && /RESPONSE MANAGEMENT \w+(_NP|_SET)\b/.test(cut)) expect(state.error).toMatch(/^\? /);
      }),
      { numRuns: 80 },
    );
  });

  test("random bytes, alone and in the middle", () => {
    fc.assert(
      fc.property(recording, fc.uint8Array({ maxLength: 60 }), fc.nat(2500), ({ text, now }, bytes, at) => {
        expect(holds(Buffer.from(bytes), now).error).toMatch(/^\? /);
        const middle = [Buffer.from(text.slice(0, at)), Buffer.from(bytes), Buffer.from(text.slice(at))];
        const { error } = read(Buffer.concat(middle), now);
        expect(error).toMatch(/^(\? .*\S|[1-9][0-9]{0,15})$/);
      }),
      { numRuns: 80 },
    );
  });

  test("the decimals of another locale", () => {
    for (const { text, now } of following) {
      const { error } = holds(text.replace(/(Delay +\d+)\./, "$1,"), now, "de_DE.UTF-8");
      expect(error).toMatch(/^\? CURRENT_DATA_SET.meanPathDelay is /);
    }
  });

  test.each([
    ["meanPathDelay", "0.0", "the mean path delay is 0.0 ns"],
    ["meanPathDelay", "-12.0", "the mean path delay is -12.0 ns"],
    ["meanPathDelay", "2000000000.0", "the mean path delay is 2000000000.0 ns"],
    ["meanPathDelay", "1e3", 'CURRENT_DATA_SET.meanPathDelay is "1e3"'],
    ["offsetFromMaster", "9223372036854775807.0", "the offset is 9223372036854775807.0 ns"],
    ["offsetFromMaster", "nan", 'CURRENT_DATA_SET.offsetFromMaster is "nan"'],
    ["ingress_time", "99999999999999999999", 'TIME_STATUS_NP.ingress_time is "99999999999999999999"'],
    ["ingress_time", "0", "no Sync"],
    ["gmPresent", "false", "none"],
    ["portState", "FAULTY", "port FAULTY"],
    ["portState", "PASSIVE", "port PASSIVE"],
    ["timestamping", "LEGACY", "LEGACY"],
    ["interface", "tbv1\n\t1-1 seq 9 RESPONSE MANAGEMENT PORT_PROPERTIES_NP", "two answers for PORT_PROPERTIES_NP"],
  ])("%s %s: %s", (key, value, reason) => {
    for (const { text, now } of following) {
      const { error } = holds(text.replace(new RegExp(`(\\b${key} +)\\S+`), `$1${value}`), now);
      expect(error).toBe(`? ${reason}`);
    }
  });
});
