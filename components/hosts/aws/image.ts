import { getParameterOutput } from "@pulumi/aws/ssm/getParameter";
import type * as pulumi from "@pulumi/pulumi";
import { OperatingSystem } from "../../plan/enums";
import type { FirstBoot } from "../cloud/userData";

/** What a system is called where its vendor publishes its images, and who logs in to them. */
interface Image {
  /** A public parameter of AWS Systems Manager, which holds the id of the newest image in each region. */
  parameter: string;
  user: string;
}

/**
 * Each vendor's own parameters: Canonical (ubuntu.com/aws/docs/find-images), Amazon (EC2 User Guide, "Reference the latest
 * AMIs using Systems Manager public parameters"), Debian (wiki.debian.org/Cloud/AmazonEC2Image). Users: EC2 User Guide,
 * "Default usernames".
 */
export const IMAGES = {
  [OperatingSystem.Ubuntu2204]: {
    parameter: "/aws/service/canonical/ubuntu/server/22.04/stable/current/amd64/hvm/ebs-gp2/ami-id",
    user: "ubuntu",
  },
  [OperatingSystem.Ubuntu2404]: {
    parameter: "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id",
    user: "ubuntu",
  },
  [OperatingSystem.Debian12]: { parameter: "/aws/service/debian/release/12/latest/amd64", user: "admin" },
  [OperatingSystem.Debian13]: { parameter: "/aws/service/debian/release/13/latest/amd64", user: "admin" },
  [OperatingSystem.AmazonLinux2]: {
    parameter: "/aws/service/ami-amazon-linux-latest/amzn2-ami-kernel-5.10-hvm-x86_64-gp2",
    user: "ec2-user",
  },
  [OperatingSystem.AmazonLinux2023]: {
    parameter: "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64",
    user: "ec2-user",
  },
} as const satisfies Record<OperatingSystem, Image>;

/** The id of the newest image of a system. Not a secret, as the provider takes any parameter for one otherwise. */
export function newestImage(
  system: OperatingSystem,
  region: string | undefined,
  parent: pulumi.Resource,
): pulumi.Output<string> {
  return getParameterOutput({ name: IMAGES[system].parameter, region }, { parent }).insecureValue;
}

/** What a machine of a system is told before its first boot, whatever its keys are. */
export function aboutFirstBoot(
  operatingSystem: OperatingSystem,
): Pick<FirstBoot, "operatingSystem" | "user" | "additions"> {
  return { operatingSystem, user: { name: IMAGES[operatingSystem].user, isOfImage: true }, additions: [] };
}
