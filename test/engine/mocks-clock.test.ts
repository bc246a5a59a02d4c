import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import {
  GuestPtp,
  HostClock,
  OperatingSystem,
  PtpVerification,
  RebootPolicy,
  SshHost,
  TimeRole,
  TimeSourceKind,
  TimeSync,
  TscClocksource,
} from "../../components";
import { printed } from "../unit/support/evidence";
import { failing } from "../unit/support/failures";
import { HOST_KEY, PRIVATE_KEY } from "../unit/support/keys";
import { finishProgram, inputsOf, isSecret, revealed, startEngine } from "../unit/support/mocks";
import { isKnown, isSecretOutput, resolved } from "../unit/support/outputs";

afterEach(finishProgram);

const endpoint = { name: "node-1", address: "203.0.113.1", hostKey: HOST_KEY, privateKey: PRIVATE_KEY };
const sources = [{ address: "ntp.example" }];

const makers = {
  TscClocksource: () => new TscClocksource("a", { endpoint }),
  TimeSync: () => new TimeSync("a", { endpoint, sources }),
  PtpVerification: () => new PtpVerification("a", { endpoint }),
  HostClock: () => new HostClock("a", { endpoint, sources }),
};

describe.each(Object.entries(makers))("%s", (type, make) => {
  test("is a component with three commands whose names start with its own", async () => {
    const registered = startEngine({ preview: false });
    await resolved(make().evidence);
    expect(registered.map(({ type, name }) => [type, name])).toEqual([
      [`timebase:index:${type}`, "a"],
      ["command:remote:CopyToRemote", "a-toolkit"],
      ["command:remote:Command", "a-converge"],
      ["command:remote:Command", "a-prove"],
    ]);
  });

  test("keeps the key secret, and the plan and the evidence legible", async () => {
    const registered = startEngine({ preview: false });
    const { evidence } = make();
    await resolved(evidence);
    for (const child of ["a-toolkit", "a-converge", "a-prove"]) {
      expect(isSecret(inputsOf(registered, child).connection)).toBe(true);
    }
    for (const child of ["a-converge", "a-prove"]) {
      expect(isSecret(inputsOf(registered, child).stdin)).toBe(false);
    }
    const { connection: _, ...rest } = inputsOf(registered, "a-prove");
    expect(JSON.stringify(rest)).not.toContain("PRIVATE KEY");
    expect(await isSecretOutput(evidence)).toBe(false);
  });

  test("knows nothing in a preview, and fails nothing", async () => {
    const registered = startEngine({ preview: true });
    const component = make();
    expect(await isKnown(component.evidence)).toBe(false);
    expect(await resolved(component.urn)).toContain(`timebase:index:${type}::a`);
    expect(registered).toHaveLength(4);
  });
});

