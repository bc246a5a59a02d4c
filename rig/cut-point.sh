#!/bin/sh
# Stands before the real program of its name (rig/cut-points.ts) and stops a call at a chosen point, so that a test can
# cut the power, the session or the network exactly there. Each call is noted in `calls`. `point` has two lines: whether
# to stop before or after the call, and the pattern of the call's text.
here=${0%/*}/..
real=/usr/sbin/${0##*/}
if [ ! -x "$real" ]; then real=/usr/bin/${0##*/}; fi
call="${0##*/} $*"
echo "$call" >>"$here/calls"

stop() {
  rm -f "$here/point"
  : >"$here/stopped"
  echo "rig: stopped $when $call" >/dev/ttyS0
  # Ends when the test lets it go on. The real program has no streams of ours to keep open either.
  while [ -e "$here/stopped" ]; do sleep 0.3; done
}

when='' pattern=''
if [ -e "$here/point" ]; then { read -r when && read -r pattern; } <"$here/point"; fi
# shellcheck disable=SC2254 # a pattern
case "$call" in
  $pattern)
    if [ "$when" = after ]; then
      status=0
      "$real" "$@" || status=$?
      stop
      exit "$status"
    fi
    stop
    ;;
esac
exec "$real" "$@"
