import { existsSync, renameSync, rmSync } from "node:fs";
import { textOf } from "./files";
import type { MachineFiles } from "./qemu";
import { run } from "./run";
import type { MachineKeys } from "./seed";
import { Trouble } from "./trouble";

/** The machine's key pairs, made at the first call. A private key is never an argument of a program. */
export async function ensureKeys(files: MachineFiles, name: string): Promise<MachineKeys> {
  for (const path of [files.loginKey, files.hostKey]) await ensureKeyPair(path, name);
  const read = (path: string) => textOf(path) ?? "";
  return {
    login: read(`${files.loginKey}.pub`).trim(),
    host: { private: read(files.hostKey), public: withoutComment(read(`${files.hostKey}.pub`)) },
  };
}

/** A public key's type and value: a host key's comment differs between the places that print it. */
export function withoutComment(publicKey: string): string {
  return publicKey.trim().split(/\s+/).slice(0, 2).join(" ");
}

async function ensureKeyPair(path: string, name: string): Promise<void> {
  if (existsSync(path)) return;
  const draft = `${path}.draft`;
  rmSync(draft, { force: true });
  const ending = await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", draft]);
  if (ending.status !== 0) {
    throw new Trouble(`ssh-keygen failed: ${ending.stderr.trim()}`, path, "check that the folder can be written to");
  }
  // The private half comes last: when it is there, both are.
  renameSync(`${draft}.pub`, `${path}.pub`);
  renameSync(draft, path);
}
