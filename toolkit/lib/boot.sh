# shellcheck shell=sh
# Kernel boot parameters: made persistent, found again in the boot loader's configuration and on the running kernel.

# Sorted after every other drop-in (cloud images assign GRUB_CMDLINE_LINUX_DEFAULT in 50-cloudimg-settings.cfg), and
# it appends to GRUB_CMDLINE_LINUX, which recovery entries get too.
boot_dropin() { printf '%s' "$TIMEBASE_ROOT/etc/default/grub.d/zz-timebase.cfg"; }

boot_dropin_text() {
  cat <<TEXT
# Written by timebase for $plan_owner; \`sudo timebase revert\` removes it.
# It appends: parameters from other files stay.
GRUB_CMDLINE_LINUX="\$GRUB_CMDLINE_LINUX $plan_boot_parameters"
TEXT
  # These come after GRUB_CMDLINE_LINUX in an entry, and may hold what is to be overridden.
  if [ "$plan_boot_override" = yes ]; then
    printf 'GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT %s"\n' "$plan_boot_parameters"
  fi
}

boot_converge() {
  boot_dropin_text >"$work/dropin"
  file_own boot "$(boot_dropin)" "$work/dropin"
  if ! boot_persistent; then boot_regenerate; fi
}

# The new configuration is made beside the live one, and takes its place only when it is what it has to be. Its
# content decides, not grub-mkconfig's word.
boot_regenerate() {
  boot_grub_cfg=$(readlink -f -- "$os_grub_cfg" || printf '%s' "$os_grub_cfg")
  boot_new=$boot_grub_cfg.timebase-new
  if ! patiently "regenerating $os_grub_cfg" timeout 600 grub-mkconfig -o "$boot_new"; then
    rm -f -- "$boot_new"
    fail 'grub-mkconfig failed (its output is above)' 'correct /etc/default/grub or the file it names, then run `pulumi up` again'
  fi
  boot_missing=$(boot_missing_in "$boot_new")
  if [ -n "$boot_missing" ]; then
    rm -f -- "$boot_new"
    fail "the configuration that grub-mkconfig made is $boot_missing" \
      "look for a file in /etc/default/grub.d or /etc/grub.d that drops GRUB_CMDLINE_LINUX"
  fi
  sync "$boot_new" 2>/dev/null || sync
  mv -f -- "$boot_new" "$boot_grub_cfg"
  sync
}

# Regenerated only where our parameters are in it: a host whose GRUB configuration cannot be made was left as it is.
boot_revert() {
  files_restore boot
  boot_reverted=$(sed -n 's/^boot-parameter=//p' "$TIMEBASE_STATE/plans/boot")
  plan_boot_parameters=''
  if grep -qF -e "$boot_reverted" "$os_grub_cfg" 2>/dev/null; then boot_regenerate; fi
  record_forget boot
  rm -f -- "$reboot_record"
}

# boot_persistent: whether this and every later boot of the system gets the parameters: they are in each of its entries
# now, and in the drop-in that the next kernel update reads. Sets boot_missing to what is wrong.
boot_persistent() {
  boot_missing=$(boot_missing_in "$os_grub_cfg")
  boot_dropin_text >"$work/dropin"
  if [ -z "$boot_missing" ] && ! cmp -s -- "$work/dropin" "$(boot_dropin)"; then
    boot_missing="right until the next kernel update only: $(boot_dropin) was changed, or is gone"
  fi
  [ -z "$boot_missing" ]
}

# boot_missing_in GRUB_CFG: what is wrong with its entries.
boot_missing_in() {
  if ! boot_entries "$1" >"$work/entries" 2>/dev/null; then
    printf 'unreadable'
  elif [ ! -s "$work/entries" ]; then
    printf 'without any entry for Linux'
  else
    boot_disobeyed=
    for boot_parameter in $plan_boot_parameters; do
      while IFS= read -r boot_entry; do
        if boot_obeys "$boot_entry" "$boot_parameter"; then continue; fi
        boot_disobeyed="$boot_disobeyed $boot_parameter"
        break
      done <"$work/entries"
    done
    printf '%s' "${boot_disobeyed:+without$boot_disobeyed}"
  fi
}

# boot_entries GRUB_CFG: the command lines of the entries that GRUB's script for Linux (10_linux) made; other scripts
# add memory testers, other systems and what the user wrote.
boot_entries() {
  awk '
    /^### BEGIN / { marked = 1; ours = $0 ~ /\/[0-9]+_linux[^\/]*$/ }
    /^### END / { ours = 0 }
    $1 ~ /^linux(16|efi)?$/ && (ours || !marked) { print }' "$1"
}

# boot_live: whether the running kernel got every parameter, and heeds it.
boot_live() {
  boot_cmdline=$(first_line "$TIMEBASE_ROOT/proc/cmdline")
  for boot_parameter in $plan_boot_parameters; do
    if ! boot_obeys "$boot_cmdline" "$boot_parameter"; then return 1; fi
  done
}

clocksource_now() { first_line "$TIMEBASE_ROOT/sys/devices/system/clocksource/clocksource0/current_clocksource"; }
clocksources_available() {
  clocksources=$(first_line "$TIMEBASE_ROOT/sys/devices/system/clocksource/clocksource0/available_clocksource")
  printf '%s' "${clocksources% }"
}

# The kernel's store returns success even when it refuses the switch, so the file is read back.
clocksource_switch() {
  if [ "$(clocksource_now)" = tsc ]; then return 0; fi
  printf tsc 2>/dev/null >"$TIMEBASE_ROOT/sys/devices/system/clocksource/clocksource0/current_clocksource" || :
  if [ "$(clocksource_now)" != tsc ]; then
    fail "the kernel refused to switch its clocksource to tsc and stays on $(clocksource_now)" 'see dmesg on the host; use RebootPolicy.ToProve'
  fi
  say 'switched the running kernel to tsc'
}
