import { createHash } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { places } from "../vm/places";
import { suites } from "../vm/suites";

/** Ubuntu 22.04's package of the keys that its archive is signed with; the checksum is of its signed package list. */
const keyringPackage = {
  path: "pool/main/u/ubuntu-keyring/ubuntu-keyring_2021.03.26_all.deb",
  sha256: "0d0e7ed6b112f5d03eabf3c7eb01ebdacf9c57714b279e90495cfc58c8c4520f",
} as const;

/**
 * The keyring that Ubuntu's archive is checked with: this machine's, or, on one that has no package of it (Debian), the
 * one of Ubuntu's own package, by its checksum, in the cache.
 */
export async function ubuntuKeyring(): Promise<string> {
  const { mirror, keyring } = suites.jammy;
  if (existsSync(keyring.path)) return keyring.path;
  const folder = join(dirname(places().images), "ubuntu-keyring");
  const cached = join(folder, keyring.path);
  if (existsSync(cached)) return cached;
  const url = `${mirror}/${keyringPackage.path}`;
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url} answers ${answer.status}: install ${keyring.package}, or try again`);
  const content = Buffer.from(await answer.arrayBuffer());
  const found = createHash("sha256").update(content).digest("hex");
  if (found !== keyringPackage.sha256) throw new Error(`${url} has the SHA-256 checksum ${found}, not the known one`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, "package.deb");
  writeFileSync(file, content);
  await execa("dpkg-deb", ["--extract", file, folder]);
  return cached;
}
