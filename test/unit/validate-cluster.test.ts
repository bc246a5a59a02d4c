import { describe, expect, test } from "vitest";
import { PENDING } from "../../components/plan/validate";
import { validateCluster } from "../../components/plan/validateCluster";
import { HOST_KEY } from "./support/keys";

const host = (name: string, address: string, more: object = {}) => ({
  name,
  endpoint: { name, address, hostKey: HOST_KEY, ...more },
});
const two = [host("node-1", "10.0.0.1"), host("node-2", "10.0.0.2")];
const errorsOf = (args: unknown) =>
  validateCluster(args).map(({ propertyPath, reason }) => `${propertyPath}: ${reason}`);

describe("validateCluster", () => {
  test("accepts the least and the most", () => {
    expect(errorsOf({ hosts: [host("node-1", "node-1.example")] })).toEqual([]);
    expect(
      errorsOf({
        hosts: two,
        topology: "hub",
        hubs: ["node-2", "node-1"],
        sources: [{ address: "ntp.example" }],
        network: "10.0.0.0/24",
        reboot: "never",
        guestPtp: "reported",
        maxErrorMicros: 500,
        maxPairwiseMicros: 800,
        connectTimeoutSeconds: 60,
        rebootTimeoutSeconds: 60,
        settleTimeoutSeconds: 60,
      }),
    ).toEqual([]);
  });

  test("reports everything at once, with path and remedy", () => {
    const hosts = [host("node-1", "10.0.0.1"), host("node-1", "10.0.0.2", { hostKey: "SHA256:abc" })];
    expect(errorsOf({ hosts, hubs: ["node-9"], network: "10.0.0.1/24", maxErrorMicros: -1, reboot: "maybe" })).toEqual([
      "hosts[1].endpoint.hostKey: is a fingerprint, and a fingerprint is not the key: " +
        "run `ssh-keyscan -t ed25519 <address>` over a trusted path, compare its key with the one in " +
        "/etc/ssh/ssh_host_ed25519_key.pub on the host, and paste the line",
      'network: has address bits after its prefix of /24: "10.0.0.1/24"; give the network, or /32 for one host',
      'reboot: must be one of to-prove, if-needed, never, not "maybe"',
      "maxErrorMicros: must be 0.001 to 10000000 microseconds, not -1",
      'hosts[1].name: "node-1" is the name of hosts[0] already',
      'hubs[0]: must be the name of a host (node-1, node-1), not "node-9"',
    ]);
  });

  test("hosts on other ports, behind other bastions, or not known yet, are other machines", () => {
    const proxy = (address: string) => ({ proxy: { address, hostKey: HOST_KEY } });
    const more = [{}, { port: 2222 }, proxy("b1.example"), proxy("b2.example"), { port: PENDING }, { port: PENDING }];
    const hosts = more.map((given, index) => host(`node-${index}`, "10.0.0.1", given));
    expect(errorsOf({ hosts })).toEqual([]);
  });

  test.each([
    [{ hosts: [two[0], host("node-2", "10.0.0.1")] }, "hosts[1].endpoint.address: is the machine of hosts[0] already"],
    [{}, "hosts: is required"],
    [undefined, "hosts: is required"],
    [{ hosts: [] }, "hosts: must have at least one host"],
    [{ hosts: { "node-1": two[0] } }, 'hosts: must be a list, such as [{ name: "server-1", endpoint: host.endpoint }]'],
    [{ hosts: two, topology: "ring" }, 'topology: must be one of hub, provider, ptp, not "ring"'],
    [{ hosts: [{ endpoint: two[0]?.endpoint }] }, "hosts[0].name: is required"],
    [
      { hosts: two, topology: "provider", sources: [] },
      "sources: must have a source: with Topology.Provider no host defines the time; leave it out for what the cloud gives",
    ],
    [
      { hosts: two, topology: "provider", hubs: ["node-1"] },
      "hubs: is not for Topology.Provider, where no host serves another one",
    ],
    [{ hosts: two, timescale: "hub:ntp" }, "timescale: is the hub's own without sources: leave it out"],
    [
      { hosts: two, sources: [{ address: "10.0.0.9" }], timescale: "hub:node-2" },
      'timescale: "hub:node-2" names a host of the cluster, and all of them follow sources: take the name of who tells the time',
    ],
    [
      { hosts: two, topology: "provider", network: "10.0.0.0/24" },
      "network: is not for Topology.Provider, where no host serves another one",
    ],
    ...["0.0.0.0/0", "::/0"].map((network): [object, string] => [
      { hosts: two, network },
      `network: "${network}" is everybody: the time is for the cluster only, give its network, such as 10.0.0.0/16`,
    ]),
    [
      { hosts: two, hubs: ["node-2", "node-1"] },
      "sources: must have a source: without one each of the 2 hubs (node-2, node-1) would keep a timescale of its own; " +
        "give the source that all hubs follow, or one hub only",
    ],
    [{ hosts: two, prove: "always" }, 'prove: must be one of on-change, every-up, not "always"'],
    [{ hosts: two, hubs: [] }, "hubs: must be a list of at least one host's name; leave it out for the first host"],
    [
      { hosts: two, hubs: "node-1" },
      "hubs: must be a list of at least one host's name; leave it out for the first host",
    ],
    [{ hosts: two, hubs: PENDING }, "hubs: must be plain host names, because it decides which resources there are"],
    [{ hosts: two, hubs: ["node-2", "node-2"] }, 'hubs[1]: "node-2" is hubs[0] already'],
    [{ hosts: two, hubs: ["node-1", "node-9"] }, 'hubs[1]: must be the name of a host (node-1, node-2), not "node-9"'],
    [{ hosts: two, hub: "node-1" }, "hub: is not an argument; did you mean hubs?"],
    [
      { hosts: [two[0], host("node-2", "node-2.example")] },
      "hosts[1].endpoint.address: must be an IP address: set it, or set the cluster's network to a CIDR",
    ],
    [
      { hosts: [two[0], host("node-2", "10.0.0.2", { privateAddress: "node-2.local" })] },
      "hosts[1].endpoint.privateAddress: must be an IP address: set it, or set the cluster's network to a CIDR",
    ],
  ])("%j is refused", (args, message) => {
    expect(errorsOf(args)).toContain(message);
  });

  test("a stated network lets clients have names", () => {
    expect(errorsOf({ hosts: [two[0], host("node-2", "node-2.example")], network: "10.0.0.0/24" })).toEqual([]);
  });

  test("a hub itself may have a name", () => {
    const named = host("node-1", "node-1.example");
    expect(errorsOf({ hosts: [named, two[1]] })).toEqual([]);
    const sources = [{ address: "ntp.example" }];
    expect(errorsOf({ hosts: [named, two[1]], hubs: ["node-1", "node-2"], sources })).toEqual([]);
  });

  test("several hubs wait for sources that are not known yet, and need none where nothing is served", () => {
    expect(errorsOf({ hosts: two, hubs: ["node-1", "node-2"], sources: PENDING })).toEqual([]);
    expect(errorsOf({ hosts: two, topology: "provider" })).toEqual([]);
  });

  test("refuses unknown keys at every level, with the nearest one", () => {
    const proxy = { address: "bastion.example", hostKey: HOST_KEY, usr: "jump" };
    expect(
      errorsOf({
        hosts: [{ ...host("node-1", "10.0.0.1", { proxy, privat_key: "x" }), os: "debian-12" }],
        sources: [{ address: "ntp.example", minPollLog: 4 }],
        maxErorMicros: 1,
      }),
    ).toEqual([
      "hosts[0].endpoint.proxy.usr: is not an argument; did you mean user?",
      "hosts[0].endpoint.privat_key: is not an argument; did you mean privateKey?",
      "hosts[0].os: is not an argument; there are name, endpoint, operatingSystem",
      "sources[0].minPollLog: is not an argument; did you mean minPollLog2?",
      "maxErorMicros: is not an argument; did you mean maxErrorMicros?",
    ]);
  });
});

