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
  if [ "$file_changed" = yes ] || ! boot_persistent; then
    boot_regenerate
    if ! boot_persistent; then
      fail "$os_grub_cfg does not pass \"$boot_missing\" to every kernel after it was regenerated" \
        "look for a file in /etc/default/grub.d or /etc/grub.d that drops GRUB_CMDLINE_LINUX"
    fi
  fi
}

boot_regenerate() {
  if ! patiently "regenerating $os_grub_cfg" timeout 600 grub-mkconfig -o "$os_grub_cfg"; then
    fail 'grub-mkconfig failed (its output is above)' 'correct /etc/default/grub or the file it names, then run `pulumi up` again'
  fi
  sync
}

boot_revert() {
  files_restore boot
  boot_regenerate
  record_forget boot
  rm -f "$TIMEBASE_STATE/reboot"
  say "the running kernel keeps its boot parameters until this host's next boot"
}

# boot_persistent: whether every kernel line of the boot loader has every parameter. Sets boot_missing.
boot_persistent() {
  boot_missing=$(awk -v parameters="$plan_boot_parameters" '
    BEGIN { wanted = split(parameters, parameter, " ") }
    $1 ~ /^linux(16|efi)?$/ {
      entries++
      for (i = 1; i <= wanted; i++) {
        found = 0
        for (f = 3; f <= NF; f++) if ($f == parameter[i]) found = 1
        if (!found) missing[parameter[i]] = 1
      }
    }
    END {
      if (!entries) { print parameters; exit }
      for (i = 1; i <= wanted; i++) if (parameter[i] in missing) printf "%s%s", sep++ ? " " : "", parameter[i]
    }' "$os_grub_cfg" 2>/dev/null || printf '%s' "$plan_boot_parameters")
  [ -z "$boot_missing" ]
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
