# What chronyd's tracking log says of an interval: the largest bound in it, and when; or the first reason why that is unknown.
# A figure is never of the lines that are there only: what is missing between two of them is a reason, as a restart is.
#
# A line has 14 columns (reference.c, write_log): 1 date and 2 time (UTC) of an update, 3 source, 4 stratum, 6 skew in ppm, 7 offset that
# the update has found, 8 leap status, 11 what was still to be corrected of earlier ones, 12 root delay and 13 root dispersion
# from this update on, 14 the maximum error since the previous update: |what was to be corrected| and root distance of then,
# grown by the drift that the plan allows. After its start chronyd has neither: 0 + 1 / 2 + 1.
#
# In: from, to (s since 1970), timescale (utc, or a hub's), maxclockerror_ppm, and the least that it was (least_ppm), now (s), and what chronyd says of itself now:
# measured_at (s), drift_ppb and bound_ns, or in the environment TIMEBASE_UNKNOWN; there also what chrony_sources.awk takes.
# Out: bound-ns=, worst-at= (the end of the time between two updates in which it was); or bound-reason=.

function larger(one, other) { return one > other ? one : other }
function magnitude(figure) { return figure < 0 ? -figure : +figure }

BEGIN {
  for (i = 1; i <= plans; i++) {
    name = planned[i]
    poll = option(options[name], name in driver ? "poll" : "maxpoll")
    # chrony.conf(5): the defaults.
    if (poll == "") poll = name in driver ? 4 : 10
    slowest = i == 1 ? poll : larger(slowest, poll)
    # The log has addresses only.
    if (directive[name] == "pool" || directive[name] == "server" && name !~ /:/ && name ~ /[^0-9.]/) named = 1
  }
  longest_wait = 4 * larger(2 ^ slowest, 1) + 4
  # What 64 updates before FROM have moved is of account.
  first_day = substr(instant(from - larger(300000, 64 * longest_wait)), 1, 10)
  begin()
}

# chronyd takes its clock for what up to 64 measurements say (sourcestats.c): of a clock that somebody sets, or a path that
# becomes longer on one side, it finds a part only with each of the next updates, and its estimate and root distance know
# nothing of the rest. What it has moved the clock by in the end is all of it. So a bound has in it how far the clock was moved
# to and fro within 64 updates before and after, and more: by blocks of 64, in the one before, the same and the next (0, 1, 2).
function begin(    b) {
  moved = 0; updates = 0
  for (b = 0; b <= 2; b++) { low[b] = high[b] = 0; largest[b] = "" }
}

function turn(    b, movement) {
  movement = larger(larger(high[0], high[1]), high[2]) + larger(larger(-low[0], -low[1]), -low[2])
  if (largest[1] != "" && largest[1] + movement > worst) { worst = largest[1] + movement; worst_at = when[1] }
  for (b = 0; b < 2; b++) { low[b] = low[b + 1]; high[b] = high[b + 1]; largest[b] = largest[b + 1]; when[b] = when[b + 1] }
  low[2] = high[2] = moved; largest[2] = ""; updates = 0
}

function claim(bound, at) { if (largest[2] == "" || bound > largest[2]) { largest[2] = bound; when[2] = at } }

# rounded_up(FIGURE): a line has four digits of it.
function rounded_up(figure) { return figure * 1.0005 }

function unknown(why) { if (reason == "") reason = why }

# seconds(DATE, TIME): since 1970. The days before a month of a year that begins in March.
function seconds(date, time,    y, m, d) {
  if (date != day) {
    day = date
    y = substr(date, 1, 4) + 0; m = substr(date, 6, 2) + 0; d = substr(date, 9, 2) + 0
    if (m < 3) { y--; m += 12 }
    midnight = 86400 * (365 * y + int(y / 4) - int(y / 100) + int(y / 400) + int((153 * (m - 3) + 2) / 5) + d - 719469)
  }
  return midnight + 3600 * substr(time, 1, 2) + 60 * substr(time, 4, 2) + substr(time, 7, 2)
}

function instant(s,    z, era, doe, yoe, doy, mp) {
  s = int(s)
  z = int(s / 86400) + 719468; era = int(z / 146097); doe = z - era * 146097
  yoe = int((doe - int(doe / 1460) + int(doe / 36524) - int(doe / 146096)) / 365)
  doy = doe - (365 * yoe + int(yoe / 4) - int(yoe / 100)); mp = int((5 * doy + 2) / 153)
  return sprintf("%04d-%02d-%02dT%02d:%02d:%02dZ", yoe + era * 400 + (mp > 9), mp < 10 ? mp + 3 : mp - 9, doy - int((153 * mp + 2) / 5) + 1, s % 86400 / 3600, s % 3600 / 60, s % 60)
}

function figure(text) { return text ~ /^[0-9]\.[0-9][0-9][0-9]e[-+][0-9][0-9]$/ }
function signed(text) { sub(/^-/, "", text); return figure(text) }
function readable() {
  return NF == 14 && $1 ~ /^[12][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]$/ && $2 ~ /^[0-2][0-9]:[0-5][0-9]:[0-6][0-9]$/ && \
    $3 ~ /^[0-9A-Za-z.:]+$/ && $6 ~ /^[0-9]+\.[0-9][0-9][0-9]$/ && $8 ~ /^[-N+?]$/ && signed($7) && signed($11) && figure($12) && figure($13) && figure($14)
}

