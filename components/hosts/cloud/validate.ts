import { OperatingSystem } from "../../plan/enums";
import {
  at,
  type Fields,
  flag,
  type InputErrors,
  isRecord,
  isResource,
  listOf,
  must,
  oneOf,
  optional,
  PENDING,
  plain,
  plainFlag,
  type Rule,
  required,
  shown,
  wholeNumberFrom,
} from "../../plan/validate";
import { cidr } from "../../plan/validateAddress";
import { endpointFields, hostName } from "../../plan/validateHost";
import { areOfTwoPairs, privateKey, publicKey } from "../../plan/validateKey";
import { isCidr, isPrivate, networks, timeNetworks } from "../../plan/validateNetworks";
import { type CloudHostArgs, HostAddress, HostPhc } from "./args";
import { isReachedInPublic } from "./endpoint";
import { isScript } from "./userData";

/** Texts that a user writes for "from everywhere". */
const ANYWHERE = /^(\*|any|all|everywhere|anywhere|internet)?$/i;

/** Whoever opens a host to everybody says so in numbers. */
const sshNetwork: Rule = (value, path) =>
  typeof value === "string" && ANYWHERE.test(value)
    ? [
        {
          propertyPath: path,
          reason: `must be a network such as 203.0.113.7/32, not ${shown(value)}; everybody is "0.0.0.0/0", spelled out`,
        },
      ]
    : cidr(value, path);

const LOGIN_NETWORKS = '["203.0.113.7/32"]';

const sshNetworks = networks(
  sshNetwork,
  LOGIN_NETWORKS,
  (everybody) => `say so by "${everybody}", spelled out, or give the networks that you log in from`,
);

/** Root runs it. */
const script = must(isScript, "must be what firstBootPlan gives");

/** What the keys, or the texts, of tags may be: the test, and the same in words. */
interface Wording {
  fits: (text: string) => boolean;
  words: string;
}

/** A rule for what a cloud calls tags or labels: texts by keys, by the cloud's own rules for both. */
export const textsByKey = (noun: string, keys: Wording, texts: Wording): Rule => {
  const entry = (key: string, text: unknown, path: string) => [
    ...must(() => keys.fits(key), `must be a key of ${keys.words}`)(key, path),
    ...must(
      () => text === PENDING || (typeof text === "string" && texts.fits(text)),
      `must be a text of ${texts.words}, not ${shown(text)}`,
    )(text, path),
  ];
  return (value, path) =>
    isRecord(value)
      ? Object.entries(value).flatMap(([key, text]) => entry(key, text, `${path}.${key}`))
      : [{ propertyPath: path, reason: `must be an object of ${noun}` }];
};

const SSH_FROM_REMEDY = `the networks that may log in, such as ${LOGIN_NETWORKS}; there is no default`;

/** A rule for the name of something in the cloud, which is often a resource of the program's own. */
export const name = (pattern: RegExp, example: string): Rule => {
  const fits = (value: unknown) => typeof value === "string" && pattern.test(value);
  return (value, path) =>
    isRecord(value) && isResource(value)
      ? [{ propertyPath: path, reason: "is a whole resource: give its id" }]
      : must(fits, `must be ${example}, not ${shown(value)}`)(value, path);
};

/** How many networks there are decides which rules are made; which they are may become known later. */
const plainNetworks = (rule: Rule) => plain("networks", rule, "; the items of a plain list may be outputs: [network]");

/** What every host in a cloud takes, for the systems that have an image there. */
export function cloudFields(systems: readonly OperatingSystem[], cloud: string): Fields {
  return {
    name: required(hostName),
    operatingSystem: plain("text", required(systemOf(systems, cloud))),
    sshFrom: plainNetworks(required(sshNetworks, SSH_FROM_REMEDY)),
    timeFrom: plainNetworks(optional(timeNetworks('["10.0.0.0/16"]'))),
    ptpFrom: plainNetworks(optional(timeNetworks('["10.0.0.0/16"]'))),
    guests: plainFlag,
    phc: plain("text", optional(oneOf(HostPhc))),
    spot: plainFlag,
    address: plain("text", optional(oneOf(HostAddress))),
    proxy: endpointFields.proxy,
    publicKey: optional(publicKey),
    privateKey: optional(privateKey),
    firstBoot: optional(script),
    rootDiskGib: optional(wholeNumberFrom(10, 16_384, "GiB")),
    deletionProtection: optional(flag),
  } as const satisfies Fields;
}

