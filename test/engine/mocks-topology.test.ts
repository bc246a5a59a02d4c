import * as pulumi from "@pulumi/pulumi";
import { afterEach, describe, expect, test } from "vitest";
import { ExperimentCluster, type ExperimentClusterArgs, TimeKeyType, Topology } from "../../components";
import { host, hosts } from "../unit/support/cluster";
import { finishProgram, inputsOf, isSecret, revealed, startEngine } from "../unit/support/mocks";
import { isSecretOutput, resolved } from "../unit/support/outputs";

afterEach(finishProgram);

async function planned(args: Partial<ExperimentClusterArgs>): Promise<(host: string) => string[]> {
  const registered = startEngine({ preview: false });
  await resolved(new ExperimentCluster("c", { hosts, ...args }).ready);
  return (name) =>
    inputsOf(registered, `c-${name}-converge`)
      .stdin.split("\n")
      .filter((line: string) => /^(host|owner|time-(role|source|allow|ptp|pair)|timescale)=/.test(line));
}

describe("the hub topology", () => {
  test("has the first host serve the others, by the addresses that they have", async () => {
    const plan = await planned({});
    expect(plan("node-1")).toEqual([
      "owner=demo/local/c-node-1",
      "host=node-1",
      "time-role=hub",
      "time-allow=10.77.0.12/32",
      "time-allow=10.77.0.13/32",
      "timescale=hub:node-1",
    ]);
    expect(plan("node-3")).toEqual([
      "owner=demo/local/c-node-3",
      "host=node-3",
      "time-role=client",
      "time-source=server 10.77.0.11 iburst minpoll 0 maxpoll 0 xleave",
      "timescale=hub:node-1",
    ]);
  });

  test("keeps UTC when the hub has sources, and serves a stated network", async () => {
    const plan = await planned({ hubs: ["node-2"], network: "10.77.0.0/24", sources: [{ address: "ntp.example" }] });
    expect(plan("node-2")).toEqual([
      "owner=demo/local/c-node-2",
      "host=node-2",
      "time-role=hub",
      "time-source=server ntp.example iburst",
      "time-allow=10.77.0.0/24",
      "timescale=utc",
    ]);
    expect(plan("node-1").slice(2)).toEqual([
      "time-role=client",
      "time-source=server 10.77.0.12 iburst minpoll 0 maxpoll 0 xleave",
      "timescale=utc",
    ]);
  });
});

describe("with a key", () => {
  const secret = "HEX:000102030405060708090a0b0c0d0e0f";
  const key = { id: 5, type: TimeKeyType.Aes128, secret };
  const clear = JSON.stringify;

  test.each<[string, ExperimentClusterArgs["key"]]>([
    ["plain", key],
    ["secret", pulumi.secret(key)],
    ["with a secret in it", { ...key, secret: pulumi.secret(secret) }],
  ])("that is %s, hub and clients share it, and it is in no input but as a secret", async (_, given) => {
    const registered = startEngine({ preview: false });
    const cluster = new ExperimentCluster("c", { hosts, key: given });
    await resolved(cluster.ready);
    for (const { name } of hosts) {
      for (const verb of ["converge", "prove"]) {
        const { stdin, connection: _, ...rest } = inputsOf(registered, `c-${name}-${verb}`);
        expect(isSecret(stdin)).toBe(true);
        expect(revealed(stdin)).toContain(`\ntime-key=5 AES128 ${secret}\n`);
        expect(clear(rest)).not.toContain(secret.slice(4));
      }
    }
    const stdin = (name: string) => revealed(inputsOf(registered, `c-${name}-converge`).stdin);
    expect(stdin("node-1")).not.toContain("time-source");
    expect(stdin("node-2")).toContain("time-source=server 10.77.0.11 iburst minpoll 0 maxpoll 0 xleave key 5\n");
    // The evidence is legible all the same, and has no key in it.
    expect(await isSecretOutput(cluster.summary)).toBe(false);
    expect(await isSecretOutput(cluster.hosts)).toBe(false);
    expect(clear(await resolved(cluster.hosts))).not.toContain(secret.slice(4));
  });

  test("that is wrong, its secret is in no error, and not among the values that the engine prints", async () => {
    for (const wrong of [{ ...key, type: secret }, { ...key, secret: `${secret} ` }, { ...key, id: secret }, secret]) {
      startEngine({ preview: false });
      const sources = [{ address: "a.example", nts: true, key }, { address: "time.google.com" }];
      try {
        new ExperimentCluster("c", { hosts, sources, key: wrong as never });
        expect.unreachable();
      } catch (error) {
        const { message, errors } = error as pulumi.InputPropertiesError;
        expect(message).toContain('c" has');
        expect(message).not.toContain(secret.slice(4));
        expect(errors?.map(({ propertyPath }) => propertyPath)).toEqual(["sources[1]"]);
      }
    }
  });
});

