import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

export const guideOf = (name: string) =>
  readFileSync(join(resolve(__dirname, "../../.."), "docs", `${name}.md`), "utf8");

/** The blocks of code in a guide that are in a language. */
export const blocksOf = (guide: string, language: string) =>
  [...guideOf(guide).matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, "gs"))].map(([, block = ""]) => block);
