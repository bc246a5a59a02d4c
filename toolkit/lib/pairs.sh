# shellcheck shell=sh
# Pairs: the hosts whose clocks this host measures against its own, which shows a bound that is wrong, theirs or its own.
# chronyd asks them as it asks a server, and never follows them. lib/chrony_state.awk reads what came of it.

# pair_known "NAME ADDRESS [key ID]": whether this is one.
pair_known() {
  case "$1" in *[!A-Za-z0-9._:\ -]*) return 1 ;; esac
  # shellcheck disable=SC2086 # words
  set -- $1
  case "$#:${3:-}:${4:-}" in
    2::) return 0 ;;
    4:key:*[!0-9]*) return 1 ;;
    4:key:*) return 0 ;;
    *) return 1 ;;
  esac
}

# pairs_lines: sets pairs_lines to chrony's lines. Every two seconds: a measurement that is older says less of now. Who is
# followed is measured by that already; chronyd does not take an address twice.
pairs_lines() {
  pairs_lines=
  if [ -z "$plan_time_pairs" ]; then return 0; fi
  while read -r pair_name pair_address pair_key; do
    case "$newline$sources_fixed" in *"${newline}server $pair_address "* | *"${newline}server $pair_address$newline"*) continue ;; esac
    pairs_lines="${pairs_lines}server $pair_address noselect minpoll 1 maxpoll 1 xleave${pair_key:+ $pair_key}$newline"
  done <<PAIRS
$plan_time_pairs
PAIRS
}
