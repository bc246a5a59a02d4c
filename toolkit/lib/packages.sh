# shellcheck shell=sh
# Installing and removing packages without anybody at the terminal. One file for each family of package tools,
# lib/packages_<os_packages>.sh, with these functions:
#   <family>_installed NAME      whether it is there; that it is to stay as it is (hold) is another matter
#   <family>_change WORD...      installs these packages and removes those that are written `name-`; --purge and
#                                --no-purge tell what becomes of configuration, where the family knows that
#   <family>_list                the names of all packages that are installed, a line each
#   <family>_removed FILE        the packages that <family>_change has removed, as its output in FILE says, a line each
#   <family>_removed_by WORD...  the packages that this would remove, a line each; fails when it cannot be known, which
#                                $work/simulation tells
#   <family>_unknown NAME        whether the lists say that there is no such package; not when they cannot be read
#   <family>_refresh             gets the lists of packages anew
#   <family>_locks               the files by which the tools keep each other out, a line each
#   <family>_locked              whether the last output ($work/output) says that another program holds the lock
#   <family>_leftovers FILE      what the tools make of FILE when they put it, or their own version of it, aside
#   <family>_chronyd_options     where the service of chrony's package gets chronyd's options from, as a text
#   <family>_mend                finishes what an earlier installation has left unfinished, if there is such a thing

package_installed() { "${os_packages}_installed" "$1"; }

# packages_simulate WORD...: $work/removed becomes what this would remove. What cannot be known is not nothing.
packages_simulate() {
  if "${os_packages}_removed_by" "$@" >"$work/removed"; then return 0; fi
  packages_refreshed
  "${os_packages}_removed_by" "$@" >"$work/removed" ||
    fail "what else $os_package_program would remove with \"$*\" cannot be known: $(tail -n 1 "$work/simulation")" \
      "see what \`$os_package_program check\` says on the host, mend it, then run this again"
}

# packages_unknown NAME: whether the mirror knows no such package; old lists, or none, do not tell.
packages_unknown() {
  if ! "${os_packages}_unknown" "$1"; then return 1; fi
  packages_refreshed
  "${os_packages}_unknown" "$1"
}

packages_before=$TIMEBASE_STATE/packages-before
# Whether this process has made that list, and so has heard all that was done since, in $work/packages-output.
packages_fresh=no

# packages_remember: what is installed before a change, durably. Of a change that was cut, the first one counts.
packages_remember() {
  if [ -e "$packages_before" ]; then return 0; fi
  packages_list
  file_write "$packages_before" "$work/packages"
  : >"$work/packages-output"
  packages_fresh=yes
}

# packages_gone: what was installed then, and is not now, becomes a fact, and the list goes: what the user removes later is
# his own matter. So it is asked after a change that failed, too. What went while our tools waited for somebody else's is
# not ours either; only of a run that was cut nobody knows any more what its tools have said.
packages_gone() {
  if [ ! -e "$packages_before" ]; then return 0; fi
  packages_list
  grep -vxFf "$work/packages" "$packages_before" >"$work/packages-gone" || [ $? = 1 ] || work_full
  if [ "$packages_fresh" = yes ]; then
    "${os_packages}_removed" "$work/packages-output" >"$work/packages-removed"
    grep -xFf "$work/packages-removed" "$work/packages-gone" >"$work/packages-ours" || [ $? = 1 ] || work_full
    mv -- "$work/packages-ours" "$work/packages-gone"
  fi
  while read -r packages_name; do facts_add time removed "$packages_name"; done <"$work/packages-gone"
  if ! grep -qx chrony "$work/packages"; then chrony_absent; fi
  if ! grep -qx linuxptp "$work/packages"; then ptp_absent; fi
  rm -f -- "$packages_before"
}

# To an empty list, or half of one, what is not in it would be gone.
packages_list() {
  if ! "${os_packages}_list" >"$work/packages" || [ ! -s "$work/packages" ]; then
    fail 'the list of installed packages cannot be read' "see what $os_package_program and its database say on the host"
  fi
}

packages_refreshed() {
  if patiently 'refreshing the package lists' "${os_packages}_refresh"; then return 0; fi
  packages_room
  packages_gone
  fail 'the package lists could not be refreshed (the output is above)' 'check the mirror that this host gets its packages from, and its network'
}

# packages_room: a disk that is full is no fault of a mirror. In the words of dpkg, apt, and yum and dnf.
packages_room() {
  if ! grep -qE "No space left on device|have enough free space|more space needed on" "$work/output"; then return 0; fi
  packages_gone
  fail "$os_package_program has no room for what it is to do (the output is above)" 'make room there (see `df -hi` on the host), then run this again'
}

# packages_reached: a mirror that does not answer does not get better by asking it for its lists too, for minutes. In the
# words of apt, and of curl, by which yum and dnf ask.
packages_reached() {
  if ! grep -qiE "timed out|could not (connect|resolve)|connection (failed|refused)|failed to connect|failure resolving|network is unreachable|too slow" "$work/output"; then return 0; fi
  packages_gone
  fail 'the package mirror does not answer (the output is above)' 'check the mirror that this host gets its packages from, its proxy and its network, then run this again'
}

# packages_change TEXT WORD...: when it fails, an installation that was cut is finished first, and the lists are
# refreshed: old ones name files that the mirror has dropped.
packages_change() {
  packages_text=$1
  shift
  if packages_unlocked "$@"; then return 0; fi
  packages_room
  packages_reached
  "${os_packages}_mend" || :
  packages_refreshed
  packages_unlocked "$@"
}
