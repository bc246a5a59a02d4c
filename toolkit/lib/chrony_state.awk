# What `chronyc -N -c -m tracking sources tracking` says, with `authdata` where the plan's servers are authenticated, and
# `ntpdata` where they are to tell UTC or other hosts are measured, as checks and figures. A figure that is not there, or not a number,
# is unknown with a reason; it never becomes 0.
#
# tracking has 14 columns: 1 refid, 3 stratum, 4 reference time, 5 system time offset, 10 skew in ppm, 11 root delay,
# 12 root dispersion, 13 update interval, 14 leap status. sources has 10: 1 mode, 2 state, 3 name, 5 poll, 6 reach (octal),
# 7 how old the last measurement is (s), 8 what it says now, 9 what it said then, 10 how far that may be wrong. authdata has
# 10: 1 name, 2 mode, 3 key id, 4 type, 5 key length, 7 attempts, 9 cookies. ntpdata has at least 33: 6 leap status and 16
# reference id that the server told last, of the last answer 19 offset, 20 delay, 21 dispersion. The lines of these two are
# those of sources, without the refclocks, in the same order. Servers of a pool have one name. An offset of sources is positive
# where this clock is ahead, one of ntpdata where the server's is.
#
# In: service (chronyd's unit), now (s, with decimals), read_ms (how long the reading took until now), same (yes or no:
# whether nobody has set the clock since it was first looked at, lib/clock_set.sh), seen_ns (how small a change would not have
# been seen), seen (what was measured up to the look before: source/reference id, reference time, how many times, -1 where it begins), itself (yes: this host defines the timescale), timescale (utc, or a hub's), budget_ns,
# maxclockerror_ppm (as chronyd is configured), ptp (the address of the hub whose PTP samples come by shared memory); in the
# environment what chrony_sources.awk takes, and TIMEBASE_PAIRS, the hosts that are measured: "NAME ADDRESS ...", a line each; await_pairs (yes: it fails as long as one of them is not).
# Out: key=value lines, among them measured=, which is `seen` of the next look; check=<id> TAB <verdict> TAB <expected> TAB <found> TAB <remedy>; of each host that is measured
# pair=<name> <how far its clock is ahead, ns> <error, ns> <age, ms>, or pair=<name> ? <why that is unknown>.

function number(text) { return text ~ /^[-+]?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$/ }
function check(id, ok, expected, found, remedy) {
  printf "check=%s\t%s\t%s\t%s\t%s\n", id, ok ? "pass" : "fail", expected, found, ok ? "" : remedy
  if (!ok && reason == "") reason = found
}
function warn(id, expected, found, remedy) { printf "check=%s\twarn\t%s\t%s\t%s\n", id, expected, found, remedy }

BEGIN {
  FS = ","
  for (i = 1; i <= plans; i++) {
    name = planned[i]
    expected_kind[name] = name in driver ? "refclock" : "server"
    expected_names = expected_names (i > 1 ? ", " : "") name
    if (name in driver) device[name] = driver[name] == "SHM" ? ptp : place[name]
    needed[name] = name in driver || options[name] ~ / xleave( |$)/ ? 2 : 1
    wanted_key = option(options[name], "key")
    if (options[name] ~ / nts( |$)/) wanted[name] = "NTS"
    else if (wanted_key != "") wanted[name] = wanted_key
    if (name in wanted) authenticated = authenticated (authenticated == "" ? "" : ", ") name " by " (wanted[name] == "NTS" ? "NTS" : "key " wanted_key)
  }
  n = split(ENVIRON["TIMEBASE_PAIRS"], line, "\n")
  for (i = 1; i <= n; i++) {
    if (split(line[i], word, " ") < 2) continue
    pair_name[++pairs] = word[1]; pair_address[pairs] = word[2]
    if (!(word[2] in expected_kind)) aside[word[2]] = 1
  }
}

