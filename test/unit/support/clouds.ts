import { runtime } from "@pulumi/pulumi";
import { keyPair } from "../../../rig/cloud/keyPair";
import { type MockCloud, revealed } from "./mocks";

// The clouds as far as the hosts use them. Whatever is not here is an error, so that the mocks cannot be more lenient than
// the clouds.

/** The keys that a host makes: two, so that one in the other's place is noticed. */
export const MADE = { hostKey: keyPair(), loginKey: keyPair() };

const keys = {
  "tls:index/privateKey:PrivateKey": {
    required: ["algorithm"],
    optional: [],
    outputs: (_: object, name: string) => {
      const { publicKey, privateKey } = name.endsWith("-host-key") ? MADE.hostKey : MADE.loginKey;
      return { publicKeyOpenssh: `${publicKey}\n`, privateKeyOpenssh: privateKey };
    },
  },
} as const satisfies MockCloud["resources"];

/** What EC2 and its provider answer to user data that cannot be. */
function refusalOfUserData(text?: string, base64?: string): string | undefined {
  if ((text === undefined) === (base64 === undefined)) return "userData and userDataBase64 are for each other's place";
  const bytes = base64 === undefined ? Buffer.from(text ?? "") : Buffer.from(base64, "base64");
  return bytes.length > 16_384 ? "User data is limited to 16384 bytes" : undefined;
}

export const NEWEST_AMI = "ami-0123456789abcdef0";

export const aws = {
  resources: {
    ...keys,
    "aws:ec2/instance:Instance": {
      required: [
        ...["ami", "instanceType", "vpcSecurityGroupIds", "associatePublicIpAddress", "metadataOptions", "tags"],
        ...["rootBlockDevice", "userDataReplaceOnChange", "disableApiTermination"],
      ],
      optional: [
        ...["region", "availabilityZone", "subnetId", "keyName", "placementGroup", "cpuOptions"],
        ...["instanceMarketOptions", "instanceInitiatedShutdownBehavior", "userData", "userDataBase64"],
      ],
      outputs: ({ associatePublicIpAddress, tags, userData, userDataBase64 }) => {
        const refusal = refusalOfUserData(revealed(userData), revealed(userDataBase64));
        if (refusal !== undefined) throw new Error(refusal);
        const last = tags.Name.charCodeAt(0) - 77; // a has .20, b has .21
        return {
          publicIp: associatePublicIpAddress ? `203.0.113.${last}` : "",
          privateIp: `10.0.0.${last}`,
        };
      },
    },
    "aws:ec2/securityGroup:SecurityGroup": {
      required: ["description", "ingress", "egress", "tags"],
      optional: ["region", "vpcId"],
      outputs: () => ({}),
    },
    "aws:ec2/placementGroup:PlacementGroup": {
      required: ["strategy", "tags"],
      optional: ["region"],
      outputs: () => ({ name: "the-placement-group" }),
    },
    // The network that an example makes.
    "aws:ec2/vpc:Vpc": {
      required: ["cidrBlock", "tags"],
      optional: [],
      outputs: () => ({ defaultRouteTableId: "rtb-1" }),
    },
    "aws:ec2/internetGateway:InternetGateway": { required: ["vpcId", "tags"], optional: [], outputs: () => ({}) },
    "aws:ec2/defaultRouteTable:DefaultRouteTable": {
      required: ["defaultRouteTableId", "routes", "tags"],
      optional: [],
      outputs: () => ({}),
    },
    "aws:ec2/subnet:Subnet": { required: ["vpcId", "cidrBlock", "tags"], optional: [], outputs: () => ({}) },
  },
  functions: {
    "aws:ssm/getParameter:getParameter": ({ name, ...more }) => {
      if (!/^\/aws\/service\//.test(name) || Object.keys(more).some((key) => key !== "region")) {
        throw new Error(`unexpected parameter ${name} ${Object.keys(more)}`);
      }
      return { name, insecureValue: NEWEST_AMI, value: NEWEST_AMI };
    },
  },
} as const satisfies MockCloud;

export const NEWEST_IMAGE = "projects/debian-cloud/global/images/debian-12-bookworm-v20261110";

/** What Compute Engine answers to a machine that cannot be. */
// biome-ignore lint/suspicious/noExplicitAny: the inputs of any program
function refusalOfInstance(inputs: any): string | undefined {
  const { machineType, networkInterfaces, scheduling = {}, shieldedInstanceConfig } = inputs;
  if (
    scheduling.preemptible &&
    (scheduling.automaticRestart !== false || scheduling.onHostMaintenance !== "TERMINATE")
  ) {
    return "a spot machine neither restarts by itself nor migrates";
  }
  if (["g2-standard-4", "h4d-standard-192"].includes(machineType) && scheduling.onHostMaintenance !== "TERMINATE") {
    return "a machine with a GPU, or of H4D, cannot migrate";
  }
  if (!machineType.endsWith("-metal")) return networkInterfaces[0].nicType && "no such network interface";
  if (scheduling.onHostMaintenance !== "TERMINATE") return "bare metal cannot migrate";
  if (networkInterfaces[0].nicType !== "IDPF") return "bare metal has an IDPF network interface";
  if (scheduling.preemptible) return "bare metal is not sold as spot";
  return shieldedInstanceConfig && "bare metal has no Shielded VM";
}

function withAddresses(nics: { accessConfigs: object[] }[], networkIp: string, natIp: string): object[] {
  return nics.map((nic) => ({ ...nic, networkIp, accessConfigs: nic.accessConfigs.map(() => ({ natIp })) }));
}

export const gcp = {
  resources: {
    ...keys,
    "gcp:compute/instance:Instance": {
      required: [
        ...["machineType", "bootDisk", "networkInterfaces", "tags", "metadata"],
        ...["deletionProtection", "allowStoppingForUpdate"],
      ],
      optional: [
        ...["zone", "labels", "advancedMachineFeatures", "scheduling", "metadataStartupScript"],
        "shieldedInstanceConfig",
      ],
      outputs: (inputs) => {
        const refusal = refusalOfInstance(inputs);
        if (refusal !== undefined) throw new Error(refusal);
        return {
          networkInterfaces: withAddresses(inputs.networkInterfaces, "10.0.0.30", "203.0.113.30"),
        };
      },
      previewed: ({ networkInterfaces }) => ({
        networkInterfaces: withAddresses(networkInterfaces, runtime.unknownValue, runtime.unknownValue),
      }),
    },
    "gcp:compute/firewall:Firewall": {
      required: ["network", "direction", "targetTags", "priority", "sourceRanges"],
      optional: ["allows", "denies", "project"],
      outputs: () => ({}),
    },
    // The network that an example makes.
    "gcp:compute/network:Network": { required: ["autoCreateSubnetworks"], optional: [], outputs: () => ({}) },
    "gcp:compute/subnetwork:Subnetwork": {
      required: ["network", "region", "ipCidrRange"],
      optional: [],
      outputs: () => ({}),
    },
  },
  functions: {
    "gcp:compute/getImage:getImage": ({ project, family, ...more }) => {
      if (!project?.endsWith("-cloud") || !family || Object.keys(more).length > 0) {
        throw new Error(`unexpected image ${project} ${family} ${Object.keys(more)}`);
      }
      return { selfLink: NEWEST_IMAGE };
    },
  },
} as const satisfies MockCloud;
