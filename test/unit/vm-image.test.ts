import { describe, expect, test } from "vitest";
import { exitingBootSector, exitStatus } from "../../vm/accelerator";
import type { Firmware } from "../../vm/firmware";
import { missingTools, startingTools } from "../../vm/host-tools";
import { bootstrapRemedy } from "../../vm/image-build";
import { diskScript, earlyFiles, finishScript, imageGib, imageId, mmdebstrapArguments } from "../../vm/recipe";
import { quoted } from "../../vm/shell";
import { withDefaults } from "../../vm/spec";
import { aptSources, type SuiteName, suites } from "../../vm/suites";

const image = (input = {}) => withDefaults({ name: "a", image: input }).image;

describe("the releases", () => {
  test.each(Object.keys(suites) as SuiteName[])("%s has a kernel, a resolver's place and a keyring", (suite) => {
    const args = mmdebstrapArguments(image({ suite }), "root");
    expect(args).toContain(suite);
    expect(args.find((arg) => arg.startsWith("--include="))?.split(/[=,]/)).toEqual(
      expect.arrayContaining(["cloud-init", "dbus", "openssh-server", "grub-pc", suites[suite].kernel]),
    );
    expect(args).toContain(`--keyring=${suites[suite].keyring.path}`);
  });

  test("take security updates from where their distribution has them", () => {
    expect(aptSources("bookworm", "http://deb.debian.org/debian", ["main"])).toEqual([
      "deb http://deb.debian.org/debian bookworm main",
      "deb http://deb.debian.org/debian bookworm-updates main",
      "deb http://deb.debian.org/debian-security bookworm-security main",
    ]);
    expect(aptSources("jammy", "http://mirror.example/ubuntu", ["main"])).toContain(
      "deb http://mirror.example/ubuntu jammy-security main",
    );
  });

  test("need no archive but the mirror that was given", () => {
    const sources = aptSources("trixie", "http://mirror.example/debian", ["main"]);
    expect(sources.every((line) => line.startsWith("deb http://mirror.example/debian "))).toBe(true);
  });
});

describe("an image's name", () => {
  test("is the same for the same content", () => {
    expect(imageId(image())).toBe(imageId(image({ suite: "bookworm", packages: [] })));
    expect(imageId(image())).toMatch(/^bookworm-[0-9a-f]{16}$/);
  });

  test.each([
    { suite: "trixie" },
    { firmware: "efi" },
    { mirror: "http://mirror.example/debian" },
    { packages: ["jq"] },
    { setup: "true" },
  ])("differs with %j", (input) => {
    expect(imageId(image(input))).not.toBe(imageId(image()));
  });
});

describe("the recipe", () => {
  test("keeps the setup text as it is, whatever quotes are in it", () => {
    const setup = `echo "it's" '$HOME'\nprintf '%s' "a"`;
    expect(mmdebstrapArguments(image({ setup }), "root").join("\n")).toContain(quoted(setup));
    expect(quoted("it's")).toBe(`'it'\\''s'`);
  });

  test("writes no file in advance that belongs to a package", () => {
    expect(Object.keys(earlyFiles)).not.toContain("/etc/default/grub");
    expect(Object.keys(earlyFiles)).not.toContain("/etc/initramfs-tools/modules");
  });

  test("has the one boot loader that the firmware starts, on a partition that it finds", () => {
    const packages = (firmware: Firmware) =>
      mmdebstrapArguments(image({ firmware }), "root").find((arg) => arg.startsWith("--include="));
    expect([packages("bios")?.includes("grub-pc"), packages("bios")?.includes("grub-efi")]).toEqual([true, false]);
    expect([packages("efi")?.includes("grub-pc"), packages("efi")?.includes("grub-efi")]).toEqual([false, true]);
    expect(diskScript("efi")).toContain("size=127MiB, type=U");
    // The file system must end before the second copy of a GPT, and begin where its partition does.
    expect(diskScript("efi")).toContain(`offset=${128 * 1048576},`);
    expect(diskScript("efi")).toContain(`${imageGib * 1024 - 129}M`);
    expect(imageId(image({ firmware: "bios" }))).toBe(imageId(image()));
  });

  test("leaves no identity and no builder behind", () => {
    const customize = mmdebstrapArguments(image(), "root").find((arg) => arg.startsWith("--customize-hook="));
    expect(customize).toContain("ssh_host_*_key*");
    expect(finishScript("bios")).toContain('mv "$0" /run/');
  });

  test("has a remedy for what usually goes wrong", () => {
    expect(bootstrapRemedy("E: no subuid found for user")).toContain("--add-subuids");
    expect(bootstrapRemedy("W: GPG error: NO_PUBKEY 1234")).toContain("image.keyring");
    expect(bootstrapRemedy("Temporary failure resolving 'x'")).toContain("image.mirror");
  });
});

describe("the machine that builds", () => {
  test("is told all programs that it lacks", () => {
    const has = (program: string) => program === "ssh-keygen";
    expect(missingTools(startingTools, has).map(({ apt }) => apt)).toEqual([
      "qemu-system-x86",
      "qemu-utils",
      "xorriso",
    ]);
  });

  test("is tested for KVM by a boot sector that ends QEMU with a status of its own", () => {
    const sector = exitingBootSector();
    expect(sector.length).toBe(512);
    expect(sector.subarray(510).toString("hex")).toBe("55aa");
    expect(exitStatus).toBe(85);
  });
});