# A check is a line of printable fields that tabs separate.
{ gsub(/[^ -~]/, " ") }
NF == 14 && !tracked { tracked = 1; for (i = 1; i <= 14; i++) tracking[i] = $i; next }
NF == 14 { later = $4; next }
NF == 10 && $1 ~ /^[\^=#]$/ {
  if ($1 == "^") { row[$3] = servers + 1; poll_of[$3] = $5; reach_of[$3] = $6; age[$3] = $7; offset_now[$3] = $8; offset_then[$3] = $9; margin[$3] = $10 }
  # Who is only measured has no say, and is no source that is missing; unless chronyd follows it all the same.
  if ($3 in aside && $1 == "^" && $2 !~ /^[*+]$/) { servers++; server[servers] = $3; used[servers] = 0; next }
  # A pool is as many rows of one name.
  if ($6 ~ /^[0-7]+$/ && $6 + 0 && $2 ~ /^[*+-]$/) usable[$3] = 1
  else if (!($3 in trouble)) trouble[$3] = $6 + 0 ? state_name($2) : "no reply"
  mode = $1 == "#" ? "refclock" : $1 == "^" ? "server" : "peer"
  if ($2 ~ /^[*+]$/) { steering[++steers] = $3; steering_kind[steers] = mode }
  if (mode != "refclock") { servers++; server[servers] = $3; used[servers] = $2 ~ /^[*+]$/ }
  if ($2 == "*") { selected++; source = $3; kind = mode; poll = $5; reach = $6; measured = $8; measured_error = $10 }
  else states = states (states == "" ? "" : ", ") $3 " " state_name($2) (($6 + 0) ? "" : " (no reply)")
  next
}
NF == 10 && $2 ~ /^(-|SK|NTS|[?])$/ {
  told++
  told_name[told] = $1; told_mode[told] = $2; told_id[told] = $3
  told_key[told] = $4 ~ /^[1-9][0-9]*$/ && $5 ~ /^[1-9][0-9]*$/; told_bits[told] = $5; told_attempts[told] = $7; told_cookies[told] = $9
  next
}
NF >= 33 { followed[++heard] = toupper($16); told_leap[heard] = $6; told_offset[heard] = $19; delay[heard] = $20; dispersion[heard] = $21; next }
/[^ ]/ { unreadable = unreadable (unreadable == "" ? "" : "; ") $0 }

function state_name(s) {
  return s == "x" ? "falseticker" : s == "~" ? "too variable" : s == "?" ? "unusable" : s == "-" ? "not combined" : s == "+" ? "combined" : s
}

# What a column can be: a sign that is not there, or an interval that no source has (chrony.conf(5): maxpoll is at most
# 24), would make the bound smaller, or nothing stale for ever.
function plausible(column, text) {
  if (column == 1) return text ~ /^[0-9A-Fa-f]+$/
  if (column == 2 || column == 14) return 1
  if (!number(text)) return 0
  if (column == 3) return text ~ /^[0-9]+$/ && text <= 16
  if (column == 10 || column == 11 || column == 12) return text !~ /^-/
  if (column == 13) return text !~ /^-/ && text <= 2 ^ 24
  return 1
}

function daemon() {
  for (i = 1; i <= 14; i++) if (tracked && !plausible(i, tracking[i])) { tracked = 0; unreadable = "tracking column " i " is \"" tracking[i] "\"" }
  check("time.daemon", tracked, "chronyd answers", tracked ? "chronyd answers" : unreadable == "" ? "no answer" : unreadable, "see `systemctl status " service "` and `journalctl -u " service "` on the host")
  return tracked
}

