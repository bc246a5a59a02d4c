import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { AS_OF as AWS_AS_OF, FAMILIES, PHC_REGIONS } from "../../components/hosts/aws/capabilities";
import { AS_OF as GCP_AS_OF, SERIES } from "../../components/hosts/gcp/capabilities";
import { connectionTo } from "../../components/remote/connection";
import { dialErrorLimit, PER_DIAL_TIMEOUT_SECONDS } from "../../components/remote/dial";
import { exampleFolder, exampleNames } from "../../rig/preview/stories";
import { guideOf } from "./support/guides";
import { HOST_KEY, PRIVATE_KEY } from "./support/keys";

// What the guides of the clouds tell whoever has an account: how to log in, and which machines can do what.

describe("the way to log in", () => {
  const endpoint = {
    name: "server-1",
    address: "192.0.2.11",
    port: 22,
    user: "ubuntu",
    privateKey: PRIVATE_KEY,
    hostKey: HOST_KEY,
    privateAddress: "10.0.0.11",
    proxy: { address: "bastion", port: 2222, user: "jump", hostKey: HOST_KEY },
  };
  /** Of another cluster's host, too, that has the same name. */
  const users: Record<string, string> = { "other-server-1-toolkit": "other", "cluster-server-1-toolkit": "ubuntu" };
  /** What `pulumi` prints: outputs, and the state with what is secret as the engine exports it (3.259). */
  const printed = {
    output: { "server-1": endpoint },
    export: {
      deployment: {
        resources: Object.keys(users).map((name) => ({
          urn: `urn:pulumi:dev::mine::timebase:index:HostClock$command:remote:CopyToRemote::${name}`,
          inputs: {
            connection: {
              "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
              plaintext: JSON.stringify(connectionTo({ ...endpoint, user: users[name] ?? "" }, 60)),
            },
          },
        })),
      },
    },
  };
  const blockWith = (command: string) =>
    guideOf("clouds")
      .split(/^```.*\n/m)
      .find((block) => block.includes(command)) ?? "";
  const byOutputs = blockWith("pulumi stack output endpoints");
  const byState = byOutputs.replace(/^pulumi .*\n/m, () => blockWith("pulumi stack export"));
  const bastion = /`-J ("[^`]*")`/.exec(guideOf("clouds"))?.[1];

  test.each([
    ["the outputs", byOutputs],
    ["the state", byState],
  ])("has from %s all that ssh needs", (_, commands) => {
    const folder = mkdtempSync(join(tmpdir(), "timebase-login-"));
    for (const [name, text] of Object.entries(printed)) writeFileSync(join(folder, name), JSON.stringify(text));
    const script = `pulumi() { cat "$2"; }\nssh() { echo "$*"; }\n${commands}\necho ${bastion}\n`;
    const said = execFileSync("sh", ["-eu", "-c", script], { cwd: folder, encoding: "utf8" });
    const [key, known] = ["key", "known"].map((kind) => readFileSync(join(folder, `server-1.${kind}`), "utf8"));
    rmSync(folder, { recursive: true });
    expect(said).toMatch(/ ubuntu@192\.0\.2\.11\njump@bastion:2222\n$/);
    expect([key?.trim(), known]).toEqual([PRIVATE_KEY.trim(), `192.0.2.11 ${HOST_KEY}\n`]);
  });

  test.each(exampleNames())("exports what is there: %s has hosts where it has a cluster", (name) => {
    const program = readFileSync(join(exampleFolder(name), "index.ts"), "utf8");
    expect(program.includes("new ExperimentCluster(")).toBe(/^const hosts = /m.test(program));
  });
});

test("a host whose packets are dropped is dialed as often and as long as is said", () => {
  const waited = 600; // the default of connectTimeoutSeconds
  const failures = dialErrorLimit(waited);
  const seconds = waited + failures * PER_DIAL_TIMEOUT_SECONDS;
  const said = guideOf("clouds").replaceAll(/\s+/g, " ");
  expect(said).toContain(`\`Dial N/${failures} failed: retrying\``);
  expect(said).toContain(`By default that takes ${Math.round(seconds / 60)} minutes.`);
});

describe("the tables of machines", () => {
  const yesNo = (is: boolean) => (is ? "yes" : "no");
  const named = <T>(table: Readonly<Record<string, T>>, is: (row: T) => boolean) =>
    Object.entries(table)
      .filter(([, row]) => is(row))
      .map(([name]) => name);
  const cases = [
    [true, true],
    [true, false],
    [false, true],
  ] as const;

  test.each(cases)("of Amazon's families, with nested virtualization %s and a clock %s", (nested, phc) => {
    const families = named(FAMILIES, (family) => family.nested === nested && family.phc === phc);
    expect(guideOf("aws")).toContain(`| ${families.join(", ")} | ${yesNo(nested)} | ${yesNo(phc)} |\n`);
  });

  test.each(cases)("of Google's series, with nested virtualization %s and a clock %s", (nested, ptpKvm) => {
    const series = named(SERIES, (it) => it.nested === nested && it.ptpKvm === ptpKvm);
    expect(guideOf("gcp")).toContain(`| ${series.join(", ")} | ${yesNo(nested)} | ${yesNo(ptpKvm)} |\n`);
  });

  test("of the clock without a placement group, and of the day", () => {
    const words = guideOf("aws").replaceAll(/\s+/g, " ");
    const families = named(FAMILIES, ({ phcWithoutGroup }) => phcWithoutGroup).join(", ");
    expect(words).toContain(`${families} have it without one in ${PHC_REGIONS.join(", ")}.`);
    expect(words).toContain(`as of ${AWS_AS_OF}`);
    expect(guideOf("gcp")).toContain(`as of ${GCP_AS_OF}`);
  });
});
