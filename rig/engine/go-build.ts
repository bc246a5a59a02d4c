/** Pulumi's programs from Go modules: the way to an engine where only package registries can be reached. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import type { Progress } from "../engine";

interface GoProgram {
  /** Name of the executable. */
  readonly name: string;
  readonly module: string;
  readonly version: string;
  /** Main package, relative to the module. */
  readonly mainPackage: string;
  /** Lines for go.mod: the replacements of a dependency count only in the module that is built. */
  readonly replacements?: string;
  readonly linkerFlags?: string;
}

const sdkModule = "github.com/pulumi/pulumi/sdk/v3";
const cliVersion = "v3.259.0";

/** The newest release that is known to build in this way. */
const cli: GoProgram = {
  name: "pulumi",
  module: "github.com/pulumi/pulumi/pkg/v3",
  version: cliVersion,
  mainPackage: "cmd/pulumi",
  replacements:
    "replace github.com/atotto/clipboard => github.com/tgummerer/clipboard v0.0.0-20241001131231-d02d263e614e",
  linkerFlags: `-X ${sdkModule}/go/common/version.Version=${cliVersion}`,
};

/** The last release whose SDK module contains the host; later ones have a module of their own. It serves today's SDK. */
const nodeLanguageHost: GoProgram = {
  name: "pulumi-language-nodejs",
  module: sdkModule,
  version: "v3.68.0",
  mainPackage: "nodejs/cmd/pulumi-language-nodejs",
};

/**
 * Builds the CLI and the node language host into `<root>/bin`. Takes some minutes, and 3.5 GB of modules and packages: they
 * are needed once, so they go again, and nothing of them comes into the user's own Go folders.
 */
export async function buildEngine(root: string, progress: Progress): Promise<void> {
  try {
    await build(nodeLanguageHost, root, progress);
    await build(cli, root, progress);
  } finally {
    rmSync(scratchOf(root), { recursive: true, force: true });
  }
}

function scratchOf(root: string): string {
  return join(root, "go");
}

/** A module of its own for each program, because both cannot agree on one version of the SDK. */
function wrapperModule({ module, version, replacements = "" }: GoProgram): string {
  return `module wrapper\n\ngo 1.25.11\n\nrequire ${module} ${version}\n\n${replacements}\n`;
}

async function build(program: GoProgram, root: string, progress: Progress): Promise<void> {
  const { name, module, version, mainPackage, linkerFlags = "" } = program;
  const scratch = scratchOf(root);
  const wrapper = join(scratch, name);
  mkdirSync(wrapper, { recursive: true });
  writeFileSync(join(wrapper, "go.mod"), wrapperModule(program));
  const started = Date.now();
  let downloaded = 0;
  let compiled = 0;
  const report = setInterval(() => {
    const seconds = Math.round((Date.now() - started) / 1000);
    progress(
      `building ${name} ${version} from Go modules: ${downloaded} downloaded, ` +
        `${compiled} packages compiled, ${seconds} s`,
    );
  }, 1000);
  try {
    const flags = ["-mod=mod", "-v", "-trimpath", "-ldflags", linkerFlags, "-o", join(root, "bin", name)];
    const go = execa("go", ["build", ...flags, `${module}/${mainPackage}`], {
      cwd: wrapper,
      env: {
        GOWORK: "off",
        // What Go writes into its cache of modules could not be removed otherwise.
        GOFLAGS: "-modcacherw",
        CGO_ENABLED: "0",
        GOPATH: scratch,
        GOMODCACHE: join(scratch, "modules"),
        GOCACHE: join(scratch, "packages"),
      },
      stdin: "ignore",
    });
    go.stderr?.on("data", (chunk: Buffer) => {
      for (const line of chunk.toString().split("\n")) {
        downloaded += line.startsWith("go: downloading") ? 1 : 0;
        compiled += /^[\w.]+(\/|$)/.test(line) ? 1 : 0;
      }
    });
    await go;
  } catch (error) {
    const { code, stderr, shortMessage } = error as { code?: string; stderr?: string; shortMessage?: string };
    const reason = code === "ENOENT" ? "there is no go on PATH" : stderr ? lastLines(stderr) : shortMessage;
    throw new Error(`go build of ${name} ${version} failed: ${reason}`);
  } finally {
    clearInterval(report);
  }
}

function lastLines(text: string): string {
  return text.trim().split("\n").slice(-5).join("\n");
}
