import fs from "node:fs";
import path from "node:path";
import { expect } from "vitest";
import type { FakeHost, Run } from "./FakeHost";

// Hosts with time sources that are no addresses, and their proofs.

export const conf = "etc/chrony/chrony.conf";
export const unit = "etc/systemd/system/timebase-sources.service";
/** What chronyd reads at each start. */
export const runFile = "run/chrony-dhcp/timebase.conf";
export const aws = (number: number): string =>
  `refclock PHC /dev/ptp${number} refid ENA0 poll 0 delay 0.000010 prefer\n`;

/** A bound, in nanoseconds, with what the clock may have drifted in the seconds that reading it took at most. */
export const boundFrom = (ns: number) => expect.toSatisfy((found: number) => found >= ns && found < ns + 200_000);

/** The operators' own words, in /sys/class/dmi/id. */
const clouds = {
  aws: {
    sys_vendor: "Amazon EC2",
    product_name: "m7i.metal-24xl",
    chassis_asset_tag: "Amazon EC2",
    bios_version: "1.0",
  },
  xen: { sys_vendor: "Xen", product_name: "HVM domU", chassis_asset_tag: "", bios_version: "4.11.amazon" },
  gcp: { sys_vendor: "Google", product_name: "Google Compute Engine", chassis_asset_tag: "", bios_version: "Google" },
  azure: {
    sys_vendor: "Microsoft Corporation",
    product_name: "Virtual Machine",
    chassis_asset_tag: "7783-7084-3265-9085-8269-3286-77",
    bios_version: "090008",
  },
  qemu: { sys_vendor: "QEMU", product_name: "Standard PC", chassis_asset_tag: "", bios_version: "1.16" },
} as const;

/** What the firmware of a cloud's machine says of itself. */
export const onCloud = (host: FakeHost, cloud: keyof typeof clouds): void => {
  for (const [key, value] of Object.entries(clouds[cloud])) host.write(`sys/class/dmi/id/${key}`, `${value}\n`);
};

/** The driver of EC2's network adapter, with its clock turned off. */
export const onEna = (host: FakeHost, hasClock: boolean): void => {
  onCloud(host, "aws");
  host.write("sys/module/ena/parameters/phc_enable", "0\n");
  host.write("sys/module/ena/version", "2.13.0g\n");
  if (hasClock) host.write("fake/ena-has-a-clock", "");
};

/** The plan with these time sources instead, for the world's time. */
export const following = (plan: string, ...sources: string[]): string =>
  plan
    .replace(/^time-source=.*\n/m, sources.map((source) => `time-source=${source}\n`).join(""))
    .replace("timescale=hub:hub", "timescale=utc");

/** The plan with the boot parameter that an `aws-phc` needs. */
export const withEna = (plan: string): string =>
  plan.replace("boot-parameter=tsc=reliable\n", "$&boot-parameter=ena.phc_enable=1\n");

/** The same as `synchronised` from a clock device. */
export const refclock = (refid: string): string =>
  `${Buffer.from(refid).toString("hex").toUpperCase()},${refid},1,@NOW@.123456789,-0.000000012,0.000000010,0.000000020,-12.345,0.010,0.123,0.000010000,0.000002000,1.0,Normal\n` +
  `#,*,${refid},0,0,377,1,-0.000000010,-0.000000012,0.000005030\n`;

export interface Row {
  id: string;
  verdict: string;
  found: string;
  remedy: string;
}

/** A proof, its evidence and its checks. */
export const proved = (
  host: FakeHost,
  plan: string,
): Run & { evidence: Record<string, unknown>; row: (id: string) => Row } => {
  const run = host.run(["prove"], plan);
  const evidence = JSON.parse(run.stdout);
  return { ...run, evidence, row: (id) => evidence.checks.find((check: Row) => check.id === id) };
};

/** What a converge says that is refused before anything was changed, with a remedy. */
export const refusal = (host: FakeHost, plan: string): string => {
  const before = host.snapshot();
  const run = host.run(["converge"], plan);
  expect(run.status).toBe(1);
  expect(run.stderr).toContain("what to do: ");
  expect(host.snapshot()).toEqual(before);
  expect(host.calls().filter((call) => /apt-get|systemctl (?!show|is-)/.test(call))).toEqual([]);
  return run.stderr;
};

/** Converge and the boot that it orders, after which chronyd follows this device. Answers what prove is given. */
export const afterBoot = (host: FakeHost, plan: string, refid: string, device: string): string => {
  const { stdout } = host.converge(plan);
  host.reboot();
  host.chrony(refclock(refid));
  host.opened(device);
  return plan + stdout;
};

/** What `pmc` said of ptp4l of this version in this situation, as if just now, with 10.77.0.1 for the hub's address. */
export const pmcSaid = (situation: string, version = "3.1.1"): string => {
  const all = fs.readFileSync(path.join(__dirname, `recorded/pmc-${version}.txt`), "utf8").split(/^== /m);
  const [heading, ...lines] = (all.find((part) => part.startsWith(`${situation} `)) as string).split("\n");
  const now = Number((heading as string).split(" ")[1]);
  return lines
    .join("\n")
    .replaceAll("027462.000a.b10001", "027462.000a.4d0001")
    .replace(/(ingress_time +)([1-9]\d{9})/, (_, key, second) => (now - second < 3 ? `${key}@NOW@` : key + second));
};