describe("HostClock", () => {
  const make = (more: object = {}) =>
    new HostClock("a", { endpoint, sources, operatingSystem: OperatingSystem.Debian12, ...more });

  test("sends the whole plan to converge, and adds what converge answered for prove", async () => {
    const registered = startEngine({ preview: false });
    await resolved(make({ guestPtp: GuestPtp.Reported, reboot: RebootPolicy.IfNeeded }).evidence);
    const plan = inputsOf(registered, "a-converge").stdin.replace(/generation=[0-9a-f]{12}\n/, "");
    expect(plan).toBe(
      `timebase-plan=1
owner=demo/local/a
host=node-1
os=debian-12
clocksource=tsc
boot-parameter=clocksource=tsc
boot-parameter=tsc=reliable
reboot=if-needed
time-role=client
time-source=server ntp.example iburst
timescale=utc
time-max-error-ns=1000000
time-settle-seconds=120
guest-ptp=reported
`,
    );
    expect(inputsOf(registered, "a-prove").stdin).toBe(
      inputsOf(registered, "a-converge").stdin +
        "converged-boot-id=0a1b2c3d-0000-4000-8000-000000000000\nconverged-reboot=ordered\n",
    );
  });

  test("adds the boot parameter that a source needs", async () => {
    const registered = startEngine({ preview: false });
    await resolved(make({ sources: [{ kind: TimeSourceKind.AwsPhc }] }).evidence);
    const { stdin } = inputsOf(registered, "a-converge");
    expect(stdin).toContain("boot-parameter=tsc=reliable\nboot-parameter=ena.phc_enable=1\nreboot=");
    expect(stdin).toContain("\ntime-source=aws-phc\n");
  });

  test("takes no copy for a toolkit that lost its content in a power cut", async () => {
    const registered = startEngine({ preview: false });
    await resolved(make().evidence);
    const { create } = inputsOf(registered, "a-converge");
    const home = mkdtempSync(join(tmpdir(), "timebase-copy-"));
    const toolkit = join(home, /\.timebase-[0-9a-f]+/.exec(create)?.[0] ?? "", "toolkit");
    mkdirSync(toolkit, { recursive: true });
    const converge = () => spawnSync("sh", ["-c", create], { cwd: home, encoding: "utf8" });
    writeFileSync(join(toolkit, "timebase"), "echo converged");
    expect(converge()).toMatchObject({ status: 0, stdout: "converged\n" });
    writeFileSync(join(toolkit, "timebase"), "");
    // The naive command succeeds.
    expect(spawnSync("sh", [join(toolkit, "timebase"), "converge"]).status).toBe(0);
    expect(converge()).toMatchObject({ status: 1, stderr: expect.stringContaining("--replace '**-toolkit'") });
    rmSync(home, { recursive: true });
  });

  test("has short, constant commands, pinned connections and a patience for each phase", async () => {
    const registered = startEngine({ preview: false });
    await resolved(make({ connectTimeoutSeconds: 11, rebootTimeoutSeconds: 600 }).evidence);
    const { connection: _, stdin: __, ...converge } = inputsOf(registered, "a-converge");
    expect(converge).toEqual({
      create: expect.stringMatching(/^\[ -s (\.timebase-[0-9a-f]{12}\/toolkit\/timebase) \] .*\nsh \1 converge$/),
      delete: expect.stringContaining("sh $t/timebase revert"),
      logging: "stderr",
      addPreviousOutputInEnv: false,
    });
    const patience = ["a-toolkit", "a-converge", "a-prove"].map(
      (child) => revealed(inputsOf(registered, child).connection).dialErrorLimit,
    );
    expect(patience).toEqual([10, 10, 128]);
    expect(revealed(inputsOf(registered, "a-prove").connection)).toEqual({
      host: "203.0.113.1",
      port: 22,
      user: "root",
      hostKey: HOST_KEY,
      privateKey: PRIVATE_KEY,
      dialErrorLimit: 128,
      perDialTimeout: 15,
    });
  });

  test("goes through a pinned bastion", async () => {
    const registered = startEngine({ preview: false });
    const proxy = { address: "bastion.example", user: "jump", privateKey: PRIVATE_KEY, hostKey: `bastion ${HOST_KEY}` };
    await resolved(make({ endpoint: { ...endpoint, proxy } }).evidence);
    expect(revealed(inputsOf(registered, "a-toolkit").connection).proxy).toEqual({
      host: "bastion.example",
      port: 22,
      user: "jump",
      privateKey: PRIVATE_KEY,
      hostKey: HOST_KEY,
      dialErrorLimit: 128,
      perDialTimeout: 15,
    });
  });

  test("runs again on a machine that was started anew", async () => {
    const registered = startEngine({ preview: false });
    await resolved(make({ endpoint: { ...endpoint, generation: "incarnation-2" } }).evidence);
    expect(inputsOf(registered, "a-toolkit").triggers).toEqual(["incarnation-2"]);
    expect(inputsOf(registered, "a-converge").stdin).toMatch(/^generation=incarnation-2 [0-9a-f]{12}$/m);
  });

  test("has typed outputs", async () => {
    startEngine({ preview: false });
    const clock = make();
    expect(await resolved(clock.clocksource)).toBe("tsc");
    expect(await resolved(clock.guestPtp)).toBe("available");
    expect(await resolved(clock.errorBoundNs)).toBe(412_000);
    expect(await resolved(clock.timescale)).toBe("utc");
  });

  test("never takes an unknown figure for a proof", async () => {
    const reason = 'node-2: the proof passed without "errorBoundNs"';
    await failing(reason, async () => {
      startEngine({ preview: false, prove: () => printed({ errorBoundNs: null, errorBoundReason: "no source" }) });
      await expect(resolved(make().errorBoundNs)).rejects.toThrow(reason);
    });
  });

  test("takes an endpoint that is not known yet", async () => {
    const registered = startEngine({ preview: false });
    const host = new SshHost("node-1", { address: pulumi.output("203.0.113.1"), hostKey: HOST_KEY });
    await resolved(new HostClock("a", { endpoint: host.endpoint, timeRole: TimeRole.Hub }).evidence);
    expect(inputsOf(registered, "a-converge").stdin).toContain("timescale=hub:node-1\n");
  });
});

