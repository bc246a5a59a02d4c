import * as pulumi from "@pulumi/pulumi";
import { afterEach, describe, expect, test } from "vitest";
import {
  AwsHost,
  Delivery,
  ExperimentCluster,
  type ExperimentClusterArgs,
  firstBootPlan,
  GcpHost,
  OperatingSystem,
  SshHost,
  Topology,
  toolkitArchive,
} from "../../components";
import { dialErrorLimit } from "../../components/remote/dial";
import { firstBootScript } from "../../components/remote/firstBoot";
import { userTexts } from "../../rig/cloud-provider/userTexts";
import { aws, gcp } from "../unit/support/clouds";
import { failing } from "../unit/support/failures";
import { HOST_KEY } from "../unit/support/keys";
import {
  finishProgram,
  inputsOf,
  isSecret,
  namesOf,
  optionsRecorder,
  type Registered,
  revealed,
  startEngine,
} from "../unit/support/mocks";
import { isKnown, resolved } from "../unit/support/outputs";

afterEach(finishProgram);

const cloud = { resources: { ...aws.resources, ...gcp.resources }, functions: { ...aws.functions, ...gcp.functions } };
const clock = {
  delivery: Delivery.CloudInit,
  toolkitUrl: "https://example.test/toolkit",
  topology: Topology.Provider,
  maxErrorMicros: 500,
} as const satisfies Partial<ExperimentClusterArgs>;
const least = { operatingSystem: OperatingSystem.Ubuntu2204, sshFrom: ["198.51.100.7/32"], guests: true };
/** A key like any other, of another value. */
const OTHER_KEY = HOST_KEY.replace(/.{8}$/, "AAAAAAAA");
type Options = Record<string, pulumi.CustomResourceOptions>;

/** One host in each cloud, told `told`, in a cluster with `args`. */
function program(
  args: Partial<ExperimentClusterArgs> = {},
  told: Partial<ExperimentClusterArgs> = args,
  options: Options = {},
) {
  const transformations = [optionsRecorder(options)];
  const given = (name: string) => ({ ...least, firstBoot: firstBootPlan("c", name, { ...clock, ...told }) });
  const hosts = [
    { name: "a", endpoint: new AwsHost("a", given("a"), { transformations }).endpoint },
    { name: "g", endpoint: new GcpHost("g", given("g"), { transformations }).endpoint },
  ];
  return new ExperimentCluster("c", { hosts, ...clock, ...args }, { transformations });
}

async function made(args: Partial<ExperimentClusterArgs> = {}, options: Options = {}): Promise<Registered[]> {
  const registered = startEngine({ preview: false, cloud });
  expect(await resolved(program(args, args, options).ready)).toBe(true);
  await finishProgram();
  return registered;
}

/** What cloud-init of an instance reads. */
const toldBy = ({ userDataBase64, metadata }: Registered["inputs"]): string =>
  userTexts({ userDataBase64: revealed(userDataBase64), metadata: revealed(metadata) }).userData;
