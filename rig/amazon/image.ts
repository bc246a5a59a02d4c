import { readFileSync } from "node:fs";
import { join } from "node:path";

const files = ["grub-stub.cfg", "grubby.sh", "grub2-mkconfig.sh", "new-kernel.sh", "rpm.sh"] as const;

const text = (name: string) => readFileSync(join(__dirname, name), "utf8");

/** GRUB's own configuration would wait for a screen, which the machine lacks; the one that reads entries has none. */
const terminal = { "2": "echo 'GRUB_TERMINAL=console' >>/etc/default/grub\n", "2023": "" } as const;

/** Debian 12, laid out like a version of Amazon Linux. */
export function amazonImage(version: "2" | "2023"): { setup: string } {
  const documents = files.map((name) => `cat >"$FILES/${name}" <<'STAND_IN'\n${text(name)}STAND_IN\n`).join("");
  const setup = `VERSION=${version}\nFILES=$(mktemp -d)\n${documents}${text("setup.sh")}${terminal[version]}rm -r "$FILES"\n`;
  return { setup };
}
