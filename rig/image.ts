import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { LocalVmImageArgs } from "../components";

const text = (name: string) => readFileSync(join(__dirname, name), "utf8");

/**
 * The image of the demo and of the tests: Debian 12 with the traps that clouds and their users set (traps.sh), without
 * what is slow under software emulation (emulation.sh).
 */
export const trapImage = {
  setup: text("traps.sh") + text("emulation.sh"),
} as const satisfies LocalVmImageArgs;

/** The same, of a user who has chrony already, as his distribution sets it up. */
export const chronyImage = {
  setup: `${trapImage.setup}DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet chrony\n`,
} as const satisfies LocalVmImageArgs;
