# shellcheck shell=sh
# The sources that chronyd is given at each of its starts. It ends when the device of a refclock is missing ("Could not open
# PHC"), so a line about a device is never in a file that outlives it: a unit that runs before chronyd does writes those
# lines for the devices that are there, into a folder that chronyd reads, and that may be empty or missing. When the unit
# fails, or this program is gone, chronyd starts without them.

# Where AppArmor lets chronyd read (Debian, Ubuntu), and which no unit removes when chronyd stops. What the network's
# DHCP tells is in it as *.sources, which we do not read.
sources_folder=/run/chrony-dhcp
sources_run_file=$TIMEBASE_ROOT$sources_folder/timebase.conf
sources_unit=timebase-sources.service
sources_unit_file=$TIMEBASE_ROOT/etc/systemd/system/$sources_unit

sources_dropin_path() { sources_dropin=$TIMEBASE_ROOT/etc/systemd/system/$os_chrony_service.service.d/timebase.conf; }

# sources_converge: unit and drop-in are there when the plan has a device for this host, and only then.
sources_converge() {
  sources_dropin_path
  if [ "$sources_dynamic" = no ]; then
    sources_revert
    return 0
  fi
  printf '%s\n' "# Written by timebase for $plan_owner; \`sudo timebase revert\` removes it." '[Unit]' \
    'Description=timebase: the clock devices that chronyd is to follow' \
    '' '[Service]' 'Type=oneshot' \
    "ExecStartPre=-/bin/rm -f $sources_run_file" \
    "ExecStart=/bin/sh $install_folder/current/timebase sources" 'TimeoutStartSec=90' >"$work/unit"
  printf '%s\n' "# Written by timebase for $plan_owner; \`sudo timebase revert\` removes it." '[Unit]' \
    "Wants=$sources_unit" "After=$sources_unit" >"$work/dropin"
  all_lines "$sources_run_file"
  if [ "$all_lines" != "$sources_run" ]; then file_write "$chrony_restart_due" /dev/null; fi
  chrony_own "$sources_unit_file" "$work/unit"
  chrony_own "$sources_dropin" "$work/dropin"
}

# sources_revert: the other way round; what it did not find there, it does not touch.
sources_revert() {
  sources_dropin_path
  record_folder time "$sources_unit_file"
  sources_recorded=$record
  record_folder time "$sources_dropin"
  if [ ! -d "$record" ] && [ ! -d "$sources_recorded" ]; then return 0; fi
  file_disown time "$sources_dropin"
  rmdir -- "${sources_dropin%/*}" 2>/dev/null || :
  rm -f -- "$sources_run_file"
  # Nothing wants the unit any more, so systemd forgets it by itself; its record, which tells that there is something to do
  # here, is the last to go.
  systemctl daemon-reload
  file_disown time "$sources_unit_file"
}

# sources: what the unit does, before each start of chronyd. Devices that the boot is still finding are waited for.
sources() {
  rm -f -- "$sources_run_file"
  if [ ! -e "$TIMEBASE_STATE/plans/time" ]; then return 0; fi
  plan_read <"$TIMEBASE_STATE/plans/time"
  sources_load
  sources_choose
  if [ "$sources_missing" = yes ]; then
    udevadm settle --timeout=30 || :
    sources_choose
  fi
  if [ -n "$sources_left$sources_note" ]; then say "${sources_left:+left out: $sources_left}${sources_note:+ $sources_note}"; fi
  if [ -n "$sources_run" ]; then text_write "$sources_run_file" "$sources_run"; fi
}

# sources_refuted: sets sources_refuted to how the chronyd that runs differs from what this host can have now, or to nothing.
# Needs $clock_owners.
sources_refuted() {
  sources_refuted=
  if [ "$sources_dynamic" = no ]; then return 0; fi
  all_lines "$sources_run_file"
  if [ "$all_lines" != "$sources_run" ]; then
    sources_now=${sources_run%"$newline"}
    all_lines=${all_lines%"$newline"}
    sources_refuted="chronyd was started with ${all_lines:-no device}; this host has ${sources_now:-none} now"
    return 0
  fi
  sources_pid=${clock_owners##*(}
  sources_pid=${sources_pid%)*}
  while read -r source_refid source_device source_error; do
    if [ -n "$source_device" ] && [ -z "$(find "$TIMEBASE_ROOT/proc/$sources_pid/fd" -lname "/dev/$source_device" 2>/dev/null)" ]; then
      sources_refuted="chronyd does not have /dev/$source_device open"
    fi
  done <<DEVICES
$sources_devices
DEVICES
}

# check_sources: what became of each source of the plan that is not an address.
check_sources() {
  sources_found=$sources_note
  while read -r source_refid source_device source_error; do
    if [ -z "$source_device" ]; then continue; fi
    first_line "$TIMEBASE_ROOT/sys/class/ptp/$source_device/clock_name"
    sources_found="${sources_found:+$sources_found; }$source_refid is /dev/$source_device ($first_line)"
  done <<DEVICES
$sources_devices
DEVICES
  sources_refuted
  if [ -n "$sources_refuted" ]; then
    check time.sources fail 'the devices of this host' "$sources_refuted" "run \`pulumi up\` again, which restarts $os_chrony_service; if it stays, see \`journalctl -u $sources_unit\` on the host"
  elif [ -n "$sources_left" ]; then
    sources_remedy='take it out of the program for this host, or correct what is named'
    if [ -n "$sources_awaited" ]; then sources_remedy=$check_pending_remedy; fi
    if [ -n "$sources_fixed$sources_run" ]; then
      check time.sources warn 'every source of the plan' "left out: $sources_left" "$sources_remedy"
    else
      check time.sources fail 'one source at least' "left out: $sources_left" "$sources_remedy; or give it a source that it can have, such as a server by its address"
    fi
  elif [ -n "$sources_found" ]; then
    check time.sources pass 'every source of the plan' "$sources_found" ''
  fi
}

# sources_errors: sets sources_errors to a line "REFID FIGURE" for each device, or "REFID ? WHY"; a figure is in
# nanoseconds. A driver that has not read its device yet says 0, and one that could not, all ones or nothing. And
# sources_errors_lasting to the same of any time: what a driver says is of now.
sources_errors() {
  sources_errors='' sources_errors_lasting=''
  while read -r source_refid source_device source_error; do
    case "$source_error" in
      '') continue ;;
      *[!0-9]*)
        first_line "$source_error" 2>/dev/null
        case "$first_line" in
          '' | 0 | 4294967295 | *[!0-9]* | ???????????*) source_error="? ${source_error##*/} of /dev/$source_device says \"$first_line\"" ;;
          *) source_error=$first_line ;;
        esac
        sources_errors_lasting="$sources_errors_lasting$source_refid ? what its driver said of it then is not recorded$newline"
        ;;
      *) sources_errors_lasting="$sources_errors_lasting$source_refid $source_error$newline" ;;
    esac
    sources_errors="$sources_errors$source_refid $source_error$newline"
  done <<DEVICES
$sources_devices
DEVICES
}
