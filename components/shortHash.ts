import { createHash } from "node:crypto";

/** What stands for a text where it is too long, or not for everybody's eyes: twelve hexadecimal digits. */
export function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}
