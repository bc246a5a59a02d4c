/** Whether Pulumi's downloads can be reached, and the official installation of its CLI. */
import { join } from "node:path";
import { execa } from "execa";

/** Long enough for any working network; an offline machine should not wait longer, also when packets vanish. */
const reachableWithinSeconds = 5;

/** The CLI's archive has some 100 MB. */
const installWithinSeconds = 600;

/** The hosts that the official installer and `pulumi plugin install` download from. */
const downloadHosts = ["https://get.pulumi.com", "https://github.com"];

export async function downloadsAreReachable(): Promise<boolean> {
  const signal = AbortSignal.timeout(reachableWithinSeconds * 1000);
  const answers = downloadHosts.map((url) => fetch(url, { method: "HEAD", redirect: "manual", signal }));
  return Promise.all(answers).then(
    () => true,
    () => false,
  );
}

/**
 * The Automation API's own installer, which neither has a time limit nor can be stopped: hence in a process of its own.
 */
export async function installOfficially(root: string): Promise<void> {
  const install = `require("@pulumi/pulumi/automation").PulumiCommand.install({ root: process.argv[1] })
        .catch((error) => { console.error(error.message); process.exit(1); })`;
  await execa(process.execPath, ["--eval", install, root], {
    cwd: join(__dirname, "..", ".."),
    timeout: installWithinSeconds * 1000,
    stdin: "ignore",
  });
}
