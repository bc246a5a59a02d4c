/**
 * What there is in a stand-in cloud: a file that its plugin reads and writes, and that a test changes as a person at the
 * cloud's console would.
 */
import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { textOf, writeAtomically } from "../../vm/files";
import { addressIn, isWithin, sizeOf } from "../cloud/addresses";
import type { Released } from "../cloud/functions";
import { FIRST_HOST, type Inputs } from "../cloud/resources";

export interface Entry {
  readonly type: string;
  readonly name: string;
  /** Inputs, and what the cloud decided; secrets in the clear, so the file is its owner's alone. */
  readonly properties: Inputs;
}

interface Content {
  /** How many times the vendors have published new images. */
  readonly release: number;
  /** By id. */
  readonly resources: Readonly<Record<string, Entry>>;
}

export class CloudRecord {
  private readonly file: string;

  /** @param cloud the package whose resources these are; one process at a time works with it */
  constructor(folder: string, cloud: string) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.file = join(folder, `${cloud}.json`);
  }

  content(): Content {
    const text = textOf(this.file);
    return text === undefined ? { release: 1, resources: {} } : JSON.parse(text);
  }

  entry(id: string): Entry | undefined {
    return this.content().resources[id];
  }

  put(id: string, entry: Entry): void {
    const { release, resources } = this.content();
    this.write({ release, resources: { ...resources, [id]: entry } });
  }

  remove(id: string): void {
    const { release, resources } = this.content();
    const { [id]: _, ...others } = resources;
    this.write({ release, resources: others });
  }

  /** What happens to a resource past the engine. */
  change(id: string, properties: Inputs): void {
    const entry = this.entry(id);
    if (entry === undefined) throw new Error(`there is no ${id}`);
    this.put(id, { ...entry, properties: { ...entry.properties, ...properties } });
  }

  /** The vendors publish new images of everything. */
  publishImages(): void {
    const content = this.content();
    this.write({ ...content, release: content.release + 1 });
  }

  /** The same images for as long as nobody has published newer ones. */
  released(): Released {
    const { release } = this.content();
    return (...words) =>
      createHash("sha256")
        .update([release, ...words].join("\0"))
        .digest("hex")
        .slice(0, 17);
  }

  /** The ids of what was asked for by naming another id, at whatever depth. What a cloud decided is no claim. */
  holders(id: string, inputNames: (type: string) => readonly string[]): string[] {
    const asked = ({ type, properties }: Entry) => inputNames(type).map((name) => properties[name]);
    return Object.entries(this.content().resources).flatMap(([other, entry]) =>
      other !== id && textsIn(asked(entry)).includes(id) ? [other] : [],
    );
  }

  /** An address of a network that nothing has. */
  freeAddress(network: string): string {
    const taken = new Set(Object.values(this.content().resources).flatMap(({ properties }) => textsIn(properties)));
    for (let n = FIRST_HOST; n < sizeOf(network) - 1; n++) {
      const address = addressIn(network, n);
      if (!taken.has(address) && isWithin(network, address)) return address;
    }
    throw new Error(`InsufficientFreeAddresses: ${network} has no address left`);
  }

  private write(content: Content): void {
    writeAtomically(this.file, JSON.stringify(content, null, 1));
  }
}

/** All texts in a value, at any depth. */
export function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : [];
}
