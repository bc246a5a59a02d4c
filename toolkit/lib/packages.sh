# shellcheck shell=sh
# Installing and removing packages without anybody at the terminal.

# needrestart asks, or restarts daemons, in the middle of an installation on Ubuntu; env because sudo drops it. The
# limit is above the wait for the lock and an installation together: dpkg must not be ended in its middle.
apt() {
  env LC_ALL=C DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l NEEDRESTART_SUSPEND=1 timeout 1500 apt-get -q -y \
    -o DPkg::Lock::Timeout=600 -o Dpkg::Options::=--force-confold -o Acquire::Retries=3 -o Acquire::http::Timeout=30 \
    --no-install-recommends "$@"
}

# The lock of the lists is not covered by DPkg::Lock::Timeout: the daily refresh of a fresh host may hold it.
apt_update() {
  for apt_try in 1 2 3 4 5 6 7 8 9 10 11 12; do
    apt update && return 0
    if ! grep -q 'Could not get lock.*/lists/lock' "$work/output"; then return 1; fi
    sleep 10
    : >"$work/output"
  done
  return 1
}

# Whether it is there; that it is to stay as it is (hold) is the first letter's matter.
package_installed() {
  case "$(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null || :)" in
    ?i*) return 0 ;;
    *) return 1 ;;
  esac
}

# packages_change TEXT ARG...: installs (and with `name-` removes) these packages. When that fails, an installation
# that was cut is finished first, and the lists are refreshed: old ones name files that the mirror has dropped.
packages_change() {
  packages_text=$1
  shift
  if patiently "$packages_text" apt install "$@"; then return 0; fi
  if grep -q 'dpkg was interrupted' "$work/output"; then
    patiently 'finishing an interrupted installation' packages_finish || :
  fi
  patiently 'refreshing the package lists' apt_update ||
    fail 'the package lists could not be refreshed (the output is above)' 'check the mirror in /etc/apt and the network of this host'
  patiently "$packages_text" apt install "$@"
}

packages_finish() { env DEBIAN_FRONTEND=noninteractive timeout 900 dpkg --force-confold --configure -a; }

# packages_removed_by ARG...: the packages that apt would remove with these arguments, a line each. Fails where apt does
# not know what to do, as without lists.
packages_removed_by() {
  apt -s install "$@" >"$work/simulation" 2>/dev/null || return 1
  awk '/^(Remv|Purg) / { print $2 }' "$work/simulation"
}