function systemOf(systems: readonly OperatingSystem[], cloud: string): Rule {
  return (value, path) => {
    const unknown = oneOf(OperatingSystem)(value, path);
    return unknown.length > 0 || systems.includes(value as OperatingSystem)
      ? unknown
      : [
          {
            propertyPath: path,
            reason: `${shown(value)} has no image of its vendor in ${cloud}; there are ${systems.join(", ")}`,
          },
        ];
  };
}

/** How the arguments of any cloud fit together. `otherRules` is the argument that brings rules of the user's. */
export function togetherFits(args: unknown, otherRules: string): InputErrors {
  const errors: InputErrors = [];
  const hasOtherRules = at(args, otherRules) !== undefined && !isEmpty(at(args, otherRules));
  if (isEmpty(at(args, "sshFrom")) && !hasOtherRules) {
    errors.push({
      propertyPath: "sshFrom",
      reason: `lets nobody in: give the networks that may log in, or ${otherRules} whose rules do`,
    });
  }
  if (isReachedInPublic(args as CloudHostArgs) && arePrivate(listOf(at(args, "sshFrom"))) && !hasOtherRules) {
    errors.push({
      propertyPath: "sshFrom",
      reason:
        "is private, and the host is reached by its public address: give the network that you are seen in from there, " +
        '"<what `curl -s https://checkip.amazonaws.com` prints>/32", or address: "private" where you are in its network',
    });
  }
  if (at(args, "address") === HostAddress.Public && at(args, "proxy") !== undefined) {
    errors.push({
      propertyPath: "address",
      reason: 'cannot be "public" with a proxy: leave it out, the bastion reaches the private address',
    });
  }
  if (at(args, "firstBoot") !== undefined && at(args, "proxy") !== undefined) {
    errors.push({
      propertyPath: "firstBoot",
      reason: "cannot be with a proxy: a login that is refused there is not tried again; leave one out",
    });
  }
  if (at(args, "spot") === true && at(args, "deletionProtection") === true) {
    errors.push({
      propertyPath: "deletionProtection",
      reason: "cannot be true with spot: the cloud deletes the machine when it wants it back",
    });
  }
  return errors;
}

/** Whether no one of these networks is known to be anybody's on the internet by IPv4, by which a host is reached. */
function arePrivate(networks: readonly unknown[]): boolean {
  const byIpv4 = networks.filter((network) => !(typeof network === "string" && network.includes(":")));
  return byIpv4.length > 0 && byIpv4.every((network) => isCidr(network) && isPrivate(network));
}

/** Of a pair of keys, the private half alone opens nothing, and neither does that of another pair. */
export function keysFit(args: unknown, ...publicHalves: string[]): InputErrors {
  const [privateKey, publicKey] = [at(args, "privateKey"), at(args, "publicKey")];
  const given = publicHalves.filter((key) => at(args, key) !== undefined);
  const refused = (reason: string) => [{ propertyPath: "privateKey", reason }];
  if (privateKey !== undefined && given.length === 0) {
    return refused(
      `needs ${publicHalves.join(" or ")} beside it: the host must know who may log in; without both, a pair is made`,
    );
  }
  // Of several halves it may be any one's.
  return given.join() === "publicKey" && areOfTwoPairs(privateKey, publicKey)
    ? refused("is not the private half of publicKey: `ssh-keygen -y -f <file>` prints the public half of a private key")
    : [];
}

export function isEmpty(list: unknown): boolean {
  return Array.isArray(list) && list.length === 0;
}
