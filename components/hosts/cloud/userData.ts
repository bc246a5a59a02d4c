import { quoted } from "../../../vm/shell";
import type { OperatingSystem } from "../../plan/enums";
import { bareHostKey } from "../../plan/validateKey";

/** What a machine is told before its first boot. Whatever is delivered this way becomes a field here. */
export interface FirstBoot {
  /** In a comment: another system is another text, and so another machine. */
  operatingSystem: OperatingSystem;
  /** Who logs in, and whether the image brings that user along. */
  user: { name: string; isOfImage: boolean };
  /** The keys that may log in, as lines of authorized_keys. */
  authorizedKeys: readonly string[];
  /** The host's identity. */
  hostKey: { publicKey: string; privateKey: string };
  /** What files are to have at their end before the cloud's own programs read them. */
  additions: readonly Addition[];
  /** What root does before anybody may log in. */
  script?: string;
}

/** Lines for the end of a file, which may not exist yet. The first one is how it is found again. */
export interface Addition {
  path: string;
  lines: readonly string[];
}

/**
 * The first boot for an image with cloud-init: user data in the form of cloud-config. JSON is YAML, and has one way to
 * quote. With `ssh_keys`, cloud-init makes no other host key, and writes this one before sshd starts (cloud-init,
 * cloudinit/config/cc_ssh.py).
 */
export function cloudConfig(boot: FirstBoot): string {
  const { user, hostKey } = boot;
  const authorized = { ssh_authorized_keys: boot.authorizedKeys.map(bareHostKey) };
  const files = [...boot.additions.map(writeFile), ...(boot.script === undefined ? [] : scriptFiles(boot.script))];
  const config = {
    ssh_pwauth: false,
    disable_root: true,
    ssh_deletekeys: true,
    ssh_keys: { ed25519_private: wholeLines(hostKey.privateKey), ed25519_public: bareHostKey(hostKey.publicKey) },
    ...(user.isOfImage ? authorized : { users: [{ ...newUser(user.name), ...authorized }] }),
    ...(files.length === 0 ? {} : { write_files: files }),
    ...(boot.script === undefined ? {} : { bootcmd: [WITHHOLD_LOGINS], runcmd: [START_SCRIPT] }),
  };
  return printable(`#cloud-config\n# ${boot.operatingSystem}\n${JSON.stringify(config, undefined, 1)}\n`);
}

/** cloud-init does it once for each instance, before sshd starts and before the network counts as online. */
function writeFile({ path, lines }: Addition): object {
  return { path, append: true, permissions: "0644", content: `\n${lines.join("\n")}\n` };
}

/** Where a host has its script, what that printed (`log`), and what it leaves behind when it has succeeded (`answer`). */
export const FIRST_BOOT_FOLDER = "/var/lib/timebase-first-boot";

const UNIT = "timebase-first-boot.service";
const UNIT_FILE = `/etc/systemd/system/${UNIT}`;
/** Wants the service at every boot from the first one on, however soon that is cut. */
const WANTED_FILE = "/etc/systemd/system/multi-user.target.d/timebase-first-boot.conf";

/** What is left of the first boot when its folder is gone. */
export const FIRST_BOOT_UNIT_FILES = [UNIT_FILE, WANTED_FILE] as const;

/** Detached, because the script may wait for cloud-init, which waits for this to end. */
const START_SCRIPT = `systemctl daemon-reload && systemctl start --no-block ${UNIT}`;

/**
 * Has systemd leave /etc/nologin to the service below: before sshd is up it would remove that to let everybody in (systemd,
 * src/user-sessions/user-sessions.c). By a drop-in of this boot only, so that no later boot can keep anybody out. cloud-init does
 * this first, when systemd has read its units already, but not come to this one, which is ordered after cloud-init.service.
 */
const WITHHOLD_LOGINS =
  "cloud-init-per instance timebase-first-boot sh -ec 'folder=/run/systemd/system/systemd-user-sessions.service.d; mkdir -p $folder; " +
  'printf "[Unit]\\nConditionPathExists=!/etc/nologin\\n" >$folder/timebase-first-boot.conf; systemctl daemon-reload\'';

/**
 * The script as a service, which begins anew at the next boot when a boot was cut. While it runs nobody but root may log in
 * (pam_nologin(8)): who dials is refused, and dials again, instead of being cut by a reboot. Its end lets everybody in, also when
 * it failed or took too long. In words that systemd 219 knows, of Amazon Linux 2.
 */
