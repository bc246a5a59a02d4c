# shellcheck shell=sh
# What must be true before anything on the host is changed. Each refusal names what, where and what to do.

preflight() {
  preflight_system
  preflight_container
  if plan_has boot || plan_has time; then preflight_clock; fi
  # What cloud-init makes of this host is what is looked at.
  cloud_init_wait
  if plan_has boot; then preflight_boot; fi
  if plan_has time; then
    preflight_chrony
    sources_preflight
    ptp_preflight
  fi
  preflight_room
  # What is installed already needs no package manager.
  if plan_has time; then
    chrony_installed=no
    if package_installed chrony; then chrony_installed=yes; else packages_await; fi
  fi
}

preflight_system() {
  if [ -z "$os_boot" ]; then
    os_names
    fail "system $os_name is not supported" "use one of: $os_names"
  fi
  if [ -n "$plan_os" ] && [ "$plan_os" != "$os_name" ]; then
    fail "the program declares $plan_os, but this host runs $os_name" "declare operatingSystem: \"$os_name\", or leave it out"
  fi
  if [ ! -d "$TIMEBASE_ROOT/run/systemd/system" ]; then
    fail 'systemd is not the running init' 'boot this host with systemd; services, reboot and clock daemons are managed through it'
  fi
  if [ -n "$os_support_ended" ]; then
    say "warning: the support of $os_name by its maker has ended on $os_support_ended: this host gets no security updates any more"
  fi
}

# A container shares its kernel, clocksource and clock with others: they are set on the machine that runs it.
preflight_container() {
  preflight_container=$(systemd-detect-virt --container 2>/dev/null || :)
  case "$preflight_container" in
    '' | none) ;;
    *) fail "this is a container ($preflight_container); clock and kernel belong to the machine that runs it" 'point the endpoint at that machine' ;;
  esac
}

# What is no container by name may still not set the clock: the kernel asks for CAP_SYS_TIME in the first user name space
# (Linux, kernel/time/time.c, do_sys_settimeofday64; capabilities(7)).
preflight_clock() {
  for preflight_key in CapEff CapBnd; do
    if lacks_sys_time self "$preflight_key"; then
      fail "root may not set the clock here ($preflight_key in /proc/self/status lacks CAP_SYS_TIME)" \
        'point the endpoint at the machine itself, or give this environment CAP_SYS_TIME (a container, a jail, a service with CapabilityBoundingSet=)'
    fi
  done
  first_line "$TIMEBASE_ROOT/proc/self/uid_map"
  read -r preflight_inside preflight_outside preflight_count <<MAP
$first_line
MAP
  case "$preflight_inside $preflight_outside $preflight_count" in
    '  ' | '0 0 4294967295') ;;
    *)
      fail 'root here is root of a user name space only (/proc/self/uid_map), which may not set the clock' \
        'point the endpoint at the machine itself'
      ;;
  esac
}

# An Amazon Linux 2 that was never updated has chrony 3, whose chronyc has no -N, and whose chronyd does not know NTS.
preflight_chrony() {
  unit_file "$os_chrony_service.service"
  if [ -c "$unit_file" ]; then
    fail "$os_chrony_service is masked: somebody does not want it to run here" \
      "allow it on the host: systemctl unmask $os_chrony_service; or leave TimeSync out for this host"
  fi
  if ! command -v chronyd >/dev/null; then return 0; fi
  preflight_version=$(chronyd -v 2>/dev/null || :)
  case "$preflight_version" in
    *'version '[1-3].*) fail "chrony on this host is too old (${preflight_version%% (+*}), it has to be version 4" "update it: $os_package_program update chrony" ;;
  esac
  keys_preflight "$preflight_version"
}

# Under the lock, because another plan's converge may be just ahead of us.
preflight_owners() {
  plan_sections
  for preflight_section in $plan_sections; do
    plan_owner_of "$preflight_section"
    if [ -n "$plan_owner_of" ] && [ "$plan_owner_of" != "$plan_owner" ]; then
      install_given_up
      fail "the $preflight_section section of this host belongs to \"$plan_owner_of\", not to \"$plan_owner\"" \
        "manage a host from one stack; destroy the other one first, or run \`sudo timebase revert\` on the host${install_given_up:+; $install_given_up}"
    fi
  done
}

# Packages and GRUB are cloud-init's until it has finished. Its files are watched, because `cloud-init status --wait`
# starts a Python every quarter of a second, and calls an early error the end. Errors in it are told, not judged: the
# proof says what became of this host.
cloud_init_wait() {
  if ! command -v cloud-init >/dev/null || [ -e "$TIMEBASE_ROOT/run/cloud-init/disabled" ]; then return 0; fi
  cloud_init_result=$TIMEBASE_ROOT/run/cloud-init/result.json
  uptime_seconds
  cloud_init_waited_from=$uptime_seconds
  cloud_init_said=
  until [ -e "$cloud_init_result" ] || ! system_starting; do
    uptime_seconds
    cloud_init_waited=$((uptime_seconds - cloud_init_waited_from))
    if [ "$cloud_init_waited" -ge "$cloud_init_seconds" ]; then
      fail "cloud-init did not finish within $cloud_init_seconds s" 'see `cloud-init status --long` and /var/log/cloud-init-output.log on the host; correct its user data'
    fi
    if [ $((cloud_init_waited / 10)) != "$cloud_init_said" ]; then
      cloud_init_said=$((cloud_init_waited / 10))
      say "waiting for cloud-init, $cloud_init_waited of $cloud_init_seconds s"
    fi
    sleep 2
  done
  all_lines "$cloud_init_result"
  case "$all_lines" in
    *'"errors": []'*) ;;
    *) say 'cloud-init has ended with errors (see `cloud-init status --long` on the host); going on' ;;
  esac
}

cloud_init_seconds=900

# When the boot is over and cloud-init has left no result, it has crashed or had nothing to do.
system_starting() {
  case "$(systemctl is-system-running 2>/dev/null || :)" in
    initializing | starting) return 0 ;;
    *) return 1 ;;
  esac
}
