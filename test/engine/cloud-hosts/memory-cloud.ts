/**
 * A plugin that remembers what the engine tells it, with the rules of the real providers that the tests are about: which
 * changes replace. It is no cloud. The engine passes its own address as the last argument.
 */
import { randomBytes } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { main } from "@pulumi/pulumi/provider/server";
import { utils } from "ssh2";
import { type PropertyMap, reveal } from "../../../rig/command-provider/property-values";

/** The inputs that replace, and what is added, by the last word of the type. */
const TYPES: Record<string, { replaces: readonly string[]; outputs: (inputs: PropertyMap) => PropertyMap }> = {
  PrivateKey: { replaces: ["algorithm"], outputs: makeKey },
  SecurityGroup: { replaces: ["description", "vpcId"], outputs: () => ({}) },
  PlacementGroup: { replaces: ["strategy"], outputs: () => ({ name: "group" }) },
  // `userData` only because the hosts set `userDataReplaceOnChange`.
  Instance: {
    replaces: ["ami", "userData", "placementGroup"],
    outputs: () => ({ publicIp: "203.0.113.20", privateIp: "10.0.0.20" }),
  },
};

function makeKey(): PropertyMap {
  const { public: publicKey, private: privateKey } = utils.generateKeyPairSync("ed25519");
  return { publicKeyOpenssh: `${publicKey}\n`, privateKeyOpenssh: privateKey };
}

function typeOf(urn: string) {
  const type = TYPES[urn.split("::")[2]?.split(":").at(-1) ?? ""];
  if (type === undefined) throw new Error(`there is no ${urn}`);
  return type;
}

const keysOf = (inputs: PropertyMap) => Object.keys(inputs).filter((key) => !key.startsWith("__"));

void main(
  {
    version: "1.0.0",
    check: async (_urn: string, _olds: PropertyMap, inputs: PropertyMap) => ({ inputs }),
    diff: async (_id: string, urn: string, olds: PropertyMap, news: PropertyMap) => {
      const [before, after] = [reveal(olds) as PropertyMap, reveal(news) as PropertyMap];
      const changed = keysOf(after).filter((key) => !isDeepStrictEqual(before[key], after[key]));
      return { changes: changed.length > 0, replaces: changed.filter((key) => typeOf(urn).replaces.includes(key)) };
    },
    create: async (urn: string, inputs: PropertyMap) => ({
      id: `i-${randomBytes(8).toString("hex")}`,
      outs: { ...inputs, ...typeOf(urn).outputs(inputs) },
    }),
    update: async (_id: string, urn: string, olds: PropertyMap, news: PropertyMap) => {
      const kept = Object.keys(typeOf(urn).outputs({}));
      return { outs: { ...news, ...Object.fromEntries(kept.map((key) => [key, olds[key]])) } };
    },
    delete: async () => undefined,
    invoke: async (token: string) => {
      if (token !== "aws:ssm/getParameter:getParameter") throw new Error(`there is no ${token}`);
      return { outputs: { insecureValue: process.env.NEWEST_AMI } };
    },
  },
  process.argv.slice(2),
);
