# shellcheck shell=sh
# Boot parameters of the user's that contradict ours: found where the boot loader reads them, or on the running kernel.

# A parameter of the user's that contradicts ours is never silently overridden. With `override` ours is put after
# theirs; that does not help where the kernel heeds no order.
boot_conflicts_refuse() {
  boot_conflict_in_files
  if [ -z "$boot_conflict" ]; then boot_conflict_sourced; fi
  case "$boot_conflict" in
    '') ;;
    *": --")
      fail "$boot_conflict: what follows it is init's, so the kernel would not read \"$plan_boot_parameters\", which is put at the end" \
        'put these parameters before it there; or remove it; or leave TscClocksource out for this host'
      ;;
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
    if [ "$boot_word" = -- ]; then break; fi
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

# boot_conflict_in_files: sets boot_conflict to "FILE, line N: WORD" of the first contradiction in the boot loader's sources, or of the first
# `--` behind which ours would come. Their kinds:
#   shell     is sourced by sh, as /etc/default/grub
#   grub      GRUB's configuration: the entries of its script for Linux
#   bls       an entry of the Boot Loader Specification
#   grubenv   GRUB's environment block, in which kernelopts may be
#   cmdline   a command line, and nothing else
boot_conflict_in_files() {
  boot_conflict=
  boot_sources
  set --
  while read -r boot_kind boot_file; do
    if [ -r "$boot_file" ]; then set -- "$@" "kind=$boot_kind" "$boot_file"; fi
  done <<SOURCES
$boot_sources
SOURCES
  if [ $# = 0 ]; then return 0; fi
  boot_conflict=$(awk -v override="$plan_boot_override" -v variable="$os_grub_variable" -v parameters="$plan_boot_parameters" '
    # What the shell that reads the file would see of a line, without its quotes and comments.
    function code(line,    at, letter, seen) {
      for (at = 1; at <= length(line); at++) {
        letter = substr(line, at, 1)
        if (letter == "\\" && quote != "\x27") { at++; seen = seen substr(line, at, 1); continue }
        if (quote == "" && letter == "#" && (at == 1 || substr(line, at - 1, 1) ~ /[ \t;]/)) break
        if (letter == quote) { quote = ""; letter = " " }
        else if (quote == "" && (letter == "\"" || letter == "\x27")) { quote = letter; letter = seen ~ /(^|[ \t=])clock(source)?=$/ ? "" : " " }
        seen = seen letter
      }
      sub(/^[ \t]*(export[ \t]+)?GRUB_[A-Z0-9_]*[+]?=/, " ", seen)
      return seen
    }
    function contradicts(word) {
      if (word == "tsc=unstable" || word == "notsc") return 1
      return override != "yes" && word ~ /^clock(source)?=/ && word !~ /^clock(source)?=tsc$/
    }
    # Whether a variable of the shell comes before ours in an entry, or is one of those that get ours.
    function before_ours(name) {
      return name == "GRUB_CMDLINE_LINUX" || name == "GRUB_CMDLINE_LINUX_DEFAULT" && (override == "yes" || name == variable)
    }
    # Whether the words before this one give the kernel ours: boot_obeys, but for what contradicts anyway.
    function given(end,    count, parameter, p, w, obeyed) {
      count = split(parameters, parameter, " ")
      for (p = 1; p <= count; p++) {
        obeyed = 0
        for (w = 1; w < end; w++) {
          if (word[w] == parameter[p]) obeyed = 1
          else if (parameter[p] ~ /^clocksource=/ && word[w] ~ /^clock(source)?=/) obeyed = 0
        }
        if (!obeyed) return 0
      }
      return 1
    }
    FNR == 1 { quote = ""; marked = 0; continued = 0 }
    kind == "shell" && quote == "" && !continued {
      assigned = $0
      if (!sub(/[+]?=.*/, "", assigned)) assigned = ""
      sub(/^[ \t]*(export[ \t]+)?/, "", assigned)
    }
    { ends = kind != "shell" || before_ours(assigned); continued = /\\$/ && !/^[ \t]*#/ }
    /^### BEGIN / { marked = 1; linux = $0 ~ /\/[0-9]+_linux[^\/]*$/ }
    /^### END / { linux = 0 }
    kind == "shell" { text = code($0) }
    kind == "grub" { text = $1 ~ /^linux(16|efi)?$/ && (linux || !marked) ? $0 : "" }
    kind == "bls" { text = /^options[ \t]/ ? $0 : "" }
    kind == "grubenv" { text = sub(/^kernelopts=/, "") ? $0 : "" }
    kind == "cmdline" { text = $0 }
    {
      words = split(text, word, /[ \t]+/)
      for (w = 1; w <= words; w++) {
        if (ends && word[w] == "--" && given(w)) break
        if (contradicts(word[w]) || ends && word[w] == "--") { print FILENAME ", line " FNR ": " word[w]; exit }
      }
    }' "$@")
}

# boot_conflict_sourced: the same of words that only the shell puts together, of variables, commands, or parts.
boot_conflict_sourced() {
  set --
  while read -r boot_kind boot_file; do
    if [ "$boot_kind" = shell ] && [ -r "$boot_file" ]; then set -- "$@" "$boot_file"; fi
  done <<SOURCES
$boot_sources
SOURCES
  if [ $# = 0 ]; then return 0; fi
  for boot_word in $(sourced '$GRUB_CMDLINE_LINUX $GRUB_CMDLINE_LINUX_DEFAULT' "$@"); do
    case "$boot_word $plan_boot_override" in
      '-- '*) break ;;
      clock*' yes') continue ;;
    esac
    if boot_contradicts "$boot_word"; then
      boot_conflict="$*, sourced by sh: $boot_word"
      return 0
    fi
  done
}
