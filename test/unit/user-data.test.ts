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
import { aboutFirstBoot } from "../../components/hosts/aws/image";
import { compressed } from "../../components/hosts/aws/userData";
import { longestUserData } from "../../components/hosts/cloud/firstBoot";
import { cloudConfig, type FirstBoot, startupScript } from "../../components/hosts/cloud/userData";
import { KEEP_HOST_KEY } from "../../components/hosts/gcp/guestAgent";
import { OperatingSystem } from "../../components/plan/enums";
import { keyPair } from "../../rig/cloud/keyPair";
import { HOST_KEY, PRIVATE_KEY } from "./support/keys";

const boot = (more: Partial<FirstBoot> = {}): FirstBoot => ({
  operatingSystem: OperatingSystem.Debian12,
  user: { name: "timebase", isOfImage: false },
  authorizedKeys: [`${HOST_KEY} me@example`],
  hostKey: { publicKey: `${HOST_KEY}\n`, privateKey: PRIVATE_KEY },
  additions: [],
  ...more,
});

/** The files of Google's guest agent, in the order in which its source reads them. */
const AGENT_FILES = ["", ".distro", ".template"].map((suffix) => `/etc/default/instance_configs.cfg${suffix}`);
/** A text that says the contrary at its end, without a line break. */
const CONTRARY = "[InstanceSetup]\nset_host_keys = true\n[Accounts]\ngroups = adm";

