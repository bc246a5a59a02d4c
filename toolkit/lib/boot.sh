# shellcheck shell=sh
# Kernel boot parameters: made persistent, found again in the boot loader's configuration and on the running kernel.

# One file for each boot loader, lib/<os_boot>.sh, with these functions:
#   <os_boot>_lacking   what this host lacks to be served in this way, as a text; nothing when all is there
#   <os_boot>_converge  makes this and every later boot of the system get the parameters
#   <os_boot>_missing   what a boot, now or after a kernel update, would not get, as a text; nothing when all is there
#   <os_boot>_revert    takes out what converge has put in; parameters of others stay
#   <os_boot>_entries   all that the boot loader reads, so that a change of it is seen

boot_lacking() { "${os_boot}_lacking"; }

boot_entries() { "${os_boot}_entries"; }

boot_converge() {
  if ! boot_persistent; then "${os_boot}_converge"; fi
}

boot_revert() {
  plan_boot_parameters=$(sed -n 's/^boot-parameter=//p' "$TIMEBASE_STATE/plans/boot" | tr '\n' ' ')
  plan_boot_parameters=${plan_boot_parameters% }
  "${os_boot}_revert"
  record_forget boot
  edits_forget boot
  rm -f -- "$reboot_record"
  say "the running kernel keeps its boot parameters until this host's next boot"
}

# boot_persistent: whether this and every later boot of the system gets the parameters. Sets boot_missing to what is wrong.
boot_persistent() {
  boot_missing=$("${os_boot}_missing")
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

# parameters_in TEXT: whether a command line has every parameter; for a key that is given twice the last one counts.
parameters_in() {
  for boot_parameter in $plan_boot_parameters; do
    boot_last=
    for boot_word in $1; do
      case "$boot_word" in "${boot_parameter%%=*}="*) boot_last=$boot_word ;; esac
    done
    if [ "$boot_last" != "$boot_parameter" ]; then return 1; fi
  done
}

# boot_live: whether the running kernel got every parameter.
boot_live() {
  boot_cmdline=$(first_line "$TIMEBASE_ROOT/proc/cmdline")
  parameters_in "$boot_cmdline"
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
