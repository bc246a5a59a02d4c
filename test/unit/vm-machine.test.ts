import { afterEach, describe, expect, test, vi } from "vitest";
import { candidateAddresses, chooseAddress } from "../../vm/address";
import { withoutComment } from "../../vm/keys";
import { accepted } from "../../vm/monitor";
import { placesIn } from "../../vm/places";
import { isGone, isOwner } from "../../vm/process";
import { hardwareAddress, machineFiles, multicastGroup, qemuArguments } from "../../vm/qemu";
import { seedFiles } from "../../vm/seed";
import { withDefaults } from "../../vm/spec";

afterEach(() => {
  vi.unstubAllEnvs();
});

const keys = { login: "ssh-ed25519 LOGIN", host: { private: "-----HOST-----\n", public: "ssh-ed25519 HOST" } };
const networked = withDefaults({ name: "node-1", network: "lab", privateAddress: "10.77.0.1/24", firstBoot: ["true"] });
const lone = withDefaults({ name: "node-2" });

describe("the address of a machine", () => {
  const everything = async () => true;

  test("is the first that is free, with the port that every tool assumes", async () => {
    expect(await chooseAddress(candidateAddresses(), ["127.77.0.1"], everything)).toEqual({
      address: "127.77.0.2",
      port: 22,
    });
  });

  test("has a port that needs no privilege when there is none", async () => {
    const unprivileged = async ({ port }: { port: number }) => port >= 1024;
    expect(await chooseAddress(candidateAddresses(), [], unprivileged)).toEqual({ address: "127.77.0.1", port: 2222 });
  });

  test("skips what something else listens on", async () => {
    const busy = async ({ address }: { address: string }) => address !== "127.77.0.1";
    expect(await chooseAddress(candidateAddresses(), [], busy)).toEqual({ address: "127.77.0.2", port: 22 });
  });

  test("that was asked for is taken or refused, never another", async () => {
    await expect(chooseAddress(["127.77.0.9"], ["127.77.0.9"], everything)).rejects.toThrow(
      "belongs to another machine",
    );
  });
});

