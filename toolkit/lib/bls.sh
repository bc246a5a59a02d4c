# shellcheck shell=sh
# Amazon Linux 2023: an entry is a file of the Boot Loader Specification, and GRUB's blscfg reads them at boot. Who makes
# entries anew takes the parameters from /etc/kernel/cmdline, if it is there (kernel-install), or from
# GRUB_CMDLINE_LINUX (grub2-mkconfig, which also writes /etc/kernel/cmdline anew when it is older than
# /etc/default/grub: rhboot/grub2, util/grub.d/10_linux.in, fedora-36; NVIDIA's driver packages: awslabs/amazon-eks-ami
# pull request 2746), or else from the running kernel.
#
# grubby is not used: with --update-kernel=ALL it would rewrite lines of the user's in /etc/default/grub, it drops blanks
# in entries, and `sed -i`, by which it writes, is not durable. An entry is plain text; it is changed as such.

bls_folder=$TIMEBASE_ROOT/boot/loader/entries
bls_cmdline=$TIMEBASE_ROOT/etc/kernel/cmdline
bls_cmdline_package=$TIMEBASE_ROOT/usr/lib/kernel/cmdline

# The entries: those that boot Linux.
bls_files() { bls_files=$(grep -lE '^linux[[:blank:]]' "$bls_folder"/*.conf 2>/dev/null) || :; }

bls_lacking() {
  if ! grep -qE '^[[:blank:]]*blscfg([[:blank:]]|$)' "$os_grub_cfg" 2>/dev/null; then
    boot_lacking="$os_grub_cfg does not read the entries in $bls_folder: GRUB_ENABLE_BLSCFG is not true"
    return 0
  fi
  bls_files
  if [ -z "$bls_files" ]; then boot_lacking="no entry for Linux in $bls_folder"; else grub_defaults_lacking; fi
}

# Where grub2-mkconfig keeps parameters in GRUB's environment, entries name them by $kernelopts.
bls_sources() {
  boot_source shell "$grub_defaults"
  if [ -e "$bls_cmdline" ]; then boot_source cmdline "$bls_cmdline"; else boot_source cmdline "$bls_cmdline_package"; fi
  boot_source grubenv "${os_grub_cfg%/*}/grubenv"
  bls_files
  for bls_file in $bls_files; do boot_source bls "$bls_file"; done
}

bls_replaces() {
  bls_files
  boot_replaces=${bls_files%%"$newline"*}
}

# The kernel's command line that a package has brought counts where the administrator has none.
bls_converge() {
  bls_each file_remember
  bls_each file_edit
  if [ ! -e "$bls_cmdline" ] && [ -e "$bls_cmdline_package" ]; then
    cat -- "$bls_cmdline_package" >"$work/cmdline"
    bls_cmdline_edit "$work/cmdline"
    file_own boot "$bls_cmdline" "$work/cmdline"
  fi
}

# bls_each FUNCTION: it is called with each file that we put something into (lib/edits.sh).
bls_each() {
  "$1" boot "$grub_defaults" grub_defaults_edit grub_defaults_undo
  if [ -e "$bls_cmdline" ]; then "$1" boot "$bls_cmdline" bls_cmdline_edit bls_cmdline_undo; fi
  bls_files
  for bls_file in $bls_files; do "$1" boot "$bls_file" bls_edit bls_undo; done
}

bls_edit() {
  bls_read "$1"
  boot_disobeyed "$bls_options"
  bls_change "$1" options add "$boot_disobeyed"
}

bls_cmdline_edit() {
  all_lines "$1"
  boot_disobeyed "$all_lines"
  bls_change "$1" '' add "$boot_disobeyed"
}

bls_undo() { bls_change "$1" options remove "$plan_boot_parameters"; }
bls_cmdline_undo() { bls_change "$1" '' remove "$plan_boot_parameters"; }

# bls_read FILE: sets bls_options. Several `options` lines are one command line. No process is started.
bls_read() {
  bls_options=
  while IFS= read -r bls_line || [ -n "$bls_line" ]; do
    case "$bls_line" in "options "* | "options$tab"*) bls_options="$bls_options ${bls_line#options?}" ;; esac
  done <"$1"
}

# Sets bls_was to the file as it was without us; of an entry that was made since then, to what another one was.
bls_was() {
  for bls_record in "$record" "$TIMEBASE_STATE"/files/boot-edits/*.conf; do
    bls_was=$bls_record/was
    if [ -e "$bls_was" ]; then return 0; fi
  done
  bls_was=
}

# bls_change FILE KEY VERB PARAMETERS: adds them to the lines of this key, or removes those that were not there before us.
# The x shows awk whether the last line ends with a newline.
bls_change() {
  bls_was
  # Nobody can tell ours from theirs.
  if [ "$3" = remove ] && [ -z "$bls_was" ]; then return 0; fi
  { cat -- "$1" && printf x; } |
    LC_ALL=C awk -v key="$2" -v verb="$3" -v parameters="$4" -v was="${bls_was:-/dev/null}" -f "$TIMEBASE_HOME/lib/bls.awk" >"$work/changed"
  cat -- "$work/changed" >"$1"
}

# Read from the entries themselves.
bls_missing() {
  boot_missing='without any entry for Linux'
  bls_files
  for bls_file in $bls_files; do
    if [ "$boot_missing" = 'without any entry for Linux' ]; then boot_missing=; fi
    bls_read "$bls_file"
    boot_disobeyed "$bls_options"
    if [ -n "$boot_disobeyed" ]; then boot_missing="${boot_missing:+$boot_missing, }without $boot_disobeyed in $bls_file"; fi
  done
  if [ -n "$boot_missing" ]; then return 0; fi
  bls_cmdline_future
  all_lines "$bls_cmdline_future"
  boot_disobeyed "$all_lines"
  if [ -z "$boot_disobeyed" ]; then
    grub_defaults_missing
  else
    boot_missing="right until the next kernel update only: $bls_cmdline_future, from which a new kernel gets its parameters, is without $boot_disobeyed"
  fi
}

# bls_cmdline_future: sets bls_cmdline_future to the command line that the entry of a new kernel is made of.
bls_cmdline_future() {
  for bls_cmdline_future in "$bls_cmdline" "$bls_cmdline_package" "$TIMEBASE_ROOT/proc/cmdline"; do
    if [ -e "$bls_cmdline_future" ]; then return 0; fi
  done
}

bls_revert() {
  files_restore boot
  bls_each file_undo
}

bls_entries() { cat -- "$os_grub_cfg" "$bls_folder"/*.conf; }
