import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";

type Options = NonNullable<TestProjectInlineConfiguration["test"]>;

/** The tests in a folder of the same name, of which one, or what is made ready for some, may take so many seconds. */
const project = (name: string, seconds: number, more: Options = {}): TestProjectInlineConfiguration => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout: seconds * 1000,
    hookTimeout: seconds * 1000,
    ...more,
  },
});

/** Of tests that have machines: emulated ones, on cores that they share. */
const patience = 1800;

export default defineConfig({
  test: {
    // One less by default, which on two cores is one: but this process only waits for its workers.
    maxWorkers: "100%",
    projects: [
      project("unit", 60, { setupFiles: "test/inNoCloud.ts" }),
      // One worker more than two cores: some of its tests wait for a limit, or for a disk.
      project("toolkit", 60, { setupFiles: "test/toolkit/awk.ts", maxWorkers: 3 }),
      // Likewise: an engine waits for its providers to start.
      project("engine", 120, { setupFiles: "test/inNoCloud.ts", maxWorkers: 3 }),
      // One machine for each file, side by side: an emulated one keeps little more than one core busy. In the stage "rig".
      project("machine", patience),
      // Several machines that share this one's cores, and reboot.
      project("rig", patience),
      // Minutes for each fault: `npm run test:faults`.
      project("sweep", patience, {
        include: ["test/faults/sweep/**/*.test.ts"],
        globalSetup: "test/faults/support/sweepSetup.ts",
        maxWorkers: 2,
      }),
      project("systems", patience, { globalSetup: "test/systems/support/setup.ts", maxWorkers: 2 }),
      // Up to four machines at a time: `npm run test:examples`.
      project("examples", patience, { testTimeout: 3_600_000 }),
      // Real accounts, one example at a time: `npm run test:cloud`.
      project("cloud", 3600),
      // Two machines, and every way in which one tells the other the time.
      project("sources", patience),
      // Machines again, whose clocks are watched: nothing else should keep their cores busy.
      project("truth", patience),
    ],
  },
});
