# shellcheck shell=sh
# What held between two proofs: chronyd's own log of its updates, and the largest bound in it. The log is ours as long as the
# plan has it; what was there before is put aside, out of reach of the package's logrotate, and comes back.

# The one folder in which AppArmor lets chronyd write logs (Debian, Ubuntu), and SELinux too. chronyd makes it.
tracking_log_path=/var/log/chrony
tracking_log_folder=$TIMEBASE_ROOT$tracking_log_path
tracking_log_aside=$tracking_log_folder/before-timebase
# What five weeks, which logrotate keeps by the systems' defaults, take of one update a second, in KiB.
tracking_log_room_kib=409600

# When the host was proved last, and since when that proof has told, or -.
proved_record=$TIMEBASE_STATE/proved

# The smallest maxclockerror that chronyd had while it kept the log, in ppm.
tracking_log_ppm=$TIMEBASE_STATE/tracking-log-ppm

# tracking_log_kept: whether there is a log that is ours.
tracking_log_kept() { facts_have time 'tracking-log '; }

# tracking_log_converge: before chronyd is configured.
tracking_log_converge() {
  if [ "$plan_tracking_log" = no ]; then
    tracking_log_revert
    return 0
  fi
  first_line "$tracking_log_ppm"
  if [ -z "$first_line" ] || awk -v now="$plan_max_clock_error_ppm" -v least="$first_line" 'BEGIN { exit !(now < least) }'; then
    text_write "$tracking_log_ppm" "$plan_max_clock_error_ppm$newline"
  fi
  if tracking_log_kept; then return 0; fi
  if [ ! -d "$tracking_log_folder" ]; then
    facts_add time tracking-log made
    return 0
  fi
  for tracking_log_file in "$tracking_log_folder"/tracking.log*; do
    if [ ! -e "$tracking_log_file" ]; then continue; fi
    { mkdir -p -- "$tracking_log_aside" && mv --backup=numbered -- "$tracking_log_file" "$tracking_log_aside"; } ||
      fail "$tracking_log_file could not be put aside (why is above)" 'correct that on the host, or set trackingLog to false'
  done
  facts_add time tracking-log kept
}

# tracking_log_revert: ours goes, and what was put aside comes back; of that a revert which is run again may remove nothing.
tracking_log_revert() {
  if tracking_log_kept; then rm -f -- "$tracking_log_folder"/tracking.log*; fi
  if facts_have time 'tracking-log made'; then rmdir -- "$tracking_log_folder" 2>/dev/null || :; fi
  facts_drop time 'tracking-log '
  rm -f -- "$proved_record" "$tracking_log_ppm" "$clock_watched" "$clock_was_set"
  if [ ! -d "$tracking_log_aside" ]; then return 0; fi
  for tracking_log_file in "$tracking_log_aside"/*; do
    if [ -e "$tracking_log_file" ]; then mv --backup=numbered -- "$tracking_log_file" "$tracking_log_folder"; fi
  done
  rmdir -- "$tracking_log_aside"
}

# tracking_log_read FROM TO: sets held_bound_ns and held_worst, or held_reason, from instants in seconds since 1970. What
# chronyd says of itself now (chrony_state) vouches for the end.
tracking_log_read() {
  held_bound_ns='' held_worst='' held_reason='what the log says could not be read'
  if [ "${2%.*}" -lt "${1%.*}" ]; then
    held_reason="the clock was set back: now it is $time_as_of"
    return 0
  fi
  if plan_is_timescale; then
    tracking_log_itself "$1"
    return 0
  fi
  tracking_log_updates "$1" "$2"
  # Of a clock that was set and set back between two updates the log has nothing.
  if [ -n "$held_bound_ns" ] && clock_set_between "$1" "$2"; then
    held_bound_ns='' held_worst=''
    held_reason="the clock was set between $(date -u -d "@$clock_set_from" "$instant_format") and $(date -u -d "@$clock_set_to" "$instant_format"), by somebody, chronyd at its start, a suspend or a leap second"
  fi
}

# tracking_log_updates FROM TO: the same by the log of its updates.
tracking_log_updates() {
  # logrotate names them by numbers or by dates. What ends three and a half days before has none of the 64 updates before; of
  # what is compressed it is said that the log does not reach back.
  find "$tracking_log_folder" -maxdepth 1 -type f -regex '.*/tracking\.log[.-][0-9-]*' -newermt "@$((${1%.*} - 300000))" -printf '%T@ %p\n' 2>/dev/null |
    sort -n >"$work/logs" || work_full
  tracking_log_from=$1 tracking_log_to=$2
  first_line "$tracking_log_ppm"
  tracking_log_least=${first_line:-$plan_max_clock_error_ppm}
  set --
  while read -r tracking_log_time tracking_log_file; do set -- "$@" "$tracking_log_file"; done <"$work/logs"
  if [ -e "$tracking_log_folder/tracking.log" ]; then set -- "$@" "$tracking_log_folder/tracking.log"; fi
  if [ $# = 0 ]; then set -- /dev/null; fi
  while IFS='=' read -r tracking_log_key tracking_log_value; do
    case "$tracking_log_key" in
      bound-ns) held_bound_ns=$tracking_log_value held_reason='' ;;
      worst-at) held_worst=$tracking_log_value ;;
      bound-reason) held_reason=$tracking_log_value ;;
    esac
  done <<HELD
