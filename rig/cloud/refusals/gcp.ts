/**
 * What Google refuses of one resource, its place among the inputs. Of the sources, terraform-provider-google is what the
 * provider is made of, and what has only a title is under docs.cloud.google.com/compute/docs.
 */
import { isNetwork } from "../addresses";
import type { Inputs } from "../resources";
import { listOf, type Rule, recordOf, recordsOf } from "./rule";

const INSTANCE = "gcp:compute/instance:Instance";
const FIREWALL = "gcp:compute/firewall:Firewall";

const METADATA_BYTES = 262_144;

const isMetal = ({ machineType }: Inputs) => String(machineType).endsWith("-metal");
const seriesOf = ({ machineType }: Inputs) => String(machineType).split("-")[0] ?? "";
const schedulingOf = ({ scheduling }: Inputs) => recordOf(scheduling);
const isSpot = (inputs: Inputs) =>
  schedulingOf(inputs).preemptible === true || schedulingOf(inputs).provisioningModel === "SPOT";
const mayMigrate = (inputs: Inputs) => schedulingOf(inputs).onHostMaintenance !== "TERMINATE";
const isNested = ({ advancedMachineFeatures }: Inputs) =>
  recordOf(advancedMachineFeatures).enableNestedVirtualization === true;
const diskOf = ({ bootDisk }: Inputs) => String(recordOf(recordOf(bootDisk).initializeParams).type ?? "");
export const nicsOf = ({ networkInterfaces }: Inputs) => recordsOf(networkInterfaces);

/** E2, those with much memory, and by the letter behind the generation those of AMD (d) and Arm (a). */
const WITHOUT_NESTED = /^(e2|m\d+|[a-z]\d+[ad])$/;
/** As far as it is known of all sizes of a series. */
const WITHOUT_HYPERDISK = /^(e2|n1|n2|n2d|c2|c2d|t2d|t2a|a2|g2)$/;
const WITHOUT_PERSISTENT_DISK = /^(c4|c4a|c4d|n4|n4a|n4d|m4)$/;
const CANNOT_MIGRATE = /^(a\d|g[2-9]|ct\d|h4d)$/;

/** What a resource, or a tag of the network, may be called. */
export const NAME = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;

const RANGES = ["sourceRanges", "destinationRanges"];
const rangesOf = (inputs: Inputs) => RANGES.flatMap((name) => listOf(inputs[name])).map(String);
const specsOf = ({ allows, denies }: Inputs) => [...recordsOf(allows), ...recordsOf(denies)];

function isRangeOfPorts(text: unknown): boolean {
  const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(String(text)) ?? [];
  return first !== undefined && Number(first) <= Number(last) && Number(last) <= 65_535;
}

