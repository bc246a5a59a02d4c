# shellcheck shell=sh
# Installing and removing packages without anybody at the terminal. One file for each family of package tools,
# lib/packages_<os_packages>.sh, with these functions:
#   <family>_installed NAME      whether it is there; that it is to stay as it is (hold) is another matter
#   <family>_change WORD...      installs these packages and removes those that are written `name-`; --purge and
#                                --no-purge tell what becomes of configuration, where the family knows that
#   <family>_removed_by WORD...  the packages that this would remove, a line each; fails when it cannot be known
#   <family>_refresh             gets the lists of packages anew
#   <family>_locks               the files by which the tools keep each other out, a line each
#   <family>_locked              whether the last output ($work/output) says that another program holds the lock
#   <family>_leftovers FILE      what the tools make of FILE when they put it, or their own version of it, aside
#   <family>_mend                finishes what an earlier installation has left unfinished, if there is such a thing

package_installed() { "${os_packages}_installed" "$1"; }

packages_removed_by() { "${os_packages}_removed_by" "$@"; }

packages_refresh() { patiently 'refreshing the package lists' "${os_packages}_refresh"; }

# packages_change TEXT WORD...: when it fails, an installation that was cut is finished first, and the lists are
# refreshed: old ones name files that the mirror has dropped.
packages_change() {
  packages_text=$1
  shift
  if packages_unlocked "$@"; then return 0; fi
  "${os_packages}_mend" || :
  packages_refresh ||
    fail 'the package lists could not be refreshed (the output is above)' 'check the mirror that this host gets its packages from, and its network'
  packages_unlocked "$@"
}
