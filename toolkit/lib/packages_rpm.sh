# shellcheck shell=sh
# rpm with yum (Amazon Linux 2) or dnf (Amazon Linux 2023).

# By default both wait for the lock for ever; with exit_on_lock they say so and end. The limit on time is for a mirror
# that does not answer, and far above an installation: rpm must not be ended in its middle.
rpm_run() {
  env LC_ALL=C timeout 1500 "$os_package_program" -y --setopt=exit_on_lock=True --setopt=timeout=30 --setopt=retries=3 "$@"
}

# Packages that nothing needs any more stay when the one that needed them goes: it may not have been us who wanted them.
rpm_change() {
  rpm_installs='' rpm_removes=''
  for rpm_word in "$@"; do
    case "$rpm_word" in
      --*) ;;
      *-) rpm_removes="$rpm_removes ${rpm_word%-}" ;;
      *) rpm_installs="$rpm_installs $rpm_word" ;;
    esac
  done
  # shellcheck disable=SC2086 # lists of packages
  if [ -n "$rpm_removes" ]; then rpm_run --setopt=clean_requirements_on_remove=False remove $rpm_removes || return 1; fi
  # shellcheck disable=SC2086 # lists of packages
  if [ -n "$rpm_installs" ]; then rpm_run install $rpm_installs; fi
}

# Every command of these programs gets lists that have expired by itself.
rpm_refresh() { rpm_run clean expire-cache; }

# rpm's own, yum's, and dnf's (dnf/lock.py).
rpm_locks() {
  printf '%s\n' /var/lib/rpm/.rpm.lock /run/yum.pid \
    /var/lib/dnf/rpmdb_lock.pid /var/cache/dnf/metadata_lock.pid /var/cache/dnf/download_lock.pid
}

rpm_locked() { grep -qiE '(^|[^a-z])lock' "$work/output"; }

rpm_installed() { rpm -q --quiet "$1"; }

rpm_list() { rpm -qa --queryformat '%{NAME}\n'; }

# "Erasing : [EPOCH:]NAME-VERSION-RELEASE.ARCH 1/2"; yum says the bare name where it knows no better.
rpm_removed() {
  awk '$1 ~ /^(Erasing|Removing|Obsoleting|Obsoleted)$/ && $2 == ":" {
    sub(/^[0-9]+:/, "", $3)
    print $3
    if (sub(/-[^-]*-[^-]*$/, "", $3)) print $3
  }' "$1"
}

rpm_leftovers() { printf '%s\n' "$1.rpmnew" "$1.rpmorig" "$1.rpmsave"; }

rpm_chronyd_options() { printf 'OPTIONS in /etc/sysconfig/chronyd'; }

rpm_mend() { :; }

# rpm_removed_by WORD...: what needs the packages that go, which rpm tells by refusing to try.
rpm_removed_by() {
  for rpm_word in "$@"; do
    case "$rpm_word" in
      --* | *[!-]) ;;
      *)
        LC_ALL=C rpm -e --test "${rpm_word%-}" >"$work/simulation" 2>&1 || grep -q ' is needed by (installed) ' "$work/simulation" || return 1
        awk '/ is needed by \(installed\) / { print $NF }' "$work/simulation"
        ;;
    esac
  done
}

rpm_unknown() {
  if rpm_run list "$1" >"$work/simulation" 2>&1; then return 1; fi
  grep -qi 'no matching packages' "$work/simulation"
}
