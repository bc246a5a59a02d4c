# shellcheck shell=sh
# Who steers this host's clock: units that systemd would start, and processes that run.

# Every other daemon that steers the system clock, by unit and by process name (15 characters in /proc/<pid>/comm).
time_rival_units='systemd-timesyncd.service ntp.service ntpd.service ntpsec.service openntpd.service ptpd.service phc2sys.service phc2sys@*.service timemaster.service'
time_rival_processes='systemd-timesyn ntpd openntpd ptpd phc2sys timemaster'

# Where units may be (systemd.unit(5), unit file load path).
unit_folders='/etc/systemd/system.control /run/systemd/system.control /run/systemd/transient /run/systemd/generator.early
/etc/systemd/system /etc/systemd/system.attached /run/systemd/system /run/systemd/system.attached /run/systemd/generator
/usr/local/lib/systemd/system /usr/lib/systemd/system /lib/systemd/system /run/systemd/generator.late'

# unit_file NAME: sets unit_file to the file that systemd takes for the unit, or to nothing; a mask is a link to /dev/null.
unit_file() {
  for unit_folder in $unit_folders; do
    unit_file=$TIMEBASE_ROOT$unit_folder/$1
    if [ -e "$unit_file" ]; then return 0; fi
  done
  unit_file=
}

# rival_unit_file NAME: the same for a unit or an instance, of which the template is a file.
rival_unit_file() {
  case "$1" in
    *@*) unit_file "${1%@*}@.service" ;;
    *) unit_file "$1" ;;
  esac
}

# rival_units: sets rival_units to those that there are. systemd looks for one that there is not in all folders, and on a slow
# host that takes longer than to tell of ten that there are.
rival_units() {
  rival_units=
  for rival_unit in $time_rival_units; do
    rival_unit_file "$rival_unit"
    if [ -n "$unit_file" ]; then rival_units="$rival_units $rival_unit"; fi
  done
}

# units_read: asks systemd, once, about chrony and all that steers the clock too. Sets chrony_unit, and rivals, those others
# that run or will at the next boot: name, enabled, active, a line each.
units_read() {
  rival_units
  # shellcheck disable=SC2086 # a list of units
  systemctl show --property=Id,UnitFileState,ActiveState "$os_chrony_service.service" $rival_units >"$work/units" 2>/dev/null || :
  printf '\n' >>"$work/units"
  chrony_unit='' rivals=''
  unit_id='' unit_enabled='' unit_active=''
  while IFS='=' read -r unit_key unit_value; do
    case "$unit_key" in
      Id) unit_id=$unit_value ;;
      UnitFileState) unit_enabled=$unit_value ;;
      ActiveState) unit_active=$unit_value ;;
      '')
        case "$unit_id:$unit_enabled:$unit_active" in
          "$os_chrony_service.service:"*) chrony_unit="$unit_id ${unit_enabled:-static} $unit_active" ;;
          ?*:enabled:* | ?*:active) rivals="$rivals$unit_id ${unit_enabled:-static} $unit_active$newline" ;;
        esac
        unit_id='' unit_enabled='' unit_active=''
        ;;
    esac
  done <"$work/units"
}

# rivals_stop: what units_read has found.
rivals_stop() {
  printf %s "$rivals" >"$work/rivals"
  while read -r rival rival_enabled rival_active; do
    facts_add time unit "$rival" "$rival_enabled" "$rival_active"
    say "stopping $rival: chrony is to be the only owner of this clock"
    { systemctl --quiet disable "$rival" && systemctl stop "$rival"; } ||
      fail "$rival, which steers the clock too, could not be stopped" "stop and disable it on the host: systemctl disable $rival; systemctl stop $rival"
  done <"$work/rivals"
}

