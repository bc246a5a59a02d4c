import { setTimeout } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";
import { afterEach, describe, expect, test, vi } from "vitest";
import {
  ExperimentCluster,
  type ExperimentClusterArgs,
  HostClock,
  type HostEndpointArgs,
  ProveWhen,
  type RebootPolicy,
  SshHost,
  type SshHostArgs,
  TimeRole,
  Topology,
} from "../../components";
import { hosts } from "../unit/support/cluster";
import { printed } from "../unit/support/evidence";
import { failing } from "../unit/support/failures";
import { finishProgram, healthy, inputsOf, namesOf, startEngine } from "../unit/support/mocks";
import { isKnown, isSecretOutput, resolved } from "../unit/support/outputs";

afterEach(finishProgram);

/** A promise that the test resolves. */
function openPromise<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

describe("a proof", () => {
  const triggersOf = async (args: Partial<ExperimentClusterArgs>, command = "prove", preview = false) => {
    const registered = startEngine({ preview });
    await resolved(new ExperimentCluster("c", { hosts, ...args }).urn);
    await finishProgram();
    return inputsOf(registered, `c-node-2-${command}`).triggers;
  };

  // The trigger of each run differs, so the engine replaces the command, and nothing but it.
  test("runs again at each up, where that is asked for, and nothing else does", async () => {
    const first = await triggersOf({ prove: ProveWhen.EveryUp });
    await setTimeout(2);
    const second = await triggersOf({ prove: pulumi.output(ProveWhen.EveryUp) });
    expect([first, second]).toEqual([[expect.any(String)], [expect.any(String)]]);
    expect(second).not.toEqual(first);
    expect(await triggersOf({ prove: ProveWhen.EveryUp }, "prove", true)).toEqual([expect.any(String)]);
    expect(await triggersOf({ prove: ProveWhen.EveryUp }, "converge")).toBeUndefined();
  });

  test("has no trigger by default", async () => {
    expect(await triggersOf({})).toBeUndefined();
    expect(await triggersOf({ prove: ProveWhen.OnChange })).toBeUndefined();
  });
});

