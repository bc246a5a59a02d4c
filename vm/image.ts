import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { buildingTools, nameSpaceTools, requireTools, startingTools } from "./host-tools";
import { buildImage } from "./image-build";
import { withLock } from "./lock";
import { places } from "./places";
import { step } from "./progress";
import { imageId } from "./recipe";
import type { ImageSpec } from "./spec";

/**
 * The path of an image, which is built when it is not in the cache.
 *
 * Two machines that start at once build it once: the second waits for the first. An image is never changed after it
 * has its name, because machines' disks refer to it.
 */
export async function ensureImage(image: ImageSpec): Promise<string> {
  const { images } = places();
  const path = join(images, `${imageId(image)}.qcow2`);
  if (existsSync(path)) return path;
  requireTools([...startingTools, ...buildingTools, ...(process.getuid?.() === 0 ? [] : nameSpaceTools)]);
  mkdirSync(images, { recursive: true, mode: 0o700 });
  await withLock(path, async () => {
    if (!existsSync(path)) await step(`image ${imageId(image)}`, () => buildImage(image, path));
  });
  return path;
}