function scriptFiles(script: string): object[] {
  return [
    { path: "/etc/nologin", content: "This host is being set up at its first boot.\n" },
    { path: `${FIRST_BOOT_FOLDER}/script`, content: script },
    {
      path: UNIT_FILE,
      content: `[Unit]
Description=What this host does at its first boot
Wants=network-online.target
After=network-online.target
[Service]
WorkingDirectory=${FIRST_BOOT_FOLDER}
ExecStart=/bin/sh -c '[ -s answer ] || { : >>/etc/nologin; exec timeout -k 10 3600 sh script >>log 2>&1; }'
ExecStopPost=/bin/rm -f /etc/nologin
ExecStopPost=-/bin/systemctl --no-block start systemd-user-sessions.service
`,
    },
    { path: WANTED_FILE, content: `[Unit]\nWants=${UNIT}\n` },
  ];
}

function newUser(name: string): object {
  return { name, shell: "/bin/bash", sudo: "ALL=(ALL) NOPASSWD:ALL", lock_passwd: true };
}

/**
 * The same for an image without cloud-init: a script that the cloud's agent runs at every boot, so that it does everything
 * once. Until it has run, sshd shows a key that nobody knows, and who pins the host's key is not fooled. The key has a name
 * of its own besides sshd's, because the agent may make all ssh_host_*_key anew after this script has begun.
 */
export function startupScript(boot: FirstBoot): string {
  const user = quoted(boot.user.name);
  const keys = boot.authorizedKeys.map((key) => quoted(bareHostKey(key))).join(" ");
  const add = ({ path, lines }: Addition) => `add ${[path, ...lines].map(quoted).join(" ")}\n`;
  return printable(`#!/bin/sh
# ${boot.operatingSystem}
set -eu
umask 077
root=\${TIMEBASE_ROOT:-}
id -u ${user} >/dev/null 2>&1 || useradd --create-home --shell /bin/bash ${user}
sudoers=$root/etc/sudoers.d/90-timebase-login
[ -e "$sudoers" ] || printf '%s ALL=(ALL) NOPASSWD:ALL\\n' ${user} >"$sudoers"
ssh=$root$(getent passwd ${user} | cut -d: -f6)/.ssh
mkdir -p "$ssh"
for key in ${keys}; do
  grep -qxF "$key" "$ssh/authorized_keys" 2>/dev/null || printf '%s\\n' "$key" >>"$ssh/authorized_keys"
done
chown -R ${user}: "$ssh"
add() { # PATH LINE...: lines at the end of a file, unless it has the first one
  path=$root$1
  shift
  grep -qxF "$1" "$path" 2>/dev/null || printf '%s\\n' '' "$@" >>"$path"
  chmod 644 "$path"
}
${boot.additions.map(add).join("")}mkdir -p "$root/etc/ssh/sshd_config.d"
own_key=/etc/ssh/timebase_host_ed25519_key
host_key=$root/etc/ssh/ssh_host_ed25519_key
printf '%s' ${quoted(wholeLines(boot.hostKey.privateKey))} >"$host_key.new"
if ! cmp -s "$host_key.new" "$host_key"; then
  rm -f "$root"/etc/ssh/ssh_host_*_key "$root"/etc/ssh/ssh_host_*_key.pub
  printf '%s\\n' ${quoted(bareHostKey(boot.hostKey.publicKey))} >"$host_key.pub"
  chmod 644 "$host_key.pub"
  cp "$host_key.new" "$root$own_key"
  printf 'HostKey %s\\n' "$own_key" >"$root/etc/ssh/sshd_config.d/00-timebase-host-key.conf"
  mv "$host_key.new" "$host_key"
  systemctl restart ssh
fi
rm -f "$host_key.new"
`);
}

/** A key's text ends in a line break, or sshd does not take it. */
function wholeLines(text: string): string {
  return `${text.trimEnd()}\n`;
}

const PRINTABLE_LINES = /^[\x20-\x7e\n]+$/;

/** The first line of what firstBootPlan gives, by which another script is told from it. */
export const SCRIPT_BEGINS = "converge() (\n";

/** Whether a text is a script of firstBootPlan's, which alone leaves an answer. */
export function isScript(text: unknown): text is string {
  return typeof text === "string" && text.startsWith(SCRIPT_BEGINS) && PRINTABLE_LINES.test(text);
}

/** The validation refuses unprintable values before this; here is the last door, because root reads the text. */
function printable(text: string): string {
  if (!PRINTABLE_LINES.test(text)) {
    throw new Error("user data must be printable ASCII characters in lines");
  }
  return text;
}