function synchronised() {
  if (tracking[1] ~ /^0+$/) found = "never synchronised"
  else if (toupper(tracking[1]) == "7F7F0101" && itself != "yes") found = "only its own clock (local reference)"
  else if (tracking[14] == "Not synchronised") found = "not synchronised"
  else if (tracking[10] >= 1000) found = "first seconds: frequency uncertain by " tracking[10] " ppm"
  else if (tracking[4] - now > 3) found = sprintf("last update %d s in the future: the clock was set back", tracking[4] - now)
  else if (itself != "yes" && now - tracking[4] > longest_wait(tracking[13], poll)) found = sprintf("stale: last update %d s ago", now - tracking[4])
  else if (tracking[14] !~ /^(Normal|Insert second|Delete second)$/) found = "leap status \"" tracking[14] "\""
  else found = "synchronised"
  ok = found == "synchronised"
  if (ok && tracking[14] != "Normal") {
    warn("time.leap", "no leap second announced", tolower(tracking[14]) " at the end of the day (UTC)", "let no experiment run across it: clocks step then, or are off for a day where a source smears it")
  }
  check("time.synchronised", ok, "synchronised", found, "see `chronyc sources` on the host: is the source up, and does its UDP port 123 answer?")
}

# longest_wait(INTERVAL, POLL): how old the last update, or a measurement, may be. The interval between updates is short after a burst, and after another source was
# selected; the next update comes when the selected source is polled, every 2^poll seconds.
function longest_wait(interval, poll,    wait) {
  wait = interval > 1 ? interval : 1
  if (poll ~ /^-?[0-9]+$/ && poll <= 24 && 2 ^ poll > wait) wait = 2 ^ poll
  return 4 * wait + 4
}

# Where the samples come by ptp4l, what keeps them away is mostly said by it.
function source_remedy() {
  if (("PTP0" in device) && kind != "server") return "see `chronyc sources` and `journalctl -u timebase-ptp4l` on the host: are UDP ports 319 and 320 open between it and its hub?"
  if (kind == "refclock") return "see `chronyc sources` on the host, and `dmesg` for what its driver says of the clock"
  return "is the source up, does its firewall open UDP port 123, and does it allow this host?"
}

function source_selected() {
  if (itself == "yes") {
    kind = "itself"; source = "itself"
    check("time.source", toupper(tracking[1]) == "7F7F0101", "itself (defines the timescale)", toupper(tracking[1]) == "7F7F0101" ? "itself (defines the timescale)" : "reference " tracking[1], "remove other sources from chrony's configuration; `pulumi up` writes it")
    return
  }
  if (selected != 1) found = selected + 0 " selected sources" (states == "" ? "" : ": " states)
  else if ((stranger = unplanned()) != "") found = stranger
  else if (reach !~ /^[0-7]+$/ || reach + 0 == 0) found = source " does not answer (reach 0)"
  else if ((alone = own_clock()) != "") found = alone
  else found = source
  check("time.source", found == source, expected_names, found, alone ~ / follows nobody/ ? "have it follow a source itself, or follow another one here (see `chronyc ntpdata` on the host); where its clock is to be the time, say so by timescale: \"hub:<its name>\"" : alone != "" ? "see `chronyc -N ntpdata` on the host" : source_remedy())
  if (found == source) sources_usable()
}

# unplanned(): which of the sources that steer the clock is not of the plan, or nothing. What is combined with the selected
# one moves the clock as well.
function unplanned(    i) {
  for (i = 1; i <= steers; i++) {
    if (!(steering[i] in expected_kind)) return "unexpected source " steering[i]
    if (expected_kind[steering[i]] != steering_kind[i]) return steering[i] " is a " steering_kind[i]
  }
  return ""
}

# own_clock(): which of the servers that steer the clock follows nobody, or nothing. One that has lost its own source tells
# the time of its own clock (`local`, whose reference is 127.127.1.1, or LOCL), with a small error, and as if it were UTC.
function own_clock(    i) {
  if (timescale != "utc") return ""
  for (i = 1; i <= servers; i++) {
    if (!used[i]) continue
    if (heard != servers) return server[i] ": what it follows itself could not be read"
    if (followed[i] ~ /^(7F7F01..|4C4F434C)$/) return server[i] " follows nobody: it tells the time of its own clock"
  }
  return ""
}

