# shellcheck shell=sh
# Messages, errors, root, the limit on our own time, and the workspace.

TIMEBASE_STATE=$TIMEBASE_ROOT/var/lib/timebase
newline='
'
tab='	'
# How instants are written: RFC 3339, in UTC; as date(1) takes it.
instant_format=+%Y-%m-%dT%H:%M:%SZ

# say TEXT...: progress for the person who waits. stdout is for machines.
say() { printf 'timebase: %s\n' "$*" >&2; }

# Whether the reason for an end that is no success has been told.
told=no

# fail WHAT REMEDY: ends the program with what is wrong, where, and what to do.
fail() {
  told=yes
  printf 'timebase: error on %s: %s\n' "${plan_host:-this host}" "$1" >&2
  printf 'timebase: what to do: %s\n' "$2" >&2
  exit 1
}

# untrue: ends the program after checks that have failed, and were told.
untrue() {
  told=yes
  exit 1
}

usage_error() {
  told=yes
  printf 'timebase: %s; see `timebase help`\n' "$1" >&2
  exit 2
}

# become_root ARGS...: everything here needs root; sudo must not ask, because nobody is there to answer.
become_root() {
  if [ -n "$TIMEBASE_ROOT" ] || [ "$(id -u)" = 0 ]; then return 0; fi
  if ! command -v sudo >/dev/null; then
    fail "user $(id -un) is not root and there is no sudo" 'connect as root, or install sudo and allow this user to use it without a password'
  fi
  if ! sudo -n true 2>/dev/null; then
    fail "user $(id -un) may not use sudo without a password" "add '$(id -un) ALL=(ALL) NOPASSWD: ALL' to /etc/sudoers.d/timebase, or connect as root"
  fi
  exec sudo -n sh "$TIMEBASE_HOME/timebase" "$@"
}

# sourced TEXT FILE...: what sh makes of a text in double quotes, once it has sourced these files in this order. Debian's and
# Ubuntu's /etc/default/grub ask lsb_release for a title, which is a Python, or 17 processes: that is answered here.
sourced() {
  env -i PATH="$PATH" timeout 10 sh -c '
    lsb_release() {
      [ "$*" = "-i -s" ] || { command lsb_release "$@"; return; }
      [ -r "$0" ] && . "$0" && echo "${NAME%% *}"
    }
    text=$1; shift; for file; do . "$file"; done >/dev/null 2>&1; eval "printf %s \"$text\""' "$TIMEBASE_ROOT/etc/os-release" "$@" </dev/null 2>/dev/null || :
}

# limit_time ARGS...: the command provider neither limits nor cancels a running command, so it is done here.
# Every wait has a limit of its own (settling, cloud-init, the lock, packages, GRUB); this is more than their sum.
limit_time() {
  if [ -n "${TIMEBASE_LIMITED:-}" ]; then return 0; fi
  TIMEBASE_LIMITED=1 exec timeout -k 10 14400 sh "$TIMEBASE_HOME/timebase" "$@"
}

# workspace_make: in /run, which is in memory: keys are among what is written there, and no power cut leaves them behind.
workspace_make() {
  work=$(mktemp -d "$TIMEBASE_ROOT/run/timebase-work.XXXXXXXXXX" 2>/dev/null || mktemp -d) ||
    fail 'no folder for temporary files could be made (the error is above)' "make room in /run or ${TMPDIR:-/tmp} (see \`df -hi\` on the host)"
  trap workspace_end EXIT
  trap 'told=yes; exit 129' HUP
  trap 'told=yes; exit 130' INT
  # Of a session that is gone, at the next word to it. Not every shell does what is to be done at its end, when that ends it.
  trap 'told=yes; exit 141' PIPE
  trap 'told=yes; say "ended by SIGTERM: from outside, or by the limit on its time; run this again"; exit 143' TERM
}

# What the shell itself, or a program that it runs, could not do is told by nobody else.
workspace_end() {
  if [ $? != 0 ] && [ "$told" = no ]; then
    dd if=/dev/zero of="$work/probe" bs=4096 count=16 2>/dev/null || work_full
    rm -rf "$work"
    fail 'it ended in the middle, by the error above' 'mend what it names, then run this again: whatever was done can be done again'
  fi
  rm -rf "$work"
}

# work_full: ends the program where temporary files cannot be written, of which a half must not be taken for all.
work_full() {
  rm -rf "$work"
  fail "temporary files in ${work%/*} cannot be written" "make room there (see \`df -hi ${work%/*}\` on the host), then run this again: whatever was done can be done again"
}

# patiently TEXT COMMAND...: runs a command that can take long; says every 5 s that it still runs, and shows the
# end of what it printed when it fails. Its status is the command's.
patiently() {
  patiently_text=$1
  shift
  say "$patiently_text"
  # A sleep that outlives us must hold neither the session's streams nor the lock (9).
  (
    seconds=0
    while sleep 5 >/dev/null 2>&1; do
      seconds=$((seconds + 5))
      say "$patiently_text: $seconds s"
    done
  ) 9>&- &
  patiently_ticker=$!
  patiently_status=0
  "$@" >"$work/output" 2>&1 </dev/null 9>&- || patiently_status=$?
  # KILL, because a shell that was just forked would still run the traps of ours.
  kill -KILL "$patiently_ticker" 2>/dev/null || :
  wait "$patiently_ticker" 2>/dev/null || :
  if [ "$patiently_status" != 0 ]; then tail -n 15 "$work/output" | sed 's/^/timebase:   | /' >&2; fi
  return "$patiently_status"
}

# has_line TEXT LINE: whether a text of lines has this one.
has_line() {
  case "$newline$1$newline" in
    *"$newline$2$newline"*) return 0 ;;
    *) return 1 ;;
  esac
}

# has_word TEXT WORD: the same for words that are separated by blanks.
has_word() {
  case " $1 " in
    *" $2 "*) return 0 ;;
    *) return 1 ;;
  esac
}

# On a slow host a process costs more than all that a function of ours does. So a function answers by a variable of its
# own name, and not on its standard output, to which `$(...)` would give a process.

# first_line FILE: sets first_line to the file's first line, or to nothing.
first_line() {
  first_line=
  if [ -r "$1" ]; then IFS= read -r first_line <"$1" || :; fi
}

# python_find: sets python to a Python of this host's, or to nothing.
python_find() {
  python=
  for python_name in python3 python2.7 python; do
    if command -v "$python_name" >/dev/null; then
      python=$python_name
      return
    fi
  done
}

# all_lines FILE: sets all_lines to the file's text, every line with its end; to nothing when it cannot be read. For small
# files: the shell reads byte by byte.
all_lines() {
  all_lines=
  if [ ! -r "$1" ]; then return 0; fi
  while IFS= read -r all_lines_line || [ -n "$all_lines_line" ]; do
    all_lines=$all_lines$all_lines_line$newline
  done <"$1"
}

# uptime_seconds: a clock that nobody steps.
uptime_seconds() {
  first_line "$TIMEBASE_ROOT/proc/uptime"
  uptime_seconds=${first_line%%.*}
}
