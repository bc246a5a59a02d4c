import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { shells } from "./shells";

const toolkit = path.join(__dirname, "../../toolkit/timebase");
const which = (program: string) => spawnSync("sh", ["-c", `command -v ${program}`], { encoding: "utf8" }).stdout.trim();

// On this machine itself, without a fake root: it never comes further than to the question who runs it.
describe.each(shells)("a user who is not root, under %s,", (shell) => {
  let bin: string;
  const program = (name: string, script: string) => {
    fs.writeFileSync(path.join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  };
  const run = (...verb: string[]) =>
    spawnSync(which(shell), [toolkit, ...verb], { input: "the plan", encoding: "utf8", env: { PATH: bin } });

  beforeEach(() => {
    bin = fs.mkdtempSync(path.join(os.tmpdir(), "timebase-bin-"));
    fs.symlinkSync(which("readlink"), path.join(bin, "readlink"));
    program("id", 'case "$1" in -u) echo 1000 ;; -un) echo mine ;; esac');
  });
  afterEach(() => fs.rmSync(bin, { recursive: true }));

  test("is told what to do where there is no sudo", () => {
    const { status, stdout, stderr } = run("converge");
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toBe(
      "timebase: error on this host: user mine is not root and there is no sudo\n" +
        "timebase: what to do: connect as root, or install sudo and allow this user to use it without a password\n",
    );
  });

  test("is told what to do where sudo asks for a password, and nobody is asked", () => {
    program(
      "sudo",
      'case "$1" in -n) echo "sudo: a password is required" >&2; exit 1 ;; *) read -r answer; exit 0 ;; esac',
    );
    const { status, stdout, stderr } = run("converge");
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toBe(
      "timebase: error on this host: user mine may not use sudo without a password\n" +
        "timebase: what to do: add 'mine ALL=(ALL) NOPASSWD: ALL' to /etc/sudoers.d/timebase, or connect as root\n",
    );
  });

  test("becomes root by a sudo that does not ask, with the same words and the same plan", () => {
    program(
      "sudo",
      '[ "$2" != true ] || exit 0\necho "$*"; while read -r line || [ -n "$line" ]; do echo "$line"; done',
    );
    const { status, stdout, stderr } = run("prove", "--repair");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toBe(`-n sh ${toolkit} prove --repair\nthe plan\n`);
  });
});
