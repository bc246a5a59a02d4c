# shellcheck shell=sh
# apt and dpkg: Ubuntu and Debian.

# needrestart asks, or restarts daemons, in the middle of an installation on Ubuntu; env because sudo drops it. The
# limit is above the wait for the lock and an installation together: dpkg must not be ended in its middle.
apt() {
  env LC_ALL=C DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l NEEDRESTART_SUSPEND=1 timeout 1500 apt-get -q -y \
    -o DPkg::Lock::Timeout=600 -o Dpkg::Options::=--force-confold -o Acquire::Retries=3 -o Acquire::http::Timeout=30 \
    --no-install-recommends "$@"
}

apt_change() { apt install "$@"; }

# The lock of the lists is not covered by DPkg::Lock::Timeout: the daily refresh of a fresh host may hold it.
apt_refresh() {
  for apt_try in 1 2 3 4 5 6 7 8 9 10 11 12; do
    apt update && return 0
    if ! grep -q 'Could not get lock.*/lists/lock' "$work/output"; then return 1; fi
    sleep 10
    : >"$work/output"
  done
  return 1
}

apt_locks() { printf '%s\n' /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/cache/apt/archives/lock; }

# apt waits for dpkg's lock by itself.
apt_locked() { return 1; }

apt_installed() {
  case "$(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null || :)" in
    ?i*) return 0 ;;
    *) return 1 ;;
  esac
}

# Also what is there and not configured yet, or waits for a trigger.
apt_list() { dpkg-query -W -f '${db:Status-Abbrev}${binary:Package}\n' | sed -n 's/^.[^nc].//p'; }

# Only what is followed by a version: a configuration file that is obsolete is removed too.
apt_removed() {
  sed -n -e 's/^Removing \([^ ]*\) (.*/\1/p' -e 's/^(Noting disappearance of \([^ ]*\), .*/\1/p' \
    -e 's/.*yes, will remove \([^ ]*\) in favour of .*/\1/p' "$1"
}

apt_mend() {
  if grep -q 'dpkg was interrupted' "$work/output"; then
    patiently 'finishing an interrupted installation' apt_configure
  fi
}

# With --force-confold, and with purge, nothing is put aside.
apt_leftovers() { :; }

apt_chronyd_options() { printf 'DAEMON_OPTS in /etc/default/chrony'; }

apt_configure() { env DEBIAN_FRONTEND=noninteractive timeout 900 dpkg --force-confold --configure -a; }

apt_removed_by() {
  apt -s install "$@" >"$work/simulation" 2>&1 || return 1
  awk '/^(Remv|Purg) / { print $2 }' "$work/simulation"
}

apt_unknown() {
  if apt -s install "$1" >"$work/simulation" 2>&1; then return 1; fi
  grep -qE 'Unable to locate package|has no installation candidate' "$work/simulation"
}
