import { closeSync, existsSync, openSync, readFileSync, renameSync, writeFileSync } from "node:fs";

/** The whole text of a file, or `undefined` when there is no such file. Every other error is thrown. */
export function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** The last lines of a log, without the control characters that a console has, or a remark that it is empty. */
export function tailOf(path: string, lines: number): string {
  const printable = (textOf(path) ?? "")
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences of a serial console are what goes
    .replace(/\u001b(\[[0-9;?]*[A-Za-z]|c|[()][A-Z0-9])/g, "")
    .split(/[\r\n]+/)
    .filter((line) => line.trim() !== "");
  return printable.length === 0 ? "(empty)" : printable.slice(-lines).join("\n");
}

/** Writes a private file as a whole or not at all: readers see the old content or the new one. */
export function writeAtomically(path: string, text: string): void {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, text, { mode: 0o600 });
  renameSync(draft, path);
}

/** Makes a file by `make`, which gets the name of a draft, unless the file is there already. */
export async function ensureFile(path: string, make: (draft: string) => Promise<void>): Promise<void> {
  if (existsSync(path)) return;
  const draft = `${path}.draft`;
  await make(draft);
  renameSync(draft, path);
}

/** Opens a file for the time of `work`. */
export async function withFile<T>(path: string, flags: string, work: (fd: number) => Promise<T>): Promise<T> {
  const fd = openSync(path, flags, 0o600);
  try {
    return await work(fd);
  } finally {
    closeSync(fd);
  }
}
