import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { shells } from "./shells";

// The script of examples/celestial, on a folder that looks like a host.

const script = join(__dirname, "../../examples/celestial/prepare-host.sh");
const LIMITS = "etc/security/limits.d/90-celestial.conf";
const KERNEL = "etc/sysctl.d/90-celestial.conf";

/** A host on which all is well, by its programs. */
const PROGRAMS = {
  systemctl: 'case $1 in --version) echo "systemd 249 (249.11-0ubuntu3.12)" ;; is-active) echo active ;; esac',
  uname: "echo 6.8.0-1018-gcp",
  sysctl: 'case $1 in -n) echo 1 ;; *) echo "$*" >>"$CELESTIAL_ROOT/sysctl" ;; esac',
  "apt-get": 'echo "$*" >>"$CELESTIAL_ROOT/apt-get"',
  wg: "",
  ipset: "",
  iptables: "",
} as const;

describe.each(shells)("a host for Celestial, by %s", (shell) => {
  let root: string;
  let bin: string;

  const put = (name: string, text: string) => writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  const lose = (path: string) => rmSync(join(root, path));
  const read = (path: string) => (existsSync(join(root, path)) ? readFileSync(join(root, path), "utf8") : "");
  function prepare() {
    const env = { PATH: bin, CELESTIAL_ROOT: root };
    const { status, stdout, stderr } = spawnSync(`/bin/${shell}`, ["-s"], {
      env,
      input: readFileSync(script),
      encoding: "utf8",
    });
    return { status, stdout, stderr };
  }

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "timebase-celestial-"));
    bin = join(root, "bin");
    mkdirSync(bin);
    mkdirSync(join(root, "dev"));
    writeFileSync(join(root, "dev/kvm"), "");
    for (const [name, text] of Object.entries(PROGRAMS)) put(name, text);
    for (const name of ["awk", "mkdir", "cat"]) {
      const real = execFileSync("/bin/sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).trim();
      put(name, `exec ${real} "$@"`);
    }
  });
  afterEach(() => rmSync(root, { recursive: true }));

  test("gets limits, forwarding and room for ARP entries, however often", () => {
    expect(prepare()).toMatchObject({ status: 0, stderr: "" });
    const [limits, kernel] = [read(LIMITS), read(KERNEL)];
    expect(limits.split("\n")).toContain("root hard nproc 64000");
    expect(limits.split("\n")).toContain("* soft nofile 64000");
    expect(limits.trim().split("\n")).toHaveLength(8);
    expect(kernel).toContain("\nnet.ipv4.ip_forward = 1\n");
    expect(read("sysctl")).toBe(`-q -p ${join(root, KERNEL)}\n`);
    expect(existsSync(join(root, "celestial"))).toBe(true);
    expect(prepare()).toMatchObject({ status: 0 });
    expect([read(LIMITS), read(KERNEL)]).toEqual([limits, kernel]);
    expect(read("apt-get")).toBe("");
  });

  test("gets only the packages that it lacks", () => {
    lose("bin/wg");
    expect(prepare()).toMatchObject({ status: 0 });
    expect(read("apt-get")).toMatch(/ update\n.* install --no-install-recommends wireguard\n$/);
  });

  test.each([
    ["has no KVM", () => lose("dev/kvm"), "no /dev/kvm"],
    // Of systemd 99 a comparison of texts would say that it is newer than 247.
    ["has an old systemd", () => put("systemctl", "echo systemd 99; echo active"), "systemd is 99, its"],
    ["has no systemd", () => lose("bin/systemctl"), "systemd is not there"],
    [
      "has a resolver of its own",
      () => put("systemctl", 'case $1 in --version) echo "systemd 249" ;; *) echo inactive; exit 3 ;; esac'),
      "systemd-resolved is not active: systemctl enable --now",
    ],
    ["has an old kernel", () => put("uname", "echo 5.4.0-1103-gcp"), "the kernel is 5.4.0-1103-gcp"],
    ["has Docker", () => put("docker", ""), "Docker is installed"],
  ])("that %s is refused before anything is changed", (_, spoil, reason) => {
    spoil();
    lose("bin/ipset");
    const { status, stderr, stdout } = prepare();
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(`celestial: ${reason}`);
    expect([LIMITS, KERNEL, "sysctl", "apt-get"].map(read)).toEqual(["", "", "", ""]);
  });

  test("is told of all faults at once", () => {
    lose("dev/kvm");
    put("docker", "");
    put("uname", "echo 4.14.355");
    expect(prepare().stderr.trim().split("\n")).toHaveLength(3);
  });

  test("that does not forward, although it was told to, is not ready", () => {
    put("sysctl", "case $1 in -n) echo 0 ;; esac");
    const { status, stdout, stderr } = prepare();
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("the kernel does not forward");
  });
});
