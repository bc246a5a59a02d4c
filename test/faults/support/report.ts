import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What a machine of the tests is: the distribution itself, or another one that is laid out like it. */
export type MachineKind = "real" | "laid out like it";

/** One check on one system. */
export interface SystemRow {
  system: string;
  bootLoader: string;
  machine: MachineKind;
  check: string;
  /** What was read back. */
  found: string;
}

/** One fault: what was done, what the user read, and what a plain second `up` made of it. */
export interface FaultRow {
  group: string;
  fault: string;
  machine: string;
  /** The error of the `up` that the fault happened to. */
  said: string;
  second: string;
}

export interface Report {
  systems: SystemRow[];
  faults: FaultRow[];
}

const folder = join(__dirname, "../../../docs");
const rowsFile = join(folder, "systems.json");

/** The order of the page, and of the sweep. */
export const faultGroups = ["power", "session", "reboot", "resources", "cloud-init"];

export function readReport(): Report {
  return JSON.parse(readFileSync(rowsFile, "utf8")) as Report;
}

/** Puts rows in the place of those that they are newer than. Only tests that ran to their end come here. */
function merge(rows: Report): void {
  const old = readReport();
  const report = {
    systems: merged(old.systems, rows.systems, ({ system, bootLoader, check }) => `${system} ${bootLoader} ${check}`),
    faults: merged(old.faults, rows.faults, ({ group, fault }) => `${faultGroups.indexOf(group)} ${fault}`),
  };
  writeFileSync(rowsFile, `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(join(folder, "systems.md"), page(report));
}

function merged<Row>(old: Row[], rows: Row[], key: (row: Row) => string): Row[] {
  const byKey = new Map([...old, ...rows].map((row) => [key(row), row]));
  return [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}

export function recordFault(row: FaultRow): void {
  merge({ systems: [], faults: [{ ...row, said: steady(row.said), second: steady(row.second) }] });
}

export function recordSystems(rows: SystemRow[]): void {
  merge({ systems: rows.map((row) => ({ ...row, found: steady(row.found) })), faults: [] });
}

/** Without what differs from run to run, so that the page changes when the product does. */
export function steady(text: string): string {
  return text
    .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "<id>")
    .replace(/127\.77\.0\.\d+(:\d+)?/g, "<address>")
    .replace(/fault-\d+-\d+/g, "<stack>")
    .replace(/\.timebase-[0-9a-f]{12}/g, ".timebase-<owner>")
    .replace(/process \d+/g, "process <n>")
    .replace(/\b\d+\.\d+\.\d+-\d+(-cloud)?-amd64/g, "<kernel>")
    .replace(/root=\S+/g, "root=<root>");
}

/** The page of a report. */
export function page({ systems, faults }: Report): string {
  return `# Systems and faults

Written by \`npm run test:faults\`, from what its tests read back: a row comes from a test that ran to its end. Every
machine is a virtual one. "real" is the distribution itself, from its archive; "laid out like it" is Debian 12 with the
files, the boot loader's places and stand-ins of the programs of a system whose image cannot be had where the tests run.

## Systems

| system | boot loader | machine | check | found |
|---|---|---|---|---|
${systems.map((row) => line([row.system, row.bootLoader, row.machine, row.check, row.found])).join("")}
## Faults

After each fault a plain second \`up\`; then \`destroy\`, and the host's files are compared byte for byte with what they
were before the first.
${faultGroups
  .map((group) => ({ group, rows: faults.filter((row) => row.group === group) }))
  .filter(({ rows }) => rows.length > 0)
  .map(
    ({ group, rows }) => `
### ${group}

| what was done | machine | what the first \`up\` said | the second |
|---|---|---|---|
${rows.map((row) => line([row.fault, row.machine, row.said, row.second])).join("")}`,
  )
  .join("")}`;
}

function line(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", "<br>")).join(" | ")} |\n`;
}