describe("the measurement of pairs", () => {
  const named = host("node-1", "node-1.example");
  const noAddress = "hosts[0].endpoint.address: must be an IP address: set it, or set the cluster's network to a CIDR";

  test("is plain, because it decides which commands there are", () => {
    expect(errorsOf({ hosts: two, measurePairs: true })).toEqual([]);
    expect(errorsOf({ hosts: two, measurePairs: PENDING })).toEqual([
      "measurePairs: must be plain true or false, because it decides which resources there are",
    ]);
    expect(errorsOf({ hosts: two, measurePairs: "yes" })).toEqual(["measurePairs: must be true or false"]);
  });

  // Naive: only a hub's clients ask somebody.
  test("takes the addresses of all hosts, or a network", () => {
    for (const topology of ["hub", "provider"]) {
      const hosts = [named, two[1]];
      expect(errorsOf({ hosts, topology })).toEqual([]);
      expect(errorsOf({ hosts, topology, measurePairs: true })).toEqual([noAddress]);
      expect(errorsOf({ hosts, topology, measurePairs: true, network: "10.0.0.0/24" })).toEqual([]);
      expect(errorsOf({ hosts, topology, measurePairs: true, network: "10.9.0.0/24" }).join()).toContain(
        'network: "10.9.0.0/24" does not contain 10.0.0.2',
      );
    }
  });
});

