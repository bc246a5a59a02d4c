# shellcheck shell=sh
# The plan: `key=value` lines on standard input (docs/architecture.md, contract 1). Pure data, nothing is run.

plan_read() {
  plan_text=
  while IFS= read -r plan_line || [ -n "$plan_line" ]; do plan_text="${plan_text:+$plan_text$newline}$plan_line"; done
  plan_parse "${plan_text%"$newline"}"
}

# plan_parse TEXT: sets plan_<key>; refuses what it does not know, because a plan that is half understood is a lie.
plan_parse() {
  plan_text=$1
  case "$plan_text" in
    timebase-plan=1"$newline"*) ;;
    *) fail 'the plan on standard input does not start with timebase-plan=1' 'send a plan of this version of the toolkit (pulumi-timebase writes it)' ;;
  esac
  plan_owner='' plan_host='' plan_os=''
  plan_clocksource='' plan_boot_parameters='' plan_reboot=''
  plan_boot_override=no plan_boot_force=no plan_boot_required=yes
  plan_time_role='' plan_time_sources='' plan_time_allow='' plan_time_keys='' plan_timescale='' plan_max_error_ns='' plan_settle_seconds=''
  plan_time_ptp='' plan_time_pairs='' plan_await_pairs=no plan_settle_error_ns='' plan_together=no plan_max_clock_error_ppm=50 plan_tracking_log=no
  plan_guest_ptp=''
  plan_converged_boot_id='' plan_converged_reboot=''
  plan_lines=0
  while IFS= read -r plan_line; do
    plan_lines=$((plan_lines + 1))
    plan_value=${plan_line#*=}
    case "$plan_line" in
      timebase-plan=1) ;;
      owner=*) plan_owner=$plan_value ;;
      host=*) plan_host=$plan_value ;;
      generation=*) ;;
      os=*) plan_os=$plan_value ;;
      clocksource=tsc) plan_clocksource=tsc ;;
      boot-parameter=*) plan_boot_parameters="${plan_boot_parameters:+$plan_boot_parameters }$plan_value" ;;
      reboot=to-prove | reboot=if-needed | reboot=never) plan_reboot=$plan_value ;;
      boot-override=yes) plan_boot_override=yes ;;
      boot-force=yes) plan_boot_force=yes ;;
      boot-required=no) plan_boot_required=no ;;
      time-role=client | time-role=hub) plan_time_role=$plan_value ;;
      time-source=*) time_source_known "$plan_value" || plan_fail "\"$plan_line\" is not understood" && plan_time_sources="${plan_time_sources:+$plan_time_sources$newline}$plan_value" ;;
      time-ptp=*) ipv4_known "$plan_value" || plan_fail "\"$plan_line\" is not understood" && plan_time_ptp=$plan_value ;;
      time-allow=*) plan_time_allow="${plan_time_allow:+$plan_time_allow$newline}$plan_value" ;;
      time-pair=*) pair_known "$plan_value" || plan_fail "\"$plan_line\" is not understood" && plan_time_pairs="${plan_time_pairs:+$plan_time_pairs$newline}$plan_value" ;;
      time-await-pairs=yes) plan_await_pairs=yes ;;
      time-together=yes) plan_together=yes ;;
      time-settle-error-ns=*) plan_number "$plan_value" && plan_settle_error_ns=$plan_value ;;
      time-key=*) plan_key "$plan_value" && plan_time_keys="$plan_time_keys$plan_value$newline" ;;
      timescale=utc | timescale=hub:*) plan_timescale=$plan_value ;;
      time-max-error-ns=*) plan_number "$plan_value" && plan_max_error_ns=$plan_value ;;
      time-max-clock-error-ppm=*) plan_decimal "$plan_value" && plan_max_clock_error_ppm=$plan_value ;;
      time-tracking-log=yes) plan_tracking_log=yes ;;
      time-settle-seconds=*) plan_number "$plan_value" && plan_settle_seconds=$plan_value ;;
      guest-ptp=required | guest-ptp=reported) plan_guest_ptp=$plan_value ;;
      converged-boot-id=*) plan_converged_boot_id=$plan_value ;;
      converged-reboot=ordered | converged-reboot=none | converged-reboot=pending) plan_converged_reboot=$plan_value ;;
      *) plan_fail "\"$plan_line\" is not understood" ;;
    esac
  done <<PLAN
$plan_text
PLAN
  plan_complete
}

plan_complete() {
  if [ -z "$plan_owner" ]; then plan_fail 'owner is missing'; fi
  if plan_has boot && { [ -z "$plan_boot_parameters" ] || [ -z "$plan_reboot" ]; }; then
    plan_fail 'clocksource needs boot-parameter and reboot'
  fi
  if plan_has time && { [ -z "$plan_timescale" ] || [ -z "$plan_max_error_ns" ] || [ -z "$plan_settle_seconds" ]; }; then
    plan_fail 'time-role needs timescale, time-max-error-ns and time-settle-seconds'
  fi
  if [ -n "$plan_time_ptp" ] && [ "$plan_time_role" != hub ]; then plan_fail 'time-ptp is for a hub'; fi
  if [ -z "$plan_time_sources" ] && plan_has time && ! plan_is_timescale; then
    plan_fail 'a host that does not define the timescale needs a time-source'
  fi
  if ! plan_has boot && ! plan_has time && ! plan_has ptp; then plan_fail 'it has no section'; fi
  plan_ptp
}