describe("revertReboot", () => {
  const makersOf = {
    TscClocksource: (more: object) => new TscClocksource("a", { endpoint, ...more }),
    HostClock: (more: object) => new HostClock("a", { endpoint, sources, ...more }),
  };

  test.each(Object.entries(makersOf))("gives %s a command between toolkit and converge", async (_, make) => {
    const registered = startEngine({ preview: false });
    await resolved(make({ revertReboot: true, rebootTimeoutSeconds: 11 }).evidence);
    expect(registered.map(({ name }) => name)).toEqual(["a", "a-toolkit", "a-reverted", "a-converge", "a-prove"]);
    const { connection, stdin, ...reverted } = inputsOf(registered, "a-reverted");
    const folder = inputsOf(registered, "a-toolkit").remotePath;
    expect(reverted).toEqual({
      create: expect.stringMatching(new RegExp(`^\\[ -s .*\nsh ${folder}/toolkit/timebase before ${folder}/before$`)),
      delete: expect.stringContaining(`sh ${folder}/toolkit/timebase reverted ${folder}/before`),
      logging: "stderr",
      addPreviousOutputInEnv: false,
    });
    expect(isSecret(connection)).toBe(true);
    expect(revealed(connection).dialErrorLimit).toBe(10);
    expect(stdin).toBe(inputsOf(registered, "a-converge").stdin);
    const revert = inputsOf(registered, "a-converge").delete;
    expect(revert).toContain(`sh $t/timebase revert --reboot ${folder}/before`);
    expect(revert).not.toContain("rm -rf");
  });

  test("changes neither resources nor texts when it is off", async () => {
    const registered = startEngine({ preview: false });
    await resolved(makersOf.HostClock({ revertReboot: false }).evidence);
    expect(registered.map(({ name }) => name)).toEqual(["a", "a-toolkit", "a-converge", "a-prove"]);
    const folder = inputsOf(registered, "a-toolkit").remotePath;
    expect(inputsOf(registered, "a-converge").delete).toMatch(new RegExp(`&& rm -rf ${folder}$`));
    expect(inputsOf(registered, "a-converge").delete).not.toContain("--reboot");
  });

  test("cannot become known later", () => {
    const registered = startEngine({ preview: false });
    const revertReboot = pulumi.output(true) as unknown as boolean;
    expect(() => makersOf.TscClocksource({ revertReboot })).toThrow("revertReboot: must be plain true or false");
    expect(registered).toEqual([]);
  });
});

describe("a host without any TSC", () => {
  const applicable = {
    id: "clocksource.applicable",
    verdict: "not-applicable",
    expected: "tsc",
    found: "",
    remedy: "",
  };
  const prove = () =>
    printed({ clocksource: "arch_sys_counter", bootParametersLive: null, rebooted: null, checks: [applicable] });

  test("is not applicable where it is not required", async () => {
    const registered = startEngine({ preview: false, prove });
    const clocksource = new TscClocksource("a", { endpoint, required: false });
    expect(await resolved(clocksource.clocksource)).toBe("arch_sys_counter");
    expect(await resolved(clocksource.bootParametersLive)).toBeUndefined();
    expect(inputsOf(registered, "a-converge").stdin).toContain("boot-required=no\n");
  });

  test("and a proof that does not say so is not believed", async () => {
    const reason = 'the proof passed without "bootParametersLive"';
    await failing(reason, async () => {
      startEngine({ preview: false, prove: () => printed({ bootParametersLive: null }) });
      await expect(resolved(new TscClocksource("a", { endpoint }).bootParametersLive)).rejects.toThrow(reason);
    });
  });
});

describe("a preview announces the reboot that may come", () => {
  test.each([
    [RebootPolicy.ToProve, 1],
    [RebootPolicy.Never, 0],
  ])("of a host with the policy %s: %i line", async (reboot, lines) => {
    const log = vi.spyOn(console, "log").mockReturnValue();
    startEngine({ preview: true });
    await resolved(new HostClock("a", { endpoint, sources, reboot }).urn);
    await finishProgram();
    const said = log.mock.calls.flat().filter((line) => String(line).includes("a: may reboot once"));
    log.mockRestore();
    expect(said).toHaveLength(lines);
  });

  test("also for a source's device, before the address of another source is known", async () => {
    const log = vi.spyOn(console, "log").mockReturnValue();
    startEngine({ preview: true });
    const { timescale: address } = new TimeSync("other", { endpoint, sources });
    await resolved(new HostClock("a", { endpoint, sources: [{ kind: TimeSourceKind.AwsPhc }, { address }] }).urn);
    await finishProgram();
    const said = log.mock.calls.join();
    log.mockRestore();
    expect(said).toContain("a: may reboot once");
    expect(said).toContain("tsc=reliable ena.phc_enable=1 are not live");
  });
});

