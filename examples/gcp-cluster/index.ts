import * as compute from "@pulumi/gcp/compute";
import * as pulumi from "@pulumi/pulumi";
import { ExperimentCluster, GcpHost, OperatingSystem, TimeSourceKind } from "../../components"; // yours: "pulumi-timebase"

const config = new pulumi.Config();
const sshFrom = [config.require("sshFrom")]; // the network that you log in from: nobody else may
const zone = new pulumi.Config("gcp").get("zone") ?? "europe-west4-a";
const names = Array.from({ length: Number(config.get("hosts") ?? 2) }, (_, index) => `server-${index + 1}`);

// A network of its own: the project's default one lets everybody log in.
const range = "10.41.0.0/24";
const network = new compute.Network("network", { autoCreateSubnetworks: false });
const subnetwork = new compute.Subnetwork("subnet", {
  network: network.id,
  region: zone.replace(/-[a-z]$/, ""),
  ipCidrRange: range,
});

const hosts = names.map((name) => ({
  name,
  endpoint: new GcpHost(name, {
    operatingSystem: OperatingSystem.Ubuntu2404,
    zone,
    sshFrom,
    timeFrom: [range], // the first host serves the time to the others
    network: network.id,
    subnetwork: subnetwork.id,
    guests: true,
  }).endpoint,
}));

const cluster = new ExperimentCluster("cluster", {
  hosts,
  network: range,
  sources: [{ kind: TimeSourceKind.GcpNtp }],
  maxErrorMicros: config.getObject<number>("maxErrorMicros"), // getNumber would take 50 for 50ms
});

export const summary = cluster.summary;
export const ready = cluster.ready;
