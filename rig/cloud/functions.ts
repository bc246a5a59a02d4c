import { AMIS, FAMILIES, type Image } from "./images";
import type { Inputs } from "./resources";

/** Hexadecimal digits that are the same for the same words, until a newer image of that is there. */
export type Released = (...words: unknown[]) => string;

/** A function of a provider that looks something up. */
export interface CloudFunction {
  /** What is asked for, in words. */
  wanted(inputs: Inputs): string;
  /** Whether the imagined cloud has it. A preview answers also what is not there. */
  has(inputs: Inputs): boolean;
  answer(inputs: Inputs, released: Released): Inputs;
}

/** All that the imagined clouds answer. Any other question is an error. */
export const FUNCTIONS: Readonly<Record<string, CloudFunction>> = {
  "aws:ssm/getParameter:getParameter": {
    wanted: ({ name }) => `newest ${name}`,
    has: ({ name }) => Object.hasOwn(AMIS, String(name)),
    answer: ({ name, region }, released) => ({ insecureValue: amiOf(String(name), region, released) }),
  },
  "gcp:compute/getImage:getImage": {
    wanted: ({ project, family }) => `newest ${project}/${family}`,
    has: ({ project, family }) => Object.hasOwn(FAMILIES, `${project}/${family}`),
    answer: ({ project, family }, released) => ({ selfLink: selfLinkOf(`${project}/${family}`, released) }),
  },
};

/** Each region has its own copy of an image. */
function amiOf(parameter: string, region: unknown, released: Released): string {
  return `ami-${released(parameter, region)}`;
}

function selfLinkOf(family: string, released: Released): string {
  const [project, name] = family.split("/");
  return `projects/${project}/global/images/${name}-v${released(project, name)}`;
}

/** What the newest images are: none for an id of another region, or for what no function answers now. */
export function imageOf(reference: string, region: unknown, released: Released): Image | undefined {
  const found = (images: Readonly<Record<string, Image>>, nameOf: (key: string) => string) =>
    Object.entries(images).find(([key]) => nameOf(key) === reference)?.[1];
  return found(AMIS, (key) => amiOf(key, region, released)) ?? found(FAMILIES, (key) => selfLinkOf(key, released));
}
