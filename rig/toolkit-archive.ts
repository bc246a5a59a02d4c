import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { toolkitArchive } from "../components";

const help = `The toolkit for hosts that fetch it themselves (docs/cloud-init-delivery.md), and its SHA-256.

  npm run toolkit:archive                into this folder
  npm run toolkit:archive -- <folder>    into that one, which has to be there
`;

function main(): void {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { help: { type: "boolean", short: "h", default: false } },
  });
  if (values.help) {
    process.stdout.write(help);
    return;
  }
  const [folder = ".", ...more] = positionals;
  if (more.length > 0) throw new Error(`one folder at a time, not also ${more.join(", ")}`);
  const { name, content, sha256 } = toolkitArchive();
  const path = join(resolve(process.env.INIT_CWD ?? ".", folder), name);
  writeFileSync(path, content);
  process.stdout.write(`${sha256}  ${path}\n`);
}

try {
  main();
} catch (error) {
  console.error(`${error instanceof Error ? error.message : error}\n\n${help}`);
  process.exitCode = 1;
}
