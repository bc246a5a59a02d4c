import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parameters } from "./FakeHost";

const toolkit = path.join(__dirname, "../../toolkit");
const script = `set -eu; TIMEBASE_ROOT=$2; TIMEBASE_HOME=$1; TIMEBASE_STATE=$2/state; work=$2; record=$2/record
  tab='\t' newline='
'; plan_boot_parameters=$3; . "$1/lib/base.sh"; . "$1/lib/boot.sh"; . "$1/lib/bls.sh"; "$4" "$5"`;

// What has neither ours nor what contradicts it, which is refused.
const word = fc.oneof(
  fc.constantFrom("ro", "$kernelopts", "$x", "root=UUID=1234", 'name="a b"', "it's", "\\", "--", "tsc=nowatchdog", "x"),
  fc.stringMatching(/^[!-~]{1,8}$/).filter((text) => !/clock|tsc/.test(text)),
);
const blank = fc.constantFrom(" ", "  ", "\t", " \t");
const words = fc
  .array(fc.tuple(word, blank), { maxLength: 5 })
  .map((pairs) => pairs.flat().join(""))
  .chain((text) => fc.constantFrom(text, text.trimEnd()));
const options = fc.tuple(fc.constantFrom("options ", "options\t", "options"), words).map((parts) => parts.join(""));
const other = fc.oneof(
  fc.constantFrom("title Amazon Linux", "linux /boot/vmlinuz-6.1", "", "# options x", " options x", "optionsx y", "\t"),
  fc.stringMatching(/^[ -~]{0,20}$/).filter((text) => !/clock|tsc/.test(text)),
);
const lines = (line: fc.Arbitrary<string>) =>
  fc
    .array(line, { maxLength: 6 })
    .map((all) => all.join("\n"))
    .chain((text) => fc.constantFrom(text, `${text}\n`));

describe.each([
  ["an entry", "bls_edit", "bls_undo", lines(fc.oneof(options, other)), /^options(?=[ \t]|$).*/gm],
  ["/etc/kernel/cmdline", "bls_cmdline_edit", "bls_cmdline_undo", lines(words), /^.*/gm],
] as const)("whatever is in %s", (_what, edit, undo, texts, commandLine) => {
  let folder: string;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "timebase-bls-"));
    fs.mkdirSync(path.join(folder, "record"));
  });
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  const file = () => path.join(folder, "file");
  const read = () => fs.readFileSync(file(), "utf8");
  const apply = (verb: string) => {
    const { status, stderr } = spawnSync("dash", ["-c", script, "dash", toolkit, folder, parameters, verb, file()], {
      encoding: "utf8",
    });
    if (status !== 0 || stderr) throw new Error(`${verb} failed: ${stderr}`);
  };
  /** The kernel's command line of a file, as words. */
  const given = (text: string) =>
    (text.match(commandLine) ?? [])
      .join(" ")
      .split(/[ \t]+/)
      .filter((text) => text && text !== "options");

  test("ours comes last, every byte of the user's stays, and taking ours out gives the same bytes", () => {
    fc.assert(
      fc.property(texts, (text) => {
        fs.writeFileSync(path.join(folder, "record/was"), text);
        fs.writeFileSync(file(), text);
        apply(edit);
        expect(given(read())).toEqual([...given(text), ...parameters.split(" ")]);
        apply(undo);
        expect(read()).toBe(text);
        // And when somebody has added a word in the meantime: theirs stays, ours goes.
        apply(edit);
        fs.writeFileSync(file(), read().replace(parameters, `${parameters} mine=1`));
        apply(undo);
        expect(given(read())).toEqual([...given(text), "mine=1"]);
      }),
      { numRuns: 60 },
    );
  });
});