# rivals_mask: what was stopped cannot be started either, by a dependency or by `timedatectl set-ntp true`; of an instance only
# that one. After chrony's package, whose installation removes some of them. A file of the user's own in /etc is where the mask
# would be.
rivals_mask() {
  facts_of time
  while read -r rival_fact rival rival_was; do
    if [ "$rival_fact" != unit ] || [ "$rival" = "$os_chrony_service.service" ]; then continue; fi
    if [ -e "$TIMEBASE_ROOT/etc/systemd/system/$rival" ]; then continue; fi
    rival_unit_file "$rival"
    if [ -z "$unit_file" ]; then continue; fi
    facts_add time masked "$rival"
    systemctl --quiet mask "$rival" ||
      fail "$rival, which steers the clock too, could not be masked (why is above)" "mask it on the host: systemctl mask $rival"
  done <<FACTS
$facts_of
FACTS
}

# rivals_unmask: those of time_facts that we have masked.
rivals_unmask() {
  for rival in $(printf '%s\n' "$time_facts" | sed -n 's/^masked //p'); do
    systemctl --quiet unmask "$rival" || say "$rival could not be unmasked"
  done
}

# clock_owners: sets clock_owners to the processes that steer this clock, "comm (pid)" each. Children of one daemon
# (chronyd's helper) are it.
clock_owners() {
  clock_owners=
  for owner_comm_file in "$TIMEBASE_ROOT"/proc/[0-9]*/comm; do
    # A process may be gone by now. Of most only these few letters are read: the shell reads a byte at a time.
    { IFS= read -r owner_comm <"$owner_comm_file"; } 2>/dev/null || continue
    if ! has_word "chronyd ptp4l $time_rival_processes" "$owner_comm"; then continue; fi
    first_line "${owner_comm_file%/comm}/stat"
    owner_line=$first_line
    if [ -z "$owner_line" ]; then continue; fi
    owner_pid=${owner_line%% *}
    owner_parent=${owner_line##*) ? }
    owner_parent=${owner_parent%% *}
    first_line "$TIMEBASE_ROOT/proc/$owner_parent/comm"
    if [ "$first_line" = "$owner_comm" ]; then continue; fi
    if ! owner_may_steer "$owner_pid"; then continue; fi
    if [ "$owner_comm" = ptp4l ] && ! ptp4l_steers "$owner_pid"; then continue; fi
    clock_owners="${clock_owners:+$clock_owners }$owner_comm ($owner_pid)"
  done
}

# owner_may_steer PID: a daemon in a container steers this clock only with CAP_SYS_TIME in the first user name
# space; without it, it only watches.
owner_may_steer() {
  owner_spaces=$(readlink "$TIMEBASE_ROOT/proc/1/ns/user" "$TIMEBASE_ROOT/proc/$1/ns/user") || :
  owner_space=${owner_spaces%%"$newline"*}
  case "$owner_spaces" in '' | "$owner_space$newline$owner_space") ;; *) return 1 ;; esac
  ! lacks_sys_time "$1" CapEff
}

# lacks_sys_time PROCESS KEY: whether this set of its capabilities (capabilities(7), proc_pid_status(5)) is without
# CAP_SYS_TIME, bit 25. One that cannot be read is not known to be.
lacks_sys_time() {
  all_lines "$TIMEBASE_ROOT/proc/$1/status"
  sys_time_set=${all_lines#*"$2:$tab"}
  sys_time_set=${sys_time_set%%"$newline"*}
  case "$sys_time_set" in '' | *[!0-9a-f]*) return 1 ;; esac
  [ $((0x$sys_time_set & 0x2000000)) = 0 ]
}

# ptp4l_steers PID: mostly ptp4l steers the clock of a network card, and only with software time stamps the system's own, if
# it is not told otherwise (lib/ptp4l.awk). Its configuration is read as it sees it, which may be in a container.
ptp4l_steers() {
  tr '\000' '\n' 2>/dev/null <"$TIMEBASE_ROOT/proc/$1/cmdline" |
    awk -v root="$TIMEBASE_ROOT/proc/$1/root" -v folder="$TIMEBASE_ROOT/proc/$1/cwd" -f "$TIMEBASE_HOME/lib/ptp4l.awk"
}
