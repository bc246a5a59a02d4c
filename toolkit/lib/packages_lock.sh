# shellcheck shell=sh
# Waiting for whoever holds the package tools, with a limit: before anything is changed, when somebody takes the lock between
# that and the installation, before the boot loader is changed, and before a reboot. Who holds it is named.

packages_lock_seconds=600

# packages_await: until nobody holds the package tools.
packages_await() {
  packages_wait_begin
  while packages_holder; do packages_wait 2; done
}

packages_wait_begin() {
  uptime_seconds
  packages_waited_from=$uptime_seconds
  packages_said=
}

# packages_wait SECONDS: says who holds the package tools, and waits once; fails when all waiting is over the limit.
packages_wait() {
  uptime_seconds
  packages_waited=$((uptime_seconds - packages_waited_from))
  if [ "$packages_waited" -ge "$packages_lock_seconds" ]; then
    # A list of our own must not outlive us. One of a run that was cut is still needed: who holds the lock may be finishing
    # what that run has begun.
    if [ "$packages_fresh" = yes ]; then packages_gone; fi
    fail "the package manager has been locked for $packages_waited s by $packages_holder" \
      'see what it does (ps, journalctl) and end it, or wait for it; then run this again'
  fi
  if [ $((packages_waited / 10)) != "$packages_said" ]; then
    packages_said=$((packages_waited / 10))
    say "waiting for the package manager, held by $packages_holder, $packages_waited of $packages_lock_seconds s"
  fi
  sleep "$1"
}

# packages_unlocked WORD...: <family>_change, again and again while the tools say that another program holds the lock. All
# that they say is kept for packages_gone.
packages_unlocked() {
  packages_wait_begin
  until packages_heard patiently "$packages_text" "${os_packages}_change" "$@"; do
    if ! "${os_packages}_locked"; then return 1; fi
    if ! packages_holder; then packages_holder='another program'; fi
    packages_wait 10
    while packages_holder; do packages_wait 2; done
  done
  # What the scripts of packages write nobody makes durable. After a power cut it would be empty, as if by somebody's hand.
  sync
}

packages_heard() {
  packages_status=0
  "$@" || packages_status=$?
  cat -- "$work/output" >>"$work/packages-output"
  return "$packages_status"
}

# packages_holder: whether somebody holds the package manager; sets packages_holder to "name (process) with lock file".
packages_holder() {
  packages_holder=
  for packages_lock in $("${os_packages}_locks"); do
    if [ ! -e "$TIMEBASE_ROOT$packages_lock" ]; then continue; fi
    for packages_pid in $(packages_holders "$TIMEBASE_ROOT$packages_lock"); do
      first_line "$TIMEBASE_ROOT/proc/$packages_pid/comm"
      packages_holder="$first_line (process $packages_pid, $packages_lock)"
      return 0
    done
  done
  return 1
}

# packages_holders FILE: the processes that hold it. A file of the kind pid holds the process; the others are locked by
# fcntl(2). The kernel lists locks by inode (proc_locks(5)), and inodes of two file systems may be the same number, so a
# process must also have the file open.
packages_holders() {
  case "$1" in
    *.pid)
      first_line "$1"
      packages_candidates=$first_line
      ;;
    *)
      packages_inode=$(stat -L -c %i "$1")
      packages_file=$(readlink -f -- "$1")
      packages_candidates=$(awk -v inode=":$packages_inode$" '$2 != "->" && $6 ~ inode { print $5 }' "$TIMEBASE_ROOT/proc/locks" 2>/dev/null) || :
      ;;
  esac
  for packages_candidate in $packages_candidates; do
    case "$1" in
      *.pid)
        # After a power cut the number may have become anybody's.
        first_line "$TIMEBASE_ROOT/proc/$packages_candidate/comm"
        case "$first_line" in dnf* | yum* | python* | packagekitd) printf '%s\n' "$packages_candidate" ;; esac
        ;;
      *)
        if has_line "$(readlink "$TIMEBASE_ROOT/proc/$packages_candidate/fd"/* 2>/dev/null || :)" "$packages_file"; then
          printf '%s\n' "$packages_candidate"
        fi
        ;;
    esac
  done
}
