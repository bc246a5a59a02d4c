import { IMAGES } from "../../../components/hosts/aws/image";
import type { Calls, CallTable } from "./calls";
import type { Context, Request } from "./iam";

// What the provider calls for the resources of our hosts and examples: terraform-provider-aws, internal/service/ec2, of Pulumi's
// fork at 5.14.0 (2023-08), read 2026-11-27. By which resources Amazon then asks who may do it: Service Authorization Reference.

/** The tag of all that is made, as it is asked for, as it is there, and as it is on what others have. */
export const asked = { "aws:RequestTag/project": "experiment" };
export const ours = { "aws:ResourceTag/project": "experiment" };
export const others = { "aws:ResourceTag/project": "payroll" };
/** The VPC of hosts whose groups change, as the policy names it. */
export const vpcOf = (id: string) => ({ "ec2:Vpc": `arn:aws:ec2:<region>:<account>:vpc/${id}` });

export const on = (call: string, kind: string, context: Context = {}): Request => ({
  action: `ec2:${call}`,
  resource: `arn:aws:ec2:eu-north-1:111122223333:${kind}/x`,
  context,
});

/** Whoever may look may look at everything: Amazon limits it by no resource. */
const looking = (...calls: string[]) =>
  calls.map((call): Request => ({ action: `ec2:${call}`, resource: "*", context: {} }));

/** Something new, that is tagged as it is made. */
const making = (call: string, kind: string) => [
  on(call, kind, asked),
  on("CreateTags", kind, { ...asked, "ec2:CreateAction": call }),
];

const tagging = (kind: string) => [on("CreateTags", kind, ours), on("DeleteTags", kind, ours)];

/** The default route table, which a VPC comes with, has no tag before it is given one. */
const untagged = {};

const INSTANCE: Calls<Request> = {
  create: [
    // The name of the image's root device, for the disk.
    ...looking("DescribeImages", "DescribeInstances"),
    ...making("RunInstances", "instance"),
    ...["image", "network-interface", "subnet", "security-group", "volume", "placement-group", "key-pair"].map((kind) =>
      on("RunInstances", kind),
    ),
    on("RunInstances", "spot-instances-request"),
    // The tags of `rootBlockDevice`, once the machine is there, and the behaviour at a shutdown.
    on("CreateTags", "volume", asked),
    on("ModifyInstanceAttribute", "instance", ours),
  ],
  read: [
    ...looking("DescribeInstances", "DescribeInstanceTypes", "DescribeInstanceAttribute", "DescribeVolumes"),
    // A launch template, of which only tags tell; whether the VPC is the default one; T3 and others that burst.
    ...looking("DescribeTags", "DescribeVpcs", "DescribeInstanceCreditSpecifications"),
  ],
  update: {
    tags: tagging("instance"),
    instanceType: ["StopInstances", "ModifyInstanceAttribute", "StartInstances"].map((call) =>
      on(call, "instance", ours),
    ),
    vpcSecurityGroupIds: [
      on("ModifyNetworkInterfaceAttribute", "network-interface", vpcOf("<vpc>")),
      on("ModifyNetworkInterfaceAttribute", "security-group", ours),
    ],
    metadataOptions: [on("ModifyInstanceMetadataOptions", "instance", ours)],
    disableApiTermination: [on("ModifyInstanceAttribute", "instance", ours)],
    monitoring: [],
    instanceInitiatedShutdownBehavior: [on("ModifyInstanceAttribute", "instance", ours)],
    // For the provider only.
    userDataReplaceOnChange: [],
    rootBlockDevice: [
      on("ModifyVolume", "volume", ours),
      ...looking("DescribeVolumesModifications"),
      ...tagging("volume"),
    ],
  },
  // What protects it from being deleted is taken away first: Pulumi has asked by then.
  delete: [
    on("ModifyInstanceAttribute", "instance", ours),
    on("TerminateInstances", "instance", ours),
    ...looking("DescribeInstances"),
  ],
};

const rules = (direction: string, ...verbs: string[]) =>
  verbs.map((verb) => on(`${verb}SecurityGroup${direction}`, "security-group", ours));

