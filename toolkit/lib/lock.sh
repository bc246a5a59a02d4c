# shellcheck shell=sh
# One converge or revert at a time on a host. The kernel drops the lock with its holder, so it is never stale.

lock_seconds=600

lock_take() {
  lock_file=$TIMEBASE_ROOT/run/timebase.lock
  if [ ! -d "${lock_file%/*}" ]; then mkdir -p "${lock_file%/*}"; fi
  exec 9>>"$lock_file"
  uptime_seconds
  lock_waited_from=$uptime_seconds
  until flock -n 9; do
    first_line "$lock_file"
    lock_holder=$first_line
    uptime_seconds
    lock_waited=$((uptime_seconds - lock_waited_from))
    if [ "$lock_waited" -ge "$lock_seconds" ]; then
      fail "another timebase still runs here after $lock_waited s: ${lock_holder:-unknown}" 'wait for it, or end it, then run this again'
    fi
    say "waiting for another timebase on this host (${lock_holder:-starting}), $lock_waited of $lock_seconds s"
    flock -w 5 9 && break
  done
  reboot_refuse_ordered
  printf '%s of %s, process %s\n' "$TIMEBASE_VERB" "${plan_owner:-somebody on this host}" "$$" >"$lock_file"
}