describe("several hubs", () => {
  const four = [...hosts, host("node-4", "203.0.113.4", "10.77.0.14")];
  const sources = [{ address: "ntp.example" }];
  const follows = (last: number) => `time-source=server 10.77.0.1${last} iburst minpoll 0 maxpoll 0 xleave`;

  test("follow the sources and not each other, and the clients follow all of them", async () => {
    const plan = await planned({ hosts: four, hubs: ["node-1", "node-3"], sources });
    for (const hub of ["node-1", "node-3"]) {
      expect(plan(hub).slice(2)).toEqual([
        "time-role=hub",
        "time-source=server ntp.example iburst",
        "time-allow=10.77.0.12/32",
        "time-allow=10.77.0.14/32",
        "timescale=utc",
      ]);
    }
    for (const client of ["node-2", "node-4"]) {
      expect(plan(client).slice(2)).toEqual(["time-role=client", follows(1), follows(3), "timescale=utc"]);
    }
  });

  /** The hosts whose plans differ between two clusters, of those that are in both. */
  async function concerned(before: Partial<ExperimentClusterArgs>, after: Partial<ExperimentClusterArgs>) {
    const was = await planned(before);
    await finishProgram();
    const is = await planned(after);
    const kept = (before.hosts ?? []).filter(({ name }) => after.hosts?.some((other) => other.name === name));
    return kept.map(({ name }) => name).filter((name) => was(name).join() !== is(name).join());
  }
  const three = { hosts, hubs: ["node-1", "node-2"], sources };
  const network = "10.77.0.0/24";
  const provider = { hosts, topology: Topology.Provider };

  test.each<[string, Partial<ExperimentClusterArgs>, Partial<ExperimentClusterArgs>, string[]]>([
    ["a client more: the hubs, which admit it", three, { ...three, hosts: four }, ["node-1", "node-2"]],
    ["a client more in a stated network: nobody", { ...three, network }, { ...three, network, hosts: four }, []],
    ["a client less: the hubs", { ...three, hosts: four }, three, ["node-1", "node-2"]],
    [
      "a host more that is a hub: the clients, which follow it, and no hub",
      three,
      { ...three, hosts: four, hubs: ["node-1", "node-2", "node-4"] },
      ["node-3"],
    ],
    [
      "a hub that is gone: its clients, and no other hub",
      { ...three, hosts: four, hubs: ["node-1", "node-4"] },
      { ...three, hubs: ["node-1"] },
      ["node-2", "node-3"],
    ],
    ["the order in which hubs are named: nobody", three, { ...three, hubs: ["node-2", "node-1"] }, []],
    ["a host more with its own sources: nobody", provider, { ...provider, hosts: four }, []],
  ])("%s", async (_, before, after, hostNames) => {
    expect(await concerned(before, after)).toEqual(hostNames);
  });
});

test("every host of a cluster logs its updates, where the cluster says so", async () => {
  const registered = startEngine({ preview: false });
  await resolved(new ExperimentCluster("c", { hosts, trackingLog: true }).ready);
  for (const { name } of hosts)
    expect(inputsOf(registered, `c-${name}-converge`).stdin).toContain("\ntime-tracking-log=yes\n");
});

