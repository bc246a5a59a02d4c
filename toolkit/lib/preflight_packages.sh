# shellcheck shell=sh
# Whether the package manager is free, when a package has to be installed: somebody who holds it for ever is named
# before anything is changed, and not in the middle of an installation.

preflight_packages_seconds=600

# The locks of each package manager. A file of the kind pid holds the process; the others are locked by fcntl(2).
package_locks() {
  case "$os_packages" in
    apt) printf '%s\n' /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/cache/apt/archives/lock ;;
    yum | dnf) printf '%s\n' /var/lib/rpm/.rpm.lock /run/yum.pid ;;
  esac
}

# What is installed already needs no package manager.
preflight_packages() {
  if package_installed chrony; then return 0; fi
  packages_waited_from=$(uptime_seconds)
  packages_said=
  while packages_holder; do
    packages_waited=$(($(uptime_seconds) - packages_waited_from))
    if [ "$packages_waited" -ge "$preflight_packages_seconds" ]; then
      fail "the package manager has been locked for $packages_waited s by $packages_holder" \
        'see what it does (ps, journalctl) and end it, or wait for it; then run `pulumi up` again'
    fi
    if [ $((packages_waited / 10)) != "$packages_said" ]; then
      packages_said=$((packages_waited / 10))
      say "waiting for the package manager, held by $packages_holder, $packages_waited of $preflight_packages_seconds s"
    fi
    sleep 2
  done
}

# packages_holder: whether somebody holds the package manager; sets packages_holder to "name (process) with lock file".
packages_holder() {
  packages_holder=
  for packages_lock in $(package_locks); do
    if [ ! -e "$TIMEBASE_ROOT$packages_lock" ]; then continue; fi
    for packages_pid in $(packages_holders "$TIMEBASE_ROOT$packages_lock"); do
      packages_holder="$(first_line "$TIMEBASE_ROOT/proc/$packages_pid/comm") (process $packages_pid, $packages_lock)"
      return 0
    done
  done
  return 1
}

# packages_holders FILE: the processes that hold it. The kernel lists locks by inode (proc_locks(5)), and inodes of two
# file systems may be the same number, so a process must also have the file open.
packages_holders() {
  case "$1" in
    *.pid) packages_candidates=$(first_line "$1") ;;
    *)
      packages_inode=$(stat -c %i "$1")
      packages_candidates=$(awk -v inode=":$packages_inode$" '$2 != "->" && $6 ~ inode { print $5 }' "$TIMEBASE_ROOT/proc/locks" 2>/dev/null) || :
      ;;
  esac
  for packages_candidate in $packages_candidates; do
    case "$1" in
      *.pid) if [ -d "$TIMEBASE_ROOT/proc/$packages_candidate" ]; then printf '%s\n' "$packages_candidate"; fi ;;
      *)
        if has_line "$(readlink "$TIMEBASE_ROOT/proc/$packages_candidate/fd"/* 2>/dev/null || :)" "$1"; then
          printf '%s\n' "$packages_candidate"
        fi
        ;;
    esac
  done
}
