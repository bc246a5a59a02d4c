# shellcheck shell=sh
# One converge or revert at a time on a host. The kernel drops the lock with its holder, so it is never stale.

lock_seconds=600

lock_take() {
  lock_file=$TIMEBASE_ROOT/run/timebase.lock
  if [ ! -d "${lock_file%/*}" ]; then mkdir -p "${lock_file%/*}"; fi
  exec 9>>"$lock_file"
  lock_waited=0
  until flock -n 9; do
    first_line "$lock_file"
    lock_holder=$first_line
    if [ "$lock_waited" -ge "$lock_seconds" ]; then
      fail "another timebase still runs here after $lock_seconds s: ${lock_holder:-unknown}" 'wait for it, or end it, then run this again'
    fi
    say "waiting for another timebase on this host (${lock_holder:-starting}), $lock_waited of $lock_seconds s"
    flock -w 5 9 && break
    lock_waited=$((lock_waited + 5))
  done
  reboot_refuse_ordered
  printf '%s of %s, process %s\n' "$TIMEBASE_VERB" "${plan_owner:-somebody on this host}" "$$" >"$lock_file"
}
