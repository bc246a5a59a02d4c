# The plan's time sources, for chrony_state.awk and tracking_log.awk.
#
# In the environment: TIMEBASE_SOURCES, their lines of chrony's configuration; TIMEBASE_ERRORS, what is known of the error of the
# devices among them, a line each: "REFID NANOSECONDS" or "REFID ? WHY IT IS UNKNOWN".
# Sets planned[1..plans], what chronyd calls them, in order; of each directive (server, pool, refclock) and options, each after a
# space; of a refclock also driver (PHC, SHM) and place, what the driver is told; of a device own_error.

BEGIN {
  n = split(ENVIRON["TIMEBASE_SOURCES"], line, "\n")
  for (i = 1; i <= n; i++) {
    if (split(line[i], word, " ") < 2) continue
    # chronyd names a refclock by its reference id.
    name = word[1] == "refclock" ? option(line[i], "refid") : word[2]
    if (!(name in directive)) planned[++plans] = name
    directive[name] = word[1]; options[name] = line[i]
    # A server may be called as an option is.
    sub(/^[^ ]+ +[^ ]+/, "", options[name])
    if (word[1] == "refclock") { driver[name] = word[2]; place[name] = word[3] }
  }
  n = split(ENVIRON["TIMEBASE_ERRORS"], line, "\n")
  for (i = 1; i <= n; i++) {
    name = line[i]
    if (sub(/ .*/, "", name)) own_error[name] = substr(line[i], length(name) + 2)
  }
}

# option(LINE, NAME): its value in a line of the configuration, or in its options; or nothing.
function option(line, name) {
  return match(line, " " name " [^ ]+") ? substr(line, RSTART + length(name) + 2, RLENGTH - length(name) - 2) : ""
}
