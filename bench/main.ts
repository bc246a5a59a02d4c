import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EngineEvent } from "@pulumi/pulumi/automation";
import { ExperimentCluster, LocalVm } from "../components";
import type { Activity } from "../rig/command-provider/activity-log";
import { trapImage } from "../rig/image";
import { describeEngine, setUp } from "../rig/setup";
import { changed } from "../rig/summary";
import { TestHost } from "../test/rig/support/host";
import { testStack } from "../test/rig/support/stack";
import { byHand, reboot } from "./byHand";
import { command } from "./command";
import { settling, settlingSeconds } from "./settling";
import { stateCost } from "./state";
import { costTable, type Span, settlingTable, timesTable } from "./tables";
import { verbCost } from "./verbCost";

// What a host costs: two virtual machines that exist are brought onto one clock. Every time is given beside two floors
// of the same run on the same machines: a bare reboot of both at once, which no tool that proves persistence can avoid,
// and what a person does over SSH to the same end, without proving anything.

const names = ["bench-1", "bench-2"] as const;
type Name = (typeof names)[number];
type Hosts = Record<Name, TestHost>;

const seconds = async (work: () => Promise<unknown>): Promise<number> => {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
};
const say = (text: string) => process.stderr.write(`${text}\n`);

const help = `npm run bench: what a host costs, on two virtual machines that it starts, reboots and removes.

It takes twenty minutes or more, and prints times as multiples of a bare reboot of the same machines, and of the same
changes made by hand, in the same run; and resources, SSH sessions and state bytes per host, and what a converge that
changes nothing and a proof cost on the host; and how soon an error bound is below 10 ms, 1 ms and 100 us, and how far the clock
is off in truth then, by our configuration of chronyd and by the distribution's. It takes no arguments; nothing else should run beside it.
`;

async function main(): Promise<void> {
  const engine = await setUp();
  const folder = mkdtempSync(join(tmpdir(), "timebase-bench-"));
  process.env.XDG_STATE_HOME = join(folder, "machines");
  const log = join(folder, "provider.log");
  process.env.TIMEBASE_PROVIDER_LOG = log;

  const machines = await testStack("machines", folder, machineProgram);
  try {
    say("starting two machines ...");
    const { outputs } = await machines.up();
    const hosts = Object.fromEntries(names.map((name) => [name, new TestHost(outputs[name]?.value, folder)])) as Hosts;
    const both = (work: (host: TestHost, name: Name) => Promise<unknown>) =>
      Promise.all(names.map((name) => work(hosts[name], name)));
    await both((host) => host.cloudInitEnd());
    say("a bare reboot of both ...");
    const bareReboot = await seconds(() => both(reboot));

    const cluster = await testStack("cluster", folder, clusterProgram(hosts));
    say("pulumi up ...");
    const spans: Span[] = [];
    const first = await seconds(() => cluster.up({ onEvent: spanClock(spans) }));
    const sessions = activity(log).filter(({ event }) => event === "session" || event === "copy");
    say("pulumi up again ...");
    let changes = Number.NaN;
    const second = await seconds(async () => {
      changes = changed(await cluster.up());
    });
    const state = await stateCost(cluster, join(folder, "state"), names);
    say("converge and prove with nothing to do ...");
    const client = hosts["bench-2"];
    const verbs = { converge: await verbCost(client, "converge"), prove: await verbCost(client, "prove") };
    const ours = await client.succeeds("sudo cat /etc/chrony/chrony.conf");
    say("pulumi destroy, then the same by hand ...");
    await cluster.destroy();
    const hand = await seconds(() => both((host, name) => byHand(host, chronyByHand[name])));
    say(`how soon a budget holds, two times ${settlingSeconds} s ...`);
    const theirs = await client.succeeds(distributionsChrony);
    const clocks = [await client.watchedClock(), await hosts["bench-1"].watchedClock()] as const;
    const settled = [await settling(client, clocks, ours), await settling(client, clocks, theirs)] as const;
    await Promise.all(clocks.map((clock) => clock.close()));

    process.stdout.write(`${describeEngine(engine)}\n`);
    const times = { reboot: bareReboot, byHand: hand, first, second, changes };
    process.stdout.write(`${timesTable(times, spans, sessions)}\n`);
    process.stdout.write(`${settlingTable(...settled)}\n`);
    process.stdout.write(`${costTable(state, sessions.length / names.length, verbs)}\n`);
  } finally {
    say("removing the machines ...");
    await machines.destroy();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function machineProgram() {
  const shared = { cpus: 1, network: `bench-${process.pid}`, image: trapImage };
  const endpointOf = (name: string, args: object) => new LocalVm(name, { ...shared, ...args }).endpoint;
  return {
    "bench-1": endpointOf("bench-1", {
      privateAddress: "10.80.0.1/24",
      firstBoot: ["apt-get install -y chrony"],
    }),
    "bench-2": endpointOf("bench-2", { privateAddress: "10.80.0.2/24" }),
  };
}

const chronyByHand: Record<Name, string> = {
  "bench-1": "local stratum 10\nallow 10.80.0.0/24",
  "bench-2": "server 10.80.0.1 iburst minpoll 0 maxpoll 0 xleave",
};

/** What Debian's chrony starts from, with our hub in place of the public pool. */
const distributionsChrony = "sed 's/^pool .*/server 10.80.0.1 iburst/' /usr/share/chrony/chrony.conf";

const clusterProgram = (hosts: Hosts) => async () => {
  const { ready } = new ExperimentCluster("lab", {
    hosts: names.map((name) => ({ name, endpoint: hosts[name].asSshHost().endpoint })),
    network: "10.80.0.0/24",
  });
  return { ready };
};

function spanClock(spans: Span[]): (event: EngineEvent) => void {
  const started = new Map<string, number>();
  return ({ resourcePreEvent, resOutputsEvent }) => {
    const now = performance.now() / 1000;
    if (resourcePreEvent) started.set(resourcePreEvent.metadata.urn, now);
    const urn = resOutputsEvent?.metadata.urn ?? "";
    const [, host, phase] = /::lab-(.+)-(toolkit|converge|prove)$/.exec(urn) ?? [];
    if (host === undefined || phase === undefined) return;
    spans.push({ urn, host, phase, seconds: now - (started.get(urn) ?? Number.NaN), end: now });
  };
}

/** What the stand-in for the command provider did; the official one does not say. */
function activity(log: string): Activity[] {
  try {
    return readFileSync(log, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Activity)
      .filter(({ urn }) => urn.startsWith("urn:pulumi:cluster::"));
  } catch {
    return [];
  }
}

command(help, main);
