import { spawnSync } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  CONVERGE_COMMAND,
  firstBootScript,
  order,
  PROVE_COMMAND,
  REVERT_COMMAND,
} from "../../components/remote/firstBoot";
import { toolkitArchive } from "../../components/remote/toolkitArchive";
import { bootIds, FakeHost, parameters, plans, type Run, synchronised } from "./FakeHost";

// What a host does that has its plan from its first boot, with the real toolkit. No network: its curl is a fake.

const url = "https://example.test/toolkit/";
const folder = "var/lib/timebase-first-boot";
const archive = toolkitArchive();
// As it is when there is a machine: hosts ignore the generation, which no machine can be told before.
const withGeneration = (plan: string) => plan.replace("host=node-1\n", "host=node-1\ngeneration=i-0123 4567\n");

describe.each(["dash", "bash"])("the first boot under %s", (shell) => {
  let host: FakeHost;
  beforeEach(() => {
    host = new FakeHost(shell);
    for (const [name, text] of Object.entries({
      curl: 'echo "curl $*" >>"$TIMEBASE_ROOT/calls"\nfor url; do :; done\ncp "$TIMEBASE_ROOT/served/$(basename "$url")" "$5"',
      sudo: 'shift\nexec "$@"',
      sh: `exec ${shell} "$@"`,
      sleep: ":",
    })) {
      host.write(`fake/bin/${name}`, `#!/bin/sh\n${text}\n`);
      spawnSync("chmod", ["+x", host.path(`fake/bin/${name}`)]);
    }
    host.write(`${folder}/.keep`, "");
    host.write("served/.keep", "");
    writeFileSync(host.path(`served/${archive.name}`), archive.content);
  });
  afterEach(() => host.destroy());

  function run(command: string, stdin = ""): Run {
    const options = { input: stdin, encoding: "utf8", env: host.environment(), cwd: host.path(folder) } as const;
    const { status, stdout, stderr } = spawnSync(shell, ["-c", command], options);
    return { status, stdout, stderr };
  }
  /** What the unit runs, unless there is an answer. */
  function firstBoot(plan = plans.all): Run {
    const done = run(firstBootScript(url, plan));
    host.write(`${folder}/log`, done.stderr);
    return done;
  }
  const ordered = (plan = plans.all) => order(url, withGeneration(plan));
  const answer = () => host.read(`${folder}/answer`);
  function afterBoot(): void {
    host.reboot();
    host.chrony(synchronised.replaceAll("@NOW@", String(Math.floor(Date.now() / 1000))));
  }
  const failedChecks = ({ stdout }: Run) =>
    JSON.parse(stdout)
      .checks.filter(({ verdict }: { verdict: string }) => verdict === "fail")
      .map(({ id }: { id: string }) => id);

  test("fetches the toolkit that it knows the SHA-256 of, converges, orders the reboot, and leaves the answer", () => {
    expect(firstBoot()).toMatchObject({ status: 0, stdout: "" });
    expect(host.calls().find((call) => call.startsWith("curl"))).toBe(
      `curl -fsSL -m 300 -o toolkit.tar https://example.test/toolkit/${archive.name}`,
    );
    expect(answer()).toBe(`${plans.all}converged-boot-id=${bootIds.before}\nconverged-reboot=ordered\n`);
    expect(host.commandLines().every((line) => line.includes(parameters))).toBe(true);
    expect(host.calls()).toContain("systemctl reboot");
    expect(readdirSync(host.path("usr/local/lib/timebase"))).toContain("current");
  });

  test("is proved by the answer of that converge, whatever the machine is", () => {
    firstBoot(plans.boot);
    afterBoot();
    const proved = run(PROVE_COMMAND, ordered(plans.boot));
    expect(proved).toMatchObject({ status: 0, stderr: "" });
    expect(JSON.parse(proved.stdout)).toMatchObject({ bootId: bootIds.after, rebooted: true });
    // Nothing was fetched, and nothing converged.
    expect(host.calls().filter((call) => call.startsWith("curl"))).toHaveLength(1);
  });

  test("is not proved while the boot that counts has not happened", () => {
    firstBoot(plans.boot);
    const proved = run(PROVE_COMMAND, ordered(plans.boot));
    expect(proved.status).toBe(1);
    expect(failedChecks(proved)).toContain("boot.rebooted");
  });

  test("refuses what is not the toolkit, before any of it is run, and says what it is", () => {
    host.write(`served/${archive.name}`, "touch pwned\n");
    const { status, stderr } = firstBoot();
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /the SHA-256 of https:\S+ is [0-9a-f]{64}, and has to be [0-9a-f]{64}\n.*put there what toolkitArchive\(\) gives, then run `pulumi up` again/,
    );
    expect(stderr).toContain(archive.sha256);
    expect(readdirSync(host.path(folder)).sort()).toEqual([".keep", "log", "plan", "toolkit.tar"]);
  });

  test("waits for a store that does not answer, not for ever", () => {
    host.remove(`served/${archive.name}`);
    const { status, stderr } = firstBoot();
    expect(status).toBe(1);
    expect(host.calls().filter((call) => call.startsWith("curl"))).toHaveLength(30);
    expect(stderr).toContain(`the toolkit cannot be fetched from https://example.test/toolkit/${archive.name}`);
  });

  test("that has failed is a proof that fails with the log's end, converges, and lets the next one pass", () => {
    host.remove(`served/${archive.name}`);
    firstBoot(plans.boot);
    writeFileSync(host.path(`served/${archive.name}`), archive.content);
    const first = run(PROVE_COMMAND, ordered(plans.boot));
    expect([first.status, first.stdout]).toEqual([1, ""]);
    expect(first.stderr).toContain("the toolkit cannot be fetched");
    expect(first.stderr).toContain(`(all of it: /${folder}/log)`);
    afterBoot();
    expect(run(PROVE_COMMAND, ordered(plans.boot)).status).toBe(0);
  });

  test("that there never was is one that has failed", () => {
    host.remove(folder);
    const { status, stderr } = spawnSync(shell, ["-c", PROVE_COMMAND], {
      input: ordered(plans.boot),
      encoding: "utf8",
      env: host.environment(),
      cwd: host.root,
    });
    expect(status).toBe(1);
    expect(stderr).toContain("converging now");
    afterBoot();
    expect(run(PROVE_COMMAND, ordered(plans.boot)).status).toBe(0);
  });

  // Its owner would be another one, whose revert would take nothing back.
  test("by another plan proves nothing of this one", () => {
    firstBoot(plans.boot);
    afterBoot();
    const other = plans.boot.replace("owner=test/stack/node-1", "owner=test/stack/node-2");
    expect(run(PROVE_COMMAND, ordered(other)).status).toBe(1);
    expect(answer()).toContain("owner=test/stack/node-1");
  });

  test("that is cut leaves no answer, so that the next boot begins anew", () => {
    host.meanwhile("grub-mkconfig", "cut");
    expect(firstBoot(plans.boot).status).not.toBe(0);
    expect(host.exists(`${folder}/answer`)).toBe(false);
    host.remove("fake/bin/grub-mkconfig");
    expect(firstBoot(plans.boot).status).toBe(0);
    afterBoot();
    expect(run(PROVE_COMMAND, ordered(plans.boot)).status).toBe(0);
  });

  test("is over for a plan that changes: it is converged by SSH, and proved", () => {
    firstBoot(plans.boot);
    afterBoot();
    expect(run(PROVE_COMMAND, ordered(plans.all)).status).toBe(1);
    expect(run(CONVERGE_COMMAND, ordered(plans.guestPtp.replace("required", "reported")))).toMatchObject({
      status: 0,
      stdout: "",
    });
    const proved = run(PROVE_COMMAND, ordered(plans.guestPtp.replace("required", "reported")));
    expect(proved.status).toBe(0);
    // What the other plan had was taken back.
    expect(host.commandLines().some((line) => line.includes(parameters))).toBe(false);
  });

  test("is not changed by a plan that is refused: the answer is the last that was made so", () => {
    firstBoot(plans.boot);
    const before = answer();
    expect(run(CONVERGE_COMMAND, ordered(`${plans.boot}what=ever\n`)).status).toBe(1);
    expect(answer()).toBe(before);
  });

  test("is undone by the revert of the plan that is on its standard input", () => {
    const [, ...lines] = REVERT_COMMAND.split("\n");
    expect(lines.join("\n")).not.toContain("first-boot/toolkit-");
    firstBoot(plans.boot);
    // The real command has the host's own paths in it.
    const revert = REVERT_COMMAND.replaceAll(/(?<=[ (])\/(?=usr|var|etc)/g, `${host.root}/`);
    host.write("etc/systemd/system/timebase-first-boot.service", "");
    expect(run(revert, ordered(plans.boot))).toMatchObject({ status: 0 });
    expect(host.exists(folder)).toBe(false);
    expect(host.exists("etc/systemd/system/timebase-first-boot.service")).toBe(false);
    expect(host.exists("var/lib/timebase")).toBe(false);
    expect(host.commandLines().some((line) => line.includes(parameters))).toBe(false);
  });

  test("takes no word of a plan for anything but a word", () => {
    const plan = `${plans.boot}os=$(touch pwned)\`touch pwned\`'"; touch pwned\n`;
    firstBoot(plan);
    run(CONVERGE_COMMAND, order(url, plan));
    run(PROVE_COMMAND, order(url, plan));
    expect(host.exists(`${folder}/pwned`)).toBe(false);
    expect(host.read(`${folder}/plan`)).toBe(plan);
  });
});

test("the archive is the same bytes for tar", () => {
  const listed = spawnSync("tar", ["-tvf", "-"], { input: archive.content, encoding: "utf8" });
  expect(listed.status).toBe(0);
  expect(listed.stdout).toMatch(/^-rw-r--r-- 0\/0 +\d+ 1970-01-01 \S+ timebase$/m);
  expect(archive).toEqual(toolkitArchive());
  expect(basename(archive.name)).toMatch(/^timebase-toolkit-[0-9a-f]{12}\.tar$/);
});