describe("pairs that are measured", () => {
  const pairsOf = (lines: string[]) => lines.flatMap((line) => /^time-pair=(.*)/.exec(line)?.[1] ?? []);
  const allowed = (lines: string[]) => lines.flatMap((line) => /^time-allow=(.*)/.exec(line)?.[1] ?? []);
  const [one, two, three] = ["10.77.0.11", "10.77.0.12", "10.77.0.13"];

  test("each by one host, which the other lets in: the hubs and the hosts before it, and no hub its clients", async () => {
    const plan = await planned({ measurePairs: true, hubs: ["node-2"] });
    expect(plan("node-2").slice(2)).toEqual([
      "time-role=hub",
      `time-allow=${one}/32`,
      `time-allow=${three}/32`,
      "timescale=hub:node-2",
    ]);
    expect(plan("node-1").slice(2)).toEqual([
      "time-role=client",
      `time-source=server ${two} iburst minpoll 0 maxpoll 0 xleave`,
      `time-allow=${three}/32`,
      `time-pair=node-2 ${two}`,
      "timescale=hub:node-2",
    ]);
    expect(plan("node-3").slice(2)).toEqual([
      "time-role=client",
      `time-source=server ${two} iburst minpoll 0 maxpoll 0 xleave`,
      `time-pair=node-2 ${two}`,
      `time-pair=node-1 ${one}`,
      "timescale=hub:node-2",
    ]);
  });

  test("in a stated network, and where no host serves another one", async () => {
    const plan = await planned({ measurePairs: true, topology: Topology.Provider, network: "10.77.0.0/24" });
    expect(hosts.map(({ name }) => [pairsOf(plan(name)), allowed(plan(name))])).toEqual([
      [[], ["10.77.0.0/24"]],
      [[`node-1 ${one}`], ["10.77.0.0/24"]],
      [[`node-1 ${one}`, `node-2 ${two}`], ["10.77.0.0/24"]],
    ]);
  });

  test("with the cluster's key, where it has one", async () => {
    const key = { id: 5, type: TimeKeyType.Aes128, secret: "HEX:000102030405060708090a0b0c0d0e0f" };
    const registered = startEngine({ preview: false });
    await resolved(new ExperimentCluster("c", { hosts, key, measurePairs: true }).ready);
    const { stdin } = inputsOf(registered, "c-node-3-converge");
    expect(isSecret(stdin)).toBe(true);
    expect(revealed(stdin)).toContain(`time-pair=node-1 ${one} key 5\ntime-pair=node-2 ${two} key 5\n`);
  });

  // Naive: every host measures every other one, and each host more changes all plans.
  test("a host more concerns nobody else in a stated network, and without one those that let it in", async () => {
    const many = Array.from({ length: 36 }, (_, index) => host(`n-${index}`, `203.0.113.${index}`, `10.77.1.${index}`));
    const names = many.slice(0, 35).map(({ name }) => name);
    const concerned = async (args: Partial<ExperimentClusterArgs>) => {
      const given = { ...args, measurePairs: true };
      const was = await planned({ ...given, hosts: many.slice(0, 35) });
      await finishProgram();
      const is = await planned({ ...given, hosts: many });
      expect(pairsOf(is("n-35"))).toHaveLength(args.topology === Topology.Provider ? 32 : 33);
      expect(pairsOf(is("n-20"))).toHaveLength(20);
      await finishProgram();
      return names.filter((name) => was(name).join() !== is(name).join());
    };
    const network = "10.77.0.0/16";
    expect(await concerned({ network })).toEqual([]);
    expect(await concerned({ topology: Topology.Provider, network })).toEqual([]);
    expect(await concerned({})).toEqual(["n-0", ...names.slice(3)]);
  });

  test("nothing of it where it is not asked for", async () => {
    const plan = await planned({ measurePairs: false });
    for (const { name } of hosts) expect(pairsOf(plan(name))).toEqual([]);
  });
});

describe("the topology of network PTP", () => {
  test("has the hub serve PTP at its private address, and the clients follow it there, by the hub's time", async () => {
    const plan = await planned({ topology: Topology.Ptp, hubs: ["node-2"] });
    expect(plan("node-2").slice(2)).toEqual([
      "time-role=hub",
      "time-allow=10.77.0.11/32",
      "time-allow=10.77.0.13/32",
      "time-ptp=10.77.0.12",
      "timescale=hub:node-2",
    ]);
    for (const client of ["node-1", "node-3"]) {
      expect(plan(client).slice(2)).toEqual(["time-role=client", "time-source=ptp 10.77.0.12", "timescale=hub:node-2"]);
    }
  });

  test("a client more concerns the hub only, and with a network nobody", async () => {
    const more = [...hosts, host("node-4", "203.0.113.4", "10.77.0.14")];
    const names = hosts.map(({ name }) => name);
    for (const [network, concerned] of [
      [undefined, ["node-1"]],
      ["10.77.0.0/24", []],
    ] as const) {
      const was = await planned({ topology: Topology.Ptp, network });
      await finishProgram();
      const is = await planned({ topology: Topology.Ptp, network, hosts: more });
      await finishProgram();
      expect(names.filter((name) => was(name).join() !== is(name).join())).toEqual(concerned);
    }
  });
});

describe("the provider topology", () => {
  test("gives every host the same sources", async () => {
    const plan = await planned({ topology: Topology.Provider, sources: [{ address: "ntp.example" }] });
    for (const { name } of hosts) {
      const lines = ["time-role=client", "time-source=server ntp.example iburst", "timescale=utc"];
      expect(plan(name).slice(2)).toEqual(lines);
    }
  });

  test.each([Topology.Provider, Topology.Hub])(
    "tells by %s whose time it is that its sources tell",
    async (topology) => {
      const plan = await planned({ topology, sources: [{ address: "ntp.example" }], timescale: "hub:ntp" });
      for (const { name } of hosts) expect(plan(name)).toContain("timescale=hub:ntp");
    },
  );

  test("takes what the cloud gives where no sources are stated", async () => {
    const plan = await planned({ topology: Topology.Provider });
    expect(plan("node-2").slice(2)).toEqual(["time-role=client", "time-source=auto", "timescale=utc"]);
  });
});