# foreign(SOURCE): whether it cannot be one of the plan.
function foreign(source) { return !(source in directive) && (!named || source !~ /[.:]/) }

# reference_error(SOURCE): of a device, which says nothing of it to chrony (s).
function reference_error(source) {
  if (!(source in driver)) return 0
  if (driver[source] == "SHM") unknown("how long the path of PTP was is not recorded")
  else if (own_error[source] !~ /^[0-9]+$/) unknown("the error of " source " itself is " (own_error[source] == "" ? "not recorded" : "unknown: " substr(own_error[source], 3)))
  return own_error[source] / 1e9
}

# trouble(): why the time between the update before and this one has no bound, or nothing.
function trouble(    between) {
  if (before == "") return "the log does not reach back to " instant(from) ": its first update is of " at
  between = " between " before_at " and " at
  if (unread != "") return "what is recorded" between " could not be read (\"" substr(unread, 1, 60) "\")"
  if (t < before) return "the clock was set back: the update of " before_at " was followed by one of " at
  if (started) return "chronyd was started anew" between
  # The maximum error is of all the time since the update before, whose line may be missing.
  if (t - before > longest_wait || before_off - before_rounding + before_distance + (t - before - 1) * least_ppm / 1e6 > 1.001 * $14) return "no update is recorded" between
  if ($8 == "?" || before_leap == "?") return "the clock was not synchronised" between
  if ($6 >= 1000) return "frequency uncertain by " $6 " ppm at " at
  # chrony's own default of `local`; nobody is so far from UTC otherwise.
  if (timescale == "utc" && $4 > 10) return $3 " was of stratum " $4 - 1 " at " at ", as a server that tells the time of its own clock"
  if (foreign($3) || foreign(before_source)) return "the clock followed " (foreign($3) ? $3 : before_source) between ", which is not of the plan"
  return ""
}

!recent { if ($1 < first_day) next; recent = 1 }
/^=+$/ || $1 == "Date" && $2 == "(UTC)" { next }
!readable() { gsub(/[^ -~]/, " "); unread = unread == "" ? $0 == "" ? " " : $0 : unread; next }
{
  t = seconds($1, $2); at = $1 "T" $2 "Z"
  started = $14 == "1.500e+00"
  # The log has whole seconds.
  inside = !ended && (reached || t > from - 1)
  if (inside && (reason = trouble()) != "") exit
  # What is of another run of chronyd, or of none, says nothing of what was before.
  anew = started || unread != "" || before != "" && (t < before || t - before > longest_wait || $8 == "?")
  # What was left of a disturbance then nobody has found.
  if (ended && anew) { unknown("chronyd began anew at " at ", too soon afterwards to tell what it had not found yet"); exit }
  if (anew) begin(); else moved += $7
  if (moved < low[2]) low[2] = moved
  if (moved > high[2]) high[2] = moved
  distance = $12 / 2 + $13
  if (inside) {
    # Against who has set the clock, too: what it was off by at the end, not yet corrected.
    own = larger(reference_error(before_source), reference_error($3))
    claim(own + rounded_up(larger($14, magnitude($7) + magnitude($11) + distance)), at)
    if (reason != "") exit
    reached = 1
    if (t >= to) { ended = 1; turns = 0 }
  }
  before = t; before_at = at; before_leap = $8; before_source = $3; before_off = magnitude($7 - $11); before_rounding = (magnitude($7) + magnitude($11)) * 0.0005; before_distance = distance; before_skew = $6; unread = ""
  if (++updates == 64) { turn(); if (ended && ++turns == 2) { complete = 1; exit } }
}

# present(): the time from the last update on, as chronyd would log it.
function present() {
  if (before == "") unknown("there is no log that reaches back to " instant(from))
  else if (unread != "") unknown("what is recorded after " before_at " could not be read (\"" substr(unread, 1, 60) "\")")
  else if (now - before > longest_wait || measured_at - before > 2) unknown("no update is recorded after " before_at)
  else if (foreign(before_source)) unknown("the clock followed " before_source " after " before_at ", which is not of the plan")
  else claim(reference_error(before_source) + rounded_up(before_off + before_distance) + (now - before) * larger(maxclockerror_ppm + before_skew, drift_ppb / 1000) / 1e6, instant(now))
}

END {
  if (reason == "" && !ended) present()
  # What the last updates have left of a disturbance shows in what chronyd says of itself now; it is also the last word.
  if (reason == "" && !complete) {
    if (bound_ns !~ /^[0-9]+$/) unknown(ENVIRON["TIMEBASE_UNKNOWN"])
    else claim(bound_ns / 1e9, instant(to < now ? to : now))
  }
  if (reason == "") {
    turn(); turn()
    if (worst < 1e-10 || worst > 1e8) unknown("implausible: " worst + 0 " s")
  }
  if (reason != "") print "bound-reason=" reason
  else { printf "bound-ns=%.0f\n", worst * 1e9 + 0.5; print "worst-at=" worst_at }
}