const configOf = (told: string) => JSON.parse(told.replace(/^#cloud-config\n# .*\n/, ""));
const scriptOf = (told: string) =>
  configOf(told).write_files.find(({ path }: { path: string }) => path.endsWith("/script")).content;

describe("a cluster that converges at the first boot", () => {
  test("has two resources a host, of which nobody dials for one", async () => {
    const registered = await made();
    const commands = registered.filter(({ type }) => type.startsWith("command:"));
    expect(namesOf(commands).sort()).toEqual(["c-a-converge", "c-a-prove", "c-g-converge", "c-g-prove"]);
    for (const host of ["a", "g"]) {
      const { create, update, delete: revert } = inputsOf(registered, `c-${host}-converge`);
      expect(create).toBeUndefined();
      expect([update, revert]).toEqual([expect.stringContaining(" converge"), expect.stringContaining(" revert")]);
    }
  });

  test("tells each machine its plan in either cloud, but for what is not known before the machine", async () => {
    const registered = await made();
    const told = {
      a: scriptOf(toldBy(inputsOf(registered, "a-instance"))),
      g: scriptOf(toldBy(inputsOf(registered, "g-instance"))),
    };
    for (const [name, script] of Object.entries(told)) {
      const { stdin } = inputsOf(registered, `c-${name}-converge`);
      expect(stdin).toMatch(new RegExp(`^generation=\\S*${name}-instance\\S* [0-9a-f]{12}$`, "m"));
      const [toolkit = "", ...plan] = stdin.replace(/^generation=.*\n/m, "").split("\n");
      expect(script).toBe(firstBootScript(clock.toolkitUrl, plan.join("\n")));
      const { name: file, sha256 } = toolkitArchive();
      expect(toolkit).toBe(`${sha256} https://example.test/toolkit/${file}`);
      expect(plan).toEqual(expect.arrayContaining([`owner=demo/local/c-${name}`, `host=${name}`, "time-source=auto"]));
      // One text for both, so that what was proved is what was told.
      expect(inputsOf(registered, `c-${name}-prove`).stdin).toBe(stdin);
      expect(isSecret(stdin)).toBe(false);
    }
  });

  test("takes an eighth of what EC2 takes of user data, and is secret there, too", async () => {
    const { userData, userDataBase64 } = inputsOf(await made(), "a-instance");
    expect(userData).toBeUndefined();
    expect(isSecret(userDataBase64)).toBe(true);
    expect(Buffer.from(revealed(userDataBase64), "base64").length).toBeLessThan(2_048);
  });

  // As text it would be longer than EC2 takes, of which the mocks refuse more.
  test("tells a machine a plan of hundreds of time sources", async () => {
    const sources = Array.from({ length: 300 }, (_, index) => ({ address: `time-${index}.example.org` }));
    const told = toldBy(inputsOf(await made({ sources }), "a-instance"));
    expect(told.length).toBeGreaterThan(16_384);
    expect(scriptOf(told)).toContain("time-source=server time-299.example.org");
  });

  test("replaces no machine for another plan or toolkit, and one for another login or system", async () => {
    const options: Options = {};
    await made({}, options);
    expect(options["a-instance"]?.ignoreChanges).toEqual(expect.arrayContaining(["userData", "userDataBase64"]));
    expect(options["g-instance"]?.ignoreChanges).toContain('metadata["user-data"]');
    const triggers = async (more: object, args: Partial<ExperimentClusterArgs> = {}) => {
      const recorded: Options = {};
      startEngine({ preview: false, cloud });
      const transformations = [optionsRecorder(recorded)];
      const firstBoot = firstBootPlan("c", "a", { ...clock, ...args });
      await resolved(new AwsHost("a", { ...least, firstBoot, ...more }, { transformations }).endpoint);
      await resolved(new GcpHost("g", { ...least, firstBoot, ...more }, { transformations }).endpoint);
      await finishProgram();
      return Promise.all(
        ["a", "g"].map((name) => resolved(pulumi.output(recorded[`${name}-instance`]?.replacementTrigger))),
      );
    };
    const before = await triggers({});
    expect(before).toEqual([
      [true, false, false, false, false, expect.stringMatching(/^[0-9a-f]{64}$/)],
      expect.stringMatching(/^[0-9a-f]{64}$/),
    ]);
    expect(await triggers({}, { maxErrorMicros: 9, toolkitUrl: "https://elsewhere.test" })).toEqual(before);
    for (const more of [{ publicKey: OTHER_KEY }, { operatingSystem: OperatingSystem.Ubuntu2404 }]) {
      const [awsTrigger, gcpTrigger] = await triggers(more);
      expect([awsTrigger, gcpTrigger]).not.toContainEqual(before[0]);
      expect(gcpTrigger).not.toEqual(before[1]);
    }
    // A machine that was told nothing has to be made anew to be told something.
    expect(await triggers({ firstBoot: undefined })).toEqual([[true, false, false, false, false], "told nothing"]);
  });

  test("has patience for the first boot and for its reboot, whoever dials", async () => {
    const registered = await made({ connectTimeoutSeconds: 100, rebootTimeoutSeconds: 200 });
    const limits = ["c-a-prove", "c-a-converge"].map(
      (name) => revealed(inputsOf(registered, name).connection).dialErrorLimit,
    );
    expect(limits).toEqual([dialErrorLimit(300), dialErrorLimit(300)]);
  });

  test("proves its hosts together like any other", async () => {
    const registered = await made({ maxPairwiseMicros: 5000 });
    expect(inputsOf(registered, "c-a-together").create).toBe(inputsOf(registered, "c-a-prove").create);
  });

  test("is previewed: what machines are told is known, how to reach them is not", async () => {
    startEngine({ preview: true, cloud });
    const { ready } = program();
    expect(await isKnown(ready)).toBe(false);
    expect(await resolved(firstBootPlan("c", "a", clock))).toContain("time-max-error-ns=500000\n");
  });

  test("refuses a machine that is told another plan, before anybody dials", async () => {
    const reason =
      'HostClock "c-a" has 1 input error:\n  endpoint.firstBoot: the machine of "a" is told another plan at its first boot than ' +
      "that of \"c-a\": give its host firstBoot: firstBootPlan(cluster, host, args) with this cluster's name, this host's and the " +
      "same arguments";
    await failing("is told another plan", async () => {
      const registered = startEngine({ preview: false, cloud });
      // Whole, as the SDK writes before it for each command that waits.
      await expect(resolved(program({}, { maxErrorMicros: 400 }).ready)).rejects.toMatchObject({ message: reason });
      expect(namesOf(registered).filter((name) => name.endsWith("-prove"))).toEqual([]);
    });
  });

  test("refuses a host that has no first boot", async () => {
    const reason = "hosts[0].endpoint.firstBoot: is required with Delivery.CloudInit";
    await failing(reason, async () => {
      startEngine({ preview: false, cloud });
      const { endpoint } = new SshHost("s", { address: "192.0.2.1", hostKey: HOST_KEY });
      const cluster = new ExperimentCluster("c", { hosts: [{ name: "s", endpoint }], ...clock });
      await expect(resolved(cluster.ready)).rejects.toThrow(reason);
    });
  });
});
