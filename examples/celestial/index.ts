import { readFileSync } from "node:fs";
import { join } from "node:path";
import { remote } from "@pulumi/command";
import * as compute from "@pulumi/gcp/compute";
import * as pulumi from "@pulumi/pulumi";
import { ExperimentCluster, GcpHost, GuestPtp, OperatingSystem, TimeSourceKind } from "../../components"; // yours: "pulumi-timebase"

const config = new pulumi.Config();
const sshFrom = [config.require("sshFrom")]; // the network that you log in and coordinate from: nobody else may
const zone = new pulumi.Config("gcp").get("zone") ?? "europe-west3-c";
const machineType = config.get("machineType") ?? "n2-standard-4"; // Celestial's quick start takes n2-standard-32
const names = Array.from({ length: Number(config.get("hosts") ?? 2) }, (_, index) => `celestial-${index + 1}`);

const range = "10.42.0.0/24";
const network = new compute.Network("network", { autoCreateSubnetworks: false });
const subnetwork = new compute.Subnetwork("subnet", {
  network: network.id,
  region: zone.replace(/-[a-z]$/, ""),
  ipCidrRange: range,
});

// What Celestial needs beyond SSH and time: its coordinator comes to port 1969, its hosts meet by WireGuard on 1970.
const ours = { network: network.id, direction: "INGRESS", priority: 1000, targetTags: ["celestial"] };
new compute.Firewall("coordinator", {
  ...ours,
  sourceRanges: sshFrom,
  allows: [{ protocol: "tcp", ports: ["1969"] }],
});
new compute.Firewall("peers", {
  ...ours,
  sourceRanges: [range],
  allows: [{ protocol: "udp", ports: ["1970"] }, { protocol: "icmp" }],
});

const hosts = names.map((name) => ({
  name,
  endpoint: new GcpHost(name, {
    operatingSystem: OperatingSystem.Ubuntu2204, // what Celestial recommends
    machineType,
    zone,
    sshFrom,
    timeFrom: [range],
    network: network.id,
    subnetwork: subnetwork.id,
    networkTags: ["celestial"],
    guests: true,
    rootDiskGib: 64, // for the microVMs' file systems
  }).endpoint,
}));

const cluster = new ExperimentCluster("cluster", {
  hosts,
  network: range,
  sources: [{ kind: TimeSourceKind.GcpNtp }],
  guestPtp: GuestPtp.Required, // no host on which a microVM would say "NOT using PTP clock /dev/ptp0"
  maxErrorMicros: config.getObject<number>("maxErrorMicros"), // getNumber would take 50 for 50ms
});

// Once all clocks are proved: Celestial's own conditions, then limits and forwarding.
const prepare = readFileSync(join(__dirname, "prepare-host.sh"), "utf8");
const prepared = hosts.map(
  ({ name, endpoint }) =>
    new remote.Command(
      `${name}-prepared`,
      {
        connection: endpoint.apply(({ address, user, privateKey, hostKey }) => ({
          host: address,
          user,
          privateKey,
          hostKey,
        })),
        create: "sudo sh -s",
        // A new machine is prepared, too, also at an old address.
        stdin: pulumi.unsecret(endpoint).apply(({ generation }) => `# ${generation}\n${prepare}`),
        addPreviousOutputInEnv: false,
      },
      { dependsOn: cluster.ready.apply(() => cluster) },
    ),
);

export const summary = cluster.summary;
/** For each host, the chrony.conf of its microVMs. */
export const guests = cluster.guestChronyConfs;
export const ready = pulumi.all(prepared.map(({ stdout }) => stdout)).apply(() => cluster.ready);
/** What `celestial.py` is given after its archive. */
export const addresses = pulumi.unsecret(pulumi.all(hosts.map(({ endpoint }) => endpoint.apply((it) => it.address))));