describe("the topology of network PTP", () => {
  const ptp = (more: object) => errorsOf({ hosts: two, topology: "ptp", ...more });

  test("keeps no log, which would not tell how long the path was", () => {
    expect(ptp({ trackingLog: false })).toEqual([]);
    expect(ptp({ trackingLog: true }).join()).toMatch(/^trackingLog: is not for Topology\.Ptp: /);
    for (const topology of ["hub", "provider"])
      expect(errorsOf({ hosts: two, topology, trackingLog: true })).toEqual([]);
  });

  test("takes one hub, a network, and clients by name with it", () => {
    expect(ptp({})).toEqual([]);
    expect(ptp({ hubs: ["node-2"], network: "10.0.0.0/24", sources: [] })).toEqual([]);
    expect(ptp({ hosts: [two[0], host("node-2", "node-2.example")], network: "10.0.0.0/24" })).toEqual([]);
    expect(ptp({ hosts: [two[0], host("node-2", "10.0.0.2", { privateAddress: PENDING })] })).toEqual([]);
    expect(ptp({ sources: PENDING })).toHaveLength(1);
  });

  test("refuses all that it has not, at once, with the topology that has it", () => {
    const hosts = [
      host("node-1", "node-1.example"),
      { ...host("node-2", "203.0.113.2", { privateAddress: "fd00::2" }), operatingSystem: "amazon-linux-2023" },
    ];
    const key = { id: 5, type: "SHA256", secret: "ASCII:0123456789" };
    expect(ptp({ hosts, hubs: ["node-1", "node-2"], sources: [{ address: "ntp.example" }], key })).toEqual([
      "hubs: must be one host with Topology.Ptp: its clients follow one hub; take Topology.Hub for several",
      "sources: is not for Topology.Ptp: PTP does not tell the clients how far their hub is off its sources; leave it out, " +
        "so that the hub's clock is the time, or take Topology.Hub",
      "key: is not for Topology.Ptp, which authenticates nothing: take Topology.Hub",
      "hosts[0].endpoint.address: must be an IPv4 address: network PTP is by IPv4 here",
      "hosts[1].endpoint.privateAddress: must be an IPv4 address: network PTP is by IPv4 here",
      "hosts[1].operatingSystem: amazon-linux-2023 has no linuxptp, by which hosts do PTP: take Topology.Hub",
    ]);
  });

  test("a hub alone is refused", () => {
    expect(ptp({ hosts: [two[0]] })).toEqual([
      "hosts: must be two at least with Topology.Ptp: one alone serves nobody; take Topology.Hub for it",
    ]);
  });

  test("a network of another family, or without the hub, is refused", () => {
    expect(ptp({ network: "fd00::/8" }).join()).toContain('network: "fd00::/8" does not contain 10.0.0.1');
    expect(ptp({ hubs: ["node-9"] }).join()).toContain("hubs[0]: must be the name of a host");
  });
});

