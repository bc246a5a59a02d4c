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
  say "the running kernel keeps its boot parameters until this host's next boot"
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

# boot_missing_in GRUB_CFG: what is wrong with the entries that GRUB's script for Linux (10_linux) made; other scripts
# add memory testers, other systems and what the user wrote. For a key that is given twice the last one counts.
boot_missing_in() {
  awk -v parameters="$plan_boot_parameters" '
    BEGIN { wanted = split(parameters, parameter, " ") }
    /^### BEGIN / { marked = 1; ours = $0 ~ /\/[0-9]+_linux[^\/]*$/ }
    /^### END / { ours = 0 }
    $1 ~ /^linux(16|efi)?$/ && (ours || !marked) {
      entries++
      for (i = 1; i <= wanted; i++) {
        key = substr(parameter[i], 1, index(parameter[i], "="))
        last = ""
        for (f = 3; f <= NF; f++) if (index($f, key) == 1) last = $f
        if (last != parameter[i]) missing[parameter[i]] = 1
      }
    }
    END {
      if (!entries) { printf "without any entry for Linux"; exit }
      for (i = 1; i <= wanted; i++) if (parameter[i] in missing) printf "%s%s", sep++ ? " " : "without ", parameter[i]
    }' "$1" 2>/dev/null || printf 'unreadable'
}

# boot_live: whether the running kernel got every parameter; for a key that is given twice the last one counts.
boot_live() {
  boot_cmdline=$(first_line "$TIMEBASE_ROOT/proc/cmdline")
  for boot_parameter in $plan_boot_parameters; do
    boot_last=
    for boot_word in $boot_cmdline; do
      case "$boot_word" in "${boot_parameter%%=*}="*) boot_last=$boot_word ;; esac
    done
    if [ "$boot_last" != "$boot_parameter" ]; then return 1; fi
  done
}

# A parameter of the user's with the same key and another value is never silently overridden.
boot_conflicts_refuse() {
  for boot_file in "$TIMEBASE_ROOT/etc/default/grub" "$TIMEBASE_ROOT"/etc/default/grub.d/*.cfg; do
    if [ ! -r "$boot_file" ] || [ "$boot_file" = "$(boot_dropin)" ]; then continue; fi
    boot_conflict=$(awk -v parameters="$plan_boot_parameters" '
      BEGIN { wanted = split(parameters, parameter, " ") }
      /^[ \t]*#/ { next }
      {
        text = $0
        gsub(/["\x27]/, " ", text)
        words = split(text, word, /[ \t]+/)
        for (w = 1; w <= words; w++) for (i = 1; i <= wanted; i++) {
          key = substr(parameter[i], 1, index(parameter[i], "="))
          if (index(word[w], key) == 1 && word[w] != parameter[i]) { print "line " NR ": " word[w]; exit }
        }
      }' "$boot_file")
    if [ -n "$boot_conflict" ]; then
      fail "$boot_file, $boot_conflict: a boot parameter of yours contradicts \"$plan_boot_parameters\"" \
        'remove it there, or leave TscClocksource out for this host'
    fi
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
