#!/bin/sh
# A stand-in for rpm, yum and dnf, by its name.
set -eu
export DEBIAN_FRONTEND=noninteractive
apt() { apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout=0 -o Dpkg::Options::=--force-confold "$@"; }
if [ "${0##*/}" = rpm ]; then
  case "$1" in
    -q)
      shift
      if [ "$1" = --quiet ]; then exec >/dev/null && shift; fi
      if [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" != installed ]; then
        echo "package $1 is not installed"
        exit 1
      fi
      dpkg-query -W -f '${Package}-${Version}.x86_64\n' "$1"
      ;;
    # -qa --queryformat '%{NAME}\n'
    -qa) dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p' ;;
    -e)
      # -e --test NAME
      apt -s remove "$3" | awk -v name="$3" '/^Remv / && $2 != name { printf "\t%s is needed by (installed) %s-0.x86_64\n", name, $2; bad = 1 } END { exit bad }' >&2
      ;;
    *) echo "rpm: $1: unknown option" >&2 && exit 1 ;;
  esac
  exit
fi
verb='' packages=''
for word in "$@"; do
  case "$word" in
    -*) ;;
    *) if [ -z "$verb" ]; then verb=$word; else packages="$packages $word"; fi ;;
  esac
done
# shellcheck disable=SC2086 # a list
case "$verb" in
  install | remove) apt "$verb" $packages ;;
  clean) ;;
  makecache) apt update ;;
  *) echo "${0##*/}: no such command: $verb" >&2 && exit 1 ;;
esac
