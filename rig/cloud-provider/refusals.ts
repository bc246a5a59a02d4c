/** What a cloud refuses because it is not there, or not where it is looked for. Pure. */
import { type CloudFunction, FUNCTIONS, imageOf, type Released } from "../cloud/functions";
import type { Image } from "../cloud/images";
import type { Others, There } from "../cloud/refusals/among";
import { type CloudResource, type Inputs, RESOURCES } from "../cloud/resources";
import { textsIn } from "./record";

/** Ids that have a form of their own. */
const ID =
  /^(?:(?:vpc|subnet|sg|igw|i)-[0-9a-f]{17}|projects\/[^/]+\/(?:global|regions\/[^/]+)\/(?:networks|subnetworks)\/[^/]+)$/;

/** Why a resource cannot be made or changed in this way; undefined when it can. What it names must be in its own region. */
export function refusalOf(inputs: Inputs, resources: Others): string | undefined {
  const named = inputs.placementGroup === undefined ? [] : [String(inputs.placementGroup)];
  const { region } = inputs;
  const isHere = (there?: There) => {
    const its = there?.properties.region;
    return there !== undefined && (region === undefined || its === undefined || its === region);
  };
  const missing = [...textsIn(inputs).filter((text) => ID.test(text)), ...named].filter((id) => !isHere(resources[id]));
  const where = region === undefined ? "" : ` in ${region}`;
  return missing.length === 0 ? undefined : `NotFound: there is no ${[...new Set(missing)].join(", ")}${where}`;
}

/**
 * The image that an instance is to be made of.
 * @throws an Error if there is none
 */
export function imageIn(inputs: Inputs, released: Released): Image {
  const disk = inputs.bootDisk as { initializeParams?: { image?: string } } | undefined;
  const reference = String(inputs.ami ?? disk?.initializeParams?.image);
  const image = imageOf(reference, inputs.region, released);
  if (image === undefined) {
    const where = inputs.region === undefined ? "" : ` in ${inputs.region}`;
    throw new Error(`NotFound: the stand-in has no image ${reference}${where}`);
  }
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