$(TIMEBASE_SOURCES=$sources_fixed$sources_run TIMEBASE_ERRORS=$sources_errors_lasting TIMEBASE_UNKNOWN=$time_bound_reason LC_ALL=C awk -v from="$tracking_log_from" -v to="$tracking_log_to" -v timescale="$plan_timescale" -v now="$chrony_now" \
    -v maxclockerror_ppm="$plan_max_clock_error_ppm" -v least_ppm="$tracking_log_least" -v measured_at="$chrony_last" -v drift_ppb="$time_drift_ppb" -v bound_ns="$time_bound_ns" -f "$TIMEBASE_HOME/lib/chrony_sources.awk" -f "$TIMEBASE_HOME/lib/tracking_log.awk" "$@")
HELD
}

# tracking_log_itself FROM: a clock that defines the time is no distance from it by definition, as long as one chronyd has kept it:
# it makes no updates. Needs $clock_owners.
tracking_log_itself() {
  tracking_log_pid=${clock_owners##*(}
  first_line "$TIMEBASE_ROOT/proc/${tracking_log_pid%)*}/stat"
  # shellcheck disable=SC2086 # words: from the third field on, of which the 22nd is when it was started, in 1/100 s of uptime
  set -- "$1" ${first_line##*) }
  first_line "$TIMEBASE_ROOT/proc/uptime"
  tracking_log_uptime=${first_line%% *}
  case "${21:-x}:$tracking_log_uptime" in
    *[!0-9:.]*) held_reason='when chronyd was started could not be read' ;;
    *)
      tracking_log_started=$((${chrony_now%.*} - (${tracking_log_uptime%.*} - ${21} / 100)))
      if [ "$tracking_log_started" -lt "${1%.*}" ]; then
        held_bound_ns=0 held_reason=''
      else
        held_reason="chronyd was started anew at $(date -u -d "@$tracking_log_started" "$instant_format")"
      fi
      ;;
  esac
}

# check_held: what was between the last proof and this one. It is told, and does not fail: the next proof looks at what comes
# next. A reading of the gate is of the same time as the proof that it comes after, however often it is read.
check_held() {
  if [ "$plan_tracking_log" = no ]; then return 0; fi
  proved_read
  held_since=$proved_last
  if [ "$plan_together" = yes ] && [ "${proved_since:--}" != - ]; then held_since=$proved_since; fi
  held_expected="at most $((plan_max_error_ns / 1000)) us since the last proof"
  if [ -z "$held_since" ]; then
    check_held_first
    return 0
  fi
  if [ -n "$released_text" ]; then
    held_bound_ns='' held_reason=$released_text
  else
    tracking_log_read "$(date -u -d "$held_since" +%s.%3N)" "$chrony_now"
  fi
  held_text
  if [ -n "$held_bound_ns" ] && [ "$held_bound_ns" -le "$plan_max_error_ns" ]; then
    check time.held pass "$held_expected" "$held_text" ''
  else
    check time.held warn "$held_expected" "$held_text" \
      'what was measured in that time is no better than this: measure again, or look at a part of it on the host by `sudo timebase held FROM TO`'
  fi
}

