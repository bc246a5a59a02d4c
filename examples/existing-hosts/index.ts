import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { ExperimentCluster, RebootPolicy, SshHost } from "../../components"; // yours: "pulumi-timebase"

const config = new pulumi.Config();
const hostKeys = config.requireObject<Record<string, string>>("hostKeys");
const privateKey = config.getSecret("privateKey"); // not set: the SSH agent is asked

// Yours, by `pulumi config set --path` as in the README, or here.
const rack: Rack = {
  hosts: { "rack-1": "10.20.0.1", "rack-2": "10.20.0.2", "rack-3": "10.20.0.3" },
  network: "10.20.0.0/24",
  bastion: "bastion.example.org",
  ...config.getObject<Partial<Rack>>("rack"),
};

interface Rack {
  hosts: Record<string, string>;
  network: string;
  bastion: string;
}

const hosts = Object.entries(rack.hosts).map(([name, address]) => {
  const hostKey = hostKeys[name];
  if (hostKey === undefined) throw new pulumi.RunError(`pulumi config set --path 'hostKeys.${name}' "<its host key>"`);
  const host = new SshHost(name, {
    address,
    user: config.get("user") ?? "admin",
    privateKey,
    hostKey,
    proxy: {
      address: rack.bastion,
      user: config.get("bastionUser") ?? "jump",
      privateKey,
      hostKey: config.require("bastionHostKey"),
    },
  });
  return { name, endpoint: host.endpoint };
});

const maxErrorMicros = config.getObject<number>("maxErrorMicros") ?? 200; // getNumber would take 50 for 50ms
const cluster = new ExperimentCluster("rack", {
  hosts,
  network: rack.network,
  // These machines do other work as well: they are rebooted by their owners, never from here.
  reboot: RebootPolicy.Never,
  // Without sources the first host defines the time, and follows nobody: sources: [{ address: "ntp.example.org" }]
  maxErrorMicros,
  maxPairwiseMicros: config.getObject<number>("maxPairwiseMicros") ?? 1.5 * maxErrorMicros, // of any two, read together
  maxClockErrorPpm: 10, // machines of metal
});

// Nothing of the experiment starts before every host is proved and every pair is close enough.
new local.Command("experiment", { create: "./run-experiment" }, { dependsOn: cluster.ready.apply(() => cluster) });

export const summary = cluster.summary;
export const ready = cluster.ready;
