# shellcheck shell=sh
# The one reboot: only when needed, at most once for a configuration, and with the door closed, so that nobody can
# meet the old boot and take it for the new one.

# The door opens again by itself when the reboot has not happened after this time.
reboot_door_seconds=150

boot_id() {
  first_line "$TIMEBASE_ROOT/proc/sys/kernel/random/boot_id"
  boot_id=$first_line
}

# A boot id that cannot be read must not count as a changed one.
boot_id_valid() {
  case "$1" in
    ????????-????-????-????-????????????) case "$1" in *[!0-9a-f-]*) return 1 ;; esac ;;
    *) return 1 ;;
  esac
}

# reboot_decide: what the reboot policy makes of the running kernel: sets reboot_decision to none, pending or ordered.
reboot_decide() {
  reboot_decision=none
  if ! plan_has boot || boot_live; then return 0; fi
  case "$plan_reboot" in
    never)
      say "\"$plan_boot_parameters\" take effect at this host's next boot; its reboot policy is never"
      reboot_decision=pending
      ;;
    if-needed)
      clocksource_read
      # The running kernel cannot be given a parameter of a driver that holds the network, nor one that a new kernel's entry is to
      # copy from it.
      if has_word "$clocksources_available" tsc && [ -z "$sources_awaited" ] && boot_persistent; then clocksource_switch; else reboot_decision=ordered; fi
      ;;
    to-prove) reboot_decision=ordered ;;
  esac
}

# What waited for the lock behind the one who ordered a reboot would be cut by it in the middle. In /run, so that the
# boot forgets it; and no longer than the door is closed, in case that the boot does not happen.
reboot_ordered_file=$TIMEBASE_ROOT/run/timebase.reboot
reboot_refuse_ordered() {
  if [ ! -e "$reboot_ordered_file" ]; then return 0; fi
  read -r reboot_ordered_at reboot_ordered_by <"$reboot_ordered_file" || :
  uptime_seconds
  if [ "$reboot_ordered_by" = "$plan_owner" ] || [ $((uptime_seconds - ${reboot_ordered_at:-0})) -ge "$reboot_door_seconds" ]; then return 0; fi
  fail "\"$reboot_ordered_by\" has just ordered a reboot of this host" \
    'run this again when the host is back; so that it does not happen to `pulumi up`, manage the host by one HostClock, or let one component depend on the other (dependsOn)'
}

# reboot_answer: the lines that prove is given in addition to the plan.
reboot_answer() {
  boot_id
  printf 'converged-boot-id=%s\nconverged-reboot=%s\n' "$boot_id" "$reboot_decision"
}

reboot_record=$TIMEBASE_STATE/reboot

# Ordered once for a configuration: a host that came back without the parameters would reboot for ever. What is due becomes
# the record just before the reboot: after a power cut until then GRUB, which does not replay a file system's journal, may
# meet the configuration from before once more.
reboot_order() {
  reboot_ordered="$plan_boot_parameters $(boot_entries | cksum)"
  boot_id
  if [ -e "$reboot_record" ]; then
    { IFS= read -r reboot_last_boot_id && IFS= read -r reboot_last; } <"$reboot_record" || :
    if [ "${reboot_last:-}" = "$reboot_ordered" ] && [ "${reboot_last_boot_id:-}" != "$boot_id" ]; then
      boot_chosen
      fail "it was rebooted for \"$plan_boot_parameters\", and its kernel still runs without them: $boot_cmdline" \
        "$boot_chosen; if its power failed in just that reboot, remove $reboot_record on the host and run \`pulumi up\` again"
    fi
  fi
  text_write "$reboot_record.due" "$boot_id$newline$reboot_ordered$newline"
  reboot_now
}

reboot_forget() { rm -f -- "$reboot_record" "$reboot_record.due"; }

# A kernel or a boot loader that is half installed may not boot.
reboot_now() {
  packages_await
  uptime_seconds
  printf '%s\n' "$uptime_seconds $plan_owner" >"$reboot_ordered_file"
  door_close
  say 'rebooting now'
  # Detached, and late enough for this session to end as an orderly one.
  timer 2 'timebase: reboot' sh -c "mv -f -- $reboot_record.due $reboot_record 2>/dev/null && sync; systemctl reboot" >/dev/null 2>&1 || {
    door_open
    fail 'the reboot could not be ordered (systemd-run failed)' 'see `journalctl -b` on the host'
  }
}

# timer SECONDS DESCRIPTION COMMAND...: runs it then, detached. A timer of systemd may be a minute late by default.
timer() {
  timer_seconds=$1
  timer_description=$2
  shift 2
  systemd-run --quiet --description="$timer_description" --on-active="$timer_seconds" --timer-property=AccuracySec=100ms "$@"
}

# The door: sshd's listener. Sessions that are open, ours among them, live on (KillMode=process).
door_units() {
  for door_unit in ssh.socket sshd.socket ssh.service sshd.service; do
    if systemctl --quiet is-active "$door_unit"; then printf '%s ' "$door_unit"; fi
  done
}

door_close() {
  door=$(door_units)
  # shellcheck disable=SC2086 # a list of units
  if [ -n "$door" ]; then
    timer "$reboot_door_seconds" 'timebase: open sshd again' systemctl start $door >/dev/null 2>&1 ||
      fail 'the timer that opens sshd again could not be set (systemd-run failed)' 'see `journalctl -b` on the host'
    systemctl stop $door || {
      door_open
      fail "sshd could not be closed before the reboot ($door)" 'see `journalctl -b` on the host'
    }
  fi
}

door_open() {
  rm -f -- "$reboot_ordered_file"
  # shellcheck disable=SC2086 # a list of units
  systemctl start $door || :
}