test("no value of a plan reaches a command line", async () => {
  const word = fc.stringMatching(/^[a-z]{12,20}$/);
  await fc.assert(
    fc.asyncProperty(word, word, word, word, async (name, address, source, generation) => {
      const registered = startEngine({ preview: false });
      const clock = new HostClock("a", {
        endpoint: { name, address, hostKey: HOST_KEY, generation },
        sources: [{ address: source }],
        revertReboot: true,
      });
      await resolved(clock.evidence);
      const commands = registered.flatMap(({ inputs }) => [inputs.create, inputs.delete, inputs.remotePath]).join("\n");
      for (const value of [name, address, source, generation]) {
        expect(commands).not.toContain(value);
      }
    }),
    { numRuns: 20 },
  );
});

describe("wrong inputs", () => {
  test("are refused all at once, before anything is registered", () => {
    const registered = startEngine({ preview: false });
    const make = () =>
      new HostClock("a", {
        endpoint: { ...endpoint, privateKey: HOST_KEY },
        maxErrorMicros: -1,
        settleTimeoutSeconds: 0,
      });
    expect(make).toThrow(pulumi.InputPropertiesError);
    expect(make).toThrow(
      `HostClock "a" has 4 input errors:
  endpoint.privateKey: is a public key: give the text of the private key file, the one without .pub
  maxErrorMicros: must be 0.001 to 10000000 microseconds, not -1
  settleTimeoutSeconds: must be 1 to 3600 seconds, not 0
  sources: must have a source: a client has no time of its own`,
    );
    expect(registered).toEqual([]);
  });

  test("that hold a key are not in the list whose values the engine prints", () => {
    startEngine({ preview: false });
    const make = () => new HostClock("a", { endpoint: { ...endpoint, hostKey: PRIVATE_KEY, port: 0 }, sources });
    expect(make).toThrow(
      expect.objectContaining({ errors: [expect.objectContaining({ propertyPath: "endpoint.port" })] }),
    );
    expect(make).toThrow("endpoint.hostKey: is a private key; the public half of the host's key is wanted");
  });

  test("that nobody knows are refused, and their values are in no list either", () => {
    startEngine({ preview: false });
    const typo: object = { ...endpoint, privatKey: PRIVATE_KEY, address: PRIVATE_KEY };
    const args = { endpoint: typo as typeof endpoint, sources, maxErorMicros: 1, guestPTP: GuestPtp.Reported };
    const make = () => new HostClock("a", args);
    expect(make).toThrow(`HostClock "a" has 4 input errors:
  endpoint.address: must be a host name, an IPv4 or an IPv6 address, not the text of a private key
  endpoint.privatKey: is not an argument; did you mean privateKey?
  maxErorMicros: is not an argument; did you mean maxErrorMicros?
  guestPTP: is not an argument; did you mean guestPtp?`);
    expect(make).toThrow(expect.objectContaining({ errors: [] }));
  });

  test("a whole host component is no endpoint", () => {
    startEngine({ preview: false });
    const host = new SshHost("node-1", { address: "203.0.113.1", hostKey: HOST_KEY });
    const make = () => new HostClock("a", { endpoint: host as unknown as typeof endpoint, sources });
    expect(make).toThrow(`HostClock "a" has 1 input error:
  endpoint: is a whole resource: give its output that is wanted here, such as its endpoint`);
  });

  test("that become known later are refused then, and reach no command", async () => {
    const reason = "endpoint.address: must be a host name, an IPv4 or an IPv6 address, not what was given";
    await failing(reason, async () => {
      const registered = startEngine({ preview: false });
      const clock = new HostClock("a", { endpoint: { ...endpoint, address: pulumi.output("a b") }, sources });
      await expect(resolved(clock.evidence)).rejects.toThrow(reason);
      expect(registered.map(({ name }) => name)).toEqual(["a"]);
    });
  });
});

test("the mocks fail closed", async () => {
  const reason = "unexpected resource type stranger:index:Thing";
  await failing(reason, async () => {
    startEngine({ preview: false });
    await expect(resolved(new pulumi.ComponentResource("stranger:index:Thing", "a", {}).urn)).rejects.toThrow(reason);
  });
});
