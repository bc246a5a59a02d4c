import { execa } from "execa";
import { type HostTool, missingOnPath } from "../vm/host-tools";

/** What the tests need beyond what local machines need. */
export const testTools: readonly HostTool[] = [
  { program: "shellcheck", apt: "shellcheck", dnf: "ShellCheck" },
  { program: "shfmt", apt: "shfmt", dnf: "shfmt" },
  { program: "dash", apt: "dash", dnf: "dash" },
  { program: "bash", apt: "bash", dnf: "bash" },
  { program: "gawk", apt: "gawk", dnf: "gawk" },
  { program: "python3", apt: "python3", dnf: "python3" },
  { program: "ip", apt: "iproute2", dnf: "iproute" },
];

interface Manager {
  name: "apt" | "dnf";
  program: string;
  refresh?: string[];
  install: string[];
}

const managers: readonly Manager[] = [
  {
    name: "apt",
    program: "apt-get",
    refresh: ["update", "-q"],
    install: ["install", "-q", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=600"],
  },
  { name: "dnf", program: "dnf", install: ["install", "-q", "-y"] },
];

/**
 * Installs the packages of the programs that this machine lacks, with sudo where the user is not root.
 * @throws an Error that says what to install, where that may or can not be done here.
 */
export async function ensurePackages(tools: readonly HostTool[], progress: (text: string) => void): Promise<string> {
  const missing = missingOnPath(tools);
  if (missing.length === 0) return "already there";
  const manager = await findManager();
  if (manager === undefined) {
    throw new Error(`install these programs, then run this again: ${missing.map(({ program }) => program).join(", ")}`);
  }
  const packages = [...new Set(missing.map((tool) => tool[manager.name]))];
  const byHand = `${manager.program} ${manager.install[0]} ${packages.join(" ")}`;
  const sudo = process.getuid?.() === 0 ? [] : ["sudo"];
  if (
    sudo.length > 0 &&
    !process.stdin.isTTY &&
    (await execa("sudo", ["-n", "true"], { reject: false })).exitCode !== 0
  ) {
    throw new Error(`these packages need root, and sudo would ask for a password: sudo ${byHand}`);
  }
  const run = (args: string[]) =>
    execa([...sudo, manager.program][0] as string, [...sudo, manager.program, ...args].slice(1), {
      env: { DEBIAN_FRONTEND: "noninteractive" },
      stdin: "inherit",
      all: true,
    });
  try {
    if (manager.refresh) {
      progress("refreshing the package lists");
      await run(manager.refresh);
    }
    progress(`installing ${packages.join(" ")}`);
    await run(manager.install.concat(packages));
  } catch (error) {
    throw new Error(`the packages could not be installed: sudo ${byHand}\n${(error as { all?: string }).all ?? error}`);
  }
  return `installed ${packages.join(" ")}`;
}

async function findManager(): Promise<Manager | undefined> {
  for (const manager of managers) {
    if ((await execa(manager.program, ["--version"], { reject: false })).exitCode === 0) return manager;
  }
  return undefined;
}