describe("a cluster", () => {
  test("has one clock a host, and all names start with their parent's", async () => {
    const registered = startEngine({ preview: false });
    await resolved(new ExperimentCluster("c", { hosts }).ready);
    const suffixes = ["", "-toolkit", "-converge", "-prove"];
    expect(registered.map(({ name }) => name).sort()).toEqual(
      ["c", ...hosts.flatMap(({ name }) => suffixes.map((suffix) => `c-${name}${suffix}`))].sort(),
    );
  });

  test("gives every host what it knows of boot parameters", async () => {
    const registered = startEngine({ preview: false });
    const known = { override: true, force: true, required: false, revertReboot: true };
    await resolved(new ExperimentCluster("c", { hosts, ...known }).ready);
    for (const { name } of hosts) {
      expect(inputsOf(registered, `c-${name}-converge`).stdin).toContain(
        "boot-override=yes\nboot-force=yes\nboot-required=no\n",
      );
      expect(inputsOf(registered, `c-${name}-reverted`).create).toContain(" before ");
    }
  });

  test("sums its hosts up, legibly", async () => {
    startEngine({ preview: false });
    const cluster = new ExperimentCluster("c", { hosts });
    expect(await resolved(cluster.ready)).toBe(true);
    expect(await resolved(cluster.timescale)).toBe("hub:node-1");
    expect(await resolved(cluster.pairwiseBoundNs)).toBe(824_000);
    expect((await resolved(cluster.summary)).hosts.map(({ name }) => name)).toEqual(["node-1", "node-2", "node-3"]);
    expect((await resolved(cluster.hosts)).map(({ owner }) => owner)).toContain("demo/local/c-node-3");
    const guests = await resolved(cluster.guestChronyConfs);
    expect(Object.keys(guests)).toEqual(["node-1", "node-2", "node-3"]);
    expect(guests["node-2"]).toContain(" delay 0.002000000 ");
    expect(await isSecretOutput(cluster.summary)).toBe(false);
    expect(await isSecretOutput(cluster.ready)).toBe(false);
    expect(await isSecretOutput(cluster.guestChronyConfs)).toBe(false);
  });

  test("takes endpoints that are not known yet", async () => {
    const registered = startEngine({ preview: false });
    const made = hosts.map(({ name, endpoint }) => {
      const args = { ...endpoint, name: undefined, address: pulumi.output(endpoint.address) };
      return { name, endpoint: new SshHost(name, args).endpoint };
    });
    const cluster = new ExperimentCluster("c", { hosts: made });
    expect(await resolved(cluster.ready)).toBe(true);
    expect(inputsOf(registered, "c-node-2-converge").stdin).toContain("server 10.77.0.11 iburst");
    expect(await isSecretOutput(cluster.summary)).toBe(false);
  });

  test("has its hosts begin when the last machine is there, and then go side by side", async () => {
    const started: string[] = [];
    const lastAddress = openPromise<string>();
    const allConverge = openPromise<void>();
    startEngine({
      preview: false,
      // Ends only if all hosts converge at once.
      wait: async (name) => {
        started.push(name);
        if (started.filter((other) => other.endsWith("-converge")).length === hosts.length) allConverge.resolve();
        if (name.endsWith("-converge")) await allConverge.promise;
      },
    });
    const late = hosts.map(({ name, endpoint }, index) => ({
      name,
      endpoint: { ...endpoint, address: index === 2 ? pulumi.output(lastAddress.promise) : endpoint.address },
    }));
    const cluster = new ExperimentCluster("c", { hosts: late, network: "10.77.0.0/24" });
    await setTimeout(50);
    expect(started.sort()).toEqual(["c", "c-node-1", "c-node-2", "c-node-3"]);
    lastAddress.resolve("203.0.113.3");
    expect(await resolved(cluster.ready)).toBe(true);
  });

  // Else a change of one machine would be shown as a change of every host.
  test("shows a host in a preview although another machine is not known yet", async () => {
    const registered = startEngine({ preview: true });
    const other = new HostClock("other", { endpoint: hosts[0]?.endpoint as HostEndpointArgs, timeRole: TimeRole.Hub });
    const unknown = { name: "node-4", endpoint: other.evidence.apply(() => hosts[1]?.endpoint as HostEndpointArgs) };
    await resolved(new ExperimentCluster("c", { hosts: [...hosts, unknown], network: "10.77.0.0/24" }).urn);
    await finishProgram();
    expect(inputsOf(registered, "c-node-2-converge").stdin).toContain("host=node-2\n");
    expect(inputsOf(registered, "c-node-4-converge").stdin).not.toBeTypeOf("string");
  });

  test("is not ready in a preview, and fails nothing", async () => {
    const registered = startEngine({ preview: true });
    const cluster = new ExperimentCluster("c", { hosts });
    expect(await isKnown(cluster.ready)).toBe(false);
    expect(await isKnown(cluster.summary)).toBe(false);
    expect(registered.filter(({ type }) => type === "command:remote:Command")).toHaveLength(6);
  });

  test("may be one host alone", async () => {
    const registered = startEngine({ preview: false });
    const cluster = new ExperimentCluster("c", { hosts: hosts.slice(0, 1), maxPairwiseMicros: 1, measurePairs: true });
    expect(await resolved(cluster.ready)).toBe(true);
    expect(await resolved(cluster.pairwiseBoundNs)).toBeUndefined();
    expect(registered.filter(({ name }) => name.endsWith("-together"))).toEqual([]);
  });
});

