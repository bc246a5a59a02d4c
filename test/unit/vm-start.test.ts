import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createMachine } from "../../vm/machine";
import { machineFolder, machinesOf, readRecord } from "../../vm/record";
import { environment } from "../../vm/run";
import { withDefaults } from "../../vm/spec";
import { startQemu } from "../../vm/up";

// What it finds out, once for each boot of this computer, is kept for others, and is not to be learned from this QEMU.
vi.mock("../../vm/accelerator", async (original) => ({
  ...(await original<typeof import("../../vm/accelerator")>()),
  chooseAccelerator: async () => "tcg",
}));

// A QEMU that meets somebody else's listener as often as the file `taken` has lines, and remembers where it was to listen.
const qemu = `#!/bin/sh
here=\${0%/*}
echo "$*" | grep -o 'hostfwd=tcp:[0-9.]*' >>"$here/asked"
if [ -s "$here/taken" ]; then
  sed -i 1d "$here/taken"
  echo "Could not set up host forwarding rule 'tcp:127.77.0.1:22-:22'" >&2
  exit 1
fi
`;

const path = environment.PATH;
let folder: string;
const asked = () => readFileSync(join(folder, "asked"), "utf8").trim().split("\n");
const taken = (times: number) => writeFileSync(join(folder, "taken"), "taken\n".repeat(times));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "vm-start-"));
  mkdirSync(join(folder, "state"));
  writeFileSync(join(folder, "qemu-system-x86_64"), qemu);
  chmodSync(join(folder, "qemu-system-x86_64"), 0o755);
  environment.PATH = `${folder}:${path}`;
  vi.stubEnv("XDG_STATE_HOME", join(folder, "state"));
});

afterEach(() => {
  environment.PATH = path;
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

async function made(spec: Parameters<typeof withDefaults>[0]) {
  const place = machineFolder(spec.name);
  return { place, record: await createMachine(place, withDefaults(spec)) };
}

test("a new machine takes another address when somebody else has got its own first", async () => {
  const { place, record } = await made({ name: "one" });
  taken(2);
  const started = await startQemu(place, record);
  expect(new Set(asked()).size).toBe(2);
  expect(asked()).toHaveLength(3);
  expect(asked().at(-1)).toBe(`hostfwd=tcp:${started.ssh.address}`);
  expect(readRecord(place)?.ssh).toEqual(started.ssh);
});

test("it gives up after some", async () => {
  const { place, record } = await made({ name: "one" });
  taken(99);
  await expect(startQemu(place, record)).rejects.toThrow("could not be started");
  expect(asked()).toHaveLength(5);
});

test.each([
  ["one whose address is stated", { name: "one", address: "127.77.0.9" }, {}],
  ["one that has run at its address", { name: "one" }, { started: { incarnation: "1", accelerator: "tcg" as const } }],
])("not %s: its address is what others know it by", async (_, spec, more) => {
  const { place, record } = await made(spec);
  taken(1);
  await expect(startQemu(place, { ...record, ...more })).rejects.toThrow("host forwarding");
  expect(asked()).toHaveLength(1);
});

test("the machines of a network are found, made or running, and no others", async () => {
  expect(machinesOf("lab")).toEqual([]);
  await made({ name: "one", network: "lab", privateAddress: "10.9.0.1/24" });
  await made({ name: "two", network: "other", privateAddress: "10.9.0.2/24" });
  await made({ name: "three" });
  expect(machinesOf("lab")).toEqual(["one"]);
});