const SECURITY_GROUP: Calls<Request> = {
  create: [
    ...making("CreateSecurityGroup", "security-group"),
    on("CreateSecurityGroup", "vpc"),
    // The rule that every new group has, and then its own.
    ...rules("Egress", "Revoke", "Authorize"),
    ...rules("Ingress", "Authorize"),
  ],
  read: looking("DescribeSecurityGroups"),
  update: {
    tags: tagging("security-group"),
    ingress: rules("Ingress", "Revoke", "Authorize"),
    egress: rules("Egress", "Revoke", "Authorize"),
  },
  // Interfaces that Lambda and others left in it.
  delete: [...looking("DescribeNetworkInterfaces"), on("DeleteSecurityGroup", "security-group", ours)],
};

const PLACEMENT_GROUP: Calls<Request> = {
  create: making("CreatePlacementGroup", "placement-group"),
  read: looking("DescribePlacementGroups"),
  update: { tags: tagging("placement-group") },
  delete: [on("DeletePlacementGroup", "placement-group", ours)],
};

export const AWS_HOST: CallTable<Request> = {
  "aws:ec2/instance:Instance": INSTANCE,
  "aws:ec2/securityGroup:SecurityGroup": SECURITY_GROUP,
  "aws:ec2/placementGroup:PlacementGroup": PLACEMENT_GROUP,
};

/** The look-up of the newest image: internal/service/ssm/parameter_data_source.go. */
export const AWS_IMAGES = Object.values(IMAGES).map(
  ({ parameter }): Request => ({
    action: "ssm:GetParameter",
    resource: `arn:aws:ssm:eu-north-1::parameter${parameter}`,
    context: {},
  }),
);

/** What a host on spot takes besides: to read it, and to delete it. */
export const AWS_SPOT = ["ec2:DescribeSpotInstanceRequests", "ec2:CancelSpotInstanceRequests"];

export const AWS_NETWORK: CallTable<Request> = {
  "aws:ec2/vpc:Vpc": {
    create: making("CreateVpc", "vpc"),
    read: looking(
      ...["DescribeVpcs", "DescribeVpcAttribute", "DescribeNetworkAcls", "DescribeRouteTables"],
      "DescribeSecurityGroups",
    ),
    update: { tags: tagging("vpc"), enableDnsHostnames: [], enableDnsSupport: [] },
    delete: [on("DeleteVpc", "vpc", ours)],
  },
  "aws:ec2/internetGateway:InternetGateway": {
    create: [
      ...making("CreateInternetGateway", "internet-gateway"),
      on("AttachInternetGateway", "internet-gateway", ours),
      on("AttachInternetGateway", "vpc", ours),
    ],
    read: looking("DescribeInternetGateways"),
    update: {
      tags: tagging("internet-gateway"),
      vpcId: ["DetachInternetGateway", "AttachInternetGateway"].map((call) => on(call, "vpc", ours)),
    },
    delete: [
      on("DetachInternetGateway", "internet-gateway", ours),
      on("DetachInternetGateway", "vpc", ours),
      on("DeleteInternetGateway", "internet-gateway", ours),
    ],
  },
  "aws:ec2/defaultRouteTable:DefaultRouteTable": {
    // The route comes first, then the tag.
    create: [on("CreateRoute", "route-table", untagged), on("CreateTags", "route-table", asked)],
    read: looking("DescribeRouteTables"),
    update: {
      tags: tagging("route-table"),
      routes: ["CreateRoute", "ReplaceRoute", "DeleteRoute"].map((call) => on(call, "route-table", ours)),
    },
    // It stays until its VPC goes.
    delete: [],
  },
  "aws:ec2/subnet:Subnet": {
    create: [...making("CreateSubnet", "subnet"), on("CreateSubnet", "vpc", ours)],
    read: looking("DescribeSubnets"),
    update: { tags: tagging("subnet"), mapPublicIpOnLaunch: [] },
    delete: [...looking("DescribeNetworkInterfaces"), on("DeleteSubnet", "subnet", ours)],
  },
};
