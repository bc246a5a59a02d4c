# Whether a ptp4l steers the system clock: the exit status is 0 when it does. Input: its arguments, a line each.
# In: root and folder, by which its configuration is found.
#
# With time stamps of the network card it steers the card's clock; with those of software, or of the card by an old
# interface (legacy), CLOCK_REALTIME (linuxptp, clock.c, clock_create), unless it runs freely, is a server only, or hands
# what it measures to another program. What is told on the command line stands above the configuration (config.c). A
# configuration that cannot be read does not tell that it does not steer.

{ argument[NR] = $0 }

END {
  for (i = 2; i <= NR; i++) {
    if (argument[i] ~ /^--/) {
      name = substr(argument[i], 3)
      if (at = index(name, "=")) tell(substr(name, 1, at - 1), substr(name, at + 1))
      else tell(name, argument[++i])
    } else if (argument[i] ~ /^-/) {
      for (l = 2; l <= length(argument[i]); l++) {
        letter = substr(argument[i], l, 1)
        if (letter == "H") tell("time_stamping", "hardware")
        if (letter == "S") tell("time_stamping", "software")
        if (letter == "L") tell("time_stamping", "legacy")
        if (letter !~ /[fipl]/) continue
        value = l < length(argument[i]) ? substr(argument[i], l + 1) : argument[++i]
        if (letter == "f") config = value
        break
      }
    }
  }
  if (config != "" && !read_config(config ~ /^\// ? root config : folder "/" config)) exit 0
  steers = value_of("time_stamping") ~ /^(software|legacy)$/ && value_of("free_running") != 1
  exit !(steers && !server() && value_of("clock_servo") !~ /^(ntpshm|refclock_sock)$/)
}

function tell(name, value) { told[name] = value }
function value_of(name) { return (name in told) ? told[name] : configured[name] }

# Of an interface of its own only that it may be a client counts.
function read_config(file, status, line, word) {
  while ((status = (getline line < file)) > 0) {
    split(line, word, /[ \t\r]+/)
    if (word[1] == "") { sub(/^[ \t]+/, "", line); split(line, word, /[ \t\r]+/) }
    if (word[1] ~ /^\[/) section = word[1]
    else if (section == "[global]") configured[word[1]] = word[2]
    else if (word[1] ~ /^(master|server)Only$/ && word[2] == 0) client = 1
  }
  return status == 0
}

function server() { return !client && (value_of("masterOnly") == 1 || value_of("serverOnly") == 1) }