# What a selected source does not tell: whether the others of the plan are there to take its place, and to outvote it. One
# address of a pool is enough. chrony lists no name that it has no address of.
function sources_usable() {
  if (plans < 2) return
  for (i = 1; i <= plans; i++) {
    name = planned[i]
    if (name in usable) continue
    lost = lost (lost == "" ? "" : "; ") name ": " (name in trouble ? trouble[name] : expected_kind[name] == "server" ? "its name has no address" : "chronyd does not know it")
  }
  if (lost == "") check("time.sources-usable", 1, "every source of the plan is usable", expected_names, "")
  else warn("time.sources-usable", "every source of the plan is usable", lost, "the time is kept by the others: see `chronyc -N sources` on the host, and put right what is named, before they are gone too")
}

# fault(I): how the Ith server is not authenticated as it should be, or nothing.
function fault(i) {
  name = server[i]
  if (told != servers || told_name[i] != name) return name ": what chronyd says of its authentication could not be read"
  if (told_mode[i] == "-") return name " is not authenticated"
  if (!(name in wanted)) return name " is not in the plan"
  if (told_mode[i] != (wanted[name] == "NTS" ? "NTS" : "SK")) return name " is authenticated by " (told_mode[i] == "SK" ? "a symmetric key" : told_mode[i])
  if (told_mode[i] == "SK" && (told_id[i] !~ /^[0-9]+$/ || told_id[i] + 0 != wanted[name] + 0)) return name " is authenticated by symmetric key " told_id[i]
  if (told_mode[i] == "SK" && !told_key[i]) return name ": chronyd has no symmetric key " told_id[i]
  if (told_mode[i] == "NTS" && (!told_key[i] || told_id[i] !~ /^[0-9]*[1-9][0-9]*$/)) return name ": no key by NTS so far, attempts: " told_attempts[i]
  if (told_mode[i] == "NTS" && told_cookies[i] !~ /^[1-9][0-9]*$/) return name ": no cookies of NTS are left"
  return ""
}

# That a source was asked to be authenticated is the configuration's; that it is, only the running daemon can say. Every
# source that has a say in the time is looked at; when there is none, what keeps the others from it is told.
function authentication() {
  if (authenticated == "") return
  found = ""; faults = ""; say = 0
  for (i = 1; i <= servers; i++) {
    if (used[i]) say++
    else if (server[i] in aside) continue
    if ((wrong = fault(i)) != "") { if (used[i]) { found = wrong; break } faults = faults "; " wrong }
    else if (used[i]) good = server[i] (told_mode[i] == "NTS" ? ": NTS, " : ": symmetric key " told_id[i] ", ") told_bits[i] " bits"
  }
  if (found == "" && !say) found = kind == "refclock" ? "" : "no server is selected" faults
  ok = found == ""
  check("time.authentication", ok, authenticated, !ok ? found : say ? good : device[source] " is a device of this host", authenticated ~ / by NTS/ ? "does TCP port 4460 of the server answer, is its certificate for this address, valid now, and of an authority that this host trusts? See `chronyc authdata` and `journalctl -u " service "` on the host" : "has the server the same key, by the same id and type? See `chronyc authdata` and `journalctl -u " service "` on the host")
}

# How far the sources that steer the clock, the selected one and those that are combined with it, may be off beyond what
# chrony knows of them: a device says nothing of that to chrony.
function reference_error() {
  largest = 0
  for (i = 1; i <= steers; i++) {
    if (steering_kind[i] != "refclock") continue
    name = steering[i]
    if (own_error[name] !~ /^[0-9]+$/) { reason = "the error of " device[name] " itself is unknown" (own_error[name] == "" ? "" : ": " substr(own_error[name], 3)); return 0 }
    if (own_error[name] + 0 > largest) largest = own_error[name] + 0
  }
  return largest
}

