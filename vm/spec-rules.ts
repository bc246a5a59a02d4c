import { isIPv4 } from "node:net";
import {
  each,
  type InputErrors,
  isRecord,
  must,
  optional,
  PENDING,
  type Rule,
  required,
  wholeNumberFrom,
} from "../components/plan/validate";
import { firmwares } from "./firmware";
import { suites } from "./suites";

const text = (pattern: RegExp, reason: string): Rule =>
  must((value) => typeof value === "string" && pattern.test(value), reason);

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

const imageRules: Record<string, Rule> = {
  suite: must(
    (value) => typeof value === "string" && Object.hasOwn(suites, value),
    `must be one of ${Object.keys(suites).join(", ")}`,
  ),
  firmware: must((value) => firmwares.some((firmware) => firmware === value), `must be one of ${firmwares.join(", ")}`),
  mirror: text(/^https?:\/\/[^\s[\]]+$/, "must be an http:// or https:// address of the distribution's archive"),
  components: each(text(/^[a-z-]+$/, "must be a component of the archive, for example main")),
  packages: each(text(/^[a-z0-9][a-z0-9+.:-]+$/, "must be the name of a package")),
  setup: anyText,
  keyring: text(/^\/\S+$/, "must be the absolute path of a keyring file on this machine"),
};

const vmRules: Record<string, Rule> = {
  name: text(
    hostName,
    "must be a host name of 1 to 40 characters: lower case letters, digits and hyphens, a letter first",
  ),
  image: (value, path) =>
    isRecord(value) ? broken(value, imageRules, `${path}.`) : [{ propertyPath: path, reason: "must be an object" }],
  cpus: wholeNumberFrom(1, 64, "virtual CPUs"),
  memoryMib: wholeNumberFrom(256, 1_048_576, "MiB"),
  diskGib: wholeNumberFrom(4, 2_048, "GiB"),
  address: loopback,
  user: text(
    /^(?!root$)[a-z_][a-z0-9_-]{0,31}$/,
    "must be the name of an ordinary user: lower case, 1 to 32 characters",
  ),
  network: text(hostName, "must be a name of lower case letters, digits and hyphens"),
  privateAddress: privateCidr,
  firstBoot: each(anyText),
  userData,
  incarnation: text(/^[\w.:-]{1,64}$/, "must be one short word"),
  startTimeoutSeconds: wholeNumberFrom(10, 7_200, "seconds"),
};

/** Everything that is wrong with a value that should be a spec; empty when it is one. */
export function validateSpec(value: unknown): InputErrors {
  if (value === PENDING) return [];
  if (!isRecord(value)) return [{ propertyPath: "spec", reason: "must be a JSON object with at least a name" }];
  return [...required(() => [])(value.name, "name"), ...broken(value, vmRules, ""), ...together(value)];
}

function broken(value: Record<string, unknown>, rules: Record<string, Rule>, prefix: string): InputErrors {
  return Object.entries(value).flatMap(([field, item]) => {
    const rule = Object.hasOwn(rules, field) ? rules[field] : undefined;
    const path = `${prefix}${field}`;
    if (rule !== undefined) return optional(rule)(item, path);
    return [{ propertyPath: path, reason: `is not a field; there are ${Object.keys(rules).join(", ")}` }];
  });
}

function together({ network, privateAddress }: Record<string, unknown>): InputErrors {
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
