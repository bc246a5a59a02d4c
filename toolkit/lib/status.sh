# shellcheck shell=sh
# `timebase status`: what is set on this host, by whom, and whether it is still true.

status() {
  os_detect
  status_shown=
  if [ -z "$(plan_remembered_sections)" ]; then
    printf 'timebase manages nothing on this host (%s, clocksource %s)\n' "$os_name" "$(clocksource_now)"
    return
  fi
  status_failed=0
  for status_section in $(plan_remembered_sections); do
    status_plan=$(cat "$TIMEBASE_STATE/plans/$status_section")
    # One plan can own several sections; it is shown once.
    if has_line "$status_shown" "$(plan_owner_of "$status_section")"; then continue; fi
    status_shown="$status_shown$newline$(plan_owner_of "$status_section")"
    plan_parse "$status_plan"
    boot_applicability
    plan_settle_seconds=0
    checks_run
    printf 'owner %s: %s\n' "$plan_owner" "$(plan_sections | tr '\n' ' ')"
    evidence_table
    if checks_failed; then status_failed=1; fi
  done
  return "$status_failed"
}