# measured_since(): how many times the source has been measured since the clock was first found to be set by nobody. chronyd's
# reference time is that of its last measurement (sourcestats.c, SST_GetTrackingData). What was read before that look may be of
# before; so what is read by the next one is where it begins.
function measured_since(    was, count) {
  split(same == "yes" ? seen : "", was, " ")
  # Servers of a pool have one name: the reference id is of the address.
  followed_one = source "/" tracking[1]
  if (source == "" || was[1] != followed_one || was[3] !~ /^-?[0-9]+$/) count = -1
  else count = was[3] < 0 ? 0 : was[3] + (was[2] != later)
  if (count > 9) count = 9
  print "measured=" followed_one " " later " " count
  return count
}

# What chronyd takes its clock for is an estimate of many measurements, and of none that came after somebody has set it, or too
# few. So the last one has to be of after: it is the next one; but the one after that where chronyd is told of an exchange that
# is one older (`xleave`), or makes one measurement of many (the filter of a refclock). What it says without doubt, the estimate
# has to have room for, and what it leaves open, the bound.
function undisturbed(    count) {
  if (itself == "yes") return
  count = measured_since()
  if (reason != "") return
  room = tracking[12] + tracking[11] / 2
  own = reference_error()
  if (reason != "") return
  off = measured < 0 ? -measured : +measured
  if (same == "") found = "neither perl nor Python tells whether somebody sets the clock"
  else if (same == "no") found = "the clock was set, or this source was not looked at before"
  else if (count < needed[source]) found = sprintf("the clock was set, or this source was not looked at before: measured %d of %d times since", count < 0 ? 0 : count, needed[source])
  else if (later != tracking[4]) found = "chronyd has measured while it was read"
  else if (!number(measured) || !number(measured_error) || measured_error < 0) found = sprintf("the last measurement says \"%s\", within \"%s\"", measured, measured_error)
  else if (off - measured_error > room + own / 1e9) found = sprintf("the last measurement says that the clock is off by %.1f us, and chronyd's estimate has room for %.1f us", (off - measured_error) * 1e6, room * 1e6 + own / 1e3)
  else found = "as chronyd left it"
  check("time.undisturbed", found == "as chronyd left it", "as chronyd left it", found, same == "" ? "install perl or Python on the host" : "wait for the next measurement (settleTimeoutSeconds), or ask more often (maxPollLog2); if it comes again, find out who sets the clock: a hypervisor's tools, another daemon, somebody by hand")
}

function larger(one, other) { return one > other ? one : other }

# drifted(SECONDS): how far the clock may have gone in that time, in nanoseconds.
function drifted(seconds) { return seconds > 0 ? seconds * drift_ppb : 0 }

function bound() {
  if (reason == "") {
    # The design's formula: |system time offset| + root dispersion + root delay / 2 + the reference's own error; and what the
    # last measurement leaves room for, if that is more. The host that defines the timescale has no error against it, by
    # definition.
    offset = tracking[5] < 0 ? -tracking[5] : tracking[5]
    said = offset + room
    # The rate at which chronyd's own root dispersion grows: the residual frequency is one that it runs with, knowing better
    # (reference.c, get_root_dispersion).
    residual_ppm = tracking[9] < 0 ? -tracking[9] : tracking[9]
    drift_ppb = itself == "yes" ? 0 : (maxclockerror_ppm + tracking[10] + residual_ppm) * 1000
    ns = itself == "yes" ? 0 : offset * 1e9 + own + seen_ns + 0.5 + larger(room * 1e9 + drifted(read_ms / 1000), (off + measured_error) * 1e9 + drifted(now - tracking[4]))
    # No clock that is read follows another one without any error.
    if (itself != "yes" && said < 1e-10 || ns > 1e17) reason = "implausible: " said " s"
  }
  if (reason != "") {
    print "bound-reason=" reason
    check("time.bound", 0, sprintf("at most %.0f us", budget_ns / 1000), "unknown: " reason, "first correct what makes the bound unknown")
    return
  }
  printf "bound-ns=%.0f\n", ns
  printf "drift-ppb=%.0f\n", drift_ppb
  check("time.bound", ns <= budget_ns, sprintf("at most %.0f us", budget_ns / 1000), sprintf("%.1f us", ns / 1000), "wait longer (settleTimeoutSeconds), use a nearer source or ask it more often (maxPollLog2), say how good the oscillator is (maxClockErrorPpm), or allow more (maxErrorMicros)")
}

