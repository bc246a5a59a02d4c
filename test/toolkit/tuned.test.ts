import fs from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeHost, parameters, plans } from "./FakeHost";
import { blsFolder } from "./systems";

// The user had tuned the host by the same parameters before us: a revert that only looks for them takes theirs for ours.
const names = ["debian-12", "amazon-linux-2", "amazon-linux-2023"];

describe.each(names)("%s, tuned before us:", (name) => {
  let host: FakeHost;
  beforeEach(() => {
    host = new FakeHost(name.startsWith("amazon") ? "bash" : "dash", name);
  });
  afterEach(() => host.destroy());

  const defaults = () => {
    const variable = name === "amazon-linux-2" ? "GRUB_CMDLINE_LINUX_DEFAULT" : "GRUB_CMDLINE_LINUX";
    fs.appendFileSync(host.path("etc/default/grub"), `\n${variable}="$${variable} ${parameters}"\n`);
  };
  const entries = () => {
    if (name.startsWith("amazon")) host.grubby(parameters);
    else host.write(host.grubCfg, host.read(host.grubCfg).replace(/^\s*linux\s+\S*vmlinuz.*/gm, `$& ${parameters}`));
  };
  const tunings: Record<string, () => void> = {
    "the defaults and the entries": () => {
      defaults();
      host.regenerate();
    },
    "the entries alone": entries,
    "the defaults alone": defaults,
    "one entry alone": () => {
      const file = host.system.bls ? (host.entryFiles()[1] as string) : host.grubCfg;
      host.write(file, host.read(file).replace(/^(options|\s*linux\s+\S*vmlinuz).*/m, `$& ${parameters}`));
    },
  };

  describe.each(Object.keys(tunings))("%s", (tuning) => {
    let before: Record<string, string>;
    beforeEach(() => {
      (tunings[tuning] as () => void)();
      before = host.snapshot();
    });

    const reverted = () => {
      const run = host.run(["revert"], plans.boot);
      expect(run.status, run.stderr).toBe(0);
    };

    const unchanged = () => expect(host.snapshot()).toEqual(before);

    test("revert gives every byte back", () => {
      host.converge(plans.boot);
      for (const line of host.commandLines()) expect(line).toContain(parameters);
      host.reboot();
      const proof = host.run(["prove"], plans.boot);
      expect(proof.status, proof.stderr).toBe(0);
      const written = host.writes();
      host.forgetCalls();
      host.converge(plans.boot);
      expect(host.writes()).toEqual(written);
      expect(host.calls().filter((call) => call.startsWith("grub"))).toEqual([]);
      reverted();
      unchanged();
      expect(host.exists("var/lib/timebase")).toBe(false);
    });

    test("a converge that was cut before its first change, then a revert, leave every byte", () => {
      const tidy = host.snapshot();
      host.write("var/lib/timebase/plans/boot", plans.boot);
      reverted();
      expect(host.snapshot()).toEqual(tidy);
    });

    test("a converge that failed in the middle, then a revert, leave every byte", () => {
      const fakes = ["fake/grubby-fails", "fake/grub-mkconfig-fails"];
      for (const fake of fakes) host.write(fake, "");
      host.run(["converge"], plans.boot);
      for (const fake of fakes) host.remove(fake);
      // Cut after the record of an entry and before the edit of it.
      if (host.system.bls) {
        const entry = host.entryFiles()[1] as string;
        host.remove(`var/lib/timebase/files/boot-edits/${host.path(entry).replaceAll("/", "%")}/ours`);
        host.write(entry, Buffer.from((before[entry] as string).split(" ")[2] as string, "base64").toString());
      }
      reverted();
      unchanged();
    });

    // Debian's files are not edited.
    test.skipIf(name === "debian-12")(
      "an edit of the user's and a new kernel after converge: theirs stays, once",
      () => {
        host.converge(plans.boot);
        fs.appendFileSync(host.path("etc/default/grub"), "# theirs\n");
        for (const file of host.system.bls ? host.entryFiles() : [host.grubCfg])
          fs.appendFileSync(host.path(file), "# theirs\n");
        const file = host.system.bls ? (host.entryFiles()[0] as string) : "";
        if (file) host.write(`${blsFolder}/9999-new.conf`, host.read(file));
        const lines = host.commandLines().length;
        host.converge(plans.boot);
        reverted();
        const text = (path: string) =>
          Buffer.from((before[path] as string).split(" ")[2] as string, "base64").toString();
        const paths = [
          "etc/default/grub",
          ...(host.system.bls
            ? Object.keys(before).filter((p) => /\.conf$/.test(p) && p.startsWith(blsFolder))
            : [host.grubCfg]),
        ];
        for (const path of paths) {
          // grubby keeps no blanks.
          const words = (content: string) => content.replaceAll(/ +/g, " ").replaceAll(/ $/gm, "");
          expect(words(host.read(path)), path).toBe(words(`${text(path)}# theirs\n`));
        }
        expect(host.commandLines()).toHaveLength(lines);
        if (file) expect(host.read(`${blsFolder}/9999-new.conf`)).toBe(host.read(file));
      },
    );
  });
});

describe("/etc/kernel/cmdline that had ours before us", () => {
  const cmdline = "etc/kernel/cmdline";
  const mine = `root=UUID=1234 ro quiet ${parameters}`;
  const put = (host: FakeHost): void => {
    const old = new Date("2025-01-01T00:00:00Z");
    host.write(cmdline, mine);
    fs.chmodSync(host.path(cmdline), 0o600);
    for (const file of ["etc/default/grub", cmdline]) fs.utimesSync(host.path(file), old, old);
  };

  test.each(["converge", "revert"])(
    "is not replaced by the grub2-mkconfig after a %s, which changes the defaults only",
    (verb) => {
      const host = new FakeHost("dash", "amazon-linux-2023");
      put(host);
      const before = host.snapshot();
      const defaults = host.read("etc/default/grub");
      host.converge(plans.boot);
      expect(host.read("etc/default/grub")).not.toBe(defaults);
      // But for the record of the reboot, which is ordered again as long as it does not happen.
      const writes = () => ({ ...host.writes(), "var/lib/timebase/reboot": undefined });
      const written = writes();
      host.converge(plans.boot);
      expect(writes()).toEqual(written);
      if (verb === "revert") {
        expect(host.run(["revert"], plans.boot).status).toBe(0);
        expect(host.snapshot()).toEqual(before);
      }
      host.regenerate();
      expect(host.read(cmdline)).toBe(mine);
      expect(host.snapshot()[cmdline]).toBe(before[cmdline]);
      host.destroy();
    },
  );

  test("is not touched where nothing had to be written", () => {
    const host = new FakeHost("dash", "amazon-linux-2023");
    fs.appendFileSync(host.path("etc/default/grub"), `GRUB_CMDLINE_LINUX="${parameters}"\n`);
    host.regenerate();
    put(host);
    const time = () => fs.statSync(host.path(cmdline)).mtimeMs;
    const old = time();
    host.converge(plans.boot);
    expect(host.run(["revert"], plans.boot).status).toBe(0);
    expect(time()).toBe(old);
    expect(host.read(cmdline)).toBe(mine);
    host.destroy();
  });
});
