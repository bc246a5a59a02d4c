# shellcheck shell=sh
# Ubuntu and Debian: grub-mkconfig sources /etc/default/grub, then /etc/default/grub.d/*.cfg in glob order, and runs again
# at every kernel update.

# Sorted after every other drop-in (cloud images assign GRUB_CMDLINE_LINUX_DEFAULT in 50-cloudimg-settings.cfg), and
# it appends to GRUB_CMDLINE_LINUX, which recovery entries get too.
boot_dropin=$TIMEBASE_ROOT/etc/default/grub.d/zz-timebase.cfg

boot_dropin_text() {
  boot_dropin_text="# Written by timebase for $plan_owner; \`sudo timebase revert\` removes it.
# It appends: parameters from other files stay.
$os_grub_variable=\"\$$os_grub_variable $plan_boot_parameters\"
"
  # These come after GRUB_CMDLINE_LINUX in an entry, and may hold what is to be overridden.
  if [ "$plan_boot_override" = yes ]; then
    boot_dropin_text="${boot_dropin_text}GRUB_CMDLINE_LINUX_DEFAULT=\"\$GRUB_CMDLINE_LINUX_DEFAULT $plan_boot_parameters\"
"
  fi
}

grub_dropin_lacking() {
  if [ ! -f "$os_grub_cfg" ] || ! command -v grub-mkconfig >/dev/null; then
    boot_lacking="no $os_grub_cfg, or no grub-mkconfig"
  elif [ "$os_grub_cfg" = "$os_efi_cfg" ] && ! grep -q '^### BEGIN /etc/grub.d/' "$os_grub_cfg"; then
    boot_lacking="$os_grub_cfg was written by hand, not by grub-mkconfig"
  fi
}

# The entries are made of these.
grub_dropin_sources() {
  for grub_dropin_file in "$TIMEBASE_ROOT/etc/default/grub" "$TIMEBASE_ROOT"/etc/default/grub.d/*.cfg; do
    if [ "$grub_dropin_file" != "$boot_dropin" ]; then boot_source shell "$grub_dropin_file"; fi
  done
}

grub_dropin_replaces() { boot_replaces=$os_grub_cfg; }

# The configuration from before us is remembered, because grub-mkconfig may not make the same one again: an image was made
# on another machine, with other firmware. Entries that were right are not of our making.
grub_dropin_converge() {
  boot_missing_in "$os_grub_cfg"
  record_folder boot "$boot_dropin"
  if [ ! -d "$record" ]; then
    record_fresh boot-edits "$os_grub_cfg"
    if [ -z "$boot_missing" ]; then file_write "$record/ours" "$os_grub_cfg"; fi
  fi
  boot_dropin_text
  printf %s "$boot_dropin_text" >"$work/dropin"
  file_own boot "$boot_dropin" "$work/dropin"
  grub_dropin_disobeyed
  if [ -n "$boot_disobeyed" ]; then
    fail "sourced by sh, $grub_dropin_files do not give the kernel $boot_disobeyed" \
      "look for the file in /etc/default/grub.d that drops GRUB_CMDLINE_LINUX after ${boot_dropin##*/}, or for one with an exit"
  fi
  if [ -n "$boot_missing" ]; then
    grub_dropin_make
    grub_dropin_remember
    file_place
  fi
}

# grub_dropin_remember: what takes the place of the configuration from before us, so that a revert can give that one back. In
# place of another one it has what others did in the meantime: then a revert makes a new one.
grub_dropin_remember() {
  record_folder boot-edits "$os_grub_cfg"
  if cmp -s -- "$record/was" "$os_grub_cfg"; then
    file_try cp -- "$file_new" "$record/ours"
    file_try sync "$record/ours"
  else
    rm -rf -- "$record"
  fi
}

# The new configuration is made beside the live one, and takes its place only when it is what it has to be. Its
# content decides, not grub-mkconfig's word. One that was made while somebody was installing a kernel, or making one himself,
# may lack what his has.
grub_dropin_make() {
  for grub_dropin_try in 1 2 3 last; do
    grub_dropin_live=$(cksum <"$os_grub_cfg")
    grub_dropin_run
    if ! packages_holder && [ "$(cksum <"$os_grub_cfg")" = "$grub_dropin_live" ]; then break; fi
    grub_dropin_clear
    if [ "$grub_dropin_try" = last ]; then
      fail "somebody else makes $os_grub_cfg again and again" 'see who does (ps, journalctl), and run this again when it is at rest'
    fi
    packages_await
  done
  boot_missing_in "$grub_dropin_made"
  if [ -n "$boot_missing" ]; then
    grub_dropin_clear
    fail "the configuration that grub-mkconfig made is $boot_missing" \
      "look for a file in /etc/default/grub.d or /etc/grub.d that drops GRUB_CMDLINE_LINUX"
  fi
  file_try mv -f -- "$grub_dropin_made" "$file_new"
}

