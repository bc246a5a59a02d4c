import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { EngineEvent, Stack } from "@pulumi/pulumi/automation";
import Table from "cli-table3";
import { ExperimentCluster, type HostEndpoint, LocalVm, SshHost } from "../components";
import type { Activity } from "../rig/command-provider/activity-log";
import { trapImage } from "../rig/image";
import { describeEngine, setUp } from "../rig/setup";
import { changed } from "../rig/summary";
import { TestHost } from "../test/rig/support/host";
import { testStack } from "../test/rig/support/stack";

// What a host costs: two virtual machines that exist are brought onto one clock. Every time is given beside a floor
// of the same run on the same machines: a bare reboot of both at once, which no tool that proves persistence can avoid.

const names = ["bench-1", "bench-2"] as const;
type Hosts = Record<(typeof names)[number], TestHost>;

const seconds = async (work: () => Promise<unknown>): Promise<number> => {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
};
const say = (text: string) => process.stderr.write(`${text}\n`);

const help = `npm run bench: what a host costs, on two virtual machines that it starts, reboots and removes.

It takes ten minutes or more, and prints times as multiples of a bare reboot of the same machines in the same run, and
resources, SSH sessions and state bytes per host. It takes no arguments; nothing else should run beside it.
`;

async function main(): Promise<void> {
  if (process.argv.length > 2) {
    process.stdout.write(help);
    process.exitCode = ["--help", "-h"].includes(process.argv[2] ?? "") ? 0 : 1;
    return;
  }
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
    await Promise.all(names.map((name) => hosts[name].cloudInitEnd()));
    say("a bare reboot of both ...");
    const floor = await seconds(() => Promise.all(names.map((name) => bareReboot(hosts[name]))));

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
    const state = await stateFigures(cluster, folder);

    process.stdout.write(`${describeEngine(engine)}\n`);
    process.stdout.write(`${timesTable({ floor, first, second, changes, spans, sessions })}\n`);
    process.stdout.write(`${costTable(state, sessions.length)}\n`);
  } finally {
    say("removing the machines ...");
    await machines.destroy();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function machineProgram() {
  const shared = { network: `bench-${process.pid}`, image: trapImage };
  const endpointOf = (name: string, args: object) => new LocalVm(name, { ...shared, ...args }).endpoint;
  return {
    "bench-1": endpointOf("bench-1", {
      privateAddress: "10.80.0.1/24",
      firstBoot: ["apt-get install -y chrony"],
    }),
    "bench-2": endpointOf("bench-2", { privateAddress: "10.80.0.2/24" }),
  };
}

const clusterProgram = (hosts: Hosts) => async () => {
  const endpointOf = (name: (typeof names)[number]) => {
    const { machineUrn: _, generation: __, ...endpoint }: HostEndpoint = hosts[name].endpoint;
    return new SshHost(name, { ...endpoint, privateKey: pulumi.secret(endpoint.privateKey ?? "") }).endpoint;
  };
  const { ready } = new ExperimentCluster("lab", {
    hosts: names.map((name) => ({ name, endpoint: endpointOf(name) })),
    network: "10.80.0.0/24",
  });
  return { ready };
};

async function bareReboot(host: TestHost): Promise<void> {
  const before = await host.bootId();
  await host.run("sudo systemctl reboot");
  for (;;) {
    const now = await host.bootId();
    if (now !== "" && now !== before) return;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

/** How long a command of a host took, by the engine's events. */
interface Span {
  urn: string;
  host: string;
  phase: string;
  seconds: number;
  end: number;
}

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

interface StateFigures {
  resources: number;
  bytes: number;
}

/** Per host, without what a stack has once. */
async function stateFigures(cluster: Stack, folder: string): Promise<StateFigures> {
  const { deployment } = await cluster.exportStack();
  const perHost = (deployment.resources as { urn: string }[]).filter(({ urn }) =>
    names.some((name) => urn.includes(name)),
  );
  const stacks = join(folder, "state/.pulumi/stacks/timebase-test");
  const file = readdirSync(stacks).find((name) => name.startsWith("cluster.json") && !name.endsWith(".bak"));
  return { resources: perHost.length / names.length, bytes: statSync(join(stacks, file ?? "")).size / names.length };
}

function timesTable(times: {
  floor: number;
  first: number;
  second: number;
  changes: number;
  spans: Span[];
  sessions: Activity[];
}): string {
  const { floor, first, second, changes, spans, sessions } = times;
  const table = new Table({ head: ["time", "seconds", "bare reboots"], style: { head: [], border: [] } });
  const row = (what: string, time: number) => table.push([what, time.toFixed(1), (time / floor).toFixed(2)]);
  row("bare reboot of both", floor);
  row("up", first);
  // Hosts go side by side: what none of them waits for is the engine's, so the slowest one comes first.
  for (const [index, name] of [...names].sort((one, other) => endOf(spans, other) - endOf(spans, one)).entries()) {
    const own = spans.filter(({ host }) => host === name);
    if (index === 0) row("  engine", first - own.reduce((sum, span) => sum + span.seconds, 0));
    for (const { urn, phase, seconds } of own) {
      // The prove command waits for the host's boot; the stand-in tells how much of it is the session.
      const session = sessions.find((activity) => activity.urn === urn);
      if (phase !== "prove" || session === undefined) row(`  ${name} ${phase}`, seconds);
      else {
        row(`  ${name} reboot`, seconds - session.ms / 1000);
        row(`  ${name} prove`, session.ms / 1000);
      }
    }
  }
  row(`second up (${changes} changes)`, second);
  return String(table);
}

const endOf = (spans: Span[], name: string) =>
  Math.max(...spans.filter(({ host }) => host === name).map(({ end }) => end));

function costTable({ resources, bytes }: StateFigures, sessions: number): string {
  const table = new Table({ head: ["per host", "figure"], style: { head: [], border: [] } });
  table.push(["resources", String(resources)]);
  table.push(["SSH sessions", sessions === 0 ? "not told by the official provider" : String(sessions / names.length)]);
  table.push(["state", `${(bytes / 1000).toFixed(1)} kB`]);
  return String(table);
}

main().catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
