import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TimeKeyType, TimeRole } from "../../components";
import { holdsKeys, type TimeSection, timeLines, timeSourceLine } from "../../components/plan/time";
import { hubSource } from "../../components/plan/topology";
import { PENDING } from "../../components/plan/validate";
import { validateCluster } from "../../components/plan/validateCluster";
import { rolesFit, timeSources } from "../../components/plan/validateTime";
import { timeKey } from "../../components/plan/validateTimeKey";
import { HOST_KEY } from "./support/keys";

const text = (errors: { propertyPath: string; reason: string }[]) =>
  errors.map(({ propertyPath, reason }) => `${propertyPath}: ${reason}`);
const key = { id: 5, type: TimeKeyType.Sha256, secret: "HEX:000102030405060708090A0B0C0D0E0F" };
const keyErrors = (changes: object) => text(timeKey({ ...key, ...changes }, "key"));
const sourceErrors = (...sources: unknown[]) => text(timeSources(sources, "sources"));

describe("a symmetric key", () => {
  test.each([
    {},
    { id: 1, type: "SHA1", secret: "ASCII:0123456789" },
    { id: 0xffff_ffff, type: "AES128", secret: "ASCII:0123456789abcdef" },
    { type: "AES256", secret: `HEX:${"0f".repeat(32)}` },
    { id: PENDING, type: PENDING, secret: PENDING },
    { type: PENDING, secret: "HEX:00" },
  ])("%j is accepted", (changes) => {
    expect(keyErrors(changes)).toEqual([]);
  });

  const form =
    'must be "HEX:" and an even number of hexadecimal digits, or "ASCII:" and printable characters without blanks';
  test.each([
    [{ id: 0 }, "key.id: must be a whole number, 1 to 4294967295, the same on both sides"],
    [{ id: "5" }, "key.id: must be a whole number, 1 to 4294967295, the same on both sides"],
    [{ type: "MD5" }, "key.type: must be one of AES128, AES256, SHA1, SHA256, SHA384, SHA512"],
    [{ secret: "0123456789abcdef" }, `key.secret: ${form}`],
    [{ secret: "HEX:0" }, `key.secret: ${form}`],
    [{ secret: "ASCII:two words in it" }, `key.secret: ${form}`],
    [{ secret: "ASCII:a line\nafter" }, `key.secret: ${form}`],
    [{ secret: "HEX:0001" }, "key.secret: must be 10 to 500 bytes, not 2: two hexadecimal digits a byte"],
    [
      { type: "AES128", secret: "HEX:0001" },
      "key.secret: must be exactly 16 bytes for AES128, not 2: two hexadecimal digits a byte",
    ],
    [{ secret: undefined }, "key.secret: is required"],
    [{ keyfile: "a" }, expect.stringMatching(/^key.keyfile: is not an argument; .*id, type, secret/)],
  ])("%j is refused", (changes, error) => {
    expect(keyErrors(changes)).toEqual([error]);
  });

  test("wherever somebody has put the secret, no reason quotes it", () => {
    fc.assert(
      fc.property(fc.constantFrom("id", "type", "secret"), fc.stringMatching(/^[!-~]{12,40}$/), (field, secret) => {
        expect(keyErrors({ [field]: secret }).join()).not.toContain(secret);
        expect(text(timeKey(secret, "key")).join()).not.toContain(secret);
      }),
    );
  });
});

describe("authenticated sources", () => {
  test("are so for all of them, whatever is a device or not known yet", () => {
    expect(sourceErrors({ address: "a", nts: true }, { address: "b", key })).toEqual([]);
    expect(sourceErrors({ address: "a", nts: true }, { address: "b", nts: PENDING }, PENDING)).toEqual([]);
    expect(sourceErrors({ kind: "pool", address: "a", nts: true }, { kind: "aws-phc" })).toEqual([]);
    expect(sourceErrors({ address: "a" }, { address: "b", nts: false })).toEqual([]);
    expect(sourceErrors({ address: "a", nts: true }, { address: "b" })).toEqual([
      "sources[1]: must be authenticated like the others, by nts or a key: who can forge one source has a say in the time",
    ]);
  });

  test("are so by one means, and only where there is a server", () => {
    expect(sourceErrors({ address: "a", nts: true, key })).toEqual([
      "sources[0].key: is not for a source with nts, which makes keys of its own: leave one out",
    ]);
    expect(sourceErrors({ kind: "aws-ntp", nts: true })).toContain(
      "sources[0].nts: is not for aws-ntp, which takes trust: leave it out",
    );
  });

  test("share a host's file of keys, where an id stands for one of them", () => {
    const other = { ...key, secret: "ASCII:0123456789" };
    const errors = (keys: unknown[], sources: unknown[]) => text(rolesFit({ timeRole: "hub", keys, sources }));
    expect(errors([key], [{ address: "a", key }])).toEqual([]);
    expect(errors([key], [{ address: "a", key: { ...other, secret: PENDING } }])).toEqual([]);
    expect(errors([key], [{ address: "a", key: other }])).toEqual([
      "sources[0].key.id: is the id of another key, keys[0]: give it one of its own",
    ]);
    expect(text(rolesFit({ keys: [key], sources: [{ address: "a" }] }))).toEqual([
      "keys: is for hubs: a client gives each source its key",
    ]);
  });

  test("a cluster's key is one of its hub, so of no cluster without one", () => {
    const hosts = ["10.0.0.1", "10.0.0.2"].map((address, index) => ({
      name: `node-${index}`,
      endpoint: { address, hostKey: HOST_KEY },
    }));
    const errors = (more: object) => text(validateCluster({ hosts, key, ...more }));
    expect(errors({})).toEqual([]);
    expect(errors({ topology: "provider", sources: [{ address: "a" }] })).toEqual([
      "key: is not for Topology.Provider, where no host serves another one",
    ]);
    expect(errors({ sources: [{ address: "a", key: { ...key, type: "SHA1" } }] })).toEqual([
      "sources[0].key.id: is the id of another key, key: give it one of its own",
    ]);
  });
});

describe("in the plan", () => {
  const section: TimeSection = {
    role: TimeRole.Hub,
    sources: [{ address: "a", nts: true }, hubSource("10.0.0.1", key)],
    allow: [],
    pairs: [],
    keys: [{ ...key, id: 6 }, key],
    timescale: "utc",
    maxErrorMicros: 1,
    settleSeconds: 1,
  };

  test("a source has the option, and the section each key once", () => {
    const lines = timeLines(section).map((line) => line.join("="));
    expect(lines.slice(1, 5)).toEqual([
      "time-source=server a iburst nts",
      "time-source=server 10.0.0.1 iburst minpoll 0 maxpoll 0 xleave key 5",
      `time-key=6 SHA256 ${key.secret}`,
      `time-key=5 SHA256 ${key.secret}`,
    ]);
    expect(holdsKeys(section)).toBe(true);
    expect(holdsKeys({ ...section, keys: [] })).toBe(true);
    expect(holdsKeys({ ...section, keys: [], sources: [{ address: "a", nts: true }] })).toBe(false);
  });

  test("the line of a source never has the secret", () => {
    expect(timeSourceLine({ address: "a", key })).toBe("server a iburst key 5");
  });
});
