import * as gcpConfig from "@pulumi/gcp/config/vars";
import * as pulumi from "@pulumi/pulumi";
import {
  AwsHost,
  ExperimentCluster,
  type ExperimentHostArgs,
  GcpHost,
  LocalVm,
  OperatingSystem,
  SshHost,
  type SshHostArgs,
} from "./components";
import { trapImage } from "./rig/image";

// The root program: an experiment cluster of the machines that the stack's configuration names, or else its own name:
// `pulumi up -s local|ssh|aws|gcp`.

const config = new pulumi.Config();

const MACHINES = {
  local: localMachines,
  ssh: sshMachines,
  aws: awsMachines,
  gcp: gcpMachines,
} as const satisfies Record<string, () => ExperimentHostArgs[]>;

const cloudNames = ["node-1", "node-2"];

const cluster = new ExperimentCluster("cluster", {
  hosts: machines(),
  network: config.get("network"),
  maxErrorMicros: config.getObject<number>("maxErrorMicros"), // getNumber would take 50 for 50ms
});

export const summary = cluster.summary;
export const ready = cluster.ready;

function machines(): ExperimentHostArgs[] {
  const stack = pulumi.getStack();
  const kind = config.get("machines") ?? (Object.hasOwn(MACHINES, stack) ? stack : "local");
  if (!Object.hasOwn(MACHINES, kind)) {
    throw new pulumi.RunError(
      `pulumi-timebase:machines must be one of ${Object.keys(MACHINES).join(", ")}, not ${JSON.stringify(kind)}: ` +
        "pulumi config set machines local",
    );
  }
  return MACHINES[kind as keyof typeof MACHINES]();
}

/** What the machines of any cloud are like: node-1 serves the time, node-2 follows it. */
function cloudMachine() {
  return { operatingSystem: OperatingSystem.Ubuntu2404, sshFrom: [config.require("sshFrom")], guests: true };
}

/** Two virtual machines on this computer: node-1 serves the time, node-2 follows it. */
function localMachines(): ExperimentHostArgs[] {
  const shared = {
    cpus: 1,
    memoryMib: 1024,
    network: "timebase-local",
    image: trapImage,
  };
  const hub = new LocalVm("node-1", {
    ...shared,
    privateAddress: "10.77.0.11/24",
    firstBoot: ["apt-get install -y chrony"],
  });
  const client = new LocalVm("node-2", { ...shared, privateAddress: "10.77.0.12/24" });
  return [
    { name: "node-1", endpoint: hub.endpoint },
    { name: "node-2", endpoint: client.endpoint },
  ];
}

/** Two machines in the default VPC, which has the same network in every region of every account (Amazon VPC User Guide). */
function awsMachines(): ExperimentHostArgs[] {
  const args = { ...cloudMachine(), timeFrom: ["172.31.0.0/16"] };
  return cloudNames.map((name) => ({ name, endpoint: new AwsHost(name, args).endpoint }));
}

/** Two machines in the project's network "default", whose subnetworks are all in this range (Google's VPC documentation). */
function gcpMachines(): ExperimentHostArgs[] {
  const zone = gcpConfig.zone ?? "europe-west4-a";
  const args = { ...cloudMachine(), zone, timeFrom: ["10.128.0.0/9"] };
  return cloudNames.map((name) => ({ name, endpoint: new GcpHost(name, args).endpoint }));
}

/** Machines that exist. The components check the values; what is checked here is only that there is a list of them. */
function sshMachines(): ExperimentHostArgs[] {
  const hosts = config.requireObject<unknown>("hosts");
  const privateKey = config.getSecret("privateKey");
  if (!Array.isArray(hosts) || !hosts.every(isNamed)) {
    throw new pulumi.RunError(
      "pulumi-timebase:hosts must be a list of machines, each with a name, an address and a hostKey: " +
        "pulumi config set --path hosts[0].name server-1; the same for hosts[0].address and hosts[0].hostKey",
    );
  }
  return hosts.map((host) => ({
    name: host.name,
    endpoint: new SshHost(host.name, { privateKey, ...host }).endpoint,
  }));
}

function isNamed(host: unknown): host is SshHostArgs & { name: string } {
  return typeof host === "object" && host !== null && "name" in host && typeof host.name === "string";
}
