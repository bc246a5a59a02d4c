import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { withLock } from "../../vm/lock";
import { placesIn } from "../../vm/places";
import { livingProcess } from "../../vm/process";
import { machineFiles } from "../../vm/qemu";
import { imageId } from "../../vm/recipe";
import { type MachineRecord, machineFolder, readRecord, writeRecord } from "../../vm/record";
import { withDefaults } from "../../vm/spec";

// The machinery as a Pulumi command runs it, by a shell that a Ctrl-C kills; programs of the same names stand for what it runs.

const bootId = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
const programs = {
  // Its command line names the pid file, as QEMU's does.
  "qemu-system-x86_64": `while [ "$1" != -pidfile ]; do shift; done
setsid sh -c 'sleep 60; :' qemu -pidfile "$2" >/dev/null 2>&1 </dev/null &
echo $! >"$2"`,
  "qemu-img": `for last; do draft=\${before-}; before=$last; done
: >"$draft"`,
  xorriso: `while [ "$1" != -o ]; do shift; done
: >"$2"`,
  "ssh-keygen": `for draft; do :; done
: >"$draft"
: >"$draft.pub"`,
  // As mmdebstrap does, it waits for its child whatever it is told.
  mmdebstrap: `trap : TERM
echo started >"$here/mmdebstrap-started"
sleep 60
echo ended >"$here/mmdebstrap-ended"`,
  // Only looked for: the build does not come so far.
  "apt-get": "exit 1",
  "mkfs.ext4": "exit 1",
  sfdisk: "exit 1",
  newuidmap: "exit 1",
  newgidmap: "exit 1",
};

let folder: string;
let spec: { name: string; image: { keyring: string } };
let place: string;
const file = (name: string) => join(folder, name);
const qemu = () => livingProcess(machineFiles(place).pid);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "vm-interruption-"));
  for (const [name, body] of Object.entries(programs)) {
    writeFileSync(file(name), `#!/bin/sh\nhere=\${0%/*}\n${body}\n`);
    chmodSync(file(name), 0o755);
  }
  vi.stubEnv("PATH", `${folder}:${process.env.PATH}`);
  vi.stubEnv("XDG_STATE_HOME", file("state"));
  vi.stubEnv("XDG_CACHE_HOME", file("cache"));
  writeFileSync(file("keyring"), "");
  spec = { name: "one", image: { keyring: file("keyring") } };
  const { images } = placesIn(process.env, "");
  mkdirSync(images, { recursive: true });
  writeFileSync(join(images, `${imageId(withDefaults(spec).image)}.qcow2`), "");
  writeFileSync(file(`cache/timebase/accelerator-${bootId}`), "tcg");
  place = machineFolder("one");
});

afterEach(() => {
  const pid = qemu();
  if (pid !== undefined) process.kill(pid, "SIGKILL");
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

/** Starts the machinery's `up`. Returns how to kill the shell that it has been started by, and what it then says. */
function startUp(caller = "$$", asked: object = spec) {
  const program = `TIMEBASE_CALLER=${caller} '${process.execPath}' --import tsx '${join(__dirname, "../../vm/main.ts")}' up`;
  const shell = spawn("/bin/sh", ["-c", `${program} || exit $?`]);
  shell.stdin.end(JSON.stringify(asked));
  const [stdout, stderr] = [text(shell.stdout), text(shell.stderr)];
  return { interrupt: () => shell.kill("SIGKILL"), stdout, stderr };
}

const patience = { timeout: 30_000 };

test("a machine that was being made is removed", async () => {
  const { interrupt, stdout, stderr } = startUp();
  await expect.poll(qemu, patience).toBeDefined();
  interrupt();
  expect(await stderr).toContain("interrupted: machine one, which was being made, is removed\n");
  expect(await stdout).toBe("");
  expect(qemu()).toBeUndefined();
  expect(existsSync(place)).toBe(false);
});

test("one that was up before is left as it is, whatever it is doing", async () => {
  const first = startUp();
  await expect.poll(qemu, patience).toBeDefined();
  const { isNew, ...record } = readRecord(place) as MachineRecord;
  expect(isNew).toBe(true);
  writeRecord(place, record);
  first.interrupt();
  expect(await first.stderr).toContain("interrupted: machine one is left as it is\n");
  expect(qemu()).toBeDefined();
});

test("an image's build ends with all that it has started", async () => {
  const { interrupt, stderr } = startUp("$$", { ...spec, image: { ...spec.image, setup: "true" } });
  await expect.poll(() => existsSync(file("mmdebstrap-started")), patience).toBe(true);
  interrupt();
  expect(await stderr).toContain("interrupted: machine one, which was being made, is removed\n");
  // Its child was ended; it itself had time to do what it does then.
  expect(existsSync(file("mmdebstrap-ended"))).toBe(true);
  expect(existsSync(place)).toBe(false);
});

test("whoever waits for another's work waits no longer", async () => {
  await withLock(place, async () => {
    const { interrupt, stderr } = startUp();
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    interrupt();
    expect(await stderr).toContain("interrupted while it waited\n");
  });
  expect(existsSync(place)).toBe(false);
});

test("a caller that was gone before the first look is missed all the same", async () => {
  const { stderr } = startUp("1");
  expect(await stderr).toContain("interrupted: machine one, which was being made, is removed\n");
  expect(existsSync(place)).toBe(false);
});

test("without a caller nobody is watched", async () => {
  const { interrupt, stderr } = startUp("");
  await expect.poll(qemu, patience).toBeDefined();
  interrupt();
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect(qemu()).toBeDefined();
  process.kill(qemu() ?? 0, "SIGKILL");
  expect(await stderr).toContain("stopped while it booted");
});