describe("the network", () => {
  const remedy = "give the network by which the hosts reach each other, and each endpoint its privateAddress in it";

  test.each([
    ["10.0.0.0/24", []],
    ["10.0.0.0/30", []],
    ["10.0.0.1/32", ['10.0.0.2 of "node-2" (hosts[1].endpoint.address)']],
    [
      "10.0.1.0/24",
      ['10.0.0.1 of "node-1" (hosts[0].endpoint.address)', '10.0.0.2 of "node-2" (hosts[1].endpoint.address)'],
    ],
    [
      "fd00::/8",
      ['10.0.0.1 of "node-1" (hosts[0].endpoint.address)', '10.0.0.2 of "node-2" (hosts[1].endpoint.address)'],
    ],
  ])("%s is the one of its hosts, or is refused", (network, outside) => {
    expect(errorsOf({ hosts: two, network })).toEqual(
      outside.length === 0 ? [] : [`network: "${network}" does not contain ${outside.join(", ")}: ${remedy}`],
    );
  });

  test("is that of the private addresses, where a host has one", () => {
    const hosts = [
      host("node-1", "203.0.113.1", { privateAddress: "fd00::1" }),
      host("node-2", "203.0.113.2", { privateAddress: "fe00::2" }),
    ];
    expect(errorsOf({ hosts, network: "fd00::/8" })).toEqual([
      `network: "fd00::/8" does not contain fe00::2 of "node-2" (hosts[1].endpoint.privateAddress): ${remedy}`,
    ]);
  });

  test("is not held against names, nor against what is not known yet", () => {
    const hosts = [
      host("node-1", "node-1.example"),
      host("node-2", "203.0.113.2", { privateAddress: PENDING }),
      { name: "node-3", endpoint: PENDING },
    ];
    expect(errorsOf({ hosts, network: "10.0.0.0/24" })).toEqual([]);
    expect(errorsOf({ hosts: two, network: PENDING })).toEqual([]);
  });
});

const A_FOLDER =
  "toolkitUrl: must be the http or https URL of a folder, such as https://example.com/toolkit; docs/cloud-init-delivery.md has " +
  "those of buckets";

describe("the delivery by cloud-init", () => {
  const told = two.map(({ name, endpoint }) => ({ name, endpoint: { ...endpoint, firstBoot: "0".repeat(64) } }));
  const least = {
    delivery: "cloud-init",
    topology: "provider",
    toolkitUrl: "https://example.test/toolkit",
    hosts: told,
  };

  test("takes hosts that were told their plan, or of which that is not known yet", () => {
    expect(errorsOf(least)).toEqual([]);
    expect(errorsOf({ ...least, hosts: [{ name: "a", endpoint: PENDING }], toolkitUrl: PENDING })).toEqual([]);
    expect(errorsOf({ hosts: two, delivery: "ssh" })).toEqual([]);
  });

  test.each([
    [{ delivery: "cloudinit" }, 'delivery: must be one of ssh, cloud-init, not "cloudinit"'],
    [{ delivery: PENDING }, "delivery: must be plain text, because it decides which resources there are"],
    [{ delivery: "ssh" }, "toolkitUrl: is for Delivery.CloudInit: by SSH the toolkit is copied"],
    [
      { toolkitUrl: undefined },
      "toolkitUrl: is required with Delivery.CloudInit: the folder in which toolkitArchive() lies",
    ],
    [{ toolkitUrl: "s3://bucket" }, A_FOLDER],
    [{ toolkitUrl: "http://a b" }, A_FOLDER],
    ...["hub", "ptp", undefined].map((topology): [object, string] => [
      { topology },
      "topology: must be Topology.Provider with Delivery.CloudInit: a client's plan has its hub's address, which a cloud " +
        "chooses with the machine",
    ]),
    [
      { revertReboot: true },
      "revertReboot: is not for Delivery.CloudInit: what the boot was like before is written down by SSH",
    ],
    [
      { sources: [{ address: "ntp.example", key: { id: 1, type: "SHA256", secret: "ASCII:0123456789" } }] },
      "sources[0].key: is not for Delivery.CloudInit: whoever is on the host can read what it was told at its first boot",
    ],
    [
      { hosts: [told[0], two[1]] },
      "hosts[1].endpoint.firstBoot: is required with Delivery.CloudInit: give AwsHost or GcpHost firstBoot: " +
        "firstBootPlan(cluster, host, args)",
    ],
    [
      { hosts: [host("a", "10.0.0.1", { firstBoot: "0".repeat(64), proxy: { address: "b", hostKey: HOST_KEY } })] },
      "hosts[0].endpoint.proxy: is not for Delivery.CloudInit: a login that is refused there is not tried again",
    ],
    [
      { hosts: [host("a", "10.0.0.1", { firstBoot: "yes" })] },
      "hosts[0].endpoint.firstBoot: must be a digest of SHA-256",
    ],
  ])("%j is refused", (args, message) => {
    expect(errorsOf({ ...least, ...args })).toContain(message);
  });
});
