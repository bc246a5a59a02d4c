/**
 * Property values as the engine sends them: plain JSON in which an object with a signature stands for a secret, an asset
 * or an archive, and one magic string stands for "not known yet" (only in a preview).
 */
import { runtime } from "@pulumi/pulumi";

export type PropertyMap = Readonly<Record<string, unknown>>;

/** An asset's content is exactly one of `text`, `path`, `uri`; `hash` is the engine's digest of it. */
export interface Asset {
  readonly hash?: string;
  readonly text?: string;
  readonly path?: string;
  readonly uri?: string;
}

/** An archive's content is exactly one of `assets`, `path`, `uri`; `hash` is the engine's digest of it. */
export interface Archive {
  readonly hash?: string;
  readonly assets?: Readonly<Record<string, unknown>>;
  readonly path?: string;
  readonly uri?: string;
}

export function isPropertyMap(value: unknown): value is PropertyMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isUnknown(value: unknown): boolean {
  return value === runtime.unknownValue;
}

export function isAsset(value: unknown): value is Asset {
  return signature(value) === runtime.specialAssetSig;
}

export function isArchive(value: unknown): value is Archive {
  return signature(value) === runtime.specialArchiveSig;
}

/** The value in the clear, with every secret in it unwrapped. Never log the result. */
export function reveal(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(reveal);
  }
  if (signature(value) === runtime.specialSecretSig) {
    return reveal((value as PropertyMap).value);
  }
  if (isPropertyMap(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, reveal(inner)]));
  }
  return value;
}

export function secret(value: unknown): PropertyMap {
  return { [runtime.specialSigKey]: runtime.specialSecretSig, value };
}

function signature(value: unknown): unknown {
  return isPropertyMap(value) ? value[runtime.specialSigKey] : undefined;
}
