/**
 * The images that the imagined clouds have, by what their vendors call them. Said here once more, and not taken from the
 * components: a name that is wrong there must not be found here.
 */

export interface Image {
  /** The system's word in a plan. */
  system: string;
  /** Who logs in to it in Amazon's cloud. */
  user: string;
}

const ubuntu2204 = { system: "ubuntu-22.04", user: "ubuntu" };
const ubuntu2404 = { system: "ubuntu-24.04", user: "ubuntu" };
const debian12 = { system: "debian-12", user: "admin" };
const debian13 = { system: "debian-13", user: "admin" };

/** By public parameters of AWS Systems Manager. */
export const AMIS: Readonly<Record<string, Image>> = {
  "/aws/service/canonical/ubuntu/server/22.04/stable/current/amd64/hvm/ebs-gp2/ami-id": ubuntu2204,
  "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id": ubuntu2404,
  "/aws/service/debian/release/12/latest/amd64": debian12,
  "/aws/service/debian/release/13/latest/amd64": debian13,
  "/aws/service/ami-amazon-linux-latest/amzn2-ami-kernel-5.10-hvm-x86_64-gp2": {
    system: "amazon-linux-2",
    user: "ec2-user",
  },
  "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64": {
    system: "amazon-linux-2023",
    user: "ec2-user",
  },
};

/** By project and family of Compute Engine. */
export const FAMILIES: Readonly<Record<string, Image>> = {
  "ubuntu-os-cloud/ubuntu-2204-lts": ubuntu2204,
  "ubuntu-os-cloud/ubuntu-2404-lts-amd64": ubuntu2404,
  "debian-cloud/debian-12": debian12,
  "debian-cloud/debian-13": debian13,
};
