import type { CutPoint } from "../../../rig/cut-points";
import type { Scope } from "./Attempt";

/** A run of converge that is cut, before or after one call of a program. */
type Cut = [fault: string, scope: Scope, point: CutPoint];

/** The cuts with their numbers in the report, of which so many come before. */
const numbered = (cuts: readonly Cut[], before = 0): Cut[] =>
  cuts.map(([fault, ...cut], index) => [`${String(before + index + 1).padStart(2, "0")}. ${fault}`, ...cut]);

/** Places of converge in their order. */
const powerPlaces: readonly Cut[] = [
  ["before anything was written", "boot", { when: "before", call: "cp -R * /usr/local/lib/timebase/*" }],
  ["the program half installed", "boot", { when: "after", call: "chown -R 0:0 /usr/local/lib/timebase/*" }],
  ["one of three sections remembered", "everything", { when: "after", call: "mv -f -- *plans/boot.timebase-new *" }],
  ["before the record of the drop-in", "boot", { when: "before", call: "mv -- */draft *zz-timebase.cfg" }],
  ["before the drop-in takes its place", "boot", { when: "before", call: "mv -f -- /etc/default/grub.d/*" }],
  ["the drop-in there, grub.cfg old", "boot", { when: "before", call: "grub-mkconfig -o *" }],
  ["in the middle of grub-mkconfig", "boot", { when: "before", call: "basename /boot/vmlinuz-*" }],
  ["before grub.cfg takes its place", "boot", { when: "before", call: "mv -f -- /boot/grub/grub.cfg.timebase-new *" }],
  ["after grub.cfg took its place", "boot", { when: "after", call: "mv -f -- /boot/grub/grub.cfg.timebase-new *" }],
  ["between configuration and reboot", "boot", { when: "before", call: "systemctl --quiet is-active ssh.socket" }],
  ["sshd closed, no reboot ordered yet", "boot", { when: "before", call: "systemd-run *timebase: reboot*" }],
  ["the rival disabled", "everything", { when: "after", call: "systemctl --quiet disable systemd-timesyncd*" }],
  ["while dpkg unpacks chrony", "everything", { when: "after", call: "dpkg-deb --fsys-tarfile *chrony*" }],
  ["while dpkg configures chrony", "everything", { when: "before", call: "systemctl --root=/ *preset chrony*" }],
  [
    "before chrony.conf takes its place",
    "everything",
    { when: "before", call: "mv -f -- /etc/chrony/chrony.conf.tim* *" },
  ],
  [
    "after chrony.conf took its place",
    "everything",
    { when: "after", call: "mv -f -- /etc/chrony/chrony.conf.tim* *" },
  ],
];

/** Where the power is cut. */
export const powerCuts = numbered(powerPlaces);

/** Where it is cut, and the host is then given back by hand. */
export const revertedCuts = numbered(
  powerPlaces
    .filter(([where]) => /^(in the middle of grub-mkconfig|between configuration and reboot)$/.test(where))
    .map(([where, ...cut]) => [`${where}; then \`sudo timebase revert --all\` on the host`, ...cut]),
  powerPlaces.length,
);

const sessionPlaces: readonly Cut[] = [
  ["before anything was written", "boot", { when: "before", call: "cp -R * /usr/local/lib/timebase/*" }],
  ["before the drop-in takes its place", "boot", { when: "before", call: "mv -f -- /etc/default/grub.d/*" }],
  ["in the middle of grub-mkconfig", "boot", { when: "before", call: "basename /boot/vmlinuz-*" }],
  ["after grub.cfg took its place", "boot", { when: "after", call: "mv -f -- /boot/grub/grub.cfg.timebase-new *" }],
  ["while dpkg unpacks chrony", "everything", { when: "after", call: "dpkg-deb --fsys-tarfile *chrony*" }],
  ["before chronyd is restarted", "everything", { when: "before", call: "systemctl restart chrony" }],
];

/** Where the session is cut. */
export const sessionCuts = numbered(
  sessionPlaces.map(([where, ...cut]) => [`the SSH session is cut ${where}`, ...cut]),
);

/** Every fault that the report has a row of, by group; in the order of the page, and of the sweep. */
export const faults = {
  power: [...powerCuts, ...revertedCuts].map(([fault]) => fault),
  session: [...sessionCuts.map(([fault]) => fault), "07. Ctrl-C of `up`, in the middle of grub-mkconfig"],
  reboot: [
    "1. the machine that runs Pulumi is killed in mid-reboot (`pulumi cancel`)",
    "2. the reboot does not happen; sshd is open again within 3 minutes",
    "3. the host comes back 3 minutes late",
    "4. the host does not come back (limit 60 s), and is started by hand",
    "5. the host comes back with another host key, and gets its own back",
    "6. the host comes back on another boot entry",
  ],
  resources: [
    "1. the disk is full but for 1 MiB",
    "2. /boot, a file system of its own, is full",
    "3. /boot is mounted read-only",
    "4. the package manager's lock is held for 60 s",
    "5. the package manager's lock is held for ever",
    "6. the mirror accepts connections and says nothing",
    "7. two `up`s of two stacks at once: what the other one said",
  ],
  "cloud-init": [
    "1. still runs for a minute, then ends with an error",
    "2. has crashed and left no result",
    "3. is absent",
  ],
} as const satisfies Record<string, readonly string[]>;

export type FaultGroup = keyof typeof faults;
export type Fault<Group extends FaultGroup> = (typeof faults)[Group][number];