describe("the gate", () => {
  const paired = { hosts, maxPairwiseMicros: 2000 };
  /** Each time that a host is read gives the next of its evidences. */
  const readings = (changes: Record<string, object[]>) => (plan: string) => {
    const next = changes[/^host=(.*)$/m.exec(plan)?.[1] ?? ""]?.shift() ?? {};
    return JSON.stringify({ ...JSON.parse(healthy(plan)), ...next });
  };

  // Naive: the bounds of the proofs are added up at the newest instant. One host needed no reboot, and another took a minute.
  test("reads all hosts once more, together, when the last is proved", async () => {
    const read = { driftPpb: 50_123, asOf: "2026-11-23T18:27:00Z" };
    const proofs = {
      "node-1": [{ ...read, asOf: "2026-11-23T18:25:00Z" }, read],
      "node-2": [read, read],
      "node-3": [read, read],
    };
    const registered = startEngine({ preview: false, prove: readings(proofs) });
    const cluster = new ExperimentCluster("c", paired);
    expect(await resolved(cluster.ready)).toBe(true);
    expect(await resolved(cluster.pairwiseBoundNs)).toBe(824_000);
    const gates = registered.filter(({ name }) => name.endsWith("-together"));
    expect(gates.map(({ name }) => name).sort()).toEqual([
      "c-node-1-together",
      "c-node-2-together",
      "c-node-3-together",
    ]);
    const { create, stdin } = inputsOf(registered, "c-node-2-prove");
    expect(inputsOf(registered, "c-node-2-together")).toMatchObject({
      create,
      stdin: stdin.replace("time-settle-error-ns=1000000\n", "time-together=yes\n"),
      triggers: [expect.stringMatching(/^[0-9a-f]{12}$/)],
    });
  });

  // Naive: a proof that has passed says nothing more. That a host was not within its budget all the time fails none.
  test("says what did not hold since the last proofs, of each host and of the widest pair", async () => {
    const warned = vi.spyOn(pulumi.log, "warn").mockResolvedValue();
    const held = { heldSince: "2026-11-23T18:00:00Z", heldBoundNs: 1_500_000, heldReason: "" };
    const check = { id: "time.held", verdict: "warn", expected: "at most 1000 us", found: "1500.0 us", remedy: "look" };
    const reading = { ...held, checks: [check] };
    startEngine({ preview: false, prove: readings({ "node-1": [held, held], "node-2": [reading, reading] }) });
    const cluster = new ExperimentCluster("c", { ...paired, hosts: hosts.slice(0, 2) });
    expect(await resolved(cluster.ready)).toBe(true);
    expect(warned.mock.calls.map(([text]) => text)).toEqual([
      expect.stringMatching(/^node-2: at most 1000 us, found 1500.0 us, until \S+Z; look$/),
      expect.stringMatching(
        /^node-1 and node-2: at most 2000 us apart, found up to 3000.0 us, .* between \S+Z and \S+Z$/,
      ),
    ]);
    warned.mockRestore();
  });

  // Naive: what a host is within at once is all that is asked of it, and the sum of two is judged, and fails, a moment too early.
  test("has each host wait for its half of a pair's budget before; all of it where the other one defines the time", async () => {
    const awaited = async (of: typeof hosts, more = {}) => {
      const registered = startEngine({ preview: false });
      await resolved(new ExperimentCluster("c", { hosts: of, maxPairwiseMicros: 2000.5, ...more }).ready);
      await finishProgram();
      return of.map(({ name }) => /settle-error-ns=(.*)/.exec(inputsOf(registered, `c-${name}-prove`).stdin)?.[1]);
    };
    const two = hosts.slice(0, 2);
    expect(await awaited(hosts)).toEqual(["1000250", "1000250", "1000250"]);
    expect(await awaited(two)).toEqual(["2000500", "2000500"]);
    expect(await awaited(two, { sources: [] })).toEqual(["2000500", "2000500"]);
    expect(await awaited(two.slice(0, 1))).toEqual(["2000500"]); // so it is not proved anew when the other one leaves
    expect(await awaited(two, { sources: [{ address: "192.0.2.1" }] })).toEqual(["1000250", "1000250"]);
    expect(await awaited(two, { topology: Topology.Provider })).toEqual(["1000250", "1000250"]);
  });

  test("has the pairs measured, waits for that when all hosts are there, and only then", async () => {
    const registered = startEngine({ preview: false });
    const cluster = new ExperimentCluster("c", { hosts, measurePairs: true });
    expect(await resolved(cluster.ready)).toBe(true);
    expect((await resolved(cluster.hosts))[2]?.pairs?.map(({ host }) => host)).toEqual(["node-1", "node-2"]);
    const { stdin } = inputsOf(registered, "c-node-2-prove");
    expect(stdin).not.toContain("time-await-pairs");
    expect(inputsOf(registered, "c-node-2-together").stdin).toBe(`${stdin}time-together=yes\ntime-await-pairs=yes\n`);
  });

  test("names the host that the others contradict, however small its bound is", async () => {
    const reason = `cluster "c" is not ready:
  node-3 and node-2: node-3 has measured node-2 to be 5100.0 us behind, within 20.0 us, and their bounds allow 830.0 us; node-2 is wrong, or its bound is`;
    await failing(reason, async () => {
      // node-2 is 5 ms behind the others.
      const late = (pair: { host: string; offsetNs: number }, own: string) => ({
        ...pair,
        offsetNs: own === "node-2" ? 4_900_000 : pair.host === "node-2" ? -5_100_000 : pair.offsetNs,
      });
      const prove = (plan: string) => {
        const { pairs = [], ...rest } = JSON.parse(healthy(plan));
        return JSON.stringify({ ...rest, pairs: pairs.map((pair: never) => late(pair, rest.host)) });
      };
      startEngine({ preview: false, prove });
      const cluster = new ExperimentCluster("c", { hosts, measurePairs: true });
      await expect(resolved(cluster.ready)).rejects.toThrow(reason);
    });
  });

  // Naive: what no evidence has refutes nothing.
  test("fails where a pair was not measured", async () => {
    const reason = "node-3 has not measured node-1 (its evidence has nothing of it)";
    await failing(reason, async () => {
      const mute = (plan: string) => (plan.includes("host=node-3\n") ? plan.replaceAll("time-pair=", "") : plan);
      startEngine({ preview: false, prove: (plan) => healthy(mute(plan)) });
      await expect(resolved(new ExperimentCluster("c", { hosts, measurePairs: true }).ready)).rejects.toThrow(reason);
    });
  });

  test("reads them again as soon as one of them was proved anew, and only then", async () => {
    const triggers = async (changes: Record<string, object[]> = {}) => {
      const registered = startEngine({ preview: false, prove: readings(changes) });
      await resolved(new ExperimentCluster("c", paired).ready);
      await finishProgram();
      return hosts.map(({ name }) => inputsOf(registered, `c-${name}-together`).triggers[0]);
    };
    const first = await triggers();
    expect(new Set(first).size).toBe(1);
    expect(await triggers()).toEqual(first);
    expect(await triggers({ "node-3": [{ asOf: "2026-11-23T18:25:33Z" }] })).not.toContain(first[0]);
  });

  // As README.md and ExperimentCluster.ready say.
  test("holds back what depends on it, and the cluster alone does not", async () => {
    const close = { hosts: hosts.slice(0, 2), maxPairwiseMicros: 1, network: "10.77.0.0/24" };
    await failing("is not ready", async () => {
      const registered = startEngine({ preview: false });
      const cluster = new ExperimentCluster("c", close);
      new HostClock(
        "naive",
        { endpoint: hosts[2]?.endpoint as HostEndpointArgs, timeRole: TimeRole.Hub },
        { dependsOn: cluster },
      );
      const gated = { dependsOn: cluster.ready.apply(() => cluster) };
      new HostClock("gated", { endpoint: hosts[2]?.endpoint as HostEndpointArgs, timeRole: TimeRole.Hub }, gated);
      await expect(resolved(cluster.ready)).rejects.toThrow("is not ready");
      await setTimeout(50);
      const names = registered.map(({ name }) => name);
      expect(names).toContain("naive-converge");
      expect(names).not.toContain("gated-converge");
    });
  });

  test("names every host and every pair that fails", async () => {
    const reason = `cluster "c" is not ready:
  node-3: the error bound of 900.0 us is above the budget of 800 us
  node-1 and node-3: the pairwise bound of 1312.0 us is above the budget of 1000 us
  node-2 and node-3: the pairwise bound of 1312.0 us is above the budget of 1000 us
  what to do: look at the pairs again by \`pulumi up --replace '**-together'\``;
    await failing(reason, async () => {
      const prove = (plan: string) =>
        plan.includes("host=node-3\n") ? printed({ host: "node-3", errorBoundNs: 900_000 }) : healthy(plan);
      startEngine({ preview: false, prove });
      const cluster = new ExperimentCluster("c", { hosts, maxErrorMicros: 800, maxPairwiseMicros: 1000 });
      await expect(resolved(cluster.ready)).rejects.toThrow(reason);
    });
  });

  test("fails across timescales", async () => {
    const reason = "node-1 and node-2: the pairwise bound is unknown (node-1 keeps utc and node-2 keeps hub:node-1)";
    await failing(reason, async () => {
      const prove = (plan: string) =>
        plan.includes("host=node-1\n") ? printed({ host: "node-1", timescale: "utc" }) : healthy(plan);
      startEngine({ preview: false, prove });
      await expect(resolved(new ExperimentCluster("c", { hosts }).ready)).rejects.toThrow(reason);
    });
  });
});

