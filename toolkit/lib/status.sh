# shellcheck shell=sh
# `timebase status`: for each section who owns it, what is planned, what is live, what others have changed since, and
# what a revert would give back. It looks only: it takes no lock, and changes nothing. It waits only after a boot, when nobody
# has looked at the clock yet, for the first measurement.

status() {
  os_detect
  clocksource_read
  plan_remembered_sections
  if [ -z "$plan_remembered_sections" ]; then
    printf 'timebase manages nothing on this host (%s, clocksource %s)\n' "$os_name" "$clocksource_now"
    return
  fi
  printf 'timebase on %s: %s, kernel %s, clocksource %s\n' "$(uname -n)" "$os_name" "$(uname -r)" "$clocksource_now"
  status_wrong=0 status_not_applicable=
  for status_section in boot time ptp; do
    if [ -e "$TIMEBASE_STATE/plans/$status_section" ]; then status_of "$status_section"; fi
  done
  if [ "$status_wrong" = 0 ]; then
    printf 'everything is as planned\n'
  elif [ -n "$released_text" ]; then
    printf 'not everything is as planned: see FAIL and drift above\n'
    untrue
  else
    printf 'not everything is as planned: see FAIL and drift above; `pulumi up --replace '\''**-prove'\''` mends what fails, the next one proves it\n'
    untrue
  fi
}

# status_of SECTION: a plan can own several sections; each is shown with what is its own.
status_of() {
  plan_read <"$TIMEBASE_STATE/plans/$1"
  boot_applicability
  # Nothing is remembered of a section that is not applicable; the plan that asked for it tells.
  if [ "$boot_not_applicable" != "$status_not_applicable" ]; then
    status_not_applicable=$boot_not_applicable
    printf 'boot of %s: not applicable, %s\n' "$plan_owner" "$boot_not_applicable"
  fi
  plan_only "$1"
  plan_settle_seconds=0
  if [ "$1" = time ] && status_first_look; then plan_settle_seconds=15; fi
  printf '%s of %s, planned: %s\n' "$1" "$plan_owner" "$(status_planned "$1")"
  checks_run
  case "$checks" in "system${tab}pass$tab"*) checks=${checks#*"$newline"} ;; esac
  evidence_rows
  if checks_failed; then status_wrong=1; fi
  status_drift "$1"
  if [ "$1" = boot ]; then status_reboot; fi
  status_revert "$1"
}

# status_first_look: whether all is well but that nobody has looked at the clock since the boot.
status_first_look() {
  if [ -e "$clock_looked" ]; then return 1; fi
  sources_choose
  chrony_state
  case "$time_bound_reason" in 'the clock was set, or '*) ;; *) return 1 ;; esac
}

status_planned() {
  case "$1" in
    boot) printf '%s, reboot %s' "$plan_boot_parameters" "$plan_reboot" ;;
    time)
      status_sources=${plan_time_sources:-its own clock}
      printf '%s of %s, from %s' "$plan_time_role" "$plan_timescale" "${status_sources%%"$newline"*}"
      case "$status_sources" in *"$newline"*) printf ' and others' ;; esac
      printf ', within %s us' "$((plan_max_error_ns / 1000))"
      ;;
    ptp) printf 'a PTP clock for microVMs, %s' "$plan_guest_ptp" ;;
  esac
}

# status_drift SECTION: the files that we wrote and somebody else has changed since. In a file that stays the user's
# (lib/edits.sh) that is their right: whether ours is still in it is what the checks say.
status_drift() {
  for record in "$TIMEBASE_STATE/files/$1"/* "$TIMEBASE_STATE/files/$1-edits"/*; do
    if [ ! -f "$record/ours" ]; then continue; fi
    first_line "$record/path"
    status_path=$first_line
    if [ ! -e "$status_path" ]; then
      status_what='is gone'
    elif record_ours "$status_path"; then
      continue
    elif cmp -s -- "$record/was" "$status_path"; then
      status_what='is again what it was before timebase'
    else
      status_what='was changed by somebody else since'
    fi
    case "$record" in */"$1-edits"/*) ;; *) status_wrong=1 ;; esac
    printf '  drift %s %s\n' "$status_path" "$status_what"
  done
}

# A boot section that is in the boot loader's configuration and not live waits for a boot.
status_reboot() {
  if [ "$proved_live" != false ]; then return 0; fi
  case "$boot_missing" in '' | 'right until the next kernel update only: '*) ;; *) return 0 ;; esac
  if [ -e "$reboot_ordered_file" ]; then
    printf '  next  a reboot was ordered and is under way\n'
  else
    printf '  next  pending reboot: the parameters become live at the next boot\n'
  fi
}

# status_revert SECTION: what was recorded before the first change.
status_revert() {
  for record in "$TIMEBASE_STATE/files/$1"/*; do
    if [ ! -f "$record/path" ]; then continue; fi
    if [ -e "$record/was" ]; then status_what=restores; else status_what=removes; fi
    first_line "$record/path"
    printf '  undo  %s %s\n' "$status_what" "$first_line"
  done
  for record in "$TIMEBASE_STATE/files/$1-edits"/*; do
    if [ ! -f "$record/path" ]; then continue; fi
    first_line "$record/path"
    status_path=$first_line
    if ! cmp -s -- "$record/ours" "$status_path"; then
      status_what='takes what is ours out of'
    elif [ -e "$record/was" ]; then
      status_what=restores
    else
      status_what=removes
    fi
    printf '  undo  %s %s\n' "$status_what" "$status_path"
  done
  facts_of "$1"
  printf '%s' "$facts_of" | while read -r status_kind status_name status_rest; do
    case "$status_kind $status_name" in
      'before clocksource')
        status_back='it is back after a boot'
        if [ -e "$clocksource_switched" ]; then status_back='the running kernel is switched back to it'; fi
        printf '  undo  the clocksource before was %s; %s\n' "$status_rest" "$status_back"
        ;;
      'before '*) ;;
      'unit '*) printf '  undo  makes %s %s again\n' "$status_name" "$(printf %s "$status_rest" | tr ' ' ',' | sed 's/,/ and /')" ;;
      'masked '*) printf '  undo  unmasks %s\n' "$status_name" ;;
      'tracking-log '*) printf '  undo  removes the log of what the bound was\n' ;;
      'installed '*) printf '  undo  removes the package %s\n' "$status_name" ;;
      'removed '*) printf '  undo  installs the package %s again\n' "$status_name" ;;
      *) printf '  undo  puts back %s %s %s\n' "$status_kind" "$status_name" "$status_rest" ;;
    esac
  done
}
