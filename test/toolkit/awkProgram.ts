import { spawnSync } from "node:child_process";
import path from "node:path";
import { expect } from "vitest";

/** The files of each of the toolkit's programs that read what a daemon says. */
const programs = {
  chrony_state: ["chrony_sources", "chrony_state"],
  tracking_log: ["chrony_sources", "tracking_log"],
  pmc_state: ["pmc_state"],
} as const;

/** Runs one as the toolkit does: what it prints, when it does well and says nothing else. */
export function runAwk(
  program: keyof typeof programs,
  variables: Readonly<Record<string, unknown>>,
  input: string | Buffer,
  environment: Readonly<Record<string, string>> = {},
): string {
  const files = programs[program].map((name) => path.join(__dirname, `../../toolkit/lib/${name}.awk`));
  const { stdout, stderr, status } = spawnSync(
    "awk",
    [
      ...Object.entries(variables).flatMap(([key, value]) => ["-v", `${key}=${value}`]),
      ...files.flatMap((file) => ["-f", file]),
    ],
    { input, encoding: "utf8", env: { PATH: process.env.PATH, LC_ALL: "C", ...environment } },
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return stdout;
}