describe("wrong inputs", () => {
  test("are refused all at once, before anything is registered", () => {
    const registered = startEngine({ preview: false });
    const twice = [hosts[0], hosts[0]] as ExperimentClusterArgs["hosts"];
    const make = () => new ExperimentCluster("c", { hosts: twice, hubs: ["node-9"], reboot: "maybe" as RebootPolicy });
    expect(make).toThrow(pulumi.InputPropertiesError);
    expect(make).toThrow(`ExperimentCluster "c" has 4 input errors:
  reboot: must be one of to-prove, if-needed, never, not "maybe"
  hosts[1].name: "node-1" is the name of hosts[0] already
  hosts[1].endpoint.address: is the machine of hosts[0] already
  hubs[0]: must be the name of a host (node-1, node-1), not "node-9"`);
    expect(registered).toEqual([]);
  });

  // Of an output any property can be asked for, its `name`, too.
  test("in place of a host, or of its name, are refused before anything is registered", async () => {
    const registered = startEngine({ preview: false });
    const host = new SshHost("node-1", { ...hosts[0]?.endpoint, name: undefined } as SshHostArgs);
    const example = 'give a host, such as { name: "server-1", endpoint: host.endpoint }';
    for (const [given, reason] of [
      [[host.endpoint], `hosts[0]: is an output: ${example}`],
      [[Promise.resolve(hosts[0])], `hosts[0]: is an output: ${example}`],
      [[hosts[1], host], `hosts[1]: is a whole resource: ${example}`],
      [pulumi.output(hosts), "hosts: must be plain hosts, because it decides which resources there are"],
      [
        [{ ...hosts[0], name: pulumi.output("node-1") }],
        "hosts[0].name: must be plain text, because it decides which resources there are",
      ],
    ] as const) {
      const make = () => new ExperimentCluster("c", { hosts: given as never });
      expect(make).toThrow(`ExperimentCluster "c" has 1 input error:\n  ${reason}`);
    }
    await resolved(host.urn);
    expect(namesOf(registered)).toEqual(["node-1"]);
  });

  test("of one host that become known later keep every host from being touched", async () => {
    const reason = "hosts[2].endpoint.address: must be a host name, an IPv4 or an IPv6 address, not what was given";
    await failing(reason, async () => {
      const registered = startEngine({ preview: false });
      const address = pulumi.output(setTimeout(50, "a b"));
      const late = hosts.map(({ name, endpoint }, index) => ({
        name,
        endpoint: index === 2 ? { ...endpoint, address } : endpoint,
      }));
      const cluster = new ExperimentCluster("c", { hosts: late, network: "10.77.0.0/24" });
      const error = await resolved(cluster.ready).catch((thrown: Error) => thrown);
      await setTimeout(50);
      expect(registered.map(({ name }) => name).sort()).toEqual(["c", "c-node-1", "c-node-2", "c-node-3"]);
      // Each command that was held back has failed with it, and the SDK adds a prefix each time.
      expect(error).toMatchObject({ message: `ExperimentCluster "c" has 1 input error:\n  ${reason}` });
    });
  });

  test("that become known later are refused then", async () => {
    const reason = "maxPairwiseMicros: must be 0.001 to 10000000 microseconds, not -1";
    await failing(reason, async () => {
      startEngine({ preview: false });
      const cluster = new ExperimentCluster("c", { hosts, maxPairwiseMicros: pulumi.output(-1) });
      await expect(resolved(cluster.ready)).rejects.toThrow(reason);
    });
  });
});
