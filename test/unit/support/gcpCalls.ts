import type { Calls, CallTable } from "./calls";

// What the provider calls for the resources of our hosts and examples, in the words of Google's permissions:
// terraform-provider-google of 2026-08-21, google/services/compute. What Google asks for besides is from the API reference.

const FIREWALL_CHANGES = ["globalOperations.get", "networks.updatePolicy"];

const INSTANCE: Calls<string> = {
  create: [
    ...["instances.create", "disks.create", "subnetworks.use", "subnetworks.useExternalIp"],
    // What is told and named as it is made, and the provider's own label besides the user's.
    ...["instances.setMetadata", "instances.setTags", "instances.setLabels", "disks.setLabels"],
    "zoneOperations.get",
  ],
  read: ["instances.get", "disks.get"],
  update: {
    labels: ["instances.setLabels"],
    tags: ["instances.setTags"],
    metadata: ["instances.setMetadata"],
    deletionProtection: ["instances.setDeletionProtection"],
    scheduling: ["instances.setScheduling"],
    machineType: ["instances.stop", "instances.setMachineType", "instances.start"],
    advancedMachineFeatures: ["instances.stop", "instances.update", "instances.start"],
    canIpForward: [],
    shieldedInstanceConfig: ["instances.stop", "instances.updateShieldedInstanceConfig", "instances.start"],
    networkInterfaces: [
      ...["instances.deleteAccessConfig", "instances.addAccessConfig", "instances.updateNetworkInterface"],
      ...["subnetworks.get", "subnetworks.use", "subnetworks.useExternalIp"],
    ],
    bootDisk: ["disks.get", "disks.resize", "disks.setLabels"],
    // For the provider only.
    allowStoppingForUpdate: [],
  },
  // The disk goes with it (`autoDelete`).
  delete: ["instances.delete", "zoneOperations.get"],
};

const FIREWALL_UPDATE = ["firewalls.update", ...FIREWALL_CHANGES];

export const FIREWALL: Calls<string> = {
  create: ["firewalls.create", ...FIREWALL_CHANGES],
  read: ["firewalls.get"],
  update: {
    allows: FIREWALL_UPDATE,
    denies: FIREWALL_UPDATE,
    sourceRanges: FIREWALL_UPDATE,
    targetTags: FIREWALL_UPDATE,
    priority: FIREWALL_UPDATE,
    description: [],
    disabled: [],
  },
  delete: ["firewalls.delete", ...FIREWALL_CHANGES],
};

export const GCP_HOST: CallTable<string> = {
  "gcp:compute/instance:Instance": INSTANCE,
  "gcp:compute/firewall:Firewall": FIREWALL,
};

export const GCP_NETWORK: CallTable<string> = {
  "gcp:compute/network:Network": {
    create: ["networks.create", "globalOperations.get"],
    read: ["networks.get"],
    update: { routingMode: [], mtu: [] },
    delete: ["networks.delete", "globalOperations.get"],
  },
  "gcp:compute/subnetwork:Subnetwork": {
    create: ["subnetworks.create", "networks.updatePolicy", "regionOperations.get"],
    read: ["subnetworks.get"],
    update: { privateIpGoogleAccess: [], logConfig: [] },
    delete: ["subnetworks.delete", "networks.updatePolicy", "regionOperations.get"],
  },
};
