import { readFileSync } from "node:fs";
import { join } from "node:path";

const files = ["grub-stub.cfg", "grubby.sh", "grub2-mkconfig.sh", "new-kernel.sh", "rpm.sh"] as const;

const text = (name: string) => readFileSync(join(__dirname, name), "utf8");

/** Debian 12, laid out like a version of Amazon Linux. */
export function amazonImage(version: "2" | "2023"): { setup: string } {
  const documents = files.map((name) => `cat >"$FILES/${name}" <<'STAND_IN'\n${text(name)}STAND_IN\n`).join("");
  const setup = `VERSION=${version}\nFILES=$(mktemp -d)\n${documents}${text("setup.sh")}rm -r "$FILES"\n`;
  return { setup };
}
