import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { lock } from "proper-lockfile";
import { toolkitDigest, toolkitFolder } from "../../../components/remote/toolkit";
import { checks, systems } from "../../systems/support/systems";
import { type FaultGroup, faults } from "./faults";

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
  group: FaultGroup;
  fault: string;
  machine: string;
  /** The error of the `up` that the fault happened to. */
  said: string;
  second: string;
}

/** A row, and the digest of the toolkit that its test ran with. */
export type Recorded<Row> = Row & { toolkit: string };

export interface Report {
  /** Digest of the toolkit that the newest rows are of. */
  toolkit: string;
  systems: Recorded<SystemRow>[];
  faults: Recorded<FaultRow>[];
}

const folder = join(__dirname, "../../../docs");
const rowsFile = join(folder, "systems.json");

const faultGroups = Object.keys(faults) as FaultGroup[];

const keyOfSystem = ({ system, bootLoader, check }: Pick<SystemRow, "system" | "bootLoader" | "check">) =>
  `${system}, ${bootLoader}: ${check}`;
const keyOfFault = ({ group, fault }: Pick<FaultRow, "group" | "fault">) => `${group}: ${fault}`;

/** The keys of a report's rows. */
export const rowsOf = ({ systems, faults }: Report): string[] => [
  ...systems.map(keyOfSystem),
  ...faults.map(keyOfFault),
];

/** The keys of the rows that a whole run makes, in the order of the page. */
export const wantedRows: readonly string[] = [
  ...Object.values(systems).flatMap((system) => checks.map((check) => keyOfSystem({ ...system, check }))),
  ...faultGroups.flatMap((group) => faults[group].map((fault) => keyOfFault({ group, fault }))),
];

export function readReport(): Report {
  return JSON.parse(readFileSync(rowsFile, "utf8")) as Report;
}

/** A new row takes the place of the old one of its name, and what no test makes any more goes; in the order of the page. */
export function withRows(old: Report, rows: Partial<Omit<Report, "toolkit">>, toolkit: string): Report {
  return {
    toolkit,
    systems: newest(old.systems, rows.systems ?? [], keyOfSystem),
    faults: newest(old.faults, rows.faults ?? [], keyOfFault),
  };
}

function newest<Row>(old: Row[], rows: Row[], key: (row: Row) => string): Row[] {
  const strange = rows.map(key).filter((name) => !wantedRows.includes(name));
  if (strange.length > 0)
    throw new Error(`the page has no place for a row of ${strange.join(" or ")}: name it there first`);
  const byName = new Map([...old, ...rows].map((row) => [key(row), row]));
  return wantedRows.flatMap((name) => byName.get(name) ?? []);
}

/** Only tests that ran to their end come here, two at a time. */
async function merge(rows: { systems?: SystemRow[]; faults?: FaultRow[] }): Promise<void> {
  const release = await lock(rowsFile, { retries: 10 });
  try {
    record(rows);
  } finally {
    await release();
  }
}

function record(rows: { systems?: SystemRow[]; faults?: FaultRow[] }): void {
  const toolkit = toolkitDigest(toolkitFolder());
  const recorded = <Row>(made: Row[] = []) => made.map((row) => ({ ...row, toolkit }));
  const report = withRows(readReport(), { systems: recorded(rows.systems), faults: recorded(rows.faults) }, toolkit);
  writeFileSync(rowsFile, `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(join(folder, "systems.md"), page(report));
}

export async function recordFault(row: FaultRow): Promise<void> {
  await merge({ faults: [{ ...row, said: steady(row.said), second: steady(row.second) }] });
}

export async function recordSystems(rows: SystemRow[]): Promise<void> {
  await merge({ systems: rows.map((row) => ({ ...row, found: steady(row.found) })) });
}

/** Without what differs from run to run, so that the page changes when the product does. */
export function steady(text: string): string {
  return text
    .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "<id>")
    .replace(/127\.77\.0\.\d+(:\d+)?/g, "<address>")
    .replace(/fault-\d+-\d+/g, "<stack>")
    .replace(/\.timebase-[0-9a-f]{12}/g, ".timebase-<owner>")
    .replace(/locked for \d+ s/g, "locked for <n> s")
    .replace(/after \d+ failed/g, "after <n> failed")
    .replace(/process \d+/g, "process <n>")
    .replace(/\b(\d+\.\d+)\.\d+[-+][\w.+-]*-amd64/g, "$1...")
    .replace(/ {2,}/g, " ")
    .replace(/root=\S+/g, "root=<root>");
}

/** The page of a report. */
export function page({ toolkit, systems, faults }: Report): string {
  const rows = [...systems, ...faults];
  const present = rows.filter((row) => row.toolkit === toolkit).length;
  return `# Systems and faults

Written by \`npm run test:faults\`, from what its tests read back: a row comes from a test that ran to its end. Every
machine is a virtual one. "real" is the distribution itself, from its archive; "laid out like it" is Debian 12 with the
files, the boot loader's places and stand-ins of the programs of a system whose image cannot be had where the tests run.

The last column is a digest of the toolkit that a row was made with. The newest is \`${toolkit}\`: ${present} of
${rows.length} rows are of it.

## Systems

| system | boot loader | machine | check | found | toolkit |
|---|---|---|---|---|---|
${systems.map((row) => line([row.system, row.bootLoader, row.machine, row.check, row.found, row.toolkit])).join("")}
## Faults

After each fault a plain second \`up\`; then \`destroy\`, and the host's files are compared byte for byte with what they
were before the first.
${faultGroups
  .map((group) => ({ group, rows: faults.filter((row) => row.group === group) }))
  .filter(({ rows }) => rows.length > 0)
  .map(
    ({ group, rows }) => `
### ${group}

| what was done | machine | what the first \`up\` said | the second | toolkit |
|---|---|---|---|---|
${rows.map((row) => line([row.fault, row.machine, row.said, row.second, row.toolkit])).join("")}`,
  )
  .join("")}`;
}

function line(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("<", "&lt;").replaceAll("\n", "<br>")).join(" | ")} |\n`;
}
