/**
 * The texts that a property may have where its SDK says `string` and its cloud takes only some: of what the components and
 * the examples give. By the resource's token or the SDK's name of a nested type, as in `sdk.ts`. Where the SDK has an enum,
 * what is here is what the enum lacks. As of 2026-11-27, from the comments of the SDKs that are installed, from
 * terraform-provider-google of 2026-08-21 (`ValidateFunc`s of compute) and from what is said below.
 */

type Values = Readonly<Record<string, readonly string[]>>;

const SWITCH = ["enabled", "disabled"];

/** Names only, of what has numbers, too: the stand-in's rules know no numbers. */
const AMAZON_PROTOCOL = { protocol: ["-1", "tcp", "udp", "icmp", "icmpv6"] };
const GOOGLE_PROTOCOL = { protocol: ["all", "tcp", "udp", "icmp", "esp", "ah", "sctp", "ipip"] };

const sizes = (series: string, cpus: readonly number[]) => cpus.map((count) => `${series}-${count}`);

export const VALUES: Readonly<Record<string, Values>> = {
  "aws:ec2/instance:Instance": {
    instanceInitiatedShutdownBehavior: ["stop", "terminate"],
    tenancy: ["host"],
  },
  "aws ec2.InstanceCpuOptions": { nestedVirtualization: SWITCH },
  "aws ec2.InstanceMetadataOptions": {
    httpEndpoint: SWITCH,
    httpProtocolIpv6: SWITCH,
    httpTokens: ["optional", "required"],
    instanceMetadataTags: SWITCH,
  },
  "aws ec2.InstanceRootBlockDevice": { volumeType: ["standard", "gp2", "gp3", "io1", "io2", "sc1", "st1"] },
  "aws ec2.InstanceInstanceMarketOptions": {
    marketType: ["spot", "capacity-block", "interruptible-capacity-reservation"],
  },
  "aws ec2.InstanceInstanceMarketOptionsSpotOptions": {
    spotInstanceType: ["one-time", "persistent"],
    instanceInterruptionBehavior: ["hibernate", "stop", "terminate"],
  },
  // The last one since aws-sdk-go-v2 service/ec2 1.309.0 of 2026-06-29 (docs/aws.md).
  "aws:ec2/placementGroup:PlacementGroup": { strategy: ["partition", "precision-time"] },
  "aws ec2.SecurityGroupIngress": AMAZON_PROTOCOL,
  "aws ec2.SecurityGroupEgress": AMAZON_PROTOCOL,
  "gcp:compute/firewall:Firewall": { direction: ["INGRESS", "EGRESS"] },
  "gcp compute.FirewallAllow": GOOGLE_PROTOCOL,
  "gcp compute.FirewallDeny": GOOGLE_PROTOCOL,
  "gcp:compute/instance:Instance": {
    // Of the series that the examples take: https://cloud.google.com/compute/docs/general-purpose-machines
    machineType: [
      ...sizes("c3-standard", [4, 8, 22, 44, 88, 176]),
      "c3-standard-192-metal",
      ...sizes("n2-standard", [2, 4, 8, 16, 32, 48, 64, 80, 96, 128]),
    ],
  },
  "gcp compute.InstanceBootDiskInitializeParams": {
    // Of which a machine boots: https://cloud.google.com/compute/docs/disks
    type: ["pd-standard", "pd-balanced", "pd-ssd", "hyperdisk-balanced"],
  },
  "gcp compute.InstanceNetworkInterface": { nicType: ["GVNIC", "VIRTIO_NET", "IDPF", "MRDMA", "IRDMA"] },
  "gcp compute.InstanceScheduling": {
    provisioningModel: ["STANDARD", "SPOT", "FLEX_START", "RESERVATION_BOUND"],
    onHostMaintenance: ["MIGRATE", "TERMINATE"],
    instanceTerminationAction: ["STOP", "DELETE"],
  },
  "tls:index/privateKey:PrivateKey": { algorithm: ["RSA", "ECDSA", "ED25519"] },
};