# check_held_first: of the first proof, whether there will be something to tell.
check_held_first() {
  held_since='' held_reason='this is the first proof: from now on it is recorded'
  if plan_is_timescale || [ -e "$tracking_log_folder/tracking.log" ]; then
    check time.held pass "$held_expected" "$held_reason" ''
  else
    held_reason="chronyd keeps no log in $tracking_log_path"
    check time.held warn "$held_expected" "$held_reason" "see \`journalctl -u $os_chrony_service\` on the host: may chronyd write there?"
  fi
}

# held_text: sets held_text to what was found, for people.
held_text() {
  held_text="since $held_since"
  if [ -n "${held_until:-}" ]; then held_text="from $held_since to $held_until"; fi
  if [ -z "$held_bound_ns" ]; then
    held_text="$held_text unknown: $held_reason"
  else
    held_text="$held_text at most $((held_bound_ns / 1000)).$((held_bound_ns / 100 % 10)) us${held_worst:+, at $held_worst}"
  fi
}

# proved_read: sets proved_* from the record; to nothing where there is none.
proved_read() {
  first_line "$proved_record"
  read -r proved_last proved_since <<PROVED
$first_line
PROVED
}

# proved_remember: from when on the next proof is to tell, if all has passed this one: of one that fails the evidence is lost.
proved_remember() {
  if [ "$plan_tracking_log" = no ] || [ -z "$time_bound_ns" ] || checks_failed; then return 0; fi
  text_write "$proved_record" "$time_as_of ${held_since:--}$newline"
}

# held FROM [TO]: the same of any time, as one line of JSON, and for people.
held() {
  held_instant "$1"
  held_from=$held_instant held_until='' held_to=''
  if [ $# = 2 ]; then
    held_instant "$2"
    held_to=$held_instant held_until=$2
    if [ "${held_to%.*}${held_to#*.}" -lt "${held_from%.*}${held_from#*.}" ]; then usage_error "$2 is before $1"; fi
  fi
  os_detect
  if [ ! -e "$TIMEBASE_STATE/plans/time" ]; then
    fail 'timebase does not manage the time of this host' 'converge it first, by a HostClock, a TimeSync or an ExperimentCluster'
  fi
  plan_read <"$TIMEBASE_STATE/plans/time"
  if [ "$plan_tracking_log" = no ]; then
    fail 'no log is kept of what the bound of this host was' 'set trackingLog: true in the program, and run `pulumi up`: from then on there is one'
  fi
  if check_released; then
    chrony_now=$(date +%s.%3N) time_as_of=$(date -u "$instant_format") time_bound_ns='' time_bound_reason=$released_text time_drift_ppb='' chrony_last=''
    sources_choose
    sources_errors
    clock_look
  else
    sources_choose
    chrony_state
  fi
  clock_owners
  if [ -z "$held_until" ]; then held_until=$time_as_of held_to=$chrony_now; fi
  tracking_log_read "$held_from" "$held_to"
  held_since=$1
  json "$held_reason"
  printf '{"heldSince":"%s","heldUntil":"%s","heldBoundNs":%s,"heldReason":%s,"maxErrorNs":%s}\n' "$held_since" "$held_until" "${held_bound_ns:-null}" "$json" "$plan_max_error_ns"
  held_text
  say "$held_text (its budget is $((plan_max_error_ns / 1000)) us)"
  if [ -z "$held_bound_ns" ]; then untrue; fi
}

# held_instant TEXT: sets held_instant to an ISO 8601 time in UTC, in seconds since 1970; one that is past.
held_instant() {
  case "$1" in
    *[!0-9TZ:.-]* | *.*.*) ;;
    [12][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z | ????-??-??T??:??:??.[0-9]*Z)
      if held_instant=$(date -u -d "$1" +%s.%3N 2>/dev/null); then
        if [ "${held_instant%.*}" -gt "$(date +%s)" ]; then usage_error "$1 is still to come"; fi
        return 0
      fi
      ;;
  esac
  usage_error "\"$1\" is no time in UTC such as $(date -u "$instant_format"), which ends in Z: see \`date -u $instant_format\`"
}