# seconds(TEXT): whether it is a figure that two clocks can differ by: those of some hundred years.
function seconds(text) { return number(text) && text < 1e10 && text > -1e10 }

function nanoseconds(figure) {
  figure = sprintf("%.0f", figure * 1e9)
  return figure == "-0" ? 0 : figure
}

# pair_unknown(ADDRESS): why what chronyd says of a host that it measures is of no use, or nothing.
function pair_unknown(address) {
  if (!tracked) return "chronyd does not answer"
  if (!(address in row)) return address ~ /^[0-9.]+$|:/ ? "chronyd does not know it" : "its name has no address"
  if (age[address] !~ /^[0-9]+$/ || reach_of[address] !~ /^[0-7]+$/ || poll_of[address] !~ /^-?[0-9]+$/ || poll_of[address] + 0 > 24) return "what chronyd says of it could not be read"
  if (age[address] == 4294967295) {
    if (heard == servers && told_leap[row[address]] == "Not synchronised") return "it answers that it is not synchronised"
    return reach_of[address] + 0 ? "chronyd takes none of its answers, as of a host that follows this one" : "no reply"
  }
  if (age[address] > longest_wait(1, poll_of[address])) return "the last measurement is " age[address] " s old"
  if (!seconds(offset_now[address]) || !seconds(margin[address]) || margin[address] + 0 <= 0) return sprintf("the last measurement says \"%s\", within \"%s\"", offset_now[address], margin[address])
  return ""
}

# pair_error(ADDRESS): how far the last measurement may be wrong (s). All of the delay may be of one direction, and no mean of
# many measurements tells. What `sources` says has the other host's own error in it, too; so what `ntpdata` says comes before,
# where it is of this measurement and not of an answer since.
function pair_error(address,    i) {
  i = row[address]
  if (heard == servers && seconds(offset_then[address]) && seconds(told_offset[i]) && seconds(delay[i]) && seconds(dispersion[i]) && delay[i] + 0 > 0 && dispersion[i] + 0 >= 0) {
    since = offset_then[address] + told_offset[i]
    if (since < 2e-9 && since > -2e-9) return delay[i] / 2 + dispersion[i]
  }
  return margin[address]
}

# What is measured of the other hosts: of their clocks as chronyd there corrects them, against this one as it is corrected
# here. chronyd cuts the age to whole seconds, and it is older by the time that the reading took.
function pairs_measured(    i, why, lost, names) {
  for (i = 1; i <= pairs; i++) {
    why = pair_unknown(pair_address[i])
    if (why != "") { print "pair=" pair_name[i] " ? " why; lost = lost (lost == "" ? "" : "; ") pair_name[i] ": " why }
    else printf "pair=%s %s %.0f %.0f\n", pair_name[i], nanoseconds(-offset_now[pair_address[i]]), pair_error(pair_address[i]) * 1e9 + 1, (age[pair_address[i]] + 1) * 1000 + (read_ms > 0 ? read_ms : 0)
    names = names (names == "" ? "" : ", ") pair_name[i]
  }
  if (!pairs || await_pairs != "yes") return
  if (lost != "") print "pairs-unknown=" lost
  check("time.pairs", lost == "", "a measurement of " names, lost == "" ? names : lost, "are these hosts up, is UDP port 123 of each open to this one, and does it allow this one? See `chronyc -N sources` and `chronyc ntpdata` on this host")
}

END {
  if (daemon()) {
    source_selected()
    synchronised()
    authentication()
    undisturbed()
    print "source=" (source in device ? device[source] : source)
    print "kind=" (source in device && device[source] == ptp ? "ptp" : kind)
    print "stratum=" tracking[3] + 0
  }
  bound()
  # After the bound, of which a measurement that is missing says nothing.
  pairs_measured()
}
