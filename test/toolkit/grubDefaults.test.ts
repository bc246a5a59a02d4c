import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeHost, parameters, plans } from "./FakeHost";

const variable = { "amazon-linux-2": "GRUB_CMDLINE_LINUX_DEFAULT", "amazon-linux-2023": "GRUB_CMDLINE_LINUX" } as const;
const toolkit = path.join(__dirname, "../../toolkit");
const names = Object.keys(variable) as (keyof typeof variable)[];

/** What the file gives a variable, sourced by this shell. */
const sourced = (shell: string, file: string, name: string): string =>
  spawnSync(shell, ["-c", `. "$1" >/dev/null 2>&1; printf %s "$${name}"`, shell, file], { encoding: "utf8" }).stdout;

/** Runs one function of the toolkit on a file. */
const apply = (name: keyof typeof variable, verb: string, file: string): void => {
  const script = `set -eu; TIMEBASE_ROOT=; TIMEBASE_HOME=$1; work=$2; record=$2/record; os_grub_variable=$3
    plan_owner=test/stack/node-1; plan_boot_parameters=$4; plan_boot_override=no; . "$1/lib/boot.sh"; . "$1/lib/grub_defaults.sh"; "$5" "$6"`;
  const work = fs.mkdtempSync(path.join(os.tmpdir(), "timebase-work-"));
  const { status, stderr } = spawnSync(
    "dash",
    ["-c", script, "dash", toolkit, work, variable[name], parameters, verb, file],
    {
      encoding: "utf8",
    },
  );
  fs.rmSync(work, { recursive: true });
  if (status !== 0) throw new Error(`${verb} failed: ${stderr}`);
};

describe.each(names)("/etc/default/grub on %s", (name) => {
  let host: FakeHost;
  beforeEach(() => {
    host = new FakeHost("dash", name);
  });
  afterEach(() => host.destroy());
  const defaults = "etc/default/grub";
  const other = Object.values(variable).find((value) => value !== variable[name]) as string;

  test("every byte of the user's stays, sourcing it gives the user's value and ours, revert gives the same bytes", () => {
    const piece = fc.oneof(
      fc.constantFrom(
        'GRUB_CMDLINE_LINUX="audit=0"',
        "GRUB_CMDLINE_LINUX_DEFAULT='a b' # c",
        "GRUB_CMDLINE_LINUX_DEFAULT=quiet",
        'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX \\$x \\"y\\" `echo z`"',
        "GRUB_DISTRIBUTOR=\"$(sed 's, release .*$,,g' /etc/system-release)\"",
        'GRUB_CMDLINE_LINUX="one \\\ntwo"',
        "GRUB_CMDLINE_LINUX=a\\",
        "GRUB_CMDLINE_LINUX_DEFAULT=a\\\\",
        "  GRUB_TERMINAL=serial\t",
        "",
        "# it's $HOME \\",
        "\\",
        "export GRUB_CMDLINE_LINUX",
        "# timebase end",
      ),
      fc.stringMatching(/^# [ -~]{0,20}$/),
      fc.stringMatching(/^GRUB_CMDLINE_LINUX(_DEFAULT)?='[ -&(-~]{0,20}'$/),
      fc.stringMatching(/^GRUB_CMDLINE_LINUX(_DEFAULT)?=([a-z]|\\[ -~]){0,5}$/),
    );
    const file = host.path(defaults);
    const ends = [
      "",
      "GRUB_TIMEOUT=0",
      `${variable[name]}=a\\`,
      `${variable[name]}=a\\\n`,
      `${variable[name]}=a\\\\`,
      "# \\",
    ];
    fc.assert(
      fc.property(
        fc
          .array(piece, { maxLength: 6 })
          .chain((pieces) => fc.constantFrom(pieces.join("\n"), `${pieces.join("\n")}\n`)),
        (text) => {
          // A clocksource or tsc of the user's would be a conflict, which is another matter.
          fc.pre(!/clocksource=|tsc=/.test(text));
          host.write(defaults, text);
          // A file that no shell can read is refused (below).
          fc.pre(["dash", "bash"].every((shell) => spawnSync(shell, ["-n", file]).status === 0));
          const values = () =>
            ["dash", "bash"].map((shell) => [variable[name], other].map((key) => sourced(shell, file, key)));
          const users = values();
          apply(name, "grub_defaults_edit", file);
          expect(host.read(defaults).startsWith(text)).toBe(true);
          expect(values()).toEqual(users.map(([ours, theirs]) => [`${ours} ${parameters}`, theirs]));
          apply(name, "grub_defaults_undo", file);
          expect(host.read(defaults)).toBe(text);
          // And when somebody has added to it in the meantime: theirs stays, ours goes.
          apply(name, "grub_defaults_edit", file);
          fs.appendFileSync(file, "GRUB_TIMEOUT=7");
          apply(name, "grub_defaults_undo", file);
          const left = host.read(defaults);
          expect(left.startsWith(text)).toBe(true);
          expect(left.slice(text.length)).toMatch(/^\\?\n?GRUB_TIMEOUT=7$/);
          expect(sourced("dash", file, "GRUB_TIMEOUT")).toBe("7");
        },
      ),
      { numRuns: 15, examples: ends.map((end) => [end]) },
    );
  }, 240_000);

  test("the same by converge and revert, for a file that ends badly", () => {
    host.write(defaults, `# mine\n${variable[name]}='a  b'\\`);
    const before = host.snapshot();
    host.converge(plans.boot);
    expect(sourced("bash", host.path(defaults), variable[name])).toBe(`a  b\\ ${parameters}`);
    expect(host.run(["revert"], plans.boot).status).toBe(0);
    expect(host.snapshot()).toEqual(before);
  });

  test.each([
    ["ends in the middle of a quotation", 'GRUB_CMDLINE_LINUX="audit=0\n'],
    ["leaves early", "GRUB_TIMEOUT=0\nexit 0\n"],
    ["returns early", "GRUB_TIMEOUT=0\nreturn 0\n"],
    ["ends in the middle of a here-document", "cat <<END\n"],
  ])("a file that %s is refused before anything is changed", (_what, text) => {
    host.write(defaults, text);
    const before = host.snapshot();
    const run = host.run(["converge"], plans.all);
    expect(run.status).toBe(1);
    expect(run.stderr).toContain("ends before a line that is added at its end");
    expect(host.snapshot()).toEqual(before);
  });

  test("an edit of the user's below our block is kept, and a later converge puts ours last again", () => {
    host.converge(plans.boot);
    fs.appendFileSync(host.path(defaults), `${variable[name]}=mine\n`);
    host.converge(plans.boot);
    expect(sourced("dash", host.path(defaults), variable[name])).toBe(`mine ${parameters}`);
    expect(host.run(["revert"], plans.boot).status).toBe(0);
    expect(sourced("dash", host.path(defaults), variable[name])).toBe("mine");
    expect(host.read(defaults)).not.toContain("timebase");
  });

  test("a file that was not there is not there after revert", () => {
    host.remove(defaults);
    const before = host.snapshot();
    host.converge(plans.boot);
    expect(sourced("dash", host.path(defaults), variable[name])).toBe(` ${parameters}`);
    expect(host.run(["revert"], plans.boot).status).toBe(0);
    expect(host.snapshot()).toEqual(before);
  });
});
