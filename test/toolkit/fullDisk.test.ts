import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { FakeHost, plans } from "./FakeHost";
import { shells } from "./shells";

// Room is looked for before anything is changed; these disks are full in the middle.
// Every third write of each system, not the same ones.
describe.each([
  ["dash", "debian-12", 1],
  ["bash", "amazon-linux-2023", 2],
])("a disk that is full at whichever write, under %s on %s,", (shell, system, first) => {
  let host: FakeHost;
  afterEach(() => host.destroy());

  /** From the n-th copy on only the first bytes of each come to the disk. */
  const fullFrom = (copy: number) =>
    host.meanwhile(
      "cp",
      `for to in "$@"; do :; done
case "$to" in "$TIMEBASE_ROOT"*)
  echo copy >>"$TIMEBASE_ROOT/fake/copies"
  [ "$(wc -l <"$TIMEBASE_ROOT/fake/copies")" -lt ${copy} ] || {
    printf '#' >"$to"
    echo "cp: error writing '$to': No space left on device" >&2
    exit 1
  } ;;
esac`,
    );
  const ended = (stderr: string) => stderr.slice(stderr.indexOf("timebase: error"));

  test("converge names file and remedy, leaves no half of it, and is gone on with, or reverted", () => {
    let copy = first;
    for (; ; copy += 3) {
      host = new FakeHost(shell, system);
      const before = host.snapshot();
      fullFrom(copy);
      const run = host.run(["converge"], plans.all);
      if (run.status === 0) break;
      expect(ended(run.stderr)).toMatch(
        /^timebase: error on node-1: \/\S+ could not be written: cp: error writing '\S+': No space left on device\ntimebase: what to do: make room, [^\n]*\n$/,
      );
      expect(Object.keys(host.snapshot()).filter((name) => name.endsWith(".timebase-new"))).toEqual([]);
      host.remove("fake/bin");
      if (copy % 2) {
        host.converge(plans.all);
        host.reboot();
      }
      const reverted = host.run(["revert"], plans.all);
      expect(reverted.status, reverted.stderr).toBe(0);
      expect(reverted.stderr).not.toContain("somebody else");
      expect(host.snapshot(), `${copy}`).toEqual(before);
      host.destroy();
    }
    expect(copy).toBeGreaterThan(15);
  }, 300_000);

  test("revert says so too, and is gone on with", () => {
    for (let copy = first; ; copy += 3) {
      host = new FakeHost(shell, system);
      const before = host.snapshot();
      host.converge(plans.all);
      host.reboot();
      fs.appendFileSync(host.path(host.system.chrony.conf), "# theirs\n");
      fullFrom(copy);
      const run = host.run(["revert"], plans.all);
      host.remove("fake/bin");
      const kept = `${host.system.chrony.conf}.kept-by-timebase`;
      if (run.status !== 0) {
        expect(ended(run.stderr)).toMatch(/ could not be written: .*\ntimebase: what to do: make room/);
        expect(host.run(["revert"], plans.all).status).toBe(0);
      }
      expect(host.read(kept)).toContain("# theirs");
      if (system.startsWith("amazon")) {
        host.remove(kept);
        expect(host.snapshot()).toEqual(before);
      }
      host.destroy();
      if (run.status === 0) break;
    }
  }, 300_000);
});

// Programs of others that have no room say so; it is no fault of a mirror, or of GRUB's defaults.
describe.each(shells)("a disk that is full for another program, under %s,", (shell) => {
  test.each([
    ["apt-get", "debian-12", "E: You don't have enough free space in /var/cache/apt/archives/."],
    ["apt-get", "debian-12", "dpkg: error processing archive chrony.deb (--unpack): No space left on device"],
    ["yum", "amazon-linux-2", "  At least 5MB more space needed on the / filesystem."],
    ["dnf", "amazon-linux-2023", "  At least 5MB more space needed on the / filesystem."],
  ])('%s on %s: "%s"', (program, system, error) => {
    const host = new FakeHost(shell, system);
    for (const file of ["etc/chrony.conf", "fake/packages/chrony"]) host.remove(file);
    host.meanwhile(program, `echo "${error}"; exit 1`);
    const { status, stderr } = host.run(["converge"], plans.time);
    expect(status).toBe(1);
    expect(stderr).toContain(`${program} has no room for what it is to do (the output is above)`);
    expect(stderr).toContain("what to do: make room there");
    expect(host.exists("var/lib/timebase/packages-before")).toBe(false);
    host.destroy();
  });

  test("grub-mkconfig: /boot", () => {
    const host = new FakeHost(shell);
    const before = host.read(host.grubCfg);
    host.meanwhile("grub-mkconfig", 'echo half >"$2"; echo "cannot create $2.new: No space left on device"; exit 1');
    const { status, stderr } = host.run(["converge"], plans.boot);
    expect(status).toBe(1);
    expect(stderr).toContain("/boot/grub/grub.cfg could not be written: No space left on device");
    expect(stderr).toContain("what to do: make room");
    expect(host.read(host.grubCfg)).toBe(before);
    expect(fs.readdirSync(host.path("boot/grub"))).toEqual(["grub.cfg"]);
    host.destroy();
  });
});

// Where mounting is allowed, the real thing.
const mayMount = spawnSync("unshare", ["-m", "true"]).status === 0;
describe.skipIf(!mayMount).each(shells)("a file system that is really full, under %s,", (shell) => {
  /** A converge, after `folder` was made a file system of so many pages. */
  const converge = (host: FakeHost, folder: string, pages: number) =>
    spawnSync(
      "unshare",
      [
        "-m",
        "sh",
        "-c",
        `mount -t tmpfs -o size=${pages * 4}k tmpfs "$1" && mkdir -p "$1/systemd/system" && shift && exec "$@"`,
        "sh",
      ].concat([folder, shell, `${__dirname}/../../toolkit/timebase`, "converge"]),
      { input: plans.all, encoding: "utf8", env: host.environment() },
    );

  test.each([2, 4, 8])("ends in the name of the folder for temporary files (room for %i)", (pages) => {
    const host = new FakeHost(shell);
    const run = converge(host, host.path("run"), pages);
    expect(run.status).toBe(1);
    expect(run.stderr).toMatch(
      /timebase: error on node-1: temporary files in \S+\/run cannot be written\ntimebase: what to do: make room there .*\n$/,
    );
    host.destroy();
  });

  test("ends in the name of the file that could not be written", () => {
    const host = new FakeHost(shell);
    const run = converge(host, host.path("var/lib"), 6);
    expect(run.status).toBe(1);
    expect(run.stderr).toMatch(
      /error on node-1: \S+\/var\/lib\/timebase\/\S+ could not be written: .*No space left on device\ntimebase: what to do: make room, .*\n$/,
    );
    host.destroy();
  });
});
