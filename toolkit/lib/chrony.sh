# shellcheck shell=sh
# Time: exactly one daemon, chrony, with exactly the sources of the plan.

time_converge() {
  units_read
  rivals_stop
  chrony_install
  rivals_mask
  ptp_install
  keys_converge
  tracking_log_converge
  chrony_conf_text
  printf %s "$chrony_conf_text" >"$work/chrony.conf"
  chrony_own "$os_chrony_conf" "$work/chrony.conf"
  sources_converge
  ptp_converge
  if ! has_word "$chrony_unit" enabled; then
    systemctl --quiet enable "$os_chrony_service" ||
      fail "$os_chrony_service could not be enabled (why is above)" \
        "see \`systemctl status $os_chrony_service\` on the host; if it was masked since, systemctl unmask $os_chrony_service"
  fi
}

# In /run, because a boot starts the daemon with what is written, and settles the debt.
chrony_restart_due=$TIMEBASE_ROOT/run/timebase.chrony-restart-due

# chrony_own PATH CONTENT: file_own of what the daemon is started with. That it has to be restarted is written before, so that
# a converge that is cut after the write still does it the next time.
chrony_own() {
  if ! cmp -s -- "$2" "$1"; then file_write "$chrony_restart_due" /dev/null; fi
  file_own time "$1" "$2"
}

# chrony_start: the running daemon is one that has read the configuration. Of no use just before a reboot.
chrony_start() {
  if [ ! -e "$chrony_restart_due" ] && has_word "$chrony_unit" active; then return 0; fi
  say "restarting $os_chrony_service"
  # Of a converge that was cut, systemd may know the old units only.
  if [ "$sources_dynamic" = yes ] || [ -n "$plan_ptp_role" ]; then systemctl daemon-reload; fi
  systemctl restart "$os_chrony_service" ||
    fail "$os_chrony_service does not start" "see \`journalctl -u $os_chrony_service\` on the host"
  rm -f -- "$chrony_restart_due"
}

# The whole configuration, because every source that is not in the plan would be a second opinion about the time.
chrony_conf_text() {
  chrony_lines=
  for chrony_allowed in $plan_time_allow; do chrony_lines="${chrony_lines}allow $chrony_allowed$newline"; done
  if plan_is_timescale; then chrony_lines="${chrony_lines}local stratum 10$newline"; fi
  if [ -n "$plan_time_keys" ]; then
    keys_path
    chrony_lines="${chrony_lines}keyfile ${keys_file#"$TIMEBASE_ROOT"}$newline"
  fi
  # What is not authenticated has no say, wherever it came from.
  if plan_authenticates; then chrony_lines="${chrony_lines}authselectmode require$newline"; fi
  pairs_lines
  if [ "$plan_tracking_log" = yes ]; then chrony_lines="${chrony_lines}logdir $tracking_log_path${newline}log tracking${newline}logbanner 0$newline"; fi
  if [ "$sources_dynamic" = yes ]; then chrony_lines="${chrony_lines}confdir $sources_folder$newline"; fi
  chrony_conf_text="# Written by timebase for $plan_owner; \`sudo timebase revert\` restores what was here before.
${sources_fixed}${pairs_lines}${chrony_lines}driftfile $os_chrony_drift
ntsdumpdir /var/lib/chrony
# Stepped before the gate, never after: in the first three updates only.
makestep 0.1 3
rtcsync
# The offset that chronyd tells is then of the source whose delay and dispersion it tells, and not a mean with others'.
combinelimit 0
# ppm; the default of 1 makes the root dispersion, and so the error bound, too optimistic for a virtual machine.
maxclockerror $plan_max_clock_error_ppm
"
}

# Debian's packages of time daemons conflict with each other: installing one removes the others. What whoever holds the
# package tools is just doing, is his: it may be that he installs chrony.
chrony_install() {
  if [ "$chrony_installed" = no ]; then
    packages_await
    if package_installed chrony; then
      chrony_installed=yes
      units_read
    fi
  fi
  if [ "$chrony_installed" = yes ]; then
    # Of an installation that was cut.
    packages_gone
    if chrony_was_installed && [ ! -e "$chrony_files_record" ]; then chrony_cut; fi
    # shellcheck disable=SC2086 # three words
    if ! chrony_was_installed; then facts_add time unit $chrony_unit; fi
    return 0
  fi
  packages_remember
  # Before the package, which brings a configuration of its own.
  for chrony_file in "$os_chrony_conf" $("${os_packages}_leftovers" "$os_chrony_conf"); do record_file time "$chrony_file"; done
  # A package that was removed and not purged has left its configuration, which is the user's.
  if [ -e "$chrony_folder" ] || [ -e "$os_chrony_conf" ]; then facts_add time installed chrony over-configuration; else facts_add time installed chrony; fi
  packages_change 'installing chrony' chrony || {
    packages_gone
    fail 'package chrony could not be installed (the output is above)' "install it by hand: $os_package_program install chrony"
  }
  packages_gone
  if ! package_installed chrony; then
    fail "$os_package_program says that it has installed chrony, and it is not there" "install it by hand: $os_package_program install chrony"
  fi
  chrony_files >"$work/chrony-files"
  chrony_brought
}

