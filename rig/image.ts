import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { LocalVmImageArgs } from "../components";

/** The image of the demo and of the tests: Debian 12 with the traps that clouds and their users set (traps.sh). */
export const trapImage = {
  setup: readFileSync(join(__dirname, "traps.sh"), "utf8"),
} as const satisfies LocalVmImageArgs;