# plan_ptp: sets plan_ptp_role to what the host does with network PTP (server, client, or nothing), plan_ptp_address to the
# hub's address, and plan_ptp_error_ns to how far the program says that a client's hub is off.
plan_ptp() {
  plan_ptp_role='' plan_ptp_address=$plan_time_ptp plan_ptp_error_ns=0
  if [ -n "$plan_time_ptp" ]; then plan_ptp_role=server; fi
  case "$newline$plan_time_sources$newline" in
    *"${newline}ptp "*"${newline}ptp "*) plan_fail 'it follows more than one hub by PTP' ;;
    *"${newline}ptp "*) ;;
    *) return 0 ;;
  esac
  if [ -n "$plan_ptp_role" ]; then plan_fail 'it is to serve PTP and to follow it'; fi
  plan_ptp_role=client
  plan_ptp_rest=$newline$plan_time_sources
  plan_ptp_rest=${plan_ptp_rest#*"${newline}ptp "}
  plan_ptp_rest=${plan_ptp_rest%%"$newline"*}
  plan_ptp_address=${plan_ptp_rest%% *}
  case "$plan_ptp_rest " in
    *' error-ns '*)
      plan_ptp_error_ns=${plan_ptp_rest##*' error-ns '}
      plan_ptp_error_ns=${plan_ptp_error_ns%% *}
      ;;
  esac
}

plan_fail() {
  fail "the plan, line $plan_lines: $1" 'update pulumi-timebase, so that the library and the toolkit on the host are of one version'
}

plan_number() {
  case "$1" in
    '' | *[!0-9]* | ???????????????*) plan_fail "\"$1\" is not a whole number" ;;
  esac
}

plan_decimal() {
  case "$1" in
    '' | . | *[!0-9.]* | *.*.* | ???????????????*) plan_fail "\"$1\" is not a number" ;;
  esac
}

# plan_key "ID TYPE SECRET", or without the secret where the plan is remembered. What is wrong with it is not shown.
plan_key() {
  plan_key_rest=${1#* }
  case "${1%% *}" in '' | *[!0-9]*) plan_fail 'the id of a time-key is not a whole number' ;; esac
  case "${plan_key_rest%% *}" in
    AES128 | AES256 | SHA1 | SHA256 | SHA384 | SHA512) ;;
    *) plan_fail 'the type of a time-key is not understood' ;;
  esac
  case "$plan_key_rest" in
    *' '*' '*) plan_fail 'a time-key has more than three words' ;;
    *' HEX:'?* | *' ASCII:'?* | "${plan_key_rest%% *}") ;;
    *) plan_fail 'the secret of a time-key is not understood' ;;
  esac
}

# plan_has boot|time|ptp: whether the plan has this section.
plan_has() {
  case "$1" in
    boot) [ -n "$plan_clocksource" ] ;;
    time) [ -n "$plan_time_role" ] ;;
    ptp) [ -n "$plan_guest_ptp" ] ;;
  esac
}

# plan_only SECTION: forgets the others, for a look at one.
plan_only() {
  if [ "$1" != boot ]; then plan_clocksource='' boot_not_applicable=''; fi
  if [ "$1" != time ]; then plan_time_role='' plan_ptp_role=''; fi
  if [ "$1" != ptp ]; then plan_guest_ptp=''; fi
}

# plan_is_timescale: whether this host's own clock is the cluster's time by definition.
plan_is_timescale() { [ "$plan_time_role" = hub ] && [ "$plan_timescale" = "hub:$plan_host" ]; }

plan_sections() {
  plan_sections=
  for plan_section in boot time ptp; do
    if plan_has "$plan_section"; then plan_sections="$plan_sections $plan_section"; fi
  done
}

# What is remembered of a plan: the whole text, once for each of its sections, in `plans/<section>`.

# plan_owner_of SECTION: who owns it, or nothing.
plan_owner_of() {
  plan_owner_of=
  all_lines "$TIMEBASE_STATE/plans/$1"
  case "$all_lines" in
    *"${newline}owner="*)
      plan_owner_of=${all_lines#*"${newline}owner="}
      plan_owner_of=${plan_owner_of%%"$newline"*}
      ;;
  esac
}

# What converge has answered, which comes last, is no part of it; nor are the secrets of keys.
plan_remember() {
  plan_sections
  plan_public=${plan_text%%"${newline}converged-"*}$newline
  while read -r plan_key_line; do
    if [ -z "$plan_key_line" ]; then continue; fi
    plan_key_line="time-key=$plan_key_line$newline"
    plan_public="${plan_public%%"$plan_key_line"*}${plan_key_line% *}$newline${plan_public#*"$plan_key_line"}"
  done <<KEYS
$plan_time_keys
KEYS
  for plan_section in $plan_sections; do text_write "$TIMEBASE_STATE/plans/$plan_section" "$plan_public"; done
}

plan_forget() { rm -f "$TIMEBASE_STATE/plans/$1"; }

# plan_remembered_sections [OWNER]: the sections that are set on this host, by this owner or by anybody.
plan_remembered_sections() {
  plan_remembered_sections=
  for plan_section in time boot ptp; do
    if [ ! -e "$TIMEBASE_STATE/plans/$plan_section" ]; then continue; fi
    plan_owner_of "$plan_section"
    if [ -z "${1:-}" ] || [ "$plan_owner_of" = "$1" ]; then plan_remembered_sections="$plan_remembered_sections $plan_section"; fi
  done
}
