# shellcheck shell=sh
# The evidence: what a proof found, as one line of JSON for programs and as a table for people.

# json TEXT: sets json to the text as a JSON string. Only a text with special characters starts a process.
json() {
  case "$1" in
    *[\\\"[:cntrl:]]*)
      json=\"$(printf '%s' "$1" | LC_ALL=C tr '\000-\037\177' ' ' | sed 's/[\\"]/\\&/g')\"
      ;;
    *) json=\"$1\" ;;
  esac
}

evidence_add() {
  json "$2"
  evidence="$evidence,\"$1\":$json"
}

# evidence_add_known KEY TEXT: null when there is none.
evidence_add_known() {
  if [ -n "$2" ]; then evidence_add "$1" "$2"; else evidence="$evidence,\"$1\":null"; fi
}

# evidence_add_raw KEY VALUE: a number or a boolean; null when it is not known, never 0 by default.
evidence_add_raw() { evidence="$evidence,\"$1\":${2:-null}"; }

evidence_print() {
  json "${plan_host:-$(uname -n)}"
  evidence="{\"format\":1,\"host\":$json"
  evidence_add owner "$plan_owner"
  evidence_add asOf "${time_as_of:-$(date -u "$instant_format")}"
  evidence_add os "$os_name"
  evidence_add kernel "$(uname -r)"
  boot_id
  evidence_add bootId "$boot_id"
  evidence_add_raw rebooted "$proved_rebooted"
  clocksource_read
  evidence_add clocksource "$clocksource_now"
  evidence_available=
  for evidence_clocksource in $clocksources_available; do
    json "$evidence_clocksource"
    evidence_available="${evidence_available:+$evidence_available,}$json"
  done
  evidence="$evidence,\"availableClocksources\":[$evidence_available]"
  evidence_add_raw bootParametersLive "$proved_live"
  evidence_add_raw bootParametersPersistent "$proved_persistent"
  evidence_add_known guestPtp "$guest_ptp"
  evidence_add guestPtpReason "$guest_ptp_reason"
  evidence_add_known source "$time_source"
  evidence_add_known sourceKind "$time_kind"
  if [ -n "$proved_leap" ]; then evidence_add leapSeconds "$proved_leap"; fi
  evidence_add_raw stratum "$time_stratum"
  evidence_add_known timescale "$plan_timescale"
  evidence_add_raw errorBoundNs "$time_bound_ns"
  evidence_add errorBoundReason "$time_bound_reason"
  evidence_add_raw driftPpb "$time_drift_ppb"
  evidence_add_pairs
  evidence_add_held
  evidence_checks=
  while IFS=$tab read -r check_id check_verdict check_expected check_found check_remedy; do
    json "$check_id"
    evidence_checks="${evidence_checks:+$evidence_checks,}{\"id\":$json,\"verdict\":\"$check_verdict\""
    json "$check_expected"
    evidence_checks="$evidence_checks,\"expected\":$json"
    json "$check_found"
    evidence_checks="$evidence_checks,\"found\":$json"
    json "$check_remedy"
    evidence_checks="$evidence_checks,\"remedy\":$json}"
  done <<CHECKS
$checks
CHECKS
  printf '%s,"checks":[%s]}\n' "$evidence" "$evidence_checks"
}

# evidence_add_pairs: what was measured of other hosts, or why nothing was; no field where none are to be.
evidence_add_pairs() {
  if [ -z "$time_pairs" ]; then return 0; fi
  evidence_pairs=
  while read -r pair_name pair_offset pair_rest; do
    json "$pair_name"
    evidence_pairs="${evidence_pairs:+$evidence_pairs,}{\"host\":$json"
    if [ "$pair_offset" = '?' ]; then
      json "$pair_rest"
      evidence_pairs="$evidence_pairs,\"offsetNs\":null,\"errorNs\":null,\"ageMs\":null,\"reason\":$json}"
    else
      evidence_pairs="$evidence_pairs,\"offsetNs\":$pair_offset,\"errorNs\":${pair_rest% *},\"ageMs\":${pair_rest#* },\"reason\":\"\"}"
    fi
  done <<PAIRS
$time_pairs
PAIRS
  evidence="$evidence,\"pairs\":[$evidence_pairs]"
}

# evidence_add_held: what was since the last proof; no fields where no log is kept of it.
evidence_add_held() {
  if ! plan_has time || [ "$plan_tracking_log" = no ]; then return 0; fi
  evidence_add_known heldSince "$held_since"
  evidence_add_raw heldBoundNs "$held_bound_ns"
  evidence_add heldReason "$held_reason"
}

# evidence_table [TITLE]: every check, what is wrong first in the eye.
evidence_table() {
  printf '%s: %s\n' "${plan_host:-this host}" "${1:-what was proved}"
  evidence_rows
}

evidence_rows() {
  while IFS=$tab read -r check_id check_verdict check_expected check_found check_remedy; do
    case "$check_verdict" in
      not-applicable) printf '  n/a   %-24s %s\n' "$check_id" "$check_found" ;;
      pass) printf '  ok    %-24s %s\n' "$check_id" "$check_found" ;;
      warn) printf '  warn  %-24s %s\n        what to do: %s\n' "$check_id" "$check_found" "$check_remedy" ;;
      fail) printf '  FAIL  %-24s expected %s, found %s\n        what to do: %s\n' "$check_id" "$check_expected" "$check_found" "$check_remedy" ;;
    esac
  done <<CHECKS
$checks
CHECKS
}
