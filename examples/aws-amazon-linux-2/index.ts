import * as pulumi from "@pulumi/pulumi";
import { AwsHost, ExperimentCluster, OperatingSystem, TimeSourceKind, Topology } from "../../components"; // yours: "pulumi-timebase"

const config = new pulumi.Config();
const sshFrom = [config.require("sshFrom")]; // the network that you log in from: nobody else may
const operatingSystem = OperatingSystem.AmazonLinux2;
const tags = { project: pulumi.getProject() };

// Without a subnetId they are in the default VPC of the region.
const hosts = ["server-1", "server-2"].map((name) => ({
  name,
  // Declared, so that a host on which another system runs refuses the plan.
  operatingSystem,
  endpoint: new AwsHost(name, { operatingSystem, sshFrom, guests: true, tags }).endpoint,
}));

const cluster = new ExperimentCluster("cluster", {
  hosts,
  topology: Topology.Provider,
  sources: [{ kind: TimeSourceKind.AwsNtp }],
  maxErrorMicros: config.getObject<number>("maxErrorMicros"), // getNumber would take 50 for 50ms
});

export const summary = cluster.summary;
export const ready = cluster.ready;
