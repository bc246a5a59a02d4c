import { getImageOutput } from "@pulumi/gcp/compute/getImage";
import type * as pulumi from "@pulumi/pulumi";
import { OperatingSystem } from "../../plan/enums";
import type { FirstBoot } from "../cloud/userData";
import { KEEP_HOST_KEY } from "./guestAgent";

/** Where a system's vendor publishes its images, and what those can read at their first boot. */
interface Image {
  project: string;
  family: string;
  /**
   * Google's images of Debian have no cloud-init (github.com/andsens/bootstrap-vz, pull request 469). The script that they
   * get instead works with it, too.
   */
  hasCloudInit: boolean;
}

/**
 * The vendors' own image families ("Operating system details", cloud.google.com/compute/docs/images/os-details; of Debian
 * 13, images were in use from debian-13-trixie-v20251014 to v20260921).
 */
export const IMAGES = {
  [OperatingSystem.Ubuntu2204]: { project: "ubuntu-os-cloud", family: "ubuntu-2204-lts", hasCloudInit: true },
  [OperatingSystem.Ubuntu2404]: { project: "ubuntu-os-cloud", family: "ubuntu-2404-lts-amd64", hasCloudInit: true },
  [OperatingSystem.Debian12]: { project: "debian-cloud", family: "debian-12", hasCloudInit: false },
  [OperatingSystem.Debian13]: { project: "debian-cloud", family: "debian-13", hasCloudInit: false },
} as const satisfies Partial<Record<OperatingSystem, Image>>;

/** A system that has images in Google's cloud. */
export type GcpSystem = keyof typeof IMAGES;

/** The self link of the newest image of a system. */
export function newestImage(system: GcpSystem, parent: pulumi.Resource): pulumi.Output<string> {
  const { project, family } = IMAGES[system];
  return getImageOutput({ project, family }, { parent }).selfLink;
}

/** The user whom the first boot makes: Google's images have none of their own. */
export const USER = "timebase";

/** What a machine of a system is told before its first boot, whatever its keys are. */
export function aboutFirstBoot(operatingSystem: GcpSystem): Pick<FirstBoot, "operatingSystem" | "user" | "additions"> {
  return { operatingSystem, user: { name: USER, isOfImage: false }, additions: KEEP_HOST_KEY };
}
