import { createHash } from "node:crypto";
import type { Keys } from "./stories";

// What only a cloud decides (ids, addresses, images), made up in the form that the cloud gives it, so that a program runs
// to its end; and what is shown in its place, as nobody knows the value before it is there.

type Inputs = Record<string, unknown>;

/** The prefixes of ids that have a form of their own. All others are words. */
const ID_PREFIXES: Readonly<Record<string, string>> = {
  "aws:ec2/instance:Instance": "i",
  "aws:ec2/securityGroup:SecurityGroup": "sg",
  "aws:ec2/subnet:Subnet": "subnet",
  "aws:ec2/vpc:Vpc": "vpc",
};

/** Where a machine is that names no subnetwork of the program: the default one of its cloud. */
const DEFAULT_NETWORKS = { aws: "172.31.0.0/20", gcp: "10.164.0.0/20" } as const;
/** A network for benchmarks (RFC 2544), as there are more than 254 machines in some previews. */
const PUBLIC_NETWORK = "198.18.0.0/15";
/** The first addresses of a network are the cloud's own. From here on each address of the run is another one. */
const FIRST_HOST = 10;

/** One run's imagined clouds. */
export class ImaginedCloud {
  private readonly labels = new Map<string, string>();
  private readonly networks = new Map<string, string>();
  private addresses = 0;

  constructor(private readonly keys: Keys) {}

  /** What a resource is once it is there. */
  made(type: string, name: string, inputs: Inputs): { id: string; state: Inputs } {
    const id = this.labelled(`${ID_PREFIXES[type] ?? "id"}-${digest(type, name)}`, `${name}.id`);
    const range = inputs.cidrBlock ?? inputs.ipCidrRange;
    if (typeof range === "string") this.networks.set(id, range);
    return { id, state: { ...inputs, ...this.decided(type, name, inputs) } };
  }

  /** What a function of a provider answers. */
  called(token: string, inputs: Inputs): Inputs {
    switch (token) {
      case "aws:ssm/getParameter:getParameter":
        return { ...inputs, insecureValue: this.labelled(`ami-${digest(inputs.name)}`, `newest ${inputs.name}`) };
      case "gcp:compute/getImage:getImage": {
        const { project, family } = inputs;
        const image = `projects/${project}/global/images/${family}-v${digest(project, family)}`;
        return { ...inputs, selfLink: this.labelled(image, `newest ${project}/${family}`) };
      }
      default:
        throw refusal(
          `the program asks for ${token}, which only a cloud can answer: for a preview without one, take the value from ` +
            "the stack's configuration",
        );
    }
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

  private decided(type: string, name: string, inputs: Inputs): Inputs {
    switch (type) {
      case "tls:index/privateKey:PrivateKey":
        return { publicKeyOpenssh: `${this.keys.publicKey}\n`, privateKeyOpenssh: this.keys.privateKey };
      case "aws:ec2/placementGroup:PlacementGroup":
        return { name: this.labelled(`${name}-${digest(type, name)}`, `${name}.name`) };
      case "aws:ec2/instance:Instance":
        return {
          publicIp: inputs.associatePublicIpAddress ? this.publicAddress(`${name}.publicIp`) : "",
          privateIp: this.privateAddress(inputs.subnetId, DEFAULT_NETWORKS.aws, `${name}.privateIp`),
        };
      case "gcp:compute/instance:Instance":
        return Array.isArray(inputs.networkInterfaces)
          ? { networkInterfaces: inputs.networkInterfaces.map((nic: Inputs) => this.interfaceOf(name, nic)) }
          : {};
      default:
        return {};
    }
  }

  private interfaceOf(name: string, nic: Inputs): Inputs {
    const accessConfigs: Inputs[] = Array.isArray(nic.accessConfigs) ? nic.accessConfigs : [];
    return {
      ...nic,
      networkIp: this.privateAddress(nic.subnetwork, DEFAULT_NETWORKS.gcp, `${name}.networkIp`),
      accessConfigs: accessConfigs.map((config) => ({ ...config, natIp: this.publicAddress(`${name}.natIp`) })),
    };
  }

  private publicAddress(label: string): string {
    return this.address(PUBLIC_NETWORK, label);
  }

  private privateAddress(subnet: unknown, otherwise: string, label: string): string {
    return this.address(this.networks.get(String(subnet)) ?? otherwise, label);
  }

  private address(network: string, label: string): string {
    this.addresses += 1;
    return this.labelled(addressIn(network, FIRST_HOST + this.addresses), label);
  }

  private labelled(value: string, label: string): string {
    this.labels.set(value, label);
    return value;
  }
}

/** An error as the engine sends it: the SDK reads only its details. */
function refusal(details: string): Error {
  return Object.assign(new Error(details), { details });
}

function digest(...parts: unknown[]): string {
  return createHash("sha256").update(parts.join("\0")).digest("hex").slice(0, 17);
}

/** The n-th address of an IPv4 network. */
function addressIn(network: string, n: number): string {
  const bytes = (network.split("/")[0] ?? "").split(".").map(Number);
  const number = bytes.reduce((sum, byte) => sum * 256 + byte, 0) + n;
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join(".");
}