describe("the seed", () => {
  const user = (spec = networked) =>
    JSON.parse(seedFiles(spec, keys)["user-data"]?.replace("#cloud-config\n", "") ?? "");
  const network = (spec = networked) => JSON.parse(seedFiles(spec, keys)["network-config"] ?? "");

  test("starts with the line that cloud-init tells a configuration by", () => {
    expect(seedFiles(lone, keys)["user-data"]).toMatch(/^#cloud-config\n\{/);
  });

  test("lets the one user in, by key, and pins the machine's key", () => {
    expect(user().users).toEqual([
      expect.objectContaining({ name: "timebase", ssh_authorized_keys: ["ssh-ed25519 LOGIN"], lock_passwd: true }),
    ]);
    expect(user().ssh_deletekeys).toBe(true);
    expect(user().ssh_keys).toEqual({ ed25519_private: "-----HOST-----\n", ed25519_public: "ssh-ed25519 HOST" });
  });

  test("has commands only when there are some: cloud-init refuses an empty list", () => {
    const last = "touch /etc/cloud/cloud-init.disabled";
    expect(user().runcmd).toEqual(["true", last]);
    expect(user(lone).runcmd).toEqual([last]);
  });

  test("finds the private card by its hardware address", () => {
    expect(network().ethernets.ens17).toEqual({
      match: { macaddress: hardwareAddress("node-1", "private") },
      "set-name": "ens17",
      addresses: ["10.77.0.1/24"],
    });
    expect(Object.keys(network(lone).ethernets)).toEqual(["ens16"]);
  });

  test("is another instance when its content differs", () => {
    const id = (spec: typeof lone) => JSON.parse(seedFiles(spec, keys)["meta-data"] ?? "")["instance-id"];
    expect(id(lone)).toBe(id({ ...lone }));
    expect(id(lone)).not.toBe(id({ ...lone, user: "other" }));
  });
});

describe("a machine of a cloud", () => {
  const userTexts = { userData: "#!/bin/sh\ntrue\n", vendorData: "#cloud-config\n{}\n" };
  const cloud = {
    manufacturer: "Amazon EC2",
    product: "m7i,large",
    userTexts,
    linkLocal: "169.254.0.1/16",
    switchPort: 4711,
  };

  test("is told what its cloud was given for it, and nothing of the runner's", () => {
    const files = seedFiles({ ...networked, cloud }, keys);
    expect([files["user-data"], files["vendor-data"]]).toEqual([userTexts.userData, userTexts.vendorData]);
    expect(JSON.stringify(files)).not.toContain("HOST");
    expect(JSON.parse(files["network-config"] ?? "").ethernets.ens17.addresses).toEqual([
      "10.77.0.1/24",
      "169.254.0.1/16",
    ]);
    expect(Object.keys(seedFiles(networked, keys))).not.toContain("vendor-data");
  });

  test("says so in its firmware, and is on its cloud's network", () => {
    const args = (spec: typeof networked) =>
      qemuArguments(spec, { address: "127.77.0.1", port: 22 }, machineFiles("/vms/x"), "tcg");
    expect(args({ ...networked, cloud })).toContain("type=1,manufacturer=Amazon EC2,product=m7i,,large");
    expect(args({ ...networked, cloud }).join()).toContain("udp=127.0.0.1:4711,localaddr=127.0.0.1:0");
    expect(args({ ...networked, cloud }).join()).not.toContain("mcast");
    expect(args(networked)).not.toContain("-smbios");
  });
});

describe("QEMU's command line", () => {
  const files = machineFiles("/vms/node,1");
  const at = { address: "127.77.0.1", port: 2222 };
  const args = (spec = networked) => qemuArguments(spec, at, files, "tcg");

  test("forwards one loopback port to sshd and nothing else", () => {
    expect(args().filter((arg) => arg.includes("hostfwd"))).toEqual([
      "user,id=outside,ipv6=off,hostfwd=tcp:127.77.0.1:2222-:22",
    ]);
  });

  test("keeps the private network's frames on the loopback interface", () => {
    expect(args().find((arg) => arg.includes("mcast="))).toMatch(
      /mcast=239\.192\.\d+\.\d+:2\d{4},localaddr=127\.0\.0\.1$/,
    );
    expect(args(lone).some((arg) => arg.includes("mcast="))).toBe(false);
  });

  test("survives a comma in a path", () => {
    expect(args().find((arg) => arg.includes("disk.qcow2"))).toContain("file=/vms/node,,1/disk.qcow2,");
  });

  test("has a card and a network of its own for each name, and a network of its own for each user", () => {
    expect(hardwareAddress("a", "private")).toMatch(/^52:54:00(:[0-9a-f]{2}){3}$/);
    expect(hardwareAddress("a", "private")).not.toBe(hardwareAddress("a", "outside"));
    expect(multicastGroup("lab")).toEqual(multicastGroup("lab"));
    expect(multicastGroup("lab")).not.toEqual(multicastGroup("lab-2"));
    const mine = multicastGroup("lab");
    vi.stubEnv("XDG_STATE_HOME", "/home/other/state");
    expect(multicastGroup("lab")).not.toEqual(mine);
  });
});

describe("a process id in a pid file", () => {
  const own = "qemu-system-x86_64\0-daemonize\0-pidfile\0/vms/a/qemu.pid\0-qmp\0unix:/vms/a/qmp.sock\0";

  test("is the machine's when the command line names that file", () => {
    expect(isOwner(own, "/vms/a/qemu.pid")).toBe(true);
  });

  test.each([
    ["another machine", own, "/vms/b/qemu.pid"],
    ["a machine whose name goes on", own, "/vms/a/qemu.pi"],
    ["a program that took the number over", "less\0/vms/a/qemu.pid\0", "/vms/a/qemu.pid"],
    ["a dead process", "", "/vms/a/qemu.pid"],
  ])("is not the machine's when it belongs to %s", (_what, commandLine, pidFile) => {
    expect(isOwner(commandLine, pidFile)).toBe(false);
  });
});

describe("a process that ends", () => {
  test.each([
    ["4242 (qemu-system-x86) S 1 4242", false],
    ["4242 (a) Z b) R 1 4242", false],
    ["4242 (qemu-system-x86) Z 1 4242", true],
    ["", true],
  ])("%j is gone: %s", (stat, gone) => {
    expect(isGone(stat)).toBe(gone);
  });
});

describe("small readers", () => {
  test("the monitor's success is the one of the command", () => {
    const lines = '{"QMP": {}}\r\n{"return": {}}\r\n{"event": "SHUTDOWN"}\r\n{"return": {}, "id": "quit"}\r\n';
    expect(accepted(lines, "quit")).toBe(true);
    expect(accepted(lines, "system_powerdown")).toBe(false);
    expect(accepted('{"error": {"class": "x"}, "id": "quit"}\r\n{"retu', "quit")).toBe(false);
  });

  test("a host key has no comment", () => {
    expect(withoutComment("ssh-ed25519 AAAA root@here\n")).toBe("ssh-ed25519 AAAA");
  });

  test("folders follow the XDG specification", () => {
    expect(placesIn({}, "/home/a")).toEqual({
      images: "/home/a/.cache/timebase/images",
      machines: "/home/a/.local/state/timebase/vms",
    });
    expect(placesIn({ XDG_CACHE_HOME: "/c", XDG_STATE_HOME: "/s" }, "/home/a").machines).toBe("/s/timebase/vms");
  });
});
