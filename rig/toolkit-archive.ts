import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { toolkitArchive } from "../components";

// The toolkit for hosts that fetch it themselves (docs/cloud-init-delivery.md): into the folder that is given, or this one.

const { name, content, sha256 } = toolkitArchive();
const path = join(resolve(process.env.INIT_CWD ?? ".", process.argv[2] ?? "."), name);
writeFileSync(path, content);
process.stdout.write(`${sha256}  ${path}\n`);
