import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import type { PropertyMap } from "../../../rig/plugin/property-values";
import {
  activities,
  bastion,
  closedPort,
  connection,
  create,
  logged,
  provider,
  remote,
  runRemote,
  scratch,
  server,
} from "./setting";
import { password, startSshServer } from "./ssh-server";

describe("dialing", () => {
  it("retries until the host is up", async () => {
    const port = await closedPort();
    const running = create(remote, {
      connection: connection({ port, password, privateKey: undefined, dialErrorLimit: -1 }),
      create: "echo up",
    });
    await sleep(500);
    const late = await startSshServer(port);
    expect(await running).toMatchObject({ stdout: "up" });
    expect(logged()[0]).toBe("Dial 1/inf failed: retrying");
    await late.close();
  });

  it("gives up after dialErrorLimit failures that were followed by a retry", async () => {
    const refused = runRemote("true", {}, { port: await closedPort(), dialErrorLimit: 2 });
    await expect(refused).rejects.toThrow(/^after 2 failed attempts: dial tcp 127.0.0.1:\d+: .*ECONNREFUSED/);
    expect(logged()).toEqual(["Dial 1/2 failed: retrying", "Dial 2/2 failed: retrying"]);
    expect(activities().filter(({ event, ok }) => event === "dial" && !ok)).toHaveLength(3);
  });

  it("stops when the user cancels", async () => {
    const endless = runRemote("true", {}, { port: await closedPort(), dialErrorLimit: -1 });
    await sleep(200);
    await provider.cancel();
    await expect(endless).rejects.toThrow("cancelled");
  });

  it("bounds the TCP connect", async () => {
    // A listener whose backlog is full neither accepts nor refuses; TEST-NET-1 is never routed.
    const started = Date.now();
    const failure = runRemote("true", {}, { host: "192.0.2.1", perDialTimeout: 1, dialErrorLimit: 0 });
    await expect(failure).rejects.toThrow("after 0 failed attempts: dial tcp 192.0.2.1");
    expect(Date.now() - started).toBeLessThan(5000);
  });

  it("accepts any host key without a pin, and only the pinned one with it", async () => {
    expect(await runRemote("echo any")).toMatchObject({ stdout: "any" });
    const hostKey = `# from a file\n${server.hostKey} a comment\n`;
    expect(await runRemote("echo pinned", {}, { hostKey })).toMatchObject({ stdout: "pinned" });
    const wrong = runRemote("true", {}, { hostKey: bastion.hostKey, dialErrorLimit: 0 });
    await expect(wrong).rejects.toThrow("ssh: handshake failed: ssh: host key mismatch");
    await expect(runRemote("true", {}, { hostKey: "nonsense" })).rejects.toThrow("failed to parse host key");
    expect(server.sessions).toHaveLength(2);
  });

  it("logs in with a password, and falls back to it after a key", async () => {
    expect(await runRemote("echo in", {}, { privateKey: undefined, password })).toMatchObject({ stdout: "in" });
    expect(await runRemote("echo in", {}, { privateKey: bastion.privateKey, password })).toMatchObject({
      stdout: "in",
    });
  });

  it.each([
    ["another key", () => ({ privateKey: bastion.privateKey })],
    ["another password", () => ({ privateKey: undefined, password: "sesame" })],
    ["nothing", () => ({ privateKey: undefined })],
  ])("is refused with %s, and shows neither key nor password", async (_what, changes) => {
    const failure = await runRemote("true", {}, { ...changes(), dialErrorLimit: 0 }).catch(
      (error: Error) => error.message,
    );
    expect(failure).toMatch(/ssh: handshake failed/);
    expect(failure).not.toMatch(/PRIVATE KEY|sesame/);
  });

  it("fails at once for a key that is none, without showing it", async () => {
    const failure = await runRemote("true", {}, { privateKey: "-----BEGIN nonsense" }).catch(
      (error: Error) => error.message,
    );
    expect(failure).toContain("failed to parse private key");
    expect(failure).not.toContain("BEGIN");
    expect(activities()).toEqual([]);
  });

  it("fails for a stale agent, even with a private key", async () => {
    vi.stubEnv("SSH_AUTH_SOCK", join(scratch, "stale"));
    await expect(runRemote("true")).rejects.toThrow("cannot reach the SSH agent");
  });

  describe("through a proxy", () => {
    const proxy = (changes: PropertyMap = {}) => ({
      proxy: { host: "127.0.0.1", port: bastion.port, privateKey: bastion.privateKey, dialErrorLimit: 1, ...changes },
    });

    it("reaches the host", async () => {
      expect(await runRemote("echo via", {}, proxy())).toMatchObject({ stdout: "via" });
    });

    it("has a dial limit of its own", async () => {
      const refused = runRemote("true", {}, { ...proxy({ port: await closedPort() }), dialErrorLimit: 50 });
      await expect(refused).rejects.toThrow("proxy: after 1 failed attempts");
      expect(logged()).toEqual(["Dial proxy 1/1 failed: retrying"]);
    });

    it("retries the host behind it", async () => {
      const refused = runRemote("true", {}, { ...proxy(), port: await closedPort() });
      await expect(refused).rejects.toThrow("proxy: after 1 failed attempts");
      expect(logged()).toEqual(["Dial from proxy 1/1 failed: retrying"]);
    });
  });
});
