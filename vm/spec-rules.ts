import { isIPv4 } from "node:net";
import {
  argsWith,
  at,
  each,
  type Fields,
  fields,
  type InputErrors,
  isRecord,
  must,
  optional,
  type Rule,
  required,
  wholeNumberFrom,
} from "../components/plan/validate";
import { firmwares } from "./firmware";
import { networkCards } from "./spec";
import { suites } from "./suites";

const text = (pattern: RegExp, reason: string): Rule =>
  must((value) => typeof value === "string" && pattern.test(value), reason);

const oneWordOf = (words: readonly string[]): Rule =>
  must((value) => words.some((word) => word === value), `must be one of ${words.join(", ")}`);

const anyText = must((value) => typeof value === "string", "must be a text");
const hostName = /^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/;

const loopback = must(
  (value) => typeof value === "string" && isIPv4(value) && value.startsWith("127.") && value !== "127.0.0.1",
  "must be an IPv4 loopback address of the machine's own, for example 127.77.0.9; leave it out to get a free one",
);

/** QEMU's user network, which every machine has for SSH and the outside world. */
const userNetwork = "10.0.2.";

const privateCidr = must((value) => {
  const [address = "", prefix = "", ...rest] = typeof value === "string" ? value.split("/") : [];
  const bits = Number(prefix);
  const isCidr = rest.length === 0 && isIPv4(address) && /^\d+$/.test(prefix) && bits >= 8 && bits <= 30;
  return isCidr && !address.startsWith("127.") && !address.startsWith(userNetwork);
}, `must be an IPv4 address with a prefix of 8 to 30 bits, outside 127.0.0.0/8 and ${userNetwork}0/24, for example 10.77.0.1/24`);

/** cloud-config keys that the runner writes: a second writer would lock everybody out or drop what was asked for. */
const ownedUserData = ["users", "ssh_keys", "ssh_deletekeys", "runcmd"];

const userData = must(
  (value) => isRecord(value) && !ownedUserData.some((key) => key in value),
  `must be an object of cloud-config keys without ${ownedUserData.join(", ")}, which the runner writes (use user and firstBoot)`,
);

const image = fields({
  suite: optional(oneWordOf(Object.keys(suites))),
  firmware: optional(oneWordOf(firmwares)),
  mirror: optional(
    text(/^https?:\/\/[^\s[\]]+$/, "must be an http:// or https:// address of the distribution's archive"),
  ),
  components: optional(each(text(/^[a-z-]+$/, "must be a component of the archive, for example main"))),
  packages: optional(each(text(/^[a-z0-9][a-z0-9+.:-]+$/, "must be the name of a package"))),
  setup: optional(anyText),
  keyring: optional(text(/^\/\S+$/, "must be the absolute path of a keyring file on this machine")),
});

/** What a machine may be asked to be. */
const machineFields = {
  name: required(
    text(hostName, "must be a host name of 1 to 40 characters: lower case letters, digits and hyphens, a letter first"),
  ),
  image: optional(image),
  cpus: optional(wholeNumberFrom(1, 64, "virtual CPUs")),
  memoryMib: optional(wholeNumberFrom(256, 1_048_576, "MiB")),
  diskGib: optional(wholeNumberFrom(4, 2_048, "GiB")),
  address: optional(loopback),
  user: optional(
    text(/^(?!root$)[a-z_][a-z0-9_-]{0,31}$/, "must be the name of an ordinary user: lower case, 1 to 32 characters"),
  ),
  network: optional(text(hostName, "must be a name of lower case letters, digits and hyphens")),
  privateAddress: optional(privateCidr),
  networkCard: optional(oneWordOf(networkCards)),
  firstBoot: optional(each(anyText)),
  startTimeoutSeconds: optional(wholeNumberFrom(10, 7_200, "seconds")),
} as const satisfies Fields;

/** Everything that is wrong with the arguments of a machine. */
export const validateMachine = argsWith(machineFields, together);

const validateFields = argsWith(
  {
    ...machineFields,
    userData: optional(userData),
    incarnation: optional(text(/^[\w.:-]{1,64}$/, "must be one short word")),
  },
  together,
);

/** Everything that is wrong with a value that should be a spec; empty when it is one. */
export function validateSpec(value: unknown): InputErrors {
  return isRecord(value)
    ? validateFields(value)
    : [{ propertyPath: "spec", reason: "must be a JSON object with at least a name" }];
}

function together(args: unknown): InputErrors {
  const [network, privateAddress] = [at(args, "network"), at(args, "privateAddress")];
  if (network === undefined && at(args, "networkCard") !== undefined) {
    return [{ propertyPath: "network", reason: "is required: a network card needs the name of its network" }];
  }
  if ((network === undefined) === (privateAddress === undefined)) return [];
  return network === undefined
    ? [{ propertyPath: "network", reason: "is required: a private address needs the name of its network" }]
    : [
        {
          propertyPath: "privateAddress",
          reason: "is required: every machine on a network needs an address of its own",
        },
      ];
}
