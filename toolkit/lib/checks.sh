# shellcheck shell=sh
# The checks of a proof. All of them run; any that fails fails the proof. Everything is read from the live system.

# check ID VERDICT EXPECTED FOUND REMEDY: a row of the table. `read` would swallow an empty field but the last.
check() {
  check_line="$1$tab$2$tab${3:--}$tab${4:-nothing}$tab$5"
  checks="${checks:+$checks$newline}$check_line"
}

# check_that ID EXPECTED FOUND REMEDY: passes when what was found is what was expected.
check_that() {
  if [ "$2" = "$3" ]; then check "$1" pass "$2" "$3" ''; else check "$1" fail "$2" "$3" "$4"; fi
}

checks_failed() {
  case "$checks" in *"${tab}fail$tab"*) return 0 ;; *) return 1 ;; esac
}

checks_run() {
  checks=''
  proved_rebooted=null proved_live=null proved_persistent=null proved_leap=''
  time_as_of='' time_source='' time_kind='' time_stratum='' time_bound_ns='' time_bound_reason='' time_drift_ppb='' time_pairs=''
  held_since='' held_bound_ns='' held_reason=''
  guest_ptp='' guest_ptp_reason=''
  check_system
  if plan_has boot; then
    check_rebooted
    check_parameters
    check_clocksource
    check_reliable
  elif [ -n "$boot_not_applicable" ]; then
    check clocksource.applicable not-applicable tsc "$boot_not_applicable" ''
  fi
  if plan_has time; then check_time; fi
  if plan_has ptp; then check_guest_ptp; fi
}

# Of a clock that was released nothing else is asked: all that would be wrong has one remedy.
check_time() {
  if check_released; then
    time_bound_reason=$released_text
  else
    sources_choose
    # There is nothing to wait for when the proof has failed already.
    if checks_failed; then plan_settle_seconds=0; fi
    time_settle
    proved_leap=$sources_leap
    check_owner
    check_configuration
    check_sources
    check_ptp
    checks="$checks$newline$time_checks"
  fi
  check_held
}

check_system() {
  if [ -z "$os_boot" ]; then
    os_names
    check system fail "one of: $os_names" "$os_name" \
      'this host was upgraded to a system that is not supported: take timebase off it (`pulumi destroy`, or `sudo timebase revert`), or go back to one of these'
    return
  fi
  check_that system "${plan_os:-$os_name}" "$os_name" 'declare the system that the host runs'
  if [ -n "$os_support_ended" ]; then
    check system.support warn 'a system that its maker supports' "the support of $os_name has ended on $os_support_ended" 'move to a system that gets security updates, such as amazon-linux-2023'
  fi
}

# The boot that counts is the one after converge: waiting for sshd alone can meet the old one.
check_rebooted() {
  proved_rebooted=false
  if [ "$plan_converged_reboot" != ordered ]; then return 0; fi
  if check_boot_id "$plan_converged_boot_id" 'then run `pulumi up` again'; then proved_rebooted=true; fi
}

# check_boot_id BEFORE THEN: whether the running boot is another one than the one before.
check_boot_id() {
  boot_id
  if ! boot_id_valid "$boot_id" || ! boot_id_valid "$1"; then
    check boot.rebooted fail 'a new boot id' "an unreadable one (\"$boot_id\", before \"$1\")" 'see /proc/sys/kernel/random/boot_id on the host'
    return 1
  elif [ "$boot_id" = "$1" ]; then
    check boot.rebooted fail 'a new boot id' 'the boot from before: the ordered reboot did not happen' \
      "see \`journalctl -b\` on the host for what held it up (a shutdown inhibitor, a masked reboot.target); $2"
    return 1
  fi
  check boot.rebooted pass 'a new boot id' 'a new boot id' ''
}

check_pending_remedy='reboot this host when it suits you, then run `pulumi up` again; or use RebootPolicy.ToProve'

check_parameters() {
  if boot_persistent; then
    proved_persistent=true
    check boot.persistent pass "$plan_boot_parameters" "$plan_boot_parameters" ''
  else
    proved_persistent=false
    check boot.persistent fail "$plan_boot_parameters for every kernel of $os_grub_cfg" "$boot_missing" \
      'run `pulumi up` again, after the reboot if one is pending; if it stays, look for what rewrites the GRUB configuration'
  fi
  if boot_live; then
    proved_live=true
    check boot.parameters-live pass "$plan_boot_parameters" "$plan_boot_parameters" ''
    return
  fi
  proved_live=false
  case "$plan_reboot" in
    if-needed)
      check boot.parameters-live warn "$plan_boot_parameters" 'configured, not yet booted' 'the next boot proves that they persist; RebootPolicy.ToProve does it now'
      ;;
    never)
      check boot.parameters-live fail "$plan_boot_parameters" 'pending reboot' "$check_pending_remedy"
      ;;
    to-prove)
      boot_chosen
      check boot.parameters-live fail "$plan_boot_parameters" "$boot_cmdline" "$boot_chosen"
      ;;
  esac
}