# chrony_absent: an installation that has left nothing of chrony is none of ours: one that comes later is the user's.
chrony_absent() {
  facts_drop time 'installed chrony'
  for record in "$TIMEBASE_STATE/files/time"/*; do
    if [ ! -e "$record/ours" ]; then rm -rf -- "$record"; fi
  done
}

# chrony_cut: an installation that was cut has come to its end, of apt's or of the user's. What a package brings is as old
# as the package; a configuration that is newer than our record is the user's, and so is his chrony.
chrony_cut() {
  record_folder time "$os_chrony_conf"
  if [ -n "$(find "$os_chrony_conf" -newer "$record/path" 2>/dev/null)" ]; then
    say "$os_chrony_conf was written since the installation was cut: this chrony is taken for yours, and stays"
    chrony_absent
    return 0
  fi
  chrony_files ! -newer "$record/path" >"$work/chrony-files"
  chrony_brought
}

# chrony_brought: what the package has brought ($work/chrony-files, and the configuration) is ours to take away.
chrony_brought() {
  record_folder time "$os_chrony_conf"
  if [ -e "$os_chrony_conf" ] && ! cmp -s -- "$record/was" "$os_chrony_conf"; then file_write "$record/ours" "$os_chrony_conf"; fi
  file_write "$chrony_files_record" "$work/chrony-files"
}

chrony_folder=$TIMEBASE_ROOT/etc/chrony
chrony_files_record=$TIMEBASE_STATE/chrony-files
# chrony_files [WORD...]: the files of chrony's folder, and what is in them; with words for find, those that it picks.
chrony_files() { find "$chrony_folder" -type f "$@" -exec cksum {} + 2>/dev/null | LC_ALL=C sort; }

# chrony_files_foreign: whether there are files in chrony's folder that neither the package nor we have put there, and
# which. Purging the package would remove the folder with all that is in it.
chrony_files_foreign() {
  keys_path
  chrony_files | grep -v -e " $os_chrony_conf\$" -e " $keys_file\$" >"$work/chrony-files" || :
  chrony_known=$chrony_files_record
  if [ ! -e "$chrony_known" ]; then chrony_known=/dev/null; fi
  grep -vxFf "$chrony_known" "$work/chrony-files"
}

# chrony_was_installed [FACT]: whether we have installed chrony; with a fact, whether in this way.
chrony_was_installed() { facts_have time "installed chrony${1:+ $1}"; }

# What of the user's was changed is kept first; then packages, which remove and write configuration; then files; then
# units. Every step can be done again, because a revert that was cut is run again.
time_revert() {
  packages_gone
  if chrony_was_installed && package_installed chrony && [ ! -e "$chrony_files_record" ]; then chrony_cut; fi
  facts_of time
  time_facts=$facts_of
  files_keep time
  ptp_revert
  # Before the package, whose folder it is in.
  tracking_log_revert
  packages_revert
  ptp_package_revert
  sources_revert
  files_restore time
  rivals_unmask
  printf '%s\n' "$time_facts" | while read -r time_fact time_unit time_enabled time_active; do
    if [ "$time_fact" != unit ]; then continue; fi
    case "$time_enabled" in
      enabled) systemctl --quiet enable "$time_unit" ;;
      disabled) systemctl --quiet disable "$time_unit" ;;
    esac || say "$time_unit could not be $time_enabled again"
    case "$time_active" in
      active) systemctl restart "$time_unit" ;;
      inactive) systemctl stop "$time_unit" ;;
    esac || say "$time_unit could not be made $time_active again"
  done
  rm -f -- "$chrony_restart_due" "$chrony_files_record" "$released_file" "$clock_looked"
  record_forget time
}

# packages_revert: chrony goes, and what its installation removed comes back; nothing else may go with it.
packages_revert() {
  packages_wanted=
  if chrony_was_installed && package_installed chrony; then packages_wanted=chrony-; fi
  for packages_name in $(printf '%s\n' "$time_facts" | sed -n 's/^removed //p'); do
    if package_installed "$packages_name"; then continue; fi
    if packages_unknown "$packages_name"; then
      say "$packages_name stays away: the package mirror of this host does not know it any more"
      continue
    fi
    packages_wanted="$packages_wanted $packages_name"
  done
  if [ -z "$packages_wanted" ]; then return 0; fi
  packages_purge=--purge
  if chrony_was_installed over-configuration || chrony_files_foreign >/dev/null; then
    packages_purge=--no-purge
    say "chrony's configuration stays, because purging chrony would remove more than chrony's own files"
  fi
  # shellcheck disable=SC2086 # a list of packages
  packages_simulate $packages_wanted
  # A chrony that is not ours to remove is another package like all others.
  packages_others=$(case "$packages_wanted" in chrony-*) grep -vx chrony "$work/removed" ;; *) cat "$work/removed" ;; esac | tr '\n' ' ')
  packages_others=${packages_others% }
  case "$packages_wanted:$packages_others" in
    *:) ;;
    chrony-*) fail "removing chrony would remove $packages_others too" 'remove these packages by hand if they are not needed, then run this again' ;;
    *)
      say "$packages_wanted stays away: it would remove $packages_others"
      return 0
      ;;
  esac
  # shellcheck disable=SC2086 # a list of packages
  packages_change "putting packages back: $packages_wanted" "$packages_purge" $packages_wanted ||
    fail 'the packages could not be put back as they were (the output is above)' 'run `pulumi destroy` again when the package mirror answers'
  # What the daemon has written while it was ours. Not every package takes it away.
  if ! chrony_was_installed over-configuration && ! package_installed chrony; then
    rm -f -- "$TIMEBASE_ROOT$os_chrony_drift"
    rmdir -- "$TIMEBASE_ROOT${os_chrony_drift%/*}" 2>/dev/null || :
  fi
}

# chrony_references: sets chrony_first and chrony_last to the reference times of the first and the last of chronyc's lines.
chrony_references() {
  # What the variables of `read` have at the end of a file is nothing.
  chrony_first='' chrony_last=''
  while IFS=, read -r chrony_id chrony_name chrony_tier chrony_reference chrony_rest; do
    chrony_first=${chrony_first:-$chrony_reference} chrony_last=$chrony_reference
  done <"$work/chrony"
}

# chrony_state: sets time_* from what the daemon says now: lib/chrony_state.awk turns it into checks and figures.
chrony_state() {
  time_checks='' time_as_of='' time_source='' time_kind='' time_stratum='' time_bound_ns='' time_bound_reason='' time_drift_ppb='' time_pairs='' time_pairs_unknown=''
  chrony_asked=$(date +%s%3N)
  # Asked at once: what a source was is not asked of another one.
  chrony_more=
  if plan_authenticates; then chrony_more=authdata; fi
  if [ "$plan_timescale" = utc ] || [ -n "$plan_time_pairs" ]; then chrony_more="$chrony_more ntpdata"; fi
  # What it says of one instant: again where it has measured while it was asked.
  for chrony_times in 1 2 3; do
    # shellcheck disable=SC2086 # words
    LC_ALL=C timeout 10 chronyc -N -c -m tracking sources $chrony_more tracking >"$work/chrony" 2>&1 || printf 'chronyc failed\n' >>"$work/chrony"
    chrony_references
    if [ "$chrony_first" = "$chrony_last" ]; then break; fi
  done
  # After the reading: a clock that is being slewed was further off before it, and the bound holds from this instant on.
  read -r chrony_read time_as_of <<NOW
$(date -u '+%s%3N %Y-%m-%dT%H:%M:%S.%3NZ')
NOW
  chrony_now=${chrony_read%???}.${chrony_read#"${chrony_read%???}"}
  # After that instant: who sets the clock before it is seen.
  clock_look
  sources_errors
  ptp_state
  if [ -n "$ptp_error" ]; then sources_errors="${sources_errors}PTP0 $ptp_error$newline"; fi
  chrony_itself=no
  if plan_is_timescale; then chrony_itself=yes; fi
  while IFS='=' read -r chrony_key chrony_value; do
    case "$chrony_key" in
      check) time_checks="${time_checks:+$time_checks$newline}$chrony_value" ;;
      source) time_source=$chrony_value ;;
      kind) time_kind=$chrony_value ;;
      stratum) time_stratum=$chrony_value ;;
      bound-ns) time_bound_ns=$chrony_value ;;
      bound-reason) time_bound_reason=$chrony_value ;;
      drift-ppb) time_drift_ppb=$chrony_value ;;
      measured) clock_remember "$chrony_value" ;;
      pair) time_pairs="${time_pairs:+$time_pairs$newline}$chrony_value" ;;
      pairs-unknown) time_pairs_unknown=$chrony_value ;;
    esac
  done <<STATE
$(TIMEBASE_SOURCES=$sources_fixed$sources_run TIMEBASE_PAIRS=$plan_time_pairs TIMEBASE_ERRORS=$sources_errors LC_ALL=C awk -v await_pairs="$plan_await_pairs" -v service="$os_chrony_service" -v now="$chrony_now" -v read_ms="$((chrony_read - chrony_asked))" \
    -v same="$clock_same" -v seen_ns="$clock_seen_ns" -v seen="$clock_measured" -v itself="$chrony_itself" -v budget_ns="$plan_max_error_ns" -v ptp="$plan_ptp_address" -v maxclockerror_ppm="$plan_max_clock_error_ppm" -v timescale="$plan_timescale" \
    -f "$TIMEBASE_HOME/lib/chrony_sources.awk" -f "$TIMEBASE_HOME/lib/chrony_state.awk" "$work/chrony")
STATE
  case "$time_checks" in
    *time.bound"$tab"*) ;;
    *)
      time_bound_reason='what chrony says could not be read'
      time_checks="time.bound${tab}fail${tab}a bound$tab$time_bound_reason${tab}see if awk works on this host"
      ;;
  esac
  time_checks="${ptp_checks:+$ptp_checks$newline}$time_checks"
}

# time_settle: waits until the time checks hold, and the bound is what is waited for, at most the plan's time, and says how it
# goes.
time_settle() {
  settle_budget_ns=$plan_max_error_ns
  if [ "${plan_settle_error_ns:-$settle_budget_ns}" -lt "$settle_budget_ns" ]; then settle_budget_ns=$plan_settle_error_ns; fi
  uptime_seconds
  settle_start=$uptime_seconds
  settle_said=0 settle_bound_ns='' settle_ask_at=0 settle_ask_gap=60
  while chrony_state; do
    case "$time_checks" in
      *"${tab}fail$tab"*) ;;
      *) if [ "$time_bound_ns" -le "$settle_budget_ns" ]; then return 0; fi ;;
    esac
    uptime_seconds
    settle_elapsed=$((uptime_seconds - settle_start))
    if [ "$settle_elapsed" -ge "$plan_settle_seconds" ]; then return 0; fi
    settle_ask
    if [ $((settle_elapsed - settle_said)) -ge 5 ]; then
      settle_said=$settle_elapsed
      settle_trend
      say "settling: bound ${time_bound_ns:+$((time_bound_ns / 1000)) us}${settle_trend:+ ($settle_trend)}${time_bound_reason:+unknown ($time_bound_reason)}, budget $((settle_budget_ns / 1000)) us${time_pairs_unknown:+, not measured: $time_pairs_unknown}, $settle_elapsed of $plan_settle_seconds s"
    fi
    sleep 1
  done
}

# settle_ask: has chronyd ask its servers at once, and again after 1, 2, 4 minutes and so on: its next measurement, which is
# waited for, may be due in 17 minutes, and the bound is wide until then, as are those of the hosts that are read together with
# this one. All servers, as chronyc would look a name up itself, and may find another address than chronyd.
settle_ask() {
  if [ "$time_kind" != server ] || [ "$settle_elapsed" -lt "$settle_ask_at" ]; then return 0; fi
  if timeout 10 chronyc burst 2/4 >/dev/null 2>&1; then
    settle_ask_at=$((settle_elapsed + settle_ask_gap)) settle_ask_gap=$((2 * settle_ask_gap))
  fi
}

# settle_trend: sets settle_trend to what the bound has done since the last line; nothing where one of the two is unknown.
# Steady is within a twentieth.
settle_trend() {
  settle_trend=''
  if [ -n "$settle_bound_ns" ] && [ -n "$time_bound_ns" ]; then
    if [ "$time_bound_ns" -lt $((settle_bound_ns - settle_bound_ns / 20)) ]; then
      settle_trend=falling
    elif [ "$time_bound_ns" -gt $((settle_bound_ns + settle_bound_ns / 20)) ]; then
      settle_trend=rising
    else
      settle_trend=steady
    fi
  fi
  settle_bound_ns=$time_bound_ns
}