export const GCP_RULES: readonly Rule[] = [
  {
    of: INSTANCE,
    says: "Cannot determine zone: set in this resource, or set provider-level zone.",
    source: "terraform-provider-google, google/tpgresource/utils.go, GetZone",
    reads: ["zone"],
    refuses: ({ zone }) => zone === undefined,
  },
  {
    of: INSTANCE,
    says: "Invalid value for field 'zone': Unknown zone.",
    source: "Regions and zones: a zone is its region and a letter",
    reads: ["zone"],
    refuses: ({ zone }) => zone !== undefined && !/^[a-z]+-[a-z]+\d{1,2}-[a-z]$/.test(String(zone)),
  },
  {
    of: "gcp:compute/subnetwork:Subnetwork",
    says: "Cannot determine region: set in this resource, or set provider-level 'region' or 'zone'.",
    source: "terraform-provider-google, google/tpgresource/utils.go, GetRegion",
    reads: ["region"],
    refuses: ({ region }) => region === undefined,
  },
  {
    of: "gcp:compute/subnetwork:Subnetwork",
    says: "Invalid value for field 'region': Unknown region.",
    source: "Regions and zones",
    reads: ["region"],
    refuses: ({ region }) => region !== undefined && !/^[a-z]+-[a-z]+\d{1,2}$/.test(String(region)),
  },
  {
    of: "gcp:compute/subnetwork:Subnetwork",
    says: "Invalid value for field 'resource.ipCidrRange'",
    source:
      "terraform-provider-google, google/verify/validation.go, ValidateIpCidrRange; the API takes the network's first address",
    reads: ["ipCidrRange"],
    refuses: ({ ipCidrRange }) => ipCidrRange !== undefined && !isNetwork(ipCidrRange),
  },
  {
    of: INSTANCE,
    says: "Insufficient network_interface blocks",
    source:
      "terraform-provider-google, google/services/compute/resource_compute_instance.go, network_interface: Required",
    reads: ["networkInterfaces"],
    refuses: (inputs) => nicsOf(inputs).length === 0,
  },
  {
    of: INSTANCE,
    says: "exactly one of network, subnetwork, or network_attachment must be provided",
    source: "terraform-provider-google, google/services/compute/compute_instance_helpers.go, expandNetworkInterfaces",
    reads: ["networkInterfaces"],
    refuses: (inputs) =>
      nicsOf(inputs).some((nic) => (nic.network ?? nic.subnetwork ?? nic.networkAttachment) === undefined),
  },
  {
    of: INSTANCE,
    says: "a spot machine neither restarts by itself nor migrates",
    source:
      "API reference, instances, scheduling: preemptible takes automaticRestart false and onHostMaintenance TERMINATE",
    reads: ["scheduling"],
    refuses: (inputs) => isSpot(inputs) && (schedulingOf(inputs).automaticRestart !== false || mayMigrate(inputs)),
  },
  {
    of: INSTANCE,
    says: "the provisioning model SPOT takes preemptible, and the other way round",
    source: "terraform-provider-google, documentation of compute_instance, scheduling.provisioning_model",
    reads: ["scheduling"],
    refuses: (inputs) => {
      const { provisioningModel, preemptible } = schedulingOf(inputs);
      return provisioningModel !== undefined && (provisioningModel === "SPOT") !== (preemptible === true);
    },
  },
  {
    of: INSTANCE,
    says: "a machine with a GPU or TPU, or of H4D, cannot migrate",
    source: "Set VM host maintenance policy, Limitations",
    reads: ["machineType", "scheduling"],
    refuses: (inputs) => CANNOT_MIGRATE.test(seriesOf(inputs)) && mayMigrate(inputs),
  },
  {
    of: INSTANCE,
    says: "bare metal cannot migrate",
    source: "Set VM host maintenance policy, Limitations",
    reads: ["machineType", "scheduling"],
    refuses: (inputs) => isMetal(inputs) && mayMigrate(inputs),
  },
  {
    of: INSTANCE,
    says: "bare metal has an IDPF network interface, and nothing else has",
    source: "Using the IDPF network interface",
    reads: ["machineType", "networkInterfaces"],
    refuses: (inputs) => nicsOf(inputs).some(({ nicType }) => isMetal(inputs) !== (nicType === "IDPF")),
  },
  {
    of: INSTANCE,
    says: "bare metal is not sold as spot",
    source: "Spot VMs, Limitations",
    reads: ["machineType", "scheduling"],
    refuses: (inputs) => isMetal(inputs) && isSpot(inputs),
  },
  {
    of: INSTANCE,
    says: "bare metal has no Shielded VM",
    source: "General-purpose machine family, C3 machine series",
    reads: ["machineType", "shieldedInstanceConfig"],
    refuses: (inputs) => isMetal(inputs) && Object.values(recordOf(inputs.shieldedInstanceConfig)).includes(true),
  },
  {
    of: INSTANCE,
    says: "the machine type has no nested virtualization",
    source: "About nested virtualization, Restrictions; bare metal has no hypervisor below it",
    reads: ["machineType", "advancedMachineFeatures"],
    refuses: (inputs) => isNested(inputs) && (isMetal(inputs) || WITHOUT_NESTED.test(seriesOf(inputs))),
  },
  {
    of: INSTANCE,
    says: "the machine type does not boot from Hyperdisk",
    source: "About Hyperdisk, Machine series support, Hyperdisk Balanced",
    reads: ["machineType", "bootDisk"],
    refuses: (inputs) => diskOf(inputs).startsWith("hyperdisk-") && WITHOUT_HYPERDISK.test(seriesOf(inputs)),
  },
  {
    of: INSTANCE,
    says: "the machine type has no Persistent Disk",
    source: "Persistent Disk, Machine series support; General-purpose machine family, C3 bare metal",
    reads: ["machineType", "bootDisk"],
    refuses: (inputs) =>
      diskOf(inputs).startsWith("pd-") && (isMetal(inputs) || WITHOUT_PERSISTENT_DISK.test(seriesOf(inputs))),
  },
  {
    of: INSTANCE,
    says: "Value for metadata is too large: at most 262144 bytes",
    source: "About VM metadata, Limitations: of each value",
    reads: ["metadata", "metadataStartupScript"],
    refuses: ({ metadata, metadataStartupScript = "" }) =>
      [...Object.values(recordOf(metadata)), metadataStartupScript].some(
        (value) => Buffer.byteLength(String(value)) > METADATA_BYTES,
      ),
  },
  {
    of: INSTANCE,
    says: "Cannot provide both metadata_startup_script and metadata.startup-script.",
    source: "terraform-provider-google, google/services/compute/resource_compute_instance.go, resourceInstanceMetadata",
    reads: ["metadata", "metadataStartupScript"],
    refuses: ({ metadata, metadataStartupScript }) =>
      metadataStartupScript !== undefined && "startup-script" in recordOf(metadata),
  },
  {
    of: INSTANCE,
    says: "Invalid value for field 'resource.labels'",
    source: "Label resources, Requirements for labels",
    reads: ["labels"],
    refuses: ({ labels }) =>
      Object.entries(recordOf(labels)).some(
        ([key, text]) =>
          !/^[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}$/u.test(key) ||
          !/^[\p{Ll}\p{Lo}\p{N}_-]{0,63}$/u.test(String(text)),
      ),
  },
  {
    of: INSTANCE,
    says: "Invalid value for field 'resource.tags'",
    source: "VPC documentation, Add network tags, Restrictions",
    reads: ["tags"],
    refuses: ({ tags }) => !listOf(tags).every((tag) => NAME.test(String(tag))),
  },
  {
    of: FIREWALL,
    says: "one of source_tags, source_ranges, or source_service_accounts must be defined",
    // The cloud itself lets everybody in.
    source: "terraform-provider-google, resource_compute_firewall.go, read 2026-11-27",
    reads: ["direction", "sourceRanges", "sourceTags", "sourceServiceAccounts"],
    refuses: ({ direction, sourceRanges, sourceTags, sourceServiceAccounts }) =>
      direction !== "EGRESS" && (sourceRanges ?? sourceTags ?? sourceServiceAccounts) === undefined,
  },
  {
    of: FIREWALL,
    says: "only one of `allow,deny` can be specified, and one must be",
    source: "terraform-provider-google, resource_compute_firewall.go: ExactlyOneOf; VPC firewall rules, Components",
    reads: ["allows", "denies"],
    refuses: ({ allows, denies }) => listOf(allows).length > 0 === listOf(denies).length > 0,
  },
  {
    of: FIREWALL,
    says: "expected priority to be in the range (0 - 65535)",
    source: "VPC firewall rules, Priority",
    reads: ["priority"],
    refuses: ({ priority = 1000 }) =>
      !(Number.isInteger(priority) && Number(priority) >= 0 && Number(priority) <= 65_535),
  },
  {
    of: FIREWALL,
    says: "Invalid value for field 'resource.sourceRanges'",
    source: "VPC firewall rules, Source and destination: CIDR, of IPv4 or of IPv6",
    reads: RANGES,
    refuses: (inputs) =>
      !rangesOf(inputs).every(isNetwork) || new Set(rangesOf(inputs).map((range) => range.includes(":"))).size > 1,
  },
  {
    of: FIREWALL,
    says: "Invalid value for field 'resource.allowed.ports'",
    source: "API reference, firewalls, allowed[].ports: integers or ranges, for TCP, UDP and SCTP only",
    reads: ["allows", "denies"],
    refuses: (inputs) =>
      specsOf(inputs).some(
        ({ protocol, ports }) =>
          !listOf(ports).every(isRangeOfPorts) ||
          (listOf(ports).length > 0 && !["tcp", "udp", "sctp"].includes(String(protocol))),
      ),
  },
];
