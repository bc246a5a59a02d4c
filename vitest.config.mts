import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // One less by default, which on two cores is one: but this process only waits for its workers.
    maxWorkers: "100%",
    projects: [
      { test: { name: "unit", include: ["test/unit/**/*.test.ts"] } },
      // One worker more than two cores: some of its tests wait for a limit, or for a disk.
      { test: { name: "toolkit", include: ["test/toolkit/**/*.test.ts"], testTimeout: 60_000, maxWorkers: 3 } },
      {
        // Likewise: an engine waits for its providers to start.
        test: {
          name: "engine",
          include: ["test/engine/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          maxWorkers: 3,
        },
      },
      {
        // One machine for each file, side by side: an emulated one keeps little more than one core busy. In the stage "rig".
        test: {
          name: "machine",
          include: ["test/machine/**/*.test.ts"],
          testTimeout: 1_800_000,
          hookTimeout: 1_800_000,
        },
      },
      {
        // Minutes for each fault: `npm run test:faults`.
        test: {
          name: "sweep",
          include: ["test/faults/sweep/**/*.test.ts"],
          globalSetup: "test/faults/support/sweepSetup.ts",
          maxWorkers: 2,
          testTimeout: 1_800_000,
          hookTimeout: 1_800_000,
        },
      },
      {
        test: {
          name: "systems",
          include: ["test/systems/**/*.test.ts"],
          globalSetup: "test/systems/support/setup.ts",
          maxWorkers: 2,
          testTimeout: 1_800_000,
          hookTimeout: 1_800_000,
        },
      },
      {
        // Up to four machines at a time: `npm run test:examples`.
        test: {
          name: "examples",
          include: ["test/examples/**/*.test.ts"],
          testTimeout: 3_600_000,
          hookTimeout: 1_800_000,
        },
      },
      {
        // Real accounts, one example at a time: `npm run test:cloud`.
        test: {
          name: "cloud",
          include: ["test/cloud/**/*.test.ts"],
          testTimeout: 3_600_000,
          hookTimeout: 3_600_000,
        },
      },
      {
        // Several machines that share this one's cores, and reboot.
        test: {
          name: "rig",
          include: ["test/rig/**/*.test.ts"],
          testTimeout: 1_800_000,
          hookTimeout: 1_800_000,
        },
      },
      {
        // Two machines, and every way in which one tells the other the time.
        test: {
          name: "sources",
          include: ["test/sources/**/*.test.ts"],
          testTimeout: 1_800_000,
          hookTimeout: 1_800_000,
        },
      },
      {
        // Machines again, whose clocks are watched: nothing else should keep their cores busy.
        test: {
          name: "truth",
          include: ["test/truth/**/*.test.ts"],
          testTimeout: 1_800_000,
          hookTimeout: 1_800_000,
        },
      },
    ],
  },
});
