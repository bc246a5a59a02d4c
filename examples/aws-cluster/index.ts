import * as ec2 from "@pulumi/aws/ec2";
import * as pulumi from "@pulumi/pulumi";
import { AwsHost, ExperimentCluster, HostPhc, OperatingSystem, TimeSourceKind, Topology } from "../../components"; // yours: "pulumi-timebase"

const config = new pulumi.Config();
const sshFrom = [config.require("sshFrom")]; // the network that you log in from: nobody else may
const phc = config.get<HostPhc>("phc") ?? HostPhc.IfAvailable; // the hardware's clock, where that can cost no launch of guests
const names = Array.from({ length: Number(config.get("hosts") ?? 2) }, (_, index) => `server-${index + 1}`);
const tags = { project: pulumi.getProject() };

// A network of its own, with one subnet, so that all hosts are in one availability zone.
const vpc = new ec2.Vpc("network", { cidrBlock: "10.40.0.0/16", tags });
const gateway = new ec2.InternetGateway("gateway", { vpcId: vpc.id, tags });
const routes = new ec2.DefaultRouteTable("routes", {
  defaultRouteTableId: vpc.defaultRouteTableId,
  routes: [{ cidrBlock: "0.0.0.0/0", gatewayId: gateway.id }],
  tags,
});
const subnet = new ec2.Subnet("subnet", {
  vpcId: vpc.id,
  cidrBlock: "10.40.0.0/24",
  availabilityZone: config.get("zone"), // Amazon chooses one otherwise
  tags,
});
// No host is there before its way to the internet is, by which it gets its packages.
const subnetId = pulumi.all([subnet.id, routes.id]).apply(([id]) => id);

const hosts = names.map((name) => ({
  name,
  endpoint: new AwsHost(name, {
    operatingSystem: OperatingSystem.Ubuntu2204,
    sshFrom,
    vpcId: vpc.id,
    subnetId,
    guests: true,
    phc,
    instanceType: config.get("instanceType"),
    tags,
  }).endpoint,
}));

const cluster = new ExperimentCluster("cluster", {
  hosts,
  // Each host follows what Amazon has below it: its clock device if the driver offers one, else the time service.
  topology: Topology.Provider,
  sources: [{ kind: TimeSourceKind.Auto }],
  maxErrorMicros: config.getObject<number>("maxErrorMicros"), // getNumber would take 50 for 50ms
});

export const summary = cluster.summary;
export const ready = cluster.ready;