# Each under a name of its own: the grub-mkconfig of a run that was cut may still write.
grub_dropin_run() {
  grub_dropin_clear
  grub_dropin_made=$file_new.$$
  if ! patiently "regenerating $os_grub_cfg" timeout 600 grub-mkconfig -o "$grub_dropin_made"; then
    grub_dropin_clear
    if grep -q 'No space left on device' "$work/output"; then file_unwritten 'No space left on device'; fi
    fail 'grub-mkconfig failed (its output is above)' 'correct /etc/default/grub or the file it names, then run `pulumi up` again'
  fi
}

# What runs that were cut have left. grub-mkconfig has a file of its own beside the one that it makes.
grub_dropin_clear() {
  file_clear "$os_grub_cfg"
  rm -f -- "$file_new".*
}

# grub_dropin_disobeyed: boot_disobeyed by the entries made of these files, which are in grub_dropin_files then: a file that
# comes after our drop-in may take back what it gives. Entries for recovery get the first variable only.
grub_dropin_disobeyed() {
  set --
  for grub_dropin_file in "$TIMEBASE_ROOT/etc/default/grub" "$TIMEBASE_ROOT"/etc/default/grub.d/*.cfg; do
    if [ -e "$grub_dropin_file" ]; then set -- "$@" "$grub_dropin_file"; fi
  done
  grub_dropin_files=$*
  grub_dropin_given=$(sourced "\$GRUB_CMDLINE_LINUX$newline\$GRUB_CMDLINE_LINUX \$GRUB_CMDLINE_LINUX_DEFAULT" "$@")
  boot_disobeyed "${grub_dropin_given%%"$newline"*}"
  if [ -z "$boot_disobeyed" ]; then boot_disobeyed "${grub_dropin_given#*"$newline"}"; fi
}

# Now in each entry, and in the drop-in that the next kernel update reads.
grub_dropin_missing() {
  boot_missing_in "$os_grub_cfg"
  if [ -n "$boot_missing" ]; then return 0; fi
  boot_dropin_text
  all_lines "$boot_dropin"
  if [ "$all_lines" != "$boot_dropin_text" ]; then
    boot_missing="right until the next kernel update only: $boot_dropin was changed, or is gone"
    return 0
  fi
  grub_dropin_disobeyed
  if [ -n "$boot_disobeyed" ]; then
    boot_missing="right until the next kernel update only: sourced by sh, $grub_dropin_files do not give $boot_disobeyed"
  fi
}

# As long as it is as we wrote it, and what it is made of too, the configuration from before us comes back; else one is made
# without our parameters, if they are in it: a host whose GRUB configuration cannot be made was left as it is. So is one on
# which we have written nothing.
grub_dropin_revert() {
  record_folder boot "$boot_dropin"
  if [ ! -d "$record" ]; then return 0; fi
  files_restore boot
  grub_dropin_clear
  record_folder boot-edits "$os_grub_cfg"
  if cmp -s -- "$record/was" "$os_grub_cfg"; then return 0; fi
  if record_ours "$os_grub_cfg" && [ -z "$(grub_dropin_changed_since "$record/ours")" ]; then
    file_copy "$record/was" "$os_grub_cfg"
    say "restored $os_grub_cfg"
    return 0
  fi
  boot_reverted=$(printf %s "$plan_boot_parameters" | tr ' ' '\n')
  plan_boot_parameters=''
  if grep -qF -e "$boot_reverted" "$os_grub_cfg" 2>/dev/null; then
    grub_dropin_make
    file_place
  fi
}

# grub_dropin_changed_since FILE: what grub-mkconfig reads and somebody has changed since then.
grub_dropin_changed_since() {
  find "$TIMEBASE_ROOT/etc/default/grub" "$TIMEBASE_ROOT/etc/default/grub.d" "$TIMEBASE_ROOT/etc/grub.d" -type f -cnewer "$1" 2>/dev/null || :
}

grub_dropin_entries() { cat -- "$os_grub_cfg"; }