/** Whether Google's guest agent makes new host keys: by its source the last word counts, by its documentation the first file's. */
function agentMakesKeys(read: (path: string) => string): boolean[] {
  const wordsOf = (path: string) => {
    let section = "";
    return read(path)
      .split("\n")
      .flatMap((line) => {
        section = /^\[(.*)\]$/.exec(line)?.[1] ?? section;
        const word = /^set_host_keys *= *(.*)$/.exec(line)?.[1];
        return section === "InstanceSetup" && word !== undefined ? [word] : [];
      });
  };
  const said = AGENT_FILES.map((path) => wordsOf(path).at(-1)).filter((word) => word !== undefined);
  return [said.at(-1) ?? "true", said[0] ?? "true"].map((word) => word === "true");
}

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

  test("keeps Google's agent from making other host keys, whatever the image says", () => {
    const files = new Map(AGENT_FILES.map((path) => [path, CONTRARY]));
    expect(agentMakesKeys((path) => files.get(path) ?? "")).toEqual([true, true]);
    const { write_files } = read(cloudConfig(boot({ additions: KEEP_HOST_KEY })));
    for (const { path, append, permissions, content } of write_files) {
      expect([append, permissions]).toEqual([true, "0644"]);
      files.set(path, `${files.get(path)}${content}`);
    }
    expect(agentMakesKeys((path) => files.get(path) ?? "")).toEqual([false, false]);
    expect([...files.values()].every((text) => text.startsWith(CONTRARY))).toBe(true);
  });

  describe("with a script", () => {
    const config = () => read(cloudConfig(boot({ script: "echo 'a' \"b\" \\ $c\n", additions: KEEP_HOST_KEY })));
    const contentOf = (path: string) =>
      config().write_files.find((file: { path: string }) => file.path === path)?.content;

    test("has it run as a service, from the first boot on", () => {
      expect(contentOf("/var/lib/timebase-first-boot/script")).toBe("echo 'a' \"b\" \\ $c\n");
      expect(contentOf("/etc/systemd/system/multi-user.target.d/timebase-first-boot.conf")).toBe(
        "[Unit]\nWants=timebase-first-boot.service\n",
      );
      expect(contentOf("/etc/systemd/system/timebase-first-boot.service")).toMatchInlineSnapshot(`
        "[Unit]
        Description=What this host does at its first boot
        Wants=network-online.target
        After=network-online.target
        [Service]
        WorkingDirectory=/var/lib/timebase-first-boot
        ExecStart=/bin/sh -c '[ -s answer ] || { : >>/etc/nologin; exec timeout -k 10 3600 sh script >>log 2>&1; }'
        ExecStopPost=/bin/rm -f /etc/nologin
        ExecStopPost=-/bin/systemctl --no-block start systemd-user-sessions.service
        "
      `);
      expect(
        config()
          .write_files.slice(0, KEEP_HOST_KEY.length)
          .map(({ path }: { path: string }) => path),
      ).toEqual(KEEP_HOST_KEY.map(({ path }) => path));
    });

    // converge waits until cloud-init is done, which waits for what it runs.
    test("does not wait for it", () => {
      expect(config().runcmd).toEqual([
        "systemctl daemon-reload && systemctl start --no-block timebase-first-boot.service",
      ]);
    });

    test("lets nobody in before sshd starts, who would be cut by the reboot", () => {
      expect(contentOf("/etc/nologin")).toBe("This host is being set up at its first boot.\n");
    });

    // Otherwise systemd removes the file, before sshd is up (seen on virtual machines; test/examples/first-boot.test.ts).
    test("has systemd let nobody in either, until the script has ended", () => {
      const root = mkdtempSync(join(tmpdir(), "timebase-withheld-"));
      const { bootcmd } = config();
      expect(bootcmd).toEqual([expect.stringMatching(/^cloud-init-per instance \S+ sh -ec '/)]);
      for (const [name, text] of [
        ["cloud-init-per", 'shift 2; exec "$@"'],
        ["systemctl", `ls '${root}/systemd-user-sessions.service.d' >'${root}/known'; echo "$*" >>'${root}/known'`],
      ])
        writeFileSync(join(root, String(name)), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
      const env = { ...process.env, PATH: `${root}:${process.env.PATH}` };
      const { status, stderr } = spawnSync("sh", ["-c", bootcmd[0].replaceAll("/run/systemd/system", root)], { env });
      expect([status, String(stderr)]).toEqual([0, ""]);
      expect(readFileSync(join(root, "known"), "utf8")).toBe("timebase-first-boot.conf\ndaemon-reload\n");
      expect(readFileSync(join(root, "systemd-user-sessions.service.d/timebase-first-boot.conf"), "utf8")).toBe(
        "[Unit]\nConditionPathExists=!/etc/nologin\n",
      );
      rmSync(root, { recursive: true });
    });

    describe.each(["dash", "bash"])("whose service in %s", (shell) => {
      let root: string;
      beforeEach(() => {
        root = mkdtempSync(join(tmpdir(), "timebase-service-"));
      });
      afterEach(() => rmSync(root, { recursive: true }));

      /** A start of the service, whose end systemd follows by what is to be done then. */
      function start(script: string): number | null {
        const unit = contentOf("/etc/systemd/system/timebase-first-boot.service").replaceAll("/etc", root);
        const [, body = ""] = /^ExecStart=\/bin\/sh -c '(.*)'$/m.exec(unit) ?? [];
        const [, stop = ""] = /^ExecStopPost=(.*)$/m.exec(unit) ?? [];
        writeFileSync(join(root, "script"), script);
        const { status } = spawnSync(shell, ["-c", body], { cwd: root });
        spawnSync(shell, ["-c", stop]);
        return status;
      }
      const seen = () => readFileSync(join(root, "log"), "utf8");

      test("runs it at each boot until it has succeeded, and lets everybody in at its end", () => {
        const script = `ls '${root}'; echo tried >&2; [ -e again ] && echo done >answer; : >again; false`;
        expect(start(script)).toBe(1);
        expect(seen()).toBe("log\nnologin\nscript\ntried\n");
        start(script);
        expect(seen()).toContain("tried\nagain\n");
        expect([start(script), seen().match(/tried/g)]).toEqual([0, ["tried", "tried"]]);
        expect(readdirSync(root)).not.toContain("nologin");
      });

      test("begins anew where a power cut has left an empty answer", () => {
        writeFileSync(join(root, "answer"), "");
        start("echo tried");
        expect(seen()).toBe("tried\n");
      });
    });
  });

  // Keys of one letter, as long as real ones, are compressed to nothing: what seemed to fit would be refused by EC2.
  test("is no longer with real keys than it was taken for before they were known, compressed or not", () => {
    const about = aboutFirstBoot(OperatingSystem.Debian12);
    const script = "echo 'a'\n";
    for (const publicKey of [undefined, `${HOST_KEY} me@example`]) {
      const before = longestUserData(script, about, publicKey);
      for (let round = 0; round < 50; round += 1) {
        const [hostKey, login] = [keyPair(), keyPair()];
        const text = cloudConfig({ ...about, script, hostKey, authorizedKeys: [publicKey ?? login.publicKey] });
        expect(text.length).toBeLessThanOrEqual(before.length);
        expect(compressed(text).length).toBeLessThanOrEqual(compressed(before).length);
      }
    }
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
    for (const folder of ["bin", "etc/ssh", "etc/sudoers.d", "etc/default", "home"])
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
    expect(readdirSync(join(root, "etc/ssh"))).toEqual([
      "ssh_host_ed25519_key",
      "ssh_host_ed25519_key.pub",
      "sshd_config.d",
      "timebase_host_ed25519_key",
    ]);
    expect(fileOf("etc/ssh/ssh_host_ed25519_key")).toBe(PRIVATE_KEY);
    expect(fileOf("etc/ssh/ssh_host_ed25519_key.pub")).toBe(`${HOST_KEY}\n`);
    expect(fileOf("etc/sudoers.d/90-timebase-login")).toBe("timebase ALL=(ALL) NOPASSWD:ALL\n");
    expect(fileOf("home/timebase/.ssh/authorized_keys")).toBe(`${HOST_KEY}\n`);
    expect(
      [
        ["etc/ssh/ssh_host_ed25519_key"],
        ["etc/ssh/ssh_host_ed25519_key.pub"],
        ["etc/ssh/timebase_host_ed25519_key"],
        ["home/timebase/.ssh"],
        ["home/timebase/.ssh/authorized_keys"],
      ].map((path) => modeOf(...path)),
    ).toEqual(["600", "644", "600", "700", "600"]);
  });

  test("keeps the identity where Google's agent makes other host keys after it", () => {
    run(startupScript(boot()));
    writeFileSync(join(root, "etc/ssh/ssh_host_ed25519_key"), "the agent's");
    const shown = /^HostKey (.*)\n$/.exec(fileOf("etc/ssh/sshd_config.d/00-timebase-host-key.conf"))?.[1];
    expect(shown).not.toMatch(/\/ssh_host_\w*_key$/); // what the agent makes anew
    expect(fileOf(shown ?? "")).toBe(PRIVATE_KEY);
  });

  test("tells Google's agent once to leave the host's key alone, whatever the image says", () => {
    for (const path of AGENT_FILES) writeFileSync(join(root, path), CONTRARY);
    run(startupScript(boot({ additions: KEEP_HOST_KEY })));
    expect(agentMakesKeys((path) => fileOf(path))).toEqual([false, false]);
    const written = AGENT_FILES.map((path) => fileOf(path));
    expect(written.every((text) => text.startsWith(CONTRARY))).toBe(true);
    expect(AGENT_FILES.map((path) => modeOf(path))).toEqual(["644", "644", "644"]);
    run(startupScript(boot({ additions: KEEP_HOST_KEY })));
    expect(AGENT_FILES.map((path) => fileOf(path))).toEqual(written);
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
