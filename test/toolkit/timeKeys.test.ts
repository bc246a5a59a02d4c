import fs from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeHost, plans, synchronised } from "./FakeHost";
import { shells } from "./shells";
import { conf, following, proved, refusal } from "./sources";

// Authenticated time on a host: where keys lie, who can read them, and what comes of them.

const keyFile = "etc/chrony/chrony.timebase.keys";
const secret = "HEX:000102030405060708090A0B0C0D0E0F1011";
const other = "ASCII:*a$`b\\c'd\"e?f%g=";
const keyed = (plan: string, ...keys: string[]): string =>
  plan.replace("timescale=", () => `${keys.map((key) => `time-key=${key}\n`).join("")}timescale=`);
const client = keyed(following(plans.time, "server 10.77.0.1 iburst xleave key 5"), `5 SHA256 ${secret}`);
const nts = following(plans.time, "server ntp.example iburst nts");
const answer = (name: string, authdata: string): string => `${synchronised.replaceAll("10.77.0.1", name)}${authdata}\n`;

/** Every file of the host with one of the texts in it, and its mode. */
const filesWith = (host: FakeHost, text: string): Record<string, string> =>
  Object.fromEntries(
    Object.entries(host.snapshot())
      .map(([name, entry]) => [name, entry.split(" ")] as const)
      .filter(([, [, , content = ""]]) => Buffer.from(content, "base64").includes(text))
      .map(([name, [, mode = ""]]) => [name, mode]),
  );

