# shellcheck shell=sh
# Guest PTP: whether KVM on this host answers a guest's clock-pairing hypercall. Asked of KVM itself, by a guest of
# 20 bytes, because a /dev/ptp0 on the host says nothing about what guests get.

# guest_ptp_probe: sets guest_ptp (available, unavailable, unknown) and guest_ptp_reason.
guest_ptp_probe() {
  guest_ptp=unknown
  # Just after a boot sshd may answer before udev has loaded KVM. Who only looks (status) does not wait.
  if [ ! -e "$TIMEBASE_ROOT/dev/kvm" ] && [ "$plan_settle_seconds" != 0 ]; then
    udevadm settle --timeout=30 --exit-if-exists="$TIMEBASE_ROOT/dev/kvm" >/dev/null 2>&1 || :
  fi
  if [ ! -e "$TIMEBASE_ROOT/dev/kvm" ]; then
    guest_ptp_reason='no /dev/kvm on this host'
    return
  fi
  python_find
  if [ -z "$python" ]; then
    guest_ptp_reason='no Python on this host to ask KVM with'
    return
  fi
  # A KVM that hangs must not hang us.
  guest_ptp_status=0
  # Without the site's own packages (-S) and settings (-E) it is there in half the time.
  guest_ptp_answer=$(timeout -k 1 20 "$python" -ES "$TIMEBASE_HOME/lib/kvm_clock_pairing.py" "$TIMEBASE_ROOT/dev/kvm" 2>&1) || guest_ptp_status=$?
  case "$guest_ptp_status:$guest_ptp_answer" in
    0:available) guest_ptp=available guest_ptp_reason='' ;;
    0:unavailable*) guest_ptp=unavailable guest_ptp_reason=${guest_ptp_answer#unavailable } ;;
    124:* | 137:*) guest_ptp_reason='KVM did not answer within 20 s' ;;
    *) guest_ptp_reason=${guest_ptp_answer##*"$newline"} ;;
  esac
}

guest_ptp_remedy() {
  guest_ptp_remedy=
  case "$guest_ptp" in
    available) ;;
    unavailable)
      clocksource_read
      if [ "$clocksource_now" = tsc ]; then
        guest_ptp_remedy='the clocksource is tsc, and KVM still refuses: look for "tsc_always_catchup" or an unstable TSC in dmesg'
      else
        guest_ptp_remedy="KVM serves guests only while the host's clocksource is tsc, here it is $clocksource_now: add TscClocksource, or HostClock, for this host"
      fi
      ;;
    unknown) guest_ptp_remedy='enable virtualization on this host (firmware, or nested virtualization of the machine type), load kvm_intel or kvm_amd, install python3; or use GuestPtp.Reported' ;;
  esac
}
