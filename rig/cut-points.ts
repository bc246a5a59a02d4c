import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A place in a run of the toolkit: before or after the first call whose text, "program arguments", has this pattern. */
export interface CutPoint {
  when: "before" | "after";
  /** A pattern of the shell: `mv *grub.cfg.timebase-new*`. */
  call: string;
}

/** Programs that the toolkit calls itself, or that apt, dpkg and grub-mkconfig call, and that a run may be cut at. */
export const cutPrograms = [
  "apt-get",
  "basename",
  "chown",
  "cmp",
  "cp",
  "dpkg",
  "dpkg-deb",
  "grub-mkconfig",
  "ln",
  "mv",
  "sync",
  "systemctl",
  "systemd-run",
] as const;

/** In memory, so that a machine which lost its power comes back without them. Not in /run, where nothing may be run. */
export const cutFolder = "/dev/shm/rig";

/**
 * Shell text that puts a stand-in before each of these programs, for what runs by sudo and for dpkg. Services and logins do not meet
 * them, nor does anything after a boot.
 */
export function cutPointSetup(): string {
  const standIn = readFileSync(join(__dirname, "cut-point.sh"), "utf8");
  const path = `${cutFolder}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`;
  return `mkdir -p ${cutFolder}/bin
cat >${cutFolder}/bin/stand-in <<'CUT_POINT'
${standIn}CUT_POINT
chmod -R 755 ${cutFolder}
for program in ${cutPrograms.join(" ")}; do ln -sf stand-in ${cutFolder}/bin/$program; done
echo 'Defaults secure_path="${path}"' >/etc/sudoers.d/rig
chmod 440 /etc/sudoers.d/rig
echo 'DPkg::Path "${path}";' >/etc/apt/apt.conf.d/99rig
`;
}

/** Shell text that makes the next matching call stop. */
export function cutPointArming({ when, call }: CutPoint): string {
  return `printf '%s\\n' ${when} '${call}' >${cutFolder}/point && rm -f ${cutFolder}/stopped ${cutFolder}/calls`;
}

/** Shell text that lets a stopped call go on. */
export const cutPointRelease = `rm -f ${cutFolder}/point ${cutFolder}/stopped`;
