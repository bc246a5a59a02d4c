import { expect, test } from "vitest";
import { AwsHost, GcpHost, HostPhc, OperatingSystem } from "../../components";
import { SCRIPT_BEGINS } from "../../components/hosts/cloud/userData";
import {
  A_RESOURCE,
  later,
  NO_TSC,
  ON,
  previewBothClouds,
  refusal,
  refuses,
  type Wrong,
} from "./support/hostArguments";
import { HOST_KEY, PRIVATE_KEY } from "./support/keys";

// Every way to be wrong that only a GcpHost has, with the exact words.

previewBothClouds();

const SERIES_NESTED = "c3, c4, c2, n1, n2, n4";
const SERIES_CLOCK = "c3, c3d, c4, c4d";

const wrong: readonly Wrong[] = [
  [
    { operatingSystem: OperatingSystem.AmazonLinux2023 },
    'operatingSystem: "amazon-linux-2023" has no image of its vendor in Google Cloud; there are ubuntu-22.04, ubuntu-24.04, debian-12, debian-13',
  ],
  [
    { privateKey: PRIVATE_KEY },
    "privateKey: needs publicKey beside it: the host must know who may log in; without both, a pair is made",
  ],
  [{ sshFrom: [] }, "sshFrom: lets nobody in: give the networks that may log in, or networkTags whose rules do"],
  [{ sshFrom: ["2001:db8::/32"] }, 'sshFrom[0]: "2001:db8::/32" is IPv6: the machine has an IPv4 address only'],
  // Its prefix need not be put right.
  [{ sshFrom: ["2001:db8::/129"] }, 'sshFrom[0]: "2001:db8::/129" is IPv6: the machine has an IPv4 address only'],
  [{ timeFrom: ["::/0"] }, 'timeFrom[0]: "::/0" is IPv6: the machine has an IPv4 address only'],
  [{ timeFrom: ["fd00::/8"] }, 'timeFrom[0]: "fd00::/8" is IPv6: the machine has an IPv4 address only'],
  [{ machineType: "c3" }, 'machineType: must be a machine type such as c3-standard-4, not "c3"'],
  [{ machineType: "t2a-standard-4" }, `machineType: t2a-standard-4 ${NO_TSC} c3-standard-4`],
  [{ machineType: "c4a-standard-4" }, `machineType: c4a-standard-4 ${NO_TSC} c3-standard-4`],
  [
    { machineType: "e2-standard-4", guests: true },
    `machineType: e2-standard-4 has no nested virtualization (guests); there is in ${SERIES_NESTED} ${ON}`,
  ],
  [
    { machineType: "n2d-standard-4", guests: true },
    `machineType: n2d-standard-4 has no nested virtualization (guests); there is in ${SERIES_NESTED} ${ON}`,
  ],
  [
    { machineType: "t2d-standard-4", guests: true },
    `machineType: t2d-standard-4 has no nested virtualization (guests); there is in ${SERIES_NESTED} ${ON}`,
  ],
  [
    { machineType: "m3-megamem-64", guests: true },
    `machineType: m3-megamem-64 has no nested virtualization (guests); there is in ${SERIES_NESTED} ${ON}`,
  ],
  [
    { machineType: "n2-standard-4", phc: HostPhc.Required },
    `machineType: n2-standard-4 has no clock of the host below, ptp_kvm (phc); there is in ${SERIES_CLOCK} ${ON}`,
  ],
  [
    { machineType: "c3d-standard-4", phc: HostPhc.Required, guests: true },
    `machineType: c3d-standard-4 has no nested virtualization (guests) with clock of the host below, ptp_kvm (phc); there is in c3, c4 ${ON}`,
  ],
  [
    { machineType: "c3-highcpu-192-metal", phc: HostPhc.Required },
    `machineType: c3-highcpu-192-metal has no clock of the host below, ptp_kvm (phc); there is in ${SERIES_CLOCK}, but not on bare metal ${ON}`,
  ],
  [
    { machineType: "c3-highcpu-192-metal", spot: true },
    `spot: cannot be true with c3-highcpu-192-metal: Google has no bare metal machines on spot; leave it out, or take c3-standard-4, where guests run by nested virtualization ${ON}`,
  ],
  [{ zone: "europe-west4" }, 'zone: must be a zone such as europe-west4-a, not "europe-west4"'],
  [{ network: "My Network" }, 'network: must be a name, an id or a self link, not "My Network"'],
  [{ network: A_RESOURCE }, "network: is a whole resource: give its id"],
  ...["", "https://www.googleapis.com/compute/v1/"].map((before): Wrong => {
    const subnetwork = `${before}projects/mine/regions/us-central1/subnetworks/mine`;
    return [
      { zone: "us-central11-a", network: "mine", subnetwork },
      'zone: "us-central11-a" is not in the region of the subnetwork',
    ];
  }),
  [{ subnetwork: "mine" }, "network: is required with subnetwork: the firewall rules are made in it"],
  [
    { sshFrom: [], networkTags: ["mine"] },
    "network: is required where only your own rules are to let anybody in (sshFrom: []): those of the default network let " +
      'everybody log in. Name the network; "default" where these rules were deleted',
  ],
  [
    { networkTags: ["Mine"] },
    'networkTags[0]: must be 1 to 63 lower case letters, digits and hyphens, a letter first, not "Mine"',
  ],
  [
    { image: "debian-12" },
    'image: must be the self link of an image, such as projects/debian-cloud/global/images/debian-12-bookworm-v20261110, not "debian-12"',
  ],
  [{ labels: "team" }, "labels: must be an object of labels"],
  [
    { labels: { Team: "a" } },
    "labels.Team: must be a key of 1 to 63 lower case letters, digits, hyphens and underscores, a letter first",
  ],
  [
    { labels: { team: "A" } },
    'labels.team: must be a text of at most 63 lower case letters, digits, hyphens and underscores, not "A"',
  ],
  [
    { firstBoot: SCRIPT_BEGINS.padEnd(262_144, "a") },
    "firstBoot: makes user data of 264701 bytes, and Google Cloud takes 262144: give fewer time sources, or Delivery.Ssh",
  ],
  [
    { firstBoot: SCRIPT_BEGINS, operatingSystem: OperatingSystem.Debian12 },
    "firstBoot: needs cloud-init, which the image of debian-12 in Google Cloud has not: take ubuntu-22.04, ubuntu-24.04, or Delivery.Ssh",
  ],
  // sshd of Debian shows another key at first, and a handshake that fails behind a proxy is not tried anew.
  ...[OperatingSystem.Debian12, OperatingSystem.Debian13].map((operatingSystem): Wrong => {
    const error =
      `proxy: needs cloud-init, which the image of ${operatingSystem} in Google Cloud has not: take ubuntu-22.04, ubuntu-24.04, or ` +
      'address: "private" without a proxy, where this machine is in the network or has a VPN to it';
    return [{ operatingSystem, proxy: later({ address: "bastion", hostKey: HOST_KEY }) }, error];
  }),
  [{ instanceType: "m7i.large" }, "instanceType: is not an argument; did you mean machineType?"],
  [{ region: "europe-west4" }, "region: is not an argument; did you mean zone?"],
  [{ vpcId: "vpc-1" }, "vpcId: is not an argument; did you mean network?"],
  [{ tags: {} }, "tags: is not an argument; did you mean labels?"],
];

refuses("GcpHost", GcpHost, wrong);

test.each(["mine", "projects/mine/regions/europe-west4/subnetworks/mine", later("mine")])(
  "a GcpHost takes a subnetwork of its zone's region, as far as it names one: %s",
  (subnetwork) => {
    expect(refusal(GcpHost, { zone: "europe-west4-a", network: "mine", subnetwork })).toBe("accepted");
    expect(refusal(GcpHost, { network: "mine", subnetwork })).toBe("accepted");
  },
);

test("a GcpHost's machine is named after the component", () => {
  expect(refusal(GcpHost, {}, "Node_1")).toBe(`GcpHost "Node_1" has 1 input error:
  (name of the component): must be 1 to 40 lower case letters, digits and hyphens, a letter first, not "Node_1": the machine is named after it`);
  expect(refusal(AwsHost, {}, "Node_1")).toBe("accepted");
});
