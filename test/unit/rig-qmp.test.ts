import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, test } from "vitest";
import { askQemu } from "../../rig/qmp";

let folder: string;
let server: Server | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "timebase-qmp-"));
});
afterEach(() => {
  server?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A monitor that greets, tells of an event before each answer, and knows these commands; "quit" ends it. */
function monitor(known: Record<string, unknown>): string {
  const path = join(folder, "qmp.sock");
  server = createServer((socket) => {
    socket.write('{"QMP": {"version": {}, "capabilities": []}}\r\n');
    createInterface(socket).on("line", (line) => {
      const { execute } = JSON.parse(line);
      if (execute === "quit") return socket.end();
      const answer = execute in known ? { return: known[execute] } : { error: { class: "x", desc: `no ${execute}` } };
      socket.write(`{"event": "RTC_CHANGE", "data": {}}\r\n${JSON.stringify(answer)}\r\n`);
    });
  }).listen(path);
  return path;
}

test("answers come in the order of the requests, without the greeting and the events", async () => {
  const path = monitor({ qmp_capabilities: {}, first: [1], second: { two: 2 } });
  expect(await askQemu(path, [{ execute: "first" }, { execute: "second" }])).toEqual([[1], { two: 2 }]);
});

test("what QEMU refuses is an error in its own words, and nothing is asked after it", async () => {
  const path = monitor({ qmp_capabilities: {} });
  await expect(askQemu(path, [{ execute: "device_add" }, { execute: "quit" }])).rejects.toThrow(
    "QEMU refuses device_add: no device_add",
  );
});

test("a monitor that is not there, or ends, is an error", async () => {
  await expect(askQemu(join(folder, "absent"), [])).rejects.toThrow("ENOENT");
  const path = monitor({ qmp_capabilities: {} });
  await expect(askQemu(path, [{ execute: "quit" }])).rejects.toThrow("was closed before QEMU answered");
});
