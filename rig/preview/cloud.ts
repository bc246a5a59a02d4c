import { createHash } from "node:crypto";
import { NO_HOSTS } from "../../components/plan/validateAddress";
import { addressIn } from "../cloud/addresses";
import { FUNCTIONS } from "../cloud/functions";
import type { Keys } from "../cloud/keyPair";
import { FIRST_HOST, type Inputs, RESOURCES, type Supply } from "../cloud/resources";

// What only a cloud decides (ids, addresses, images), made up in the form that the cloud gives it, so that a program runs
// to its end; and what is shown in its place, as nobody knows the value before it is there.

/** A network for benchmarks (RFC 2544), as there are more than 254 machines in some previews. */
const PUBLIC_NETWORK = "198.18.0.0/15";

/** One run's imagined clouds. The same program gets the same values in each of them. */
export class ImaginedCloud {
  private readonly labels = new Map<string, string>();
  private readonly ranges = new Map<string, string>();
  /** What was made up for the resource of the moment. */
  private novelties: string[] = [];
  private addresses = 0;
  private readonly supply: Supply;

  /** @param project the one in Google Cloud that the program is configured with */
  constructor(
    keys: Keys,
    private readonly project?: string,
  ) {
    this.supply = {
      digits: (length, ...words) => this.novelty(digest(...words).slice(0, length)),
      publicAddress: () => this.address(PUBLIC_NETWORK),
      // Of a subnetwork that the program does not make, nobody here knows the range.
      privateAddress: (_, subnetwork) => this.address(this.ranges.get(String(subnetwork)) ?? NO_HOSTS),
      keyPair: () => keys,
    };
  }

  /** What a resource is once it is there. What nobody has told of is there as it was asked for. */
  made(type: string, name: string, given: Inputs): { id: string; state: Inputs } {
    this.novelties = [];
    const { supply } = this;
    const inputs = type.startsWith("gcp:") && this.project !== undefined ? { project: this.project, ...given } : given;
    const resource = RESOURCES[type];
    const decided = resource?.decides({ name, inputs, supply }) ?? {};
    const id = resource?.id({ name, inputs, decided, supply }) ?? `id-${supply.digits(17, type, name)}`;
    this.labelMade(name, decided);
    // Some ids are something that had a name before.
    if (!this.labels.has(id)) this.labels.set(id, `${name}.id`);
    const range = inputs.cidrBlock ?? inputs.ipCidrRange;
    if (typeof range === "string") this.ranges.set(id, range);
    return { id, state: { ...inputs, ...decided } };
  }

  /** What a function of a provider answers. */
  called(token: string, inputs: Inputs): Inputs {
    const found = FUNCTIONS[token];
    if (found === undefined) {
      throw refusal(
        `the program asks for ${token}, which only a cloud can answer: for a preview without one, take the value from ` +
          "the stack's configuration",
      );
    }
    const answer = found.answer(inputs, (...words) => digest(...words));
    for (const value of Object.values(answer)) this.labels.set(String(value), found.wanted(inputs));
    return { ...inputs, ...answer };
  }

  /** A text with whatever was made up in it replaced by what it stands for: `<server-1-instance.privateIp>`. */
  shown(text: string): string {
    const made = [...this.labels.keys()]
      .sort((a, b) => b.length - a.length)
      .map((value) => value.replaceAll(".", "\\."));
    return made.length === 0
      ? text
      : text.replace(
          new RegExp(`(?<![\\w.])(${made.join("|")})(?![\\w.])`, "g"),
          (value) => `<${this.labels.get(value)}>`,
        );
  }

  /** Labels every text in which something is new by the property that has it. */
  private labelMade(name: string, value: unknown, property = ""): void {
    if (typeof value === "object" && value !== null) {
      for (const [key, item] of Object.entries(value)) {
        this.labelMade(name, item, Array.isArray(value) ? property : key);
      }
    } else if (this.novelties.some((novelty) => String(value).includes(novelty))) {
      this.labels.set(String(value), `${name}.${property}`);
    }
  }

  private address(network: string): string {
    this.addresses += 1;
    return this.novelty(addressIn(network, FIRST_HOST + this.addresses));
  }

  private novelty(value: string): string {
    this.novelties.push(value);
    return value;
  }
}

/** An error as the engine sends it: the SDK reads only its details. */
function refusal(details: string): Error {
  return Object.assign(new Error(details), { details });
}

function digest(...parts: unknown[]): string {
  return createHash("sha256").update(parts.join("\0")).digest("hex").slice(0, 40);
}
