import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { cloudConfig, type FirstBoot, startupScript } from "../../components/hosts/cloud/userData";
import { OperatingSystem } from "../../components/plan/enums";
import { HOST_KEY, PRIVATE_KEY } from "./support/keys";

const boot = (more: Partial<FirstBoot> = {}): FirstBoot => ({
  operatingSystem: OperatingSystem.Debian12,
  user: { name: "timebase", isOfImage: false },
  authorizedKeys: [`${HOST_KEY} me@example`],
  hostKey: { publicKey: `${HOST_KEY}\n`, privateKey: PRIVATE_KEY },
  ...more,
});

/** Any text that a key could be made of, and worse. */
const printableText = fc.string({
  unit: fc.constantFrom(..." !\"#$%&'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~\n"),
  minLength: 1,
});

describe("cloud-config", () => {
  // cloud-init reads YAML 1.1, by PyYAML.
  const read = (text: string) => parse(text, { version: "1.1" });

  // A changed text is a changed user data, and so another machine: change it for a reason.
  test("is this text, which replaces every machine when it changes", () => {
    const text = cloudConfig(boot({ user: { name: "admin", isOfImage: true } }));
    expect(text.replaceAll(HOST_KEY, "PUBLIC").replace(/"-----BEGIN.*"/, '"PRIVATE"')).toBe(`#cloud-config
# debian-12
{
 "ssh_pwauth": false,
 "disable_root": true,
 "ssh_deletekeys": true,
 "ssh_keys": {
  "ed25519_private": "PRIVATE",
  "ed25519_public": "PUBLIC"
 },
 "ssh_authorized_keys": [
  "PUBLIC"
 ]
}
`);
  });

  test("gives the host its key, and its user the user's", () => {
    expect(read(cloudConfig(boot()))).toMatchObject({
      ssh_keys: { ed25519_private: PRIVATE_KEY, ed25519_public: HOST_KEY },
      users: [{ name: "timebase", ssh_authorized_keys: [HOST_KEY] }],
    });
  });

  test("is read back as it was written, whatever is in it", () => {
    fc.assert(
      fc.property(printableText, printableText, (privateKey, name) => {
        const text = cloudConfig(
          boot({ user: { name, isOfImage: false }, hostKey: { publicKey: HOST_KEY, privateKey } }),
        );
        const config = read(text);
        expect(config.ssh_keys.ed25519_private).toBe(`${privateKey.trimEnd()}\n`);
        expect(config.users[0].name).toBe(name);
        expect(Object.keys(config)).toEqual(["ssh_pwauth", "disable_root", "ssh_deletekeys", "ssh_keys", "users"]);
      }),
    );
  });

  test.each(["\u0000", "\u0085", "\u2028", "é", "\r"])("has nothing unprintable in it: %j", (character) => {
    const hostKey = { publicKey: HOST_KEY, privateKey: `a${character}b` };
    // JSON writes a control character as an escape, which is printable.
    const isEscaped = character < " ";
    if (isEscaped) expect(cloudConfig(boot({ hostKey }))).toMatch(/^[\x20-\x7e\n]+$/);
    else expect(() => cloudConfig(boot({ hostKey }))).toThrow("printable");
    expect(() => startupScript(boot({ hostKey }))).toThrow("printable");
  });
});

describe.each(["dash", "bash"])("the startup script in %s", (shell) => {
  let root: string;
  let log: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "timebase-startup-"));
    log = join(root, "log");
    for (const folder of ["bin", "etc/ssh", "etc/sudoers.d", "home"])
      mkdirSync(join(root, folder), { recursive: true });
    for (const type of ["rsa", "ecdsa", "ed25519"]) {
      writeFileSync(join(root, `etc/ssh/ssh_host_${type}_key`), "the image's");
      writeFileSync(join(root, `etc/ssh/ssh_host_${type}_key.pub`), "the image's");
    }
    fake("id", `[ -e '${root}/user' ]`);
    fake("useradd", `echo "useradd $*" >>'${log}'; : >'${root}/user'`);
    fake("getent", 'echo "$2:x:1000:1000::/home/$2:/bin/bash"');
    fake("chown", ":");
    fake("systemctl", `echo "systemctl $*" >>'${log}'`);
  });
  afterEach(() => rmSync(root, { recursive: true }));

  function fake(program: string, body: string): void {
    writeFileSync(join(root, "bin", program), `#!/bin/sh\n${body}\n`);
    chmodSync(join(root, "bin", program), 0o755);
  }
  function run(script: string): void {
    const env = { PATH: `${join(root, "bin")}:${process.env.PATH}`, TIMEBASE_ROOT: root };
    const { status, stdout, stderr } = spawnSync(shell, ["-s"], { input: script, env, encoding: "utf8" });
    expect([status, stdout, stderr]).toEqual([0, "", ""]);
  }
  const fileOf = (...path: string[]) => readFileSync(join(root, ...path), "utf8");
  const modeOf = (...path: string[]) => (statSync(join(root, ...path)).mode & 0o777).toString(8);

  test("makes the user, lets the key in, and gives the host its identity", () => {
    run(startupScript(boot()));
    expect(fileOf("log")).toBe("useradd --create-home --shell /bin/bash timebase\nsystemctl restart ssh\n");
    expect(readdirSync(join(root, "etc/ssh"))).toEqual(["ssh_host_ed25519_key", "ssh_host_ed25519_key.pub"]);
    expect(fileOf("etc/ssh/ssh_host_ed25519_key")).toBe(PRIVATE_KEY);
    expect(fileOf("etc/ssh/ssh_host_ed25519_key.pub")).toBe(`${HOST_KEY}\n`);
    expect(fileOf("etc/sudoers.d/90-timebase-login")).toBe("timebase ALL=(ALL) NOPASSWD:ALL\n");
    expect(fileOf("home/timebase/.ssh/authorized_keys")).toBe(`${HOST_KEY}\n`);
    expect(
      [
        ["etc/ssh/ssh_host_ed25519_key"],
        ["etc/ssh/ssh_host_ed25519_key.pub"],
        ["home/timebase/.ssh"],
        ["home/timebase/.ssh/authorized_keys"],
      ].map((path) => modeOf(...path)),
    ).toEqual(["600", "644", "700", "600"]);
  });

  test("does nothing at the next boot, and keeps what the user added", () => {
    run(startupScript(boot()));
    appendFileSync(join(root, "home/timebase/.ssh/authorized_keys"), "another\n");
    writeFileSync(log, "");
    run(startupScript(boot()));
    expect(fileOf("log")).toBe("");
    expect(fileOf("home/timebase/.ssh/authorized_keys")).toBe(`${HOST_KEY}\nanother\n`);
  });

  test("goes on where a power cut ended it", () => {
    run(startupScript(boot()));
    rmSync(join(root, "etc/ssh/ssh_host_ed25519_key"));
    run(startupScript(boot()));
    expect(fileOf("etc/ssh/ssh_host_ed25519_key")).toBe(PRIVATE_KEY);
  });

  test("takes no value for anything but a value", () => {
    fc.assert(
      fc.property(printableText, (privateKey) => {
        run(startupScript(boot({ hostKey: { publicKey: HOST_KEY, privateKey } })));
        expect(fileOf("etc/ssh/ssh_host_ed25519_key")).toBe(`${privateKey.trimEnd()}\n`);
      }),
      { numRuns: 20, examples: [["$(touch pwned)`touch pwned`'; touch pwned; '"], ["%s\\n"]] },
    );
  });
});