check_clocksource() {
  clocksource_read
  if has_word "$clocksources_available" "$plan_clocksource"; then
    check clocksource.available pass "$plan_clocksource" "$clocksources_available" ''
  else
    check clocksource.available fail "$plan_clocksource" "$clocksources_available" 'the kernel has marked the TSC unstable: see `dmesg | grep -i tsc` on the host; a reboot with tsc=reliable is what changes that'
  fi
  check_clocksource_remedy='see `dmesg | grep -i clocksource` on the host for why the kernel left tsc'
  if [ "$plan_reboot" = never ]; then check_clocksource_remedy=$check_pending_remedy; fi
  check_that clocksource.current "$plan_clocksource" "$clocksource_now" "$check_clocksource_remedy"
}

# Whether `tsc=reliable` is the truth about this machine; what the program insists on (force) is told all the same.
check_reliable() {
  tsc_doubt
  if [ -z "$tsc_doubt" ]; then
    check clocksource.reliable pass 'an invariant TSC' 'an invariant TSC' ''
  elif tsc_virtual; then
    check clocksource.reliable warn 'an invariant TSC' "a virtual machine: $tsc_doubt" \
      'it is as good as the hypervisor makes it: have it offer an invariant TSC (QEMU: -cpu host,+invtsc), or compare clocks among hosts'
  elif [ "$plan_boot_force" = yes ]; then
    check clocksource.reliable warn 'an invariant TSC' "forced: $tsc_doubt" 'compare clocks among hosts now and then'
  else
    check clocksource.reliable fail 'an invariant TSC' "$tsc_doubt" 'leave TscClocksource out for this host; or, if you know its TSC to be right, set force: true'
  fi
}

check_owner() {
  clock_owners
  units_read
  case "$clock_owners" in
    *') '* | '' | [!c]*) check time.owner fail 'chronyd alone' "${clock_owners:-no daemon}" 'stop the others on the host, or start chrony, then run `pulumi up` again' ;;
    *)
      if [ -n "$rivals" ]; then
        check time.owner fail 'chronyd alone, also at the next boot' "${rivals%%"$newline"*}" 'disable it: systemctl disable --now <unit>'
      elif ! has_word "$chrony_unit" enabled; then
        check time.owner fail 'chronyd alone, also at the next boot' "$os_chrony_service is not enabled" 'run `pulumi up` again'
      else
        check time.owner pass 'chronyd alone' "${clock_owners%% *}" ''
      fi
      ;;
  esac
}

# The daemon must run with the plan's configuration, and find the same one at its next start.
check_configuration() {
  chrony_conf_text
  keys_refuted
  all_lines "$os_chrony_conf"
  if [ "$all_lines" != "$chrony_conf_text" ]; then
    check time.configuration fail "$os_chrony_conf as planned" 'it was changed, or is gone' "keep your own directives in the plan; \`pulumi up\` writes the file again and keeps yours beside it"
  elif [ -n "$keys_refuted" ]; then
    check time.configuration fail "$keys_file as planned" "$keys_refuted" 'run `pulumi up` again, which writes it'
  elif check_chronyd_arguments; then
    check time.configuration fail "chronyd with $os_chrony_conf" "chronyd runs as \"$chronyd_arguments\"" "leave in its options only what has it read $os_chrony_conf and steer the clock ($("${os_packages}_chronyd_options")), then run \`pulumi up\` again"
  elif [ -e "$chrony_restart_due" ]; then
    check time.configuration fail "$os_chrony_service restarted with $os_chrony_conf" 'it runs with an earlier configuration' 'run `pulumi up` again'
  else
    check time.configuration pass "$os_chrony_conf as planned" 'as planned' ''
  fi
}

# check_chronyd_arguments: whether chronyd was told to read another file, or directives instead of one, or not to steer the
# clock. Read in order, as chronyd does (chronyd(8)): flags may be joined, and the last file counts.
check_chronyd_arguments() {
  chronyd_pid=${clock_owners##*(}
  set --
  while IFS= read -r chronyd_argument; do set -- "$@" "$chronyd_argument"; done <<ARGUMENTS
$(tr '\000' '\n' <"$TIMEBASE_ROOT/proc/${chronyd_pid%)*}/cmdline" 2>/dev/null)
ARGUMENTS
  chronyd_arguments=$*
  shift
  chronyd_conf=$os_chrony_conf chronyd_steers=yes
  OPTIND=1
  while getopts :46df:F:hl:L:mnpP:qQrRst:u:Uvx chronyd_option; do
    case "$chronyd_option" in
      f) chronyd_conf=$OPTARG ;;
      [xQ]) chronyd_steers=no ;;
    esac
  done
  [ "$chronyd_conf $chronyd_steers $((OPTIND - 1))" != "$os_chrony_conf yes $#" ]
}

check_guest_ptp() {
  guest_ptp_probe
  guest_ptp_remedy
  if [ "$guest_ptp" = available ]; then
    check ptp.guest pass available available ''
  elif [ "$plan_guest_ptp" = required ]; then
    check ptp.guest fail available "$guest_ptp: $guest_ptp_reason" "$guest_ptp_remedy"
  else
    check ptp.guest warn available "$guest_ptp: $guest_ptp_reason" "$guest_ptp_remedy"
  fi
}
