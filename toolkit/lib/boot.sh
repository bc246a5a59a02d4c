# shellcheck shell=sh
# Kernel boot parameters: made persistent, found again in the boot loader's configuration and on the running kernel.

# One file for each boot loader, lib/<os_boot>.sh, with these functions:
#   <os_boot>_lacking   sets boot_lacking to what this host lacks to be served in this way, or to nothing
#   <os_boot>_sources   sets boot_sources to what can give a kernel parameters, now or later: a line "KIND FILE" each
#                       (lib/boot_conflicts.sh)
#   <os_boot>_replaces  sets boot_replaces to the file outside of /etc that is made anew, one for all where there are several
#   <os_boot>_converge  makes this and every later boot of the system get the parameters
#   <os_boot>_missing   sets boot_missing to what a boot, now or after a kernel update, would not get, or to nothing when it
#                       has looked and all is there
#   <os_boot>_revert    takes out what converge has put in; parameters of others stay
#   <os_boot>_entries   all that the boot loader reads, so that a change of it is seen

boot_lacking() {
  boot_lacking=
  "${os_boot}_lacking"
}

boot_sources() {
  boot_sources=
  "${os_boot}_sources"
}

# boot_source KIND FILE: one more.
boot_source() { boot_sources="$boot_sources$1 $2$newline"; }

boot_replaces() { "${os_boot}_replaces"; }

boot_entries() { "${os_boot}_entries"; }

# boot_await: what is to be true of the boot loader before any change. Who is installing a kernel makes its entries as well: of the
# two, the one who comes last would undo what the other one did. What contradicts ours whoever was waited for may have written.
boot_await() {
  boot_right=yes
  if ! boot_persistent; then
    boot_right=no
    packages_await
  fi
  boot_conflicts_refuse
}

# What the user had tuned before us is remembered too, or a revert would take it for ours.
boot_converge() {
  if [ "$boot_right" = yes ] && edits_begun boot; then return 0; fi
  "${os_boot}_converge"
}

boot_revert() {
  packages_await
  plan_boot_parameters=$(sed -n 's/^boot-parameter=//p' "$TIMEBASE_STATE/plans/boot" | tr '\n' ' ')
  plan_boot_parameters=${plan_boot_parameters% }
  before_recall
  before_parameters_left
  "${os_boot}_revert"
  clocksource_switch_back
  if [ -n "$before_left" ] && [ -z "$revert_record" ]; then
    say "the running kernel keeps its boot parameters until this host's next boot"
  fi
  record_forget boot
  edits_forget boot
  reboot_forget
}

# boot_persistent: whether this and every later boot of the system gets the parameters. Sets boot_missing to what is wrong.
# What does not even run is no proof of anything.
boot_persistent() {
  boot_missing=unreadable
  if [ -n "$os_boot" ]; then "${os_boot}_missing" || boot_missing=unreadable; fi
  [ -z "$boot_missing" ]
}

# `clocksource=` (and the old `clock=`) overwrites one name: the last one wins (Linux, kernel/time/clocksource.c,
# boot_override_clocksource). `tsc=` adds up: each one sets a flag of its own, so that reliable, nowatchdog, noirqtime,
# watchdog and recalibrate live side by side in any order, while unstable (and `notsc`) marks the TSC for good, and
# nothing takes that back (Linux, arch/x86/kernel/tsc.c, tsc_setup and notsc_setup). What follows a `--` is init's: the
# kernel reads no further (kernel/params.c, parse_args).

# boot_obeys COMMAND_LINE PARAMETER: whether a kernel that was given this line does what the parameter says.
boot_obeys() {
  boot_said=
  for boot_word in $1; do
    case "$2:$boot_word" in
      *:--) break ;;
      tsc=*:tsc=unstable | tsc=*:notsc) return 1 ;;
      clocksource=*:clocksource=*) boot_said=$boot_word ;;
      clocksource=*:clock=*) boot_said=clocksource=${boot_word#clock=} ;;
      *.*=*:"${2%%=*}="*) boot_said=$boot_word ;;
      *:"$2") boot_said=$2 ;;
    esac
  done
  [ "$boot_said" = "$2" ]
}

# boot_disobeyed COMMAND_LINE: sets boot_disobeyed to those of our parameters that a kernel would not do with this line.
boot_disobeyed() {
  boot_disobeyed=
  for boot_parameter in $plan_boot_parameters; do
    if ! boot_obeys "$1" "$boot_parameter"; then boot_disobeyed="${boot_disobeyed:+$boot_disobeyed }$boot_parameter"; fi
  done
}

