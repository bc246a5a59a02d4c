import * as pulumi from "@pulumi/pulumi";
import { AwsHost, ExperimentCluster, GcpHost, OperatingSystem, TimeSourceKind, Topology } from "../../components"; // yours: "pulumi-timebase"

const config = new pulumi.Config();
const shared = {
  operatingSystem: OperatingSystem.Ubuntu2404,
  sshFrom: [config.require("sshFrom")], // the network that you log in from: nobody else may
  guests: true,
};
const zone = new pulumi.Config("gcp").get("zone") ?? "europe-west3-a"; // in the same city as Amazon's eu-central-1
const tags = { project: pulumi.getProject() };

const aws = ["aws-1", "aws-2"].map((name) => ({
  name,
  endpoint: new AwsHost(name, { ...shared, tags }).endpoint,
}));
const gcp = ["gcp-1", "gcp-2"].map((name) => ({ name, endpoint: new GcpHost(name, { ...shared, zone }).endpoint }));
const hosts = [...aws, ...gcp];

const maxErrorMicros = config.getObject<number>("maxErrorMicros") ?? 1000; // getNumber would take 50 for 50ms
const cluster = new ExperimentCluster("cluster", {
  hosts,
  // No host of one cloud asks one of the other. Each takes its own cloud's service, which the other cannot have: both
  // follow UTC and spread a leap second over the same day, so that the bounds of any two hosts add up.
  topology: Topology.Provider,
  sources: [{ kind: TimeSourceKind.AwsNtp }, { kind: TimeSourceKind.GcpNtp }],
  maxErrorMicros,
  maxPairwiseMicros: 2 * maxErrorMicros,
});

export const summary = cluster.summary;
export const ready = cluster.ready;
