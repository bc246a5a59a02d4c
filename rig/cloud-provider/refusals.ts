/** What a cloud refuses beyond wrong types, as far as programs here can do it. Pure. */
import { type CloudFunction, FUNCTIONS, imageOf, type Released } from "../cloud/functions";
import type { Image } from "../cloud/images";
import { type CloudResource, type Inputs, RESOURCES } from "../cloud/resources";
import { textsIn } from "./record";

/** Ids that have a form of their own. */
const ID =
  /^(?:(?:vpc|subnet|sg|igw|i)-[0-9a-f]{17}|projects\/[^/]+\/(?:global|regions\/[^/]+)\/(?:networks|subnetworks)\/[^/]+)$/;

/** Why a resource cannot be made or changed in this way; undefined when it can. */
export function refusalOf(inputs: Inputs, exists: (id: string) => boolean): string | undefined {
  const named = inputs.placementGroup === undefined ? [] : [String(inputs.placementGroup)];
  const missing = [...textsIn(inputs).filter((text) => ID.test(text)), ...named].filter((id) => !exists(id));
  return missing.length === 0 ? undefined : `NotFound: there is no ${[...new Set(missing)].join(", ")}`;
}

/**
 * The image that an instance is to be made of.
 * @throws an Error if there is none
 */
export function imageIn(inputs: Inputs, released: Released): Image {
  const disk = inputs.bootDisk as { initializeParams?: { image?: string } } | undefined;
  const reference = String(inputs.ami ?? disk?.initializeParams?.image);
  const image = imageOf(reference, released);
  if (image === undefined) throw new Error(`NotFound: the stand-in has no image ${reference}`);
  return image;
}

export function resourceOf(type: string): CloudResource {
  return lookUp(RESOURCES, type, "resource");
}

export function functionOf(token: string): CloudFunction {
  return lookUp(FUNCTIONS, token, "function");
}

function lookUp<T>(table: Readonly<Record<string, T>>, token: string, what: string): T {
  const found = Object.hasOwn(table, token) ? table[token] : undefined;
  if (found === undefined) {
    throw new Error(`the stand-in for the clouds has no ${what} ${token}; it has ${Object.keys(table).join(", ")}`);
  }
  return found;
}
