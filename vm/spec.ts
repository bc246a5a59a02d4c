import type { Firmware } from "./firmware";
import { type SuiteName, suites } from "./suites";

/** What determines an image. The setup text runs in the image as root, with the network, after all packages. */
export interface ImageSpec {
  suite: SuiteName;
  /** Default: "bios". Left out where it is left out, so that machines from before it stay what they are. */
  firmware?: Firmware;
  mirror: string;
  components: readonly string[];
  packages: readonly string[];
  setup: string;
  /** Keyring file on this machine that the archive is checked with. */
  keyring: string;
}

/** What makes a machine one of a cloud: said by its firmware, and told to its cloud-init instead of the runner's own. */
export interface CloudFacts {
  /** The firmware's vendor and product (DMI), by which programs know a cloud. */
  manufacturer: string;
  product: string;
  /** The whole text of the user data, for which `user`, `firstBoot` and `userData` are ignored. */
  userTexts: { userData: string; vendorData: string };
  /** A second address on the private network, with its prefix, from which the cloud's own services are in reach. */
  linkLocal: string;
  /** Where the private network's frames go, one in each datagram: a port of this machine's loopback interface. */
  switchPort: number;
}

/** The kinds of card on a private network. */
export const networkCards = ["virtio", "igb"] as const;
export type NetworkCard = (typeof networkCards)[number];

/** One virtual machine, with every default filled in. */
export interface VmSpec {
  name: string;
  image: ImageSpec;
  cpus: number;
  memoryMib: number;
  diskGib: number;
  address?: string;
  user: string;
  network?: string;
  privateAddress?: string;
  /** Default: "virtio". Left out where it is left out. */
  networkCard?: NetworkCard;
  firstBoot: readonly string[];
  userData: Readonly<Record<string, unknown>>;
  cloud?: CloudFacts;
  incarnation: string;
  startTimeoutSeconds: number;
}

/** A spec as people write it: only the name is needed. */
export type VmSpecInput = Partial<Omit<VmSpec, "image" | "name">> & { name: string; image?: Partial<ImageSpec> };

export const vmDefaults = {
  cpus: 2,
  memoryMib: 1024,
  diskGib: 8,
  user: "timebase",
  firstBoot: [],
  userData: {},
  incarnation: "1",
  startTimeoutSeconds: 600,
} as const;

export const defaultSuite: SuiteName = "bookworm";

/** A valid spec with every default filled in. */
export function withDefaults(input: VmSpecInput): VmSpec {
  const { suite = defaultSuite, ...image } = input.image ?? {};
  const facts = suites[suite];
  return {
    ...vmDefaults,
    ...input,
    image: {
      suite,
      ...(image.firmware === undefined ? {} : { firmware: image.firmware }),
      mirror: image.mirror?.replace(/\/+$/, "") ?? facts.mirror,
      components: image.components ?? facts.components,
      packages: image.packages ?? [],
      setup: image.setup ?? "",
      keyring: image.keyring ?? facts.keyring.path,
    },
  };
}

/** Fields that a new start of the machine on its own disk brings into force. */
const restartFields = ["cpus", "memoryMib"] as const satisfies readonly (keyof VmSpec)[];

/** Fields that say nothing about the machine itself. */
const startFields = ["incarnation", "startTimeoutSeconds"] as const satisfies readonly (keyof VmSpec)[];

/**
 * What makes a machine this machine: the fields that its first boot has burnt in. One of them changed means another
 * machine with another disk.
 */
export function identityOf(spec: VmSpec): Record<string, unknown> {
  const fixed = Object.entries(spec).filter(
    ([field]) => ![...restartFields, ...startFields].some((other) => other === field),
  );
  return Object.fromEntries(fixed);
}

/** The fields of a recorded spec that an asked one differs in, by what they need to come into force. */
export function changesBetween(recorded: VmSpec, asked: VmSpec): { restart: string[]; replace: string[] } {
  const differs = (field: keyof VmSpec) => canonical(recorded[field]) !== canonical(asked[field]);
  const fields = [...new Set([...Object.keys(recorded), ...Object.keys(asked)])] as (keyof VmSpec)[];
  const changed = fields.filter(differs);
  const isOneOf = (list: readonly string[], field: string) => list.includes(field);
  return {
    restart: changed.filter((field) => isOneOf(restartFields, field)),
    replace: changed.filter((field) => !isOneOf(restartFields, field) && !isOneOf(startFields, field)),
  };
}

/** JSON with sorted keys: equal values have equal texts. */
export function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_key, inner: unknown) =>
      inner !== null && typeof inner === "object" && !Array.isArray(inner)
        ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
        : inner,
    ) ?? ""
  );
}
