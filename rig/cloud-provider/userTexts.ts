/** What cloud-init of a machine is told: what the program gave to its cloud, and what the cloud's image brings. Pure. */
import { configText } from "../../vm/seed";
import type { Inputs } from "../cloud/resources";

/** Google's images have it in this file; the address is the one of Google's time service, too. */
const GOOGLE = "169.254.169.254 metadata.google.internal metadata";

/** @param user whom the image brings; absent where the program makes one */
export function userTexts(properties: Inputs, user?: string): { userData: string; vendorData: string } {
  const metadata = (properties.metadata ?? {}) as Record<string, string>;
  // A script runs once here, while Google's agent runs it at every boot.
  const given = properties.userData ?? metadata["user-data"] ?? properties.metadataStartupScript ?? "";
  const vendor = {
    ...(user === undefined ? {} : { user: { name: user } }),
    bootcmd: [`grep -q metadata.google.internal /etc/hosts || echo '${GOOGLE}' >>/etc/hosts`],
    // The first boot was the only one that it had work at; without it an emulated boot costs a third less.
    runcmd: ["touch /etc/cloud/cloud-init.disabled"],
  };
  return { userData: String(given), vendorData: configText(vendor) };
}
