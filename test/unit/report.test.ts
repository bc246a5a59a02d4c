import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { faults } from "../faults/support/faults";
import {
  type FaultRow,
  page,
  type Recorded,
  readReport,
  rowsOf,
  steady,
  wantedRows,
  withRows,
} from "../faults/support/report";
import { checks, systems } from "../systems/support/systems";

const row: Recorded<FaultRow> = {
  group: "power",
  fault: "a|<b>",
  machine: "m",
  said: "one\ntwo",
  second: "proved",
  toolkit: "new",
};

test("docs/systems.md is the page of its rows, and of nothing else", () => {
  expect(readFileSync(join(__dirname, "../../docs/systems.md"), "utf8")).toBe(page(readReport()));
});

test("docs/systems.md has a row of every check on every system and of every fault, and no other", () => {
  const rows = rowsOf(readReport());
  expect({
    missing: wantedRows.filter((row) => !rows.includes(row)),
    orphaned: rows.filter((row) => !wantedRows.includes(row)),
  }).toEqual({ missing: [], orphaned: [] });
});

test("a new row takes the place of its old one; of the others nothing is lost but what no test makes", () => {
  const made = (bootLoader: string, check: string, toolkit: string) => ({
    ...{ system: "debian-12", bootLoader, machine: "real" as const, check, found: "", toolkit },
  });
  const [[first = "", second = ""], loader] = [checks, systems["debian-12"].bootLoader];
  const [fault = "", other = ""] = faults.power;
  const efi = made(systems["debian-12-efi"].bootLoader, first, "old");
  const [before, beside] = [made(loader, first, "old"), made(loader, second, "old")];
  const old = {
    toolkit: "old",
    systems: [made(loader, "0. no such check", "old"), efi, beside, before],
    faults: [row, { ...row, fault }],
  };
  const rows = { systems: [made(loader, first, "new")], faults: [{ ...row, fault: other }] };
  expect(withRows(old, rows, "new")).toEqual({
    toolkit: "new",
    systems: [rows.systems[0], beside, efi],
    faults: [{ ...row, fault }, rows.faults[0]],
  });
});

test("a row that the page has no place for is not lost silently", () => {
  const old = { toolkit: "old", systems: [], faults: [] };
  expect(() => withRows(old, { faults: [row] }, "new")).toThrow("no place for a row of power: a|<b>");
});

test("a row has nothing that differs from run to run", () => {
  const text =
    "dial tcp 127.77.0.1:22 of process 4711 on 0a1b2c3d-0000-4000-8000-000000000000, fault-12-3, 6.12.1+deb12-cloud-amd64";
  expect(steady(text)).toBe("dial tcp <address> of process <n> on <id>, <stack>, 6.12...");
  expect(steady(steady(text))).toBe(steady(text));
});

test("a cell cannot break its table", () => {
  expect(page({ toolkit: "new", systems: [], faults: [row] })).toContain(
    "| a\\|&lt;b> | m | one<br>two | proved | new |\n",
  );
});

test("the page tells how many of its rows are of the newest toolkit", () => {
  const report = { toolkit: "new", systems: [], faults: [row, { ...row, toolkit: "old" }] };
  expect(page(report)).toMatch(/newest is `new`: 1 of\s2 rows/);
});
