import type { Inputs } from "../resources";

/** What a cloud, or its provider, refuses though every value has the right type. */
export interface Rule {
  /** The token of the resource, or what the tokens of several begin with. */
  readonly of: string;
  /** In whose words, as far as they are known: never with a value, which may be secret. */
  readonly says: string;
  /** Where that is written, and what of it is not. */
  readonly source: string;
  /** The properties that it looks at: it waits until all that is given of them is known. */
  readonly reads: readonly string[];
  refuses(inputs: Inputs): boolean;
}

export const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
export const recordsOf = (value: unknown) => listOf(value) as Inputs[];
export const recordOf = (value: unknown) => (value ?? {}) as Inputs;
