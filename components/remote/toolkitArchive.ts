import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { filesOf, toolkitDigest, toolkitFolder } from "./toolkit";

/** The toolkit as one file, for hosts that fetch it themselves. */
export interface ToolkitArchive {
  /** Of the content, so that the archives of several versions lie side by side: "timebase-toolkit-0123456789ab.tar". */
  name: string;
  content: Buffer;
  /** SHA-256 of the content, in hexadecimal digits. */
  sha256: string;
}

/**
 * The archive that hosts with Delivery.CloudInit fetch from the cluster's `toolkitUrl`. It has no secret in it. The same version of
 * this package makes the same bytes everywhere, which no compression would promise.
 */
export function toolkitArchive(): ToolkitArchive {
  const folder = toolkitFolder();
  const files = filesOf(folder).map(({ name, path }) => tarEntry(name, readFileSync(path)));
  // Two empty blocks are the end (POSIX, pax, "ustar Interchange Format").
  const content = Buffer.concat([...files, Buffer.alloc(2 * BLOCK)]);
  const sha256 = createHash("sha256").update(content).digest("hex");
  return { name: `timebase-toolkit-${toolkitDigest(folder)}.tar`, content, sha256 };
}

const BLOCK = 512;

/** A file of root's, of no date, in the ustar format: a header and the content, each in whole blocks. */
function tarEntry(name: string, content: Buffer): Buffer {
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, "0")}\0`;
  const fields: readonly (readonly [offset: number, text: string])[] = [
    [0, name],
    [100, octal(0o644, 7)],
    [108, octal(0, 7)],
    [116, octal(0, 7)],
    [124, octal(content.length, 11)],
    [136, octal(0, 11)],
    [148, " ".repeat(8)], // The checksum is made as if it were blanks.
    [156, "0"],
    [257, "ustar\x0000"],
  ];
  for (const [offset, text] of fields) header.write(text, offset, "latin1");
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 6)} `, 148, "latin1");
  return Buffer.concat([header, content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)]);
}