describe.each(shells)("authenticated time under %s", (shell) => {
  let host: FakeHost;
  beforeEach(() => {
    host = new FakeHost(shell);
  });
  afterEach(() => host.destroy());

  const refused = (plan: string) => refusal(host, plan);

  test("a key is in a file of its own that only root can read, and revert takes it away", () => {
    const before = host.snapshot();
    const { stdout, stderr } = host.converge(client);
    expect(host.read(conf)).toContain(
      "server 10.77.0.1 iburst xleave key 5\nkeyfile /etc/chrony/chrony.timebase.keys\nauthselectmode require\n",
    );
    expect(host.read(keyFile).split("\n").slice(1)).toEqual([`5 SHA256 ${secret}`, ""]);
    const files = filesWith(host, secret);
    expect(Object.keys(files)).toContain(keyFile);
    for (const [name, mode] of Object.entries(files)) expect([name, mode]).toEqual([name, "600"]);
    expect(host.read("var/lib/timebase/plans/time")).toContain("\ntime-key=5 SHA256\n");
    host.chrony(answer("10.77.0.1", "10.77.0.1,SK,5,3,144,4294967295,0,0,0,0"));
    const proof = proved(host, client + stdout);
    expect(proof).toMatchObject({ status: 0, stderr: "" });
    const status = host.run(["status"], "");
    expect(status).toMatchObject({ status: 0, stderr: "" });
    const revert = host.run(["revert"], client);
    expect(revert.status).toBe(0);
    expect(host.snapshot()).toEqual(before);
    const said = [stdout, stderr, proof.stdout, status.stdout, revert.stdout, revert.stderr, ...host.calls()].join(
      "\n",
    );
    expect(said).not.toContain(secret.slice(4));
  });

  test("whatever characters a key has, nothing but the key is written", () => {
    const plan = keyed(plans.hub, `7 SHA1 ${other}`, `30 AES128 ${secret.slice(0, 36)}`);
    host.converge(plan);
    expect(host.read(keyFile).split("\n").slice(1)).toEqual([
      `7 SHA1 ${other}`,
      `30 AES128 ${secret.slice(0, 36)}`,
      "",
    ]);
    expect(host.read("var/lib/timebase/plans/time")).toContain("\ntime-key=7 SHA1\ntime-key=30 AES128\n");
    expect(host.read(conf)).toContain("\nkeyfile ");
    // A hub that answers with a key may itself follow whom it likes.
    expect(host.read(conf)).not.toContain("authselectmode");
  });

  test("another key restarts chronyd, the same one writes nothing, and no key any more takes the file away", () => {
    host.converge(client);
    const restarts = () => host.calls().filter((call) => call.includes("restart")).length;
    host.forgetCalls();
    const writes = host.writes();
    host.converge(client);
    expect([restarts(), host.writes()]).toEqual([0, writes]);
    host.converge(client.replace(secret, () => other));
    expect(restarts()).toBe(1);
    expect(host.read(keyFile)).toContain(other);
    expect(filesWith(host, secret)).toEqual({});
    host.converge(following(plans.time, "server 10.77.0.1 iburst xleave"));
    expect([restarts(), host.exists(keyFile), filesWith(host, other)]).toEqual([2, false, {}]);
  });

  test("what the user has at that place comes back, and is not opened to others meanwhile", () => {
    host.write(keyFile, "1 MD5 ASCII:theirs\n");
    fs.chmodSync(host.path(keyFile), 0o644);
    const before = host.snapshot()[keyFile];
    host.converge(client);
    expect(filesWith(host, secret)[keyFile]).toBe("600");
    expect(host.run(["revert"], client).status).toBe(0);
    expect(host.snapshot()[keyFile]).toBe(before);
  });

  const fine = "10.77.0.1,SK,5,3,144,4294967295,0,0,0,0";
  test.each<[string, string, (host: FakeHost) => void, string, string]>([
    [
      "another key in the file",
      fine,
      (h) => h.write(keyFile, "5 SHA256 ASCII:0123456789\n"),
      "time.configuration",
      "it was changed, or is gone",
    ],
    ["no file", fine, (h) => h.remove(keyFile), "time.configuration", "it was changed, or is gone"],
    [
      "a file for everybody",
      fine,
      (h) => fs.chmodSync(h.path(keyFile), 0o644),
      "time.configuration",
      "others than root can read it",
    ],
    [
      "chronyd does not use the key",
      "10.77.0.1,-,0,0,0,4294967295,0,0,0,0",
      () => {},
      "time.authentication",
      "10.77.0.1 is not authenticated",
    ],
    [
      "chronyd says nothing of it",
      "501 Not authorised",
      () => {},
      "time.authentication",
      "10.77.0.1: what chronyd says of its authentication could not be read",
    ],
  ])("the proof fails, and its repair mends what a file is: %s", (_, authdata, change, check, found) => {
    const plan = client + host.converge(client).stdout;
    host.chrony(answer("10.77.0.1", authdata));
    change(host);
    // The option is there, which is all that a naive check looks for.
    expect(host.read(conf)).toContain(" key 5\n");
    const run = host.run(["prove", "--repair"], plan);
    expect(run.status).toBe(1);
    const rows = JSON.parse(run.stdout).checks;
    expect(rows.find(({ id }: { id: string }) => id === check)).toMatchObject({ verdict: "fail", found });
    expect(run.stdout + run.stderr).not.toContain(secret.slice(4));
    host.chrony(answer("10.77.0.1", fine));
    expect(proved(host, plan).status).toBe(0);
  });

  test("status sees what became of the file without knowing the key", () => {
    host.converge(client);
    host.chrony(answer("10.77.0.1", fine));
    expect(host.run(["status"], "").status).toBe(0);
    host.write(keyFile, "5 SHA256 ASCII:0123456789\n");
    const drifted = host.run(["status"], "");
    expect(drifted.status).toBe(1);
    expect(drifted.stdout).toContain(`drift ${host.path(keyFile)} was changed by somebody else since`);
    host.remove(keyFile);
    expect(host.run(["status"], "").stdout).toContain("found it is gone");
  });

  test("a server proves who it is by NTS, and one question is asked, not two", () => {
    const plan = nts + host.converge(nts).stdout;
    expect(host.read(conf)).toContain("server ntp.example iburst nts\nauthselectmode require\n");
    expect(host.read(conf)).not.toContain("keyfile");
    host.chrony(answer("ntp.example", "ntp.example,NTS,1,15,256,11,0,0,8,100"));
    const { status, row } = proved(host, plan);
    expect(status).toBe(0);
    expect(row("time.authentication")).toMatchObject({ verdict: "pass", found: "ntp.example: NTS, 256 bits" });
    expect(host.read("fake/asked")).toBe("-N -c -m tracking sources authdata ntpdata tracking\n");
    host.converge(plans.time);
    host.chrony(synchronised);
    expect(proved(host, plans.time).row("time.authentication")).toBeUndefined();
    expect(host.read("fake/asked")).toBe("-N -c -m tracking sources tracking\n");
  });

  test.each<[string, string, string, string, string]>([
    [
      "built without NTS",
      nts,
      "chrony-features",
      "-NTS +SECHASH",
      "chrony on this host was built without NTS (chronyd (chrony) version 4.3)",
    ],
    ["too old for NTS", nts, "chrony-version", "3.5", "chrony on this host is too old (chronyd (chrony) version 3.5)"],
    [
      "that does not know the key's type",
      client,
      "key-types",
      "MD5\n",
      "chrony on this host does not know keys of type SHA256 (chronyd (chrony) version 4.3)",
    ],
  ])("a chrony %s is refused before any change", (_, plan, file, content, why) => {
    host.write(`fake/${file}`, content);
    expect(refused(plan)).toContain(why);
  });

  test.each([
    ["time-key=x SHA256 HEX:AABB", "the id of a time-key is not a whole number"],
    ["time-key=5 MD5 HEX:AABB", "the type of a time-key is not understood"],
    ["time-key=5 SHA256 AABB", "the secret of a time-key is not understood"],
    ["time-key=5 SHA256 HEX:AA BB", "a time-key has more than three words"],
    ["time-key=5 SHA256", "the plan has no secret for key 5"],
  ])("%s is refused, and not shown", (line, why) => {
    const stderr = refused(client.replace(/time-key=.*/, line));
    expect(stderr).toContain(why);
    expect(stderr).not.toContain("AA");
  });
});
