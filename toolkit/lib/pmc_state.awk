# What `pmc` says of ptp4l's data sets (IEEE 1588, PORT_PROPERTIES_NP and TIME_STATUS_NP of linuxptp), as checks and one
# figure. A figure that is not there, or is none, is unknown with a reason; it never becomes 0. `pmc` ends well also when
# nobody has answered, and a ptp4l whose hub is dead goes on telling the last offset, the last path delay and
# "gmPresent true": so the state of the port and the age of the last Sync decide.
#
# In: role (client, server), address and identity of the hub, stamping (SOFTWARE), now (s), interval_ns between Syncs,
# server_error_ns (what the program says of the hub), drift_ppm (the rate at which the clocks of the two may come to drift apart).
# Out: key=value lines; check=<id> TAB <verdict> TAB <expected> TAB <found> TAB <remedy>; error= nanoseconds, or "? WHY".

function check(id, ok, expected, found, remedy) {
  printf "check=%s\t%s\t%s\t%s\t%s\n", id, ok ? "pass" : "fail", expected, found, ok ? "" : remedy
  if (!ok && reason == "") reason = found
}

BEGIN {
  wanted = "PORT_PROPERTIES_NP.portState PORT_PROPERTIES_NP.timestamping CURRENT_DATA_SET.stepsRemoved " \
    "CURRENT_DATA_SET.offsetFromMaster CURRENT_DATA_SET.meanPathDelay PARENT_DATA_SET.parentPortIdentity " \
    "PARENT_DATA_SET.grandmasterIdentity TIME_PROPERTIES_DATA_SET.ptpTimescale TIME_STATUS_NP.ingress_time " \
    "TIME_STATUS_NP.gmPresent TIME_STATUS_NP.gmIdentity"
  wants = split(wanted, want, " ")
  for (i = 1; i <= wants; i++) is_wanted[want[i]] = 1
  journal = "see `journalctl -u timebase-ptp4l` on the host"
}

{ gsub(/[^ -~]/, " ") }
/ RESPONSE MANAGEMENT [A-Z_]+ *$/ {
  answers++
  set = $NF
  if (set in answered) twice = set
  answered[set] = 1
  next
}
/^sending: / || NF == 0 { next }
# All of the line is the value: what has a second word is no answer, and does not make room for another one.
set "." $1 in is_wanted {
  key = set "." $1
  if (key in value) twice = key
  sub(/^ *[^ ]+ */, "")
  sub(/ +$/, "")
  value[key] = $0
  next
}
set == "" { said = said (said == "" ? "" : "; ") $0 }

# What a value can be: what is none of these is no answer, whatever a number is read out of it.
function plausible(key, text) {
  if (key ~ /(gm|grandmaster)Identity$/) return text ~ /^[0-9a-f]+\.[0-9a-f]+\.[0-9a-f]+$/ && length(text) == 18
  if (key ~ /parentPortIdentity$/) return text ~ /^[0-9a-f]+\.[0-9a-f]+\.[0-9a-f]+-[0-9]+$/
  if (key ~ /stepsRemoved$/) return text ~ /^[0-9]+$/ && length(text) <= 5
  if (key ~ /(offsetFromMaster|meanPathDelay)$/) return text ~ /^-?[0-9]+(\.[0-9]+)?$/ && length(text) <= 22
  if (key ~ /ingress_time$/) return text ~ /^[0-9]+$/ && length(text) <= 19
  if (key ~ /ptpTimescale$/) return text ~ /^[01]$/
  if (key ~ /gmPresent$/) return text ~ /^(true|false)$/
  return text ~ /^[A-Z_]+$/
}

function answer(    i, wrong) {
  if (!answers) wrong = said == "" ? "ptp4l does not answer" : "ptp4l does not answer: " said
  else if (twice != "") wrong = "two answers for " twice
  for (i = 1; i <= wants && wrong == ""; i++) {
    if (!(want[i] in value)) wrong = "no " want[i] " among the answers of ptp4l"
    else if (!plausible(want[i], value[want[i]])) wrong = want[i] " is \"" substr(value[want[i]], 1, 40) "\""
  }
  if (wrong != "") check("time.ptp-port", 0, expected_port(), wrong, "is linuxptp installed, and its service active? See `systemctl status timebase-ptp4l` on the host")
  return wrong == ""
}

