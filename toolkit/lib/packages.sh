# shellcheck shell=sh
# Installing and removing packages without anybody at the terminal.

# needrestart asks, or restarts daemons, in the middle of an installation on Ubuntu; env because sudo drops it.
apt() {
  env DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l NEEDRESTART_SUSPEND=1 timeout 900 apt-get -q -y \
    -o DPkg::Lock::Timeout=600 -o Dpkg::Options::=--force-confold -o Acquire::Retries=3 -o Acquire::http::Timeout=30 "$@"
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

package_installed() {
  case "$(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null || :)" in
    ii*) return 0 ;;
    *) return 1 ;;
  esac
}

# package_install NAME: from the lists that are there, and only if that fails from fresh ones.
package_install() {
  if patiently "installing $1" apt install --no-install-recommends "$1"; then return 0; fi
  patiently 'refreshing the package lists' apt_update ||
    fail 'the package lists could not be refreshed (the output is above)' 'check the mirror in /etc/apt and the network of this host'
  patiently "installing $1" apt install --no-install-recommends "$1" ||
    fail "package $1 could not be installed (the output is above)" "install it by hand: apt-get install $1"
}
