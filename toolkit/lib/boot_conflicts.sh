# shellcheck shell=sh
# What the kernel makes of a command line that has our parameters and others of the same kind.

# `clocksource=` (and the old `clock=`) overwrites one name: the last one wins (Linux, kernel/time/clocksource.c,
# boot_override_clocksource). `tsc=` adds up: each one sets a flag of its own, so that reliable, nowatchdog, noirqtime,
# watchdog and recalibrate live side by side in any order, while unstable (and `notsc`) marks the TSC for good, and
# nothing takes that back (Linux, arch/x86/kernel/tsc.c, tsc_setup and notsc_setup).

# boot_obeys COMMAND_LINE PARAMETER: whether a kernel that was given this line does what the parameter says.
boot_obeys() {
  boot_said=
  for boot_word in $1; do
    case "$2:$boot_word" in
      tsc=*:tsc=unstable | tsc=*:notsc) return 1 ;;
      clocksource=*:clocksource=*) boot_said=$boot_word ;;
      clocksource=*:clock=*) boot_said=clocksource=${boot_word#clock=} ;;
      *:"$2") boot_said=$2 ;;
    esac
  done
  [ "$boot_said" = "$2" ]
}

# A parameter of the user's that contradicts ours is never silently overridden. With `override` ours is put after
# theirs; that does not help where the kernel heeds no order.
boot_conflicts_refuse() {
  boot_conflict=$(boot_conflict_in_files)
  case "$boot_conflict" in
    '') ;;
    *tsc=unstable | *notsc)
      fail "$boot_conflict: a boot parameter of yours makes \"$plan_boot_parameters\" void" \
        'remove it there: the kernel obeys it wherever it stands, so that nothing overrides it; or leave TscClocksource out for this host'
      ;;
    *)
      fail "$boot_conflict: a boot parameter of yours contradicts \"$plan_boot_parameters\"" \
        'remove it there; or set override: true, which puts ours after it until the revert; or leave TscClocksource out for this host'
      ;;
  esac
  if [ "$plan_boot_override" = yes ] || boot_live; then return 0; fi
  for boot_word in $boot_cmdline; do
    if boot_contradicts "$boot_word"; then
      fail "the running kernel was booted with $boot_word, which contradicts \"$plan_boot_parameters\" and is in none of GRUB's files" \
        'somebody set it in the boot loader by hand, or took it out of its file since: reboot this host without it, or set override: true'
    fi
  done
}

# boot_contradicts WORD: the same as `contradicts` below.
boot_contradicts() {
  case "$1" in
    clocksource=tsc | clock=tsc) return 1 ;;
    tsc=unstable | notsc | clocksource=* | clock=*) return 0 ;;
    *) return 1 ;;
  esac
}

# boot_conflict_in_files: "FILE, line N: WORD" of the first contradiction in what the boot loader's entries are made of.
boot_conflict_in_files() {
  set --
  for boot_file in "$TIMEBASE_ROOT/etc/default/grub" "$TIMEBASE_ROOT"/etc/default/grub.d/*.cfg; do
    if [ -r "$boot_file" ] && [ "$boot_file" != "$(boot_dropin)" ]; then set -- "$@" "$boot_file"; fi
  done
  # Elsewhere the entries themselves can be edited (grubby), and stay so.
  if [ "$os_boot" != grub-dropin ]; then
    for boot_file in "$TIMEBASE_ROOT"/boot/loader/entries/*.conf "${os_grub_cfg%/*}/grubenv" "$os_grub_cfg"; do
      if [ -r "$boot_file" ]; then set -- "$@" "$boot_file"; fi
    done
  fi
  if [ $# = 0 ]; then return 0; fi
  awk -v override="$plan_boot_override" -v grub_cfg="$os_grub_cfg" '
    # What the shell that reads the file would see of a line, without its quotes and comments.
    function code(line,    at, letter, seen) {
      for (at = 1; at <= length(line); at++) {
        letter = substr(line, at, 1)
        if (letter == "\\" && quote != "\x27") { at++; seen = seen substr(line, at, 1); continue }
        if (quote == "" && letter == "#" && (at == 1 || substr(line, at - 1, 1) ~ /[ \t;]/)) break
        if (letter == quote) { quote = ""; letter = " " }
        else if (quote == "" && (letter == "\"" || letter == "\x27")) { quote = letter; letter = " " }
        seen = seen letter
      }
      sub(/^[ \t]*(export[ \t]+)?GRUB_[A-Z0-9_]*[+]?=/, " ", seen)
      return seen
    }
    function contradicts(word) {
      if (word == "tsc=unstable" || word == "notsc") return 1
      return override != "yes" && word ~ /^clock(source)?=/ && word !~ /^clock(source)?=tsc$/
    }
    FNR == 1 { quote = "" }
    FILENAME ~ /\/etc\/default\/grub/ { text = code($0) }
    FILENAME ~ /\.conf$/ { text = /^options[ \t]/ ? $0 : "" }
    FILENAME ~ /\/grubenv$/ { text = sub(/^kernelopts=/, "") ? $0 : "" }
    FILENAME == grub_cfg { text = $1 ~ /^linux(16|efi)?$/ ? $0 : "" }
    {
      words = split(text, word, /[ \t]+/)
      for (w = 1; w <= words; w++) if (contradicts(word[w])) { print FILENAME ", line " FNR ": " word[w]; exit }
    }' "$@"
}
