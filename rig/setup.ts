import { join } from "node:path";
import { createInterface } from "node:readline";
import { execa } from "execa";
import { Listr, ListrLogger, type ListrTask, PRESET_TIMER, ProcessOutput } from "listr2";
import { buildingTools, type HostTool, nameSpaceTools, startingTools } from "../vm/host-tools";
import { type Engine, ensureEngine } from "./engine";
import { trapImage } from "./image";
import { ensurePackages } from "./packages";

const root = join(__dirname, "..");

/** What local machines need: to build their image, and to run. */
export const machineTools: readonly HostTool[] = [
  ...startingTools,
  ...buildingTools,
  ...(process.getuid?.() === 0 ? [] : nameSpaceTools),
];

interface SetUp {
  engine?: Engine;
}

/**
 * Provides everything that the demo and the tests need, and says what it does, how long it took, and what it found
 * done already. It writes to stderr: stdout is for results.
 */
export async function setUp(tools: readonly HostTool[] = machineTools): Promise<Engine> {
  const rendering = {
    timer: { ...PRESET_TIMER, condition: (milliseconds: number) => milliseconds > 500 },
    logger: new ListrLogger({ processOutput: new ProcessOutput(process.stderr, process.stderr) }),
  };
  const context = await new Listr<SetUp>([systemPackages(tools), pulumiEngine(), machineImage()], {
    renderer: "default",
    rendererOptions: rendering,
    fallbackRenderer: "simple",
    fallbackRendererCondition: () => !process.stderr.isTTY || Boolean(process.env.CI),
    fallbackRendererOptions: rendering,
  }).run({});
  return context.engine as Engine;
}

function systemPackages(tools: readonly HostTool[]): ListrTask<SetUp> {
  return {
    title: "System packages: QEMU and what builds a machine's image",
    task: async (_, task) => {
      const done = await ensurePackages(tools, (text) => {
        task.output = text;
      });
      task.title += `: ${done}`;
    },
  };
}

function pulumiEngine(): ListrTask<SetUp> {
  return {
    title: "Pulumi engine and command provider",
    task: async (context, task) => {
      const show = sparingly((text) => {
        task.output = text;
      });
      const engine = await ensureEngine(show);
      context.engine = engine;
      task.title += `: ${describeEngine(engine)}`;
    },
  };
}

/** Where lines stay, as in a log of CI, one every ten seconds is enough to see that something happens. */
function sparingly(show: (text: string) => void): (text: string) => void {
  if (process.stderr.isTTY && !process.env.CI) return show;
  let shown = Number.NEGATIVE_INFINITY;
  return (text) => {
    if (performance.now() - shown < 10_000) return;
    shown = performance.now();
    show(text);
  };
}

export function describeEngine({ cli, commandPlugin }: Engine): string {
  return `Pulumi ${cli.version} (${cli.origin}), command provider: ${commandPlugin.origin}`;
}

function machineImage(): ListrTask<SetUp> {
  return {
    title: "Image of the virtual machines: Debian 12 with a cloud's traps",
    task: async (_, task) => {
      const input = JSON.stringify({ name: "image", image: trapImage });
      const build = execa(process.execPath, ["--import", "tsx", join(root, "vm/main.ts"), "image"], {
        input,
        cwd: root,
      });
      let last = "";
      if (build.stderr) {
        for await (const line of createInterface(build.stderr)) {
          last = line;
          task.output = line;
        }
      }
      await build;
      task.title += last === "" ? ": already there" : ": built";
    },
  };
}
