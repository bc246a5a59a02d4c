import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { toolkitDigest, toolkitFolder } from "../../../components/remote/toolkit";
import { plot } from "./plot";
import type { Sample } from "./samples";
import { type PhaseRow, rowsOf, type Spread } from "./statistics";

/** What one run has found. */
export interface Report {
  /** Digest of the toolkit that ran. */
  toolkit: string;
  /** How the machines ran: "tcg" is software emulation. */
  accelerator: string;
  rows: PhaseRow[];
}

const folder = join(__dirname, "../../../docs");
const rowsFile = join(folder, "ground-truth.json");

export function readReport(): Report {
  return JSON.parse(readFileSync(rowsFile, "utf8")) as Report;
}

/** Writes docs/ground-truth.md, its rows as JSON, and its plot. */
export async function writeReport(samples: readonly Sample[], phases: readonly string[], accelerator: string) {
  const report = { toolkit: toolkitDigest(toolkitFolder()), accelerator, rows: rowsOf(samples, phases) };
  writeFileSync(rowsFile, `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(join(folder, "ground-truth.md"), page(report));
  writeFileSync(join(folder, "ground-truth.svg"), await plot(samples, phases));
  return report;
}

/** The page of a report. */
export function page({ toolkit, accelerator, rows }: Report): string {
  const sum = (of: (row: PhaseRow) => number) => rows.reduce((total, row) => total + of(row), 0);
  return `# Ground truth

Written by \`npm test -- truth\`. All machines of the rig share one physical clock, so their true offsets can be seen from
outside. Two hubs follow a server that has the right time, a client follows the hubs over a path that can be made worse
(\`rig/network/\`), and while the client proves its clock again and again, its true offset is measured through a page of
memory that this machine and the client both see (\`rig/true-offset.ts\`). A bound is held to every look at the clock from
its \`asOf\` on until the proof that claims it has ended.

**In ${sum(({ claims }) => claims)} samples with a bound the true offset exceeded it ${sum(({ exceeded }) => exceeded)} times.**
Of all ${sum(({ samples }) => samples)} samples, chrony's last offset, taken for a bound, was exceeded in
${sum(({ naiveExceeded }) => naiveExceeded.lastOffsetNs)}, and the formula alone (system time offset + root dispersion + root delay / 2, without any check) in
${sum(({ naiveExceeded }) => naiveExceeded.formulaNs)}. Both are read at the end of the proof, and held to the same looks, which come before: so of a clock that
is being slewed back the formula says what is left, and not what was. A sample without a bound claims nothing: the proof names the check that refuses it.

The toolkit's digest is \`${toolkit}\`. The machines had one CPU each and ran by ${accelerators[accelerator] ?? accelerator}.

![The true offset and the claimed bound over time](ground-truth.svg)

Offsets and bounds are in microseconds, \`min / median / max\`. The ratio is bound divided by true offset: how tight the bound
is.

| phase | samples | bounds | refusals, and the check that refused | largest true offset | bound | ratio | last offset exceeded | formula exceeded | bound exceeded |
|---|---|---|---|---|---|---|---|---|---|
${rows.map(line).join("")}`;
}

const accelerators: Record<string, string> = {
  tcg: "software emulation, on cores that they shared",
  kvm: "KVM",
};

function line({ phase, samples, claims, refusals, largestOffsetNs, boundNs, ratio, ...row }: PhaseRow): string {
  const refused = Object.entries(refusals).map(([check, times]) => `${times} by ${check}`);
  const cells = [
    phase,
    samples,
    claims,
    refused.join(", ") || "none",
    largestOffsetNs === undefined ? "not seen" : micros(largestOffsetNs),
    spreadText(boundNs, micros),
    spreadText(ratio, (value) => value.toFixed(value < 10 ? 1 : 0)),
    row.naiveExceeded.lastOffsetNs,
    row.naiveExceeded.formulaNs,
    row.exceeded,
  ];
  return `| ${cells.join(" | ")} |\n`;
}

const micros = (ns: number) => (ns / 1000).toFixed(ns < 10_000 ? 1 : 0);

function spreadText(spread: Spread | undefined, text: (value: number) => string): string {
  return spread === undefined ? "none" : [spread.least, spread.median, spread.most].map(text).join(" / ");
}