function expected_port() { return role == "server" ? "serves PTP at " address : "follows " address }

# chronyd has the clock, so the port of a client is never more than UNCALIBRATED: ptp4l itself corrects nothing.
function port(    state, ok) {
  state = value["PORT_PROPERTIES_NP.portState"]
  ok = role == "server" ? state ~ /^(GRAND_)?MASTER$/ : state ~ /^(UNCALIBRATED|SLAVE)$/
  check("time.ptp-port", ok, expected_port(), ok ? expected_port() " (" state ")" : "port " state (role == "client" && state == "LISTENING" ? ": no hub answers" : ""), role == "server" ? journal ": it takes some seconds after a start" : "is the hub up, and do its UDP ports 319 and 320 answer this host? " journal)
}

# The identity of a hub is made of its address, by both sides: nobody else has it by chance.
function grandmaster(    found) {
  found = value["PARENT_DATA_SET.grandmasterIdentity"]
  if (role == "client") {
    if (value["TIME_STATUS_NP.gmPresent"] != "true") found = "none"
    else if (value["TIME_STATUS_NP.gmIdentity"] != found) found = found " and " value["TIME_STATUS_NP.gmIdentity"]
    else if (found == identity && (value["PARENT_DATA_SET.parentPortIdentity"] != identity "-1" || value["CURRENT_DATA_SET.stepsRemoved"] != 1)) found = found " behind " value["PARENT_DATA_SET.parentPortIdentity"]
    else if (found == identity && value["TIME_PROPERTIES_DATA_SET.ptpTimescale"] != 0) found = found " in TAI"
  }
  check("time.ptp-grandmaster", found == identity, identity, found, role == "server" ? "run `pulumi up` again, which restarts it; " journal : "which machine has the address " address "? It has to be a hub that serves PTP (ptpAddress), with nothing that forwards PTP in between")
}

function fresh(    age, ok) {
  age = now - value["TIME_STATUS_NP.ingress_time"] / 1e9
  ok = value["TIME_STATUS_NP.ingress_time"] != 0 && age <= 4 && age > -4
  check("time.ptp-fresh", ok, "a Sync within 4 s", value["TIME_STATUS_NP.ingress_time"] == 0 ? "no Sync" : age < -4 ? sprintf("last Sync %d s in the future: the clock was set back", -age) : ok ? "a Sync within 4 s" : sprintf("last Sync %d s ago", age), "does the hub answer, and does its network let UDP ports 319 and 320 through? " journal)
}

# What ptp4l cannot know. Of the mean path delay all may be of one direction, then the offset is wrong by as much (both
# directions take their time, the stamping in software is part of it). It is measured between two moments, of a Sync and of the
# Delay_Req that belongs to it, between which the clocks drift. And what it measures just now chronyd need not have corrected yet.
function error(    delay, offset) {
  delay = value["CURRENT_DATA_SET.meanPathDelay"] + 0
  offset = value["CURRENT_DATA_SET.offsetFromMaster"] + 0
  if (reason == "" && (delay <= 0 || delay > 1e9)) reason = "the mean path delay is " value["CURRENT_DATA_SET.meanPathDelay"] " ns"
  if (reason == "" && (offset > 1e15 || offset < -1e15)) reason = "the offset is " value["CURRENT_DATA_SET.offsetFromMaster"] " ns"
  if (reason != "") print "error=? " reason
  else printf "error=%.0f\n", delay + (offset < 0 ? -offset : offset) + interval_ns * drift_ppm / 1e6 + server_error_ns + 0.5
}

END {
  if (answer()) {
    port()
    check("time.ptp-timestamps", value["PORT_PROPERTIES_NP.timestamping"] == stamping, stamping, value["PORT_PROPERTIES_NP.timestamping"], "run `pulumi up` again, which writes its configuration; " journal)
    grandmaster()
    if (role == "client") fresh()
  }
  if (role == "client") error()
}
