import type { OperatingSystem } from "../../plan/enums";
import { argsWith, at, each, type Fields, type InputErrors, listOf, optional, plain, shown } from "../../plan/validate";
import { HostPhc } from "../cloud/args";
import { firstBootFits } from "../cloud/firstBoot";
import { cloudFields, isEmpty, keysFit, name, textsByKey, togetherFits } from "../cloud/validate";
import { DEFAULT_MACHINE_TYPE, impossible, type Machine } from "./capabilities";
import { aboutFirstBoot, type GcpSystem, IMAGES } from "./image";

const machineType = name(/^[a-z]\w*(-[a-z0-9]+)+$/, `a machine type such as ${DEFAULT_MACHINE_TYPE}`);
const zone = name(/^[a-z]+(-[a-z]+)+\d+-[a-z]$/, "a zone such as europe-west4-a");
const network = name(
  /^(https:\/\/\S+\/|projects\/\S+\/)?[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/,
  "a name, an id or a self link",
);
const tag = name(/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/, "1 to 63 lower case letters, digits and hyphens, a letter first");
const image = name(
  /^(https:\/\/\S+\/)?projects\/[^/\s]+\/global\/images\/[a-z0-9-]+$/,
  "the self link of an image, such as projects/debian-cloud/global/images/debian-12-bookworm-v20261110",
);

/** Google's rules ("Label resources", Requirements for labels). */
const labels = textsByKey(
  "labels",
  {
    fits: (key) => /^[a-z][a-z0-9_-]{0,62}$/.test(key),
    words: "1 to 63 lower case letters, digits, hyphens and underscores, a letter first",
  },
  {
    fits: (text) => /^[a-z0-9_-]{0,63}$/.test(text),
    words: "at most 63 lower case letters, digits, hyphens and underscores",
  },
);

const gcpFields = {
  ...cloudFields(Object.keys(IMAGES) as OperatingSystem[], "Google Cloud"),
  machineType: plain("text", optional(machineType)),
  zone: optional(zone),
  network: optional(network),
  subnetwork: optional(network),
  networkTags: optional(each(tag, '["time-server"]')),
  image: optional(image),
  labels: optional(labels),
} as const satisfies Fields;

const validateArgs = argsWith(gcpFields, machineFits, networkFits, zoneFits, (args) => [
  ...togetherFits(args, "networkTags"),
  ...keysFit(args, "publicKey"),
  ...userDataFits(args),
  ...cloudInitFits(args),
]);

/** "About VM metadata", Limitations: of each value. */
const USER_DATA = { cloud: "Google Cloud", bytes: 262_144, form: "user data", pack: (text: string) => text };

function userDataFits(args: unknown): InputErrors {
  const system = at(args, "operatingSystem") as GcpSystem;
  return Object.keys(IMAGES).includes(system) && IMAGES[system].hasCloudInit
    ? firstBootFits(at(args, "firstBoot"), aboutFirstBoot(system), at(args, "publicKey"), USER_DATA)
    : []; // Reported by the rule of the property itself, or below.
}

/**
 * What takes cloud-init. The startup script runs when sshd is up already: until it has, sshd shows another host key, and what
 * the command provider dials through a proxy then is dead, however often it tries (pulumi-command,
 * provider/pkg/provider/remote/connection.go, Dial: the handshake is repeated on the same stream).
 */
function cloudInitFits(args: unknown): InputErrors {
  const system = at(args, "operatingSystem") as GcpSystem;
  if (!Object.keys(IMAGES).includes(system) || IMAGES[system].hasCloudInit) return [];
  const others = [
    ["firstBoot", "Delivery.Ssh"],
    ["proxy", 'address: "private" without a proxy, where this machine is in the network or has a VPN to it'],
  ] as const;
  return others
    .filter(([propertyPath]) => (at(args, propertyPath) ?? undefined) !== undefined)
    .map(([propertyPath, other]) => ({
      propertyPath,
      reason: `needs cloud-init, which the image of ${system} in Google Cloud has not: take ${SYSTEMS_WITH_CLOUD_INIT.join(", ")}, or ${other}`,
    }));
}

const SYSTEMS_WITH_CLOUD_INIT = Object.entries(IMAGES).flatMap(([name, { hasCloudInit }]) =>
  hasCloudInit ? [name] : [],
);

/**
 * All that can be wrong with the arguments of a `GcpHost`. The component's name becomes part of names in the cloud, which
 * are 63 characters with the longest suffix and Pulumi's own.
 */
export function validateGcpHost(component: string): (args: unknown) => InputErrors {
  return (args) => {
    const ofNoUse = addressesFit(args);
    // Whatever else is wrong with such a network need not be put right.
    const others = validateArgs(args).filter(
      (error) => !ofNoUse.some((ipv6) => ipv6.propertyPath === error.propertyPath),
    );
    return [...nameFits(component), ...others, ...ofNoUse];
  };
}

/** The machine that arguments ask for. */
export function machineOf(args: unknown): Machine {
  return {
    machineType: (at(args, "machineType") ?? DEFAULT_MACHINE_TYPE) as string,
    guests: at(args, "guests") === true,
    phc: (at(args, "phc") ?? HostPhc.None) as HostPhc,
    spot: at(args, "spot") === true,
  };
}

function nameFits(component: string): InputErrors {
  return /^[a-z][a-z0-9-]{0,39}$/.test(component)
    ? []
    : [
        {
          propertyPath: "(name of the component)",
          reason: `must be 1 to 40 lower case letters, digits and hyphens, a letter first, not ${shown(component)}: the machine is named after it`,
        },
      ];
}

function machineFits(args: unknown): InputErrors {
  const machine = machineOf(args);
  const isKnown = machineType(machine.machineType, "").length === 0 && Object.values(HostPhc).includes(machine.phc);
  return isKnown ? impossible(machine) : []; // Reported by the rule of the property itself.
}

/** Which rules the default network has: "VPC firewall rules", Pre-populated rules in the default network. */
function networkFits(args: unknown): InputErrors {
  if (at(args, "network") !== undefined) return [];
  if (at(args, "subnetwork") !== undefined) {
    return [{ propertyPath: "network", reason: "is required with subnetwork: the firewall rules are made in it" }];
  }
  const isClosed = ["sshFrom", "timeFrom", "ptpFrom"].every((key) => isEmpty(at(args, key) ?? []));
  return isClosed && at(args, "networkTags") !== undefined
    ? [
        {
          propertyPath: "network",
          reason:
            "is required where only your own rules are to let anybody in (sshFrom: []): those of the default network let " +
            'everybody log in. Name the network; "default" where these rules were deleted',
        },
      ]
    : [];
}

/** A subnetwork is of one region, which its id and its self link name. */
function zoneFits(args: unknown): InputErrors {
  const given = at(args, "zone");
  const [, region] = /\/regions\/([^/]+)\/subnetworks\//.exec(String(at(args, "subnetwork"))) ?? [];
  return region !== undefined && zone(given, "").length === 0 && !String(given).startsWith(`${region}-`)
    ? [{ propertyPath: "zone", reason: `${shown(given)} is not in the region of the subnetwork` }]
    : [];
}

/** The machine has an IPv4 address only, and a firewall rule has networks of one kind only. */
function addressesFit(args: unknown): InputErrors {
  return ["sshFrom", "timeFrom", "ptpFrom"].flatMap((key) => {
    const networks = at(args, key);
    return listOf(networks).flatMap((network, index) =>
      typeof network === "string" && network.includes(":")
        ? [
            {
              propertyPath: `${key}[${index}]`,
              reason: `${shown(network)} is IPv6: the machine has an IPv4 address only`,
            },
          ]
        : [],
    );
  });
}
