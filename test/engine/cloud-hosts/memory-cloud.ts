/**
 * A plugin that remembers what the engine tells it, with the rules of the real providers that the tests are about: which
 * changes replace. It is no cloud. The engine passes its own address as the last argument.
 */
import { randomBytes } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { main } from "@pulumi/pulumi/provider/server";
import { type PropertyMap, reveal } from "../../../rig/command-provider/property-values";
import { keyPair } from "../../unit/support/keyPair";

interface Type {
  /** The paths of the inputs that replace, in the real provider. */
  replaces: readonly string[];
  /** What is added when it is made. */
  outputs: (inputs: PropertyMap) => PropertyMap;
  /** What a refresh finds otherwise, inputs included, while the machines are as MACHINES says. */
  found?: Readonly<Record<string, PropertyMap>>;
}

const TYPES: Readonly<Record<string, Type>> = {
  "tls:index/privateKey:PrivateKey": { replaces: ["algorithm"], outputs: makeKey },
  "aws:ec2/securityGroup:SecurityGroup": { replaces: ["description", "vpcId"], outputs: () => ({}) },
  "aws:ec2/instance:Instance": {
    // `userData` because the hosts set `userDataReplaceOnChange`.
    replaces: ["ami", "userData", "placementGroup", "subnetId", "associatePublicIpAddress"],
    outputs: () => ({ publicIp: "203.0.113.20", privateIp: "10.0.0.20" }),
    // Whether there is an address, not whether there is to be one (terraform-provider-aws, issue 33775).
    found: {
      stopped: { publicIp: "", associatePublicIpAddress: false },
      "started again": { publicIp: "203.0.113.21", associatePublicIpAddress: true },
    },
  },
  "gcp:compute/firewall:Firewall": { replaces: ["network"], outputs: () => ({}) },
  "gcp:compute/instance:Instance": {
    // Of the boot disk, size and labels change in place (terraform-provider-google 7.22.0, #26195; 7.3.0, #24349).
    replaces: ["bootDisk.initializeParams.image", "bootDisk.initializeParams.type", "metadataStartupScript"],
    outputs: () => ({ networkInterfaces: [{ networkIp: "10.0.0.30", accessConfigs: [{ natIp: "203.0.113.30" }] }] }),
  },
};

/** The functions, each with the newest image of the moment. */
const FUNCTIONS: Readonly<Record<string, (image: string) => PropertyMap>> = {
  "aws:ssm/getParameter:getParameter": (insecureValue) => ({ insecureValue }),
  "gcp:compute/getImage:getImage": (selfLink) => ({ selfLink }),
};

function makeKey(): PropertyMap {
  const { public: publicKey, private: privateKey } = keyPair();
  return { publicKeyOpenssh: `${publicKey}\n`, privateKeyOpenssh: privateKey };
}

function typeOf(urn: string) {
  const type = TYPES[urn.split("::")[2]?.split("$").at(-1) ?? ""];
  if (type === undefined) throw new Error(`there is no ${urn}`);
  return type;
}

/** What is at a path of properties. */
function at(properties: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((value, key) => (value as PropertyMap | undefined)?.[key], properties);
}

void main(
  {
    version: "1.0.0",
    check: async (_urn: string, _olds: PropertyMap, inputs: PropertyMap) => ({ inputs }),
    diff: async (_id: string, urn: string, olds: PropertyMap, news: PropertyMap) => {
      const [before, after] = [reveal(olds) as PropertyMap, reveal(news) as PropertyMap];
      const computed = Object.keys(typeOf(urn).outputs(after));
      const given = Object.keys(after).filter((key) => !key.startsWith("__") && !computed.includes(key));
      const changed = given.filter((key) => !isDeepStrictEqual(before[key], after[key]));
      const replaces = typeOf(urn).replaces.filter((path) => !isDeepStrictEqual(at(before, path), at(after, path)));
      return { changes: changed.length > 0, replaces: replaces.filter((path) => at(after, path) !== undefined) };
    },
    create: async (urn: string, inputs: PropertyMap) => ({
      id: `i-${randomBytes(8).toString("hex")}`,
      outs: { ...inputs, ...typeOf(urn).outputs(inputs) },
    }),
    update: async (_id: string, urn: string, olds: PropertyMap, news: PropertyMap) => {
      const kept = Object.keys(typeOf(urn).outputs(news));
      return { outs: { ...news, ...Object.fromEntries(kept.map((key) => [key, olds[key]])) } };
    },
    // As the real ones: what is found is in the inputs, too.
    read: async (id: string, urn: string, olds: PropertyMap) => {
      const props = { ...olds, ...typeOf(urn).found?.[process.env.MACHINES ?? ""] };
      const computed = Object.keys(typeOf(urn).outputs(props));
      const inputs = Object.fromEntries(Object.entries(props).filter(([key]) => !computed.includes(key)));
      return { id, props, inputs };
    },
    delete: async () => undefined,
    invoke: async (token: string) => {
      const call = FUNCTIONS[token];
      if (call === undefined) throw new Error(`there is no ${token}`);
      return { outputs: call(process.env.NEWEST_IMAGE ?? "") };
    },
  },
  process.argv.slice(2),
);
