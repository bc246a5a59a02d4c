import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";
import { Delivery, ExperimentCluster, firstBootPlan, Topology } from "../components";
import { firstBootDigest } from "../components/hosts/cloud/firstBoot";
import { PROVE_COMMAND } from "../components/remote/firstBoot";
import { ensureEngine } from "../rig/engine";
import { describeEngine } from "../rig/setup";
import { changed } from "../rig/summary";
import { healthyHost } from "../test/engine/command-provider/healthy-host";
import { type Answer, type SshServer, startSshServer } from "../test/engine/command-provider/ssh-server";
import { testStack } from "../test/rig/support/stack";
import { command } from "./command";
import { stateCost } from "./state";
import { type Delivered, deliveryTable } from "./tables";

// How `up` grows with the number of hosts, by either delivery. What a host does itself, converge and its reboot, takes the same
// known time in both, and no processor: the hosts are SSH servers of this process, which answer as healthy ones do. So what is
// measured is what engine and provider add, and how much of the hosts' time goes side by side.

const CONVERGE_SECONDS = 10;
const REBOOT_SECONDS = 10;
/** What a host takes itself: no delivery can be faster. */
const HOST_SECONDS = CONVERGE_SECONDS + REBOOT_SECONDS;
const sizes = [1, 10, 100];

interface Way {
  name: string;
  delivery: Delivery;
  /** How many resources the engine has under way at a time; its own default, which is 4 for each core, if it is absent. */
  parallel?: number;
}

const ways: Way[] = [
  { name: "ssh", delivery: Delivery.Ssh },
  { name: "ssh, --parallel 512", delivery: Delivery.Ssh, parallel: 512 },
  { name: "cloud-init", delivery: Delivery.CloudInit },
];

const help = `npm run bench:delivery: how pulumi up grows with the number of hosts, by SSH and by cloud-init.

It takes some ten minutes, and needs no virtual machine: the hosts are SSH servers that take ${HOST_SECONDS} s to converge and
reboot, which is the time that all others are a multiple of. It takes no arguments; nothing else should run beside it.
`;

async function main(): Promise<void> {
  const engine = await ensureEngine(console.error);
  const rows: Delivered[] = [];
  for (const way of ways) {
    for (const size of sizes) {
      process.stderr.write(`${way.name}, hosts: ${size} ...\n`);
      rows.push(await delivered(way, size));
    }
  }
  process.stdout.write(`${describeEngine(engine)}\n${deliveryTable(rows, HOST_SECONDS)}\n`);
}

/** A cluster of so many hosts, from nothing to ready, and once more. */
async function delivered({ name, delivery, parallel }: Way, size: number): Promise<Delivered> {
  const folder = mkdtempSync(join(tmpdir(), "timebase-delivery-"));
  const names = Array.from({ length: size }, (_, index) => `node-${index + 1}`);
  const servers = await Promise.all(names.map(delivery === Delivery.CloudInit ? firstBoots() : convergesWhenTold));
  try {
    const stack = await testStack("delivery", folder, cluster(delivery, names, servers));
    const begin = performance.now();
    await stack.up({ parallel });
    const seconds = secondsSince(begin);
    const { resources, bytes } = await stateCost(stack, join(folder, "state"), names);
    const sessions = servers.reduce((sum, { logins }) => sum + logins, 0) / size;
    const again = performance.now();
    const changes = changed(await stack.up({ parallel }));
    return { name, size, seconds, sessions, resources, bytes, secondSeconds: secondsSince(again), changes };
  } finally {
    await Promise.all(servers.map((server) => server.close()));
    rmSync(folder, { recursive: true, force: true });
  }
}

const secondsSince = (begin: number) => (performance.now() - begin) / 1000;

/** Hosts that converge and reboot by themselves. Clouds start all machines of a stack at once: all of them with the first dial. */
function firstBoots(): () => Promise<SshServer> {
  let begin: number | undefined;
  const isUp = () => {
    begin ??= performance.now();
    return secondsSince(begin) > HOST_SECONDS;
  };
  const answer: Answer = (command, stdin) => healthyHost(command === PROVE_COMMAND ? "timebase prove" : command, stdin);
  return () => startSshServer(0, answer, { isUp });
}

/** A host that converges when it is told to by SSH, and then reboots. */
function convergesWhenTold(): Promise<SshServer> {
  let reboot = Number.NEGATIVE_INFINITY;
  const isUp = () => secondsSince(reboot) > REBOOT_SECONDS;
  const answer: Answer = async (command, stdin) => {
    if (command.includes("timebase converge")) {
      await sleep(CONVERGE_SECONDS * 1000);
      reboot = performance.now();
    }
    return healthyHost(command, stdin);
  };
  return startSshServer(0, answer, { isUp });
}

const cluster = (delivery: Delivery, names: readonly string[], servers: readonly SshServer[]) => async () => {
  const clock =
    delivery === Delivery.CloudInit
      ? { delivery, toolkitUrl: "https://example.test/toolkit", topology: Topology.Provider }
      : { delivery, topology: Topology.Provider };
  const endpointOf = (name: string, { port, hostKey, privateKey }: SshServer) => ({
    ...{ name, address: "127.0.0.1", port, hostKey, privateKey: pulumi.secret(privateKey) },
    ...(delivery === Delivery.CloudInit
      ? { generation: "i-1", firstBoot: firstBootPlan("lab", name, clock).apply(firstBootDigest) }
      : {}),
  });
  const hosts = names.map((name, index) => ({ name, endpoint: endpointOf(name, servers[index] as SshServer) }));
  return { ready: new ExperimentCluster("lab", { hosts, ...clock }).ready };
};

command(help, main);
