/** What cloud-init of a machine is told: what the program gave to its cloud, and what the cloud's image brings. Pure. */
import { gunzipSync } from "node:zlib";
import { configText } from "../../vm/seed";
import type { Inputs } from "../cloud/resources";

/** Google's images have it in this file; the address is the one of Google's time service, too. */
const GOOGLE = "169.254.169.254 metadata.google.internal metadata";

/** @param user whom the image brings; absent where the program makes one */
export function userTexts(properties: Inputs, user?: string): { userData: string; vendorData: string } {
  const metadata = (properties.metadata ?? {}) as Record<string, string>;
  // A script runs once here, while Google's agent runs it at every boot.
  const texts = [properties.userData, metadata["user-data"], properties.metadataStartupScript];
  const given = unpacked(properties.userDataBase64) ?? texts.find((text) => text !== undefined) ?? "";
  // As parts, that what a program gives shadows none: of two configurations cloud-init takes one `bootcmd`, the user's.
  const vendor = [
    ...(user === undefined ? [] : [part("text/cloud-config", configText({ user: { name: user } }))]),
    part(
      "text/cloud-boothook",
      `#!/bin/sh\ngrep -q metadata.google.internal /etc/hosts || echo '${GOOGLE}' >>/etc/hosts\n`,
    ),
    // The first boot was the only one that it had work at; without it an emulated boot costs a third less.
    part("text/x-shellscript", "#!/bin/sh\ntouch /etc/cloud/cloud-init.disabled\n"),
  ];
  return { userData: String(given), vendorData: `#cloud-config-archive\n${JSON.stringify(vendor, null, 1)}\n` };
}

/** The form of the seed is text, so that this does what cloud-init does with what is gzip. */
function unpacked(base64: unknown): string | undefined {
  return typeof base64 === "string" ? gunzipSync(Buffer.from(base64, "base64")).toString() : undefined;
}

const part = (type: string, content: string) => ({ type, content });