# boot_missing_in GRUB_CFG: sets boot_missing to what is wrong with its entries, or to nothing.
boot_missing_in() {
  boot_missing=unreadable
  if ! boot_command_lines "$1" >"$work/entries" 2>/dev/null; then return 0; fi
  boot_missing='without any entry for Linux'
  if [ ! -s "$work/entries" ]; then return 0; fi
  boot_lost=
  while IFS= read -r boot_entry; do
    boot_disobeyed "$boot_entry"
    for boot_parameter in $boot_disobeyed; do
      if ! has_word "$boot_lost" "$boot_parameter"; then boot_lost="$boot_lost $boot_parameter"; fi
    done
  done <"$work/entries"
  boot_missing=${boot_lost:+without$boot_lost}
}

# boot_command_lines GRUB_CFG: "linux KERNEL PARAMETER..." of the entries that GRUB's script for Linux (10_linux) made;
# other scripts add memory testers, other systems and what the user wrote.
boot_command_lines() {
  awk '
    /^### BEGIN / { marked = 1; ours = $0 ~ /\/[0-9]+_linux[^\/]*$/ }
    /^### END / { ours = 0 }
    $1 ~ /^linux(16|efi)?$/ && (ours || !marked) { print }' "$1"
}

# boot_live: whether the running kernel got every parameter, and heeds it.
boot_live() {
  boot_cmdline
  boot_disobeyed "$boot_cmdline"
  [ -z "$boot_disobeyed" ]
}

boot_cmdline() {
  first_line "$TIMEBASE_ROOT/proc/cmdline"
  boot_cmdline=$first_line
}

# boot_chosen: sets boot_chosen to what the running kernel was booted by instead, as far as its command line tells, and what to
# do about it. GRUB puts the kernel before the words of an entry, with the disk that it found it on.
boot_chosen() {
  boot_cmdline
  boot_title=$(TIMEBASE_BOOTED=$boot_cmdline awk '
    function words(first,    f, text) {
      for (f = first; f <= NF; f++) text = text " " $f
      return text
    }
    BEGIN {
      $0 = ENVIRON["TIMEBASE_BOOTED"]
      kernel = $1
      sub(/^BOOT_IMAGE=([(][^)]*[)])?/, "", kernel)
      booted = kernel words(2)
    }
    $1 == "menuentry" {
      title = $0
      sub(/^[ \t]*menuentry[ \t]+/, "", title)
      quote = substr(title, 1, 1)
      title = quote ~ /["\047]/ ? substr(title, 2, index(substr(title, 2), quote) - 1) : $2
    }
    $1 ~ /^linux(16|efi)?$/ && $2 words(3) == booted { print title; exit }
  ' "$os_grub_cfg" "${os_grub_cfg%/*}/custom.cfg" 2>/dev/null) || :
  if [ -n "$boot_title" ]; then
    boot_chosen="it was booted by GRUB's entry \"$boot_title\", which lacks them: let this host boot by another one, or add them to it"
  else
    boot_chosen="it boots something else than $os_grub_cfg: look at the boot entry it chooses (GRUB_DEFAULT, grub-reboot, kexec, a network boot)"
  fi
}

clocksource_folder=$TIMEBASE_ROOT/sys/devices/system/clocksource/clocksource0

# clocksource_read: sets clocksource_now and clocksources_available to what the kernel says now.
clocksource_read() {
  first_line "$clocksource_folder/available_clocksource"
  clocksources_available=${first_line% }
  first_line "$clocksource_folder/current_clocksource"
  clocksource_now=$first_line
}

# What the running kernel was on before we have switched it. In /run, because a boot chooses anew.
clocksource_switched=$TIMEBASE_ROOT/run/timebase.clocksource

clocksource_switch() {
  clocksource_read
  if [ "$clocksource_now" = tsc ]; then return 0; fi
  printf '%s\n' "$clocksource_now" >"$clocksource_switched"
  if ! clocksource_store tsc; then
    rm -f -- "$clocksource_switched"
    fail "the kernel refused to switch its clocksource to tsc and stays on $clocksource_now" 'see dmesg on the host; use RebootPolicy.ToProve'
  fi
  say 'switched the running kernel to tsc'
}

# clocksource_switch_back: unless somebody else has switched it since.
clocksource_switch_back() {
  first_line "$clocksource_switched"
  clocksource_before=$first_line
  clocksource_read
  if [ -z "$clocksource_before" ] || [ "$clocksource_now" != tsc ]; then
    :
  elif clocksource_store "$clocksource_before"; then
    say "switched the running kernel back to $clocksource_before"
  else
    say "the kernel refused to switch its clocksource back to $clocksource_before, and keeps $clocksource_now until this host's next boot"
  fi
  rm -f -- "$clocksource_switched"
}

# clocksource_store NAME: whether the kernel switches to it. Its store returns success even when it refuses, so the file is
# read back.
clocksource_store() {
  printf %s "$1" 2>/dev/null >"$clocksource_folder/current_clocksource" || :
  clocksource_read
  [ "$clocksource_now" = "$1" ]
}
