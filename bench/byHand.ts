import type { TestHost } from "../test/rig/support/host";

/** What a person does over SSH to the same end, by one session and one reboot a host. Nothing of it is read back. */
const script = (chronyConf: string) => `set -eu
export DEBIAN_FRONTEND=noninteractive
command -v chronyd >/dev/null || apt-get install -qq chrony >/dev/null
cat >/etc/chrony/chrony.conf <<'CONF'
${chronyConf}
driftfile /var/lib/chrony/chrony.drift
makestep 0.1 3
rtcsync
CONF
echo 'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX clocksource=tsc tsc=reliable"' >/etc/default/grub.d/zz-tsc.cfg
update-grub 2>/dev/null
`;

export async function byHand(host: TestHost, chronyConf: string): Promise<void> {
  await host.run("sudo sh", script(chronyConf));
  await reboot(host);
}

/** Orders a reboot and returns when the next boot answers. */
export async function reboot(host: TestHost): Promise<void> {
  const before = await host.bootId();
  await host.run("sudo systemctl reboot");
  for (;;) {
    const now = await host.bootId();
    if (now !== "" && now !== before) return;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}
