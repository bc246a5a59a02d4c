# shellcheck shell=sh
# Network PTP (IEEE 1588 by linuxptp): a hub serves it at an address of its own, a client follows one hub. Both by ptp4l with
# unicast messages, because clouds have no multicast, and with time stamps of the software, which every network card has.
# A client's ptp4l only measures: it hands its samples to chronyd by shared memory, and may not set the clock.

# The words that linuxptp takes from 3.1.1 (Ubuntu 22.04, Debian 12) to 4.4: slaveOnly, not clientOnly.
ptp_unit=timebase-ptp4l.service
ptp_unit_file=$TIMEBASE_ROOT/etc/systemd/system/$ptp_unit
ptp_conf=$TIMEBASE_ROOT/etc/linuxptp/timebase.conf
ptp_socket=/run/timebase-ptp4l
# Of the shared memory segments those with small numbers are gpsd's. The number is in time_source_table too.
ptp_segment=16
ptp_stamping=software
# The logarithm of seconds to base 2 between two Syncs, and the same in nanoseconds.
ptp_sync_log2=-3
ptp_sync_ns=125000000

ptp_dropin_path() { ptp_dropin=$TIMEBASE_ROOT/etc/systemd/system/$os_chrony_service.service.d/timebase-ptp.conf; }

# ptp_identity ADDRESS: sets ptp_identity to the clock identity of the hub that serves PTP there. Its first byte is of
# identities that nobody has assigned (IEEE 1588, 7.5.2.2), so it is no network card's.
ptp_identity() {
  ptp_rest=$1.
  set --
  while [ -n "$ptp_rest" ]; do
    set -- "$@" "${ptp_rest%%.*}"
    ptp_rest=${ptp_rest#*.}
  done
  ptp_identity=$(printf '027462.00%02x.%02x%02x%02x' "$@")
}

# ptp_interface: sets ptp_interface to the network interface of the plan's PTP, or to nothing and ptp_lacking to why.
ptp_interface() {
  ptp_interface='' ptp_lacking=''
  if [ "$plan_ptp_role" = server ]; then
    ptp_told=$(LC_ALL=C ip -4 -o address show to "$plan_ptp_address/32" 2>&1) || ptp_lacking=${ptp_told##*"$newline"}
    case "$ptp_told" in
      [0-9]*': '*' inet '*)
        ptp_interface=${ptp_told#*: }
        ptp_interface=${ptp_interface%% *}
        ;;
      *) ptp_lacking="$plan_ptp_address, at which it is to serve PTP, is no address of its own${ptp_lacking:+ ($ptp_lacking)}" ;;
    esac
    return 0
  fi
  ptp_told=$(LC_ALL=C ip -4 -o route get "$plan_ptp_address" 2>&1) || ptp_lacking=${ptp_told##*"$newline"}
  case "$ptp_told" in
    local\ *) ptp_lacking="$plan_ptp_address, which it is to follow by PTP, is its own address" ;;
    *' dev '*)
      ptp_interface=${ptp_told#*' dev '}
      ptp_interface=${ptp_interface%% *}
      ;;
    *) ptp_lacking="it has no route to $plan_ptp_address, which it is to follow by PTP${ptp_lacking:+ ($ptp_lacking)}" ;;
  esac
}

# ptp_preflight: what this host cannot do is refused before any change.
ptp_preflight() {
  if [ -z "$plan_ptp_role" ]; then return 0; fi
  if [ "$os_ptp_package" = - ]; then
    fail "$os_name has no package of linuxptp, by which hosts do network PTP" 'use Topology.Hub, or a source of another kind, for this host'
  fi
  ptp_interface
  if [ -n "$ptp_lacking" ]; then
    fail "$ptp_lacking" "give the endpoint of the hub the privateAddress by which the hosts reach each other; see \`ip -4 address\` and \`ip -4 route\` on the host"
  fi
  ptp_others
  if [ -n "$ptp_others" ]; then
    fail "another ptp4l runs here already ($ptp_others), and both would want UDP ports 319 and 320" 'stop and disable it on the host, or use Topology.Hub, or a source of another kind'
  fi
}

# ptp_others: sets ptp_others to the first process of a ptp4l that is not ours.
ptp_others() {
  ptp_others=
  for ptp_comm in "$TIMEBASE_ROOT"/proc/[0-9]*/comm; do
    { IFS= read -r ptp_name <"$ptp_comm"; } 2>/dev/null || continue
    if [ "$ptp_name" != ptp4l ]; then continue; fi
    case "$(tr '\000' ' ' <"${ptp_comm%/comm}/cmdline" 2>/dev/null)" in
      *" -f ${ptp_conf#"$TIMEBASE_ROOT"} "*) ;;
      *)
        ptp_others=${ptp_comm%/comm}
        ptp_others="process ${ptp_others##*/}"
        return 0
        ;;
    esac
  done
}

# ptp_texts: sets ptp_conf_text, ptp_unit_text and ptp_dropin_text, of what the plan wants.
ptp_texts() {
  ptp_interface
  ptp_header="# Written by timebase for $plan_owner; \`sudo timebase revert\` removes it."
  # A stamp that comes late (the default is 1 ms) would take the port away for some seconds.
  ptp_conf_text="$ptp_header
[global]
time_stamping $ptp_stamping
network_transport UDPv4
udp_ttl 64
logAnnounceInterval 0
tx_timestamp_timeout 100
fault_reset_interval 0
logging_level 5
uds_address $ptp_socket
"
  if [ "$plan_ptp_role" = server ]; then
    ptp_identity "$plan_ptp_address"
    ptp_peers=
    for ptp_peer in $plan_time_allow; do ptp_peers="${ptp_peers:+$ptp_peers }$ptp_peer"; done
    ptp_conf_text="${ptp_conf_text}clockIdentity $ptp_identity
masterOnly 1
free_running 1
[$ptp_interface]
unicast_listen 1
inhibit_multicast_service 1
hybrid_e2e 1
"
  else
    ptp_peers=$plan_ptp_address
    # A hub that was restarted knows nothing of who it had promised to serve: so the promise has to be short.
    ptp_conf_text="${ptp_conf_text}slaveOnly 1
clock_servo ntpshm
ntpshm_segment $ptp_segment
kernel_leap 0
logSyncInterval $ptp_sync_log2
logMinDelayReqInterval $ptp_sync_log2
unicast_req_duration 10
[unicast_master_table]
table_id 1
logQueryInterval 0
UDPv4 $plan_ptp_address
[$ptp_interface]
unicast_master_table 1
"
  fi
  ptp_unit_text="$ptp_header
[Unit]
Description=timebase: network PTP
# It starts, restarts and stops with chronyd.
PartOf=$os_chrony_service.service
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
ExecStart=/usr/sbin/ptp4l -f ${ptp_conf#"$TIMEBASE_ROOT"}
# The clock is chronyd's.
CapabilityBoundingSet=~CAP_SYS_TIME
# PTP has no access rules of its own.
IPAddressDeny=any
IPAddressAllow=$ptp_peers
Restart=always
RestartSec=2
"
  ptp_dropin_text="$ptp_header
[Unit]
Wants=$ptp_unit
"
}

# ptp_converge: the files are there when the plan has network PTP, and only then.
ptp_converge() {
  ptp_dropin_path
  if [ -z "$plan_ptp_role" ]; then
    ptp_revert
    return 0
  fi
  ptp_texts
  printf %s "$ptp_conf_text" >"$work/ptp-conf"
  printf %s "$ptp_unit_text" >"$work/ptp-unit"
  printf %s "$ptp_dropin_text" >"$work/ptp-dropin"
  chrony_own "$ptp_conf" "$work/ptp-conf"
  chrony_own "$ptp_unit_file" "$work/ptp-unit"
  chrony_own "$ptp_dropin" "$work/ptp-dropin"
  if ! systemctl --quiet is-active "$ptp_unit"; then file_write "$chrony_restart_due" /dev/null; fi
}

# ptp_install: the package, which stays until the revert.
ptp_install() {
  if [ -z "$plan_ptp_role" ] || package_installed linuxptp; then return 0; fi
  packages_await
  packages_remember
  if [ -e "${ptp_conf%/*}" ]; then facts_add time installed linuxptp over-configuration; else facts_add time installed linuxptp; fi
  packages_change 'installing linuxptp' linuxptp || {
    packages_gone
    fail 'package linuxptp could not be installed (the output is above)' "install it by hand: $os_package_program install linuxptp"
  }
  packages_gone
  if ! package_installed linuxptp; then
    fail "$os_package_program says that it has installed linuxptp, and it is not there" "install it by hand: $os_package_program install linuxptp"
  fi
}

# ptp_absent: an installation that has left nothing of linuxptp is none of ours: one that comes later is the user's.
ptp_absent() { facts_drop time 'installed linuxptp'; }

# ptp_revert: the other way round; what it did not find there, it does not touch.
ptp_revert() {
  ptp_dropin_path
  record_folder time "$ptp_unit_file"
  ptp_recorded=$record
  record_folder time "$ptp_conf"
  if [ ! -d "$record" ] && [ ! -d "$ptp_recorded" ]; then return 0; fi
  systemctl stop "$ptp_unit" || say "$ptp_unit could not be stopped"
  file_disown time "$ptp_dropin"
  rmdir -- "${ptp_dropin%/*}" 2>/dev/null || :
  file_disown time "$ptp_conf"
  rm -f -- "$TIMEBASE_ROOT$ptp_socket"
  systemctl daemon-reload
  # The last to go: its record tells that there is something to do here.
  file_disown time "$ptp_unit_file"
}

# ptp_package_revert: linuxptp goes when we have installed it; nothing else may go with it.
ptp_package_revert() {
  case "$newline$time_facts" in
    *"${newline}installed linuxptp"*) ;;
    *) return 0 ;;
  esac
  if ! package_installed linuxptp; then return 0; fi
  packages_simulate linuxptp-
  ptp_needing=$(grep -vx linuxptp "$work/removed" | tr '\n' ' ') || :
  if [ -n "${ptp_needing% }" ]; then
    say "linuxptp stays: removing it would remove ${ptp_needing% } too"
    return 0
  fi
  ptp_purge=--purge
  case "$time_facts" in *'installed linuxptp over-configuration'*) ptp_purge=--no-purge ;; esac
  packages_change 'removing linuxptp' "$ptp_purge" linuxptp- ||
    fail 'linuxptp could not be removed (the output is above)' 'run `pulumi destroy` again when the package tools of this host work'
}

# ptp_state: asks ptp4l. Sets ptp_checks to rows, and ptp_error to what the time of a client's hub may be wrong by beyond
# what chronyd knows of it: a figure in nanoseconds, or "? WHY". lib/pmc_state.awk reads the answers.
ptp_state() {
  ptp_checks='' ptp_error=''
  if [ -z "$plan_ptp_role" ]; then return 0; fi
  ptp_identity "$plan_ptp_address"
  LC_ALL=C timeout 10 pmc -u -b 0 -s "$ptp_socket" 'GET PORT_PROPERTIES_NP' 'GET CURRENT_DATA_SET' 'GET PARENT_DATA_SET' \
    'GET TIME_PROPERTIES_DATA_SET' 'GET TIME_STATUS_NP' >"$work/pmc" 2>&1 || printf '\npmc failed\n' >>"$work/pmc"
  while IFS='=' read -r ptp_key ptp_value; do
    case "$ptp_key" in
      check) ptp_checks="${ptp_checks:+$ptp_checks$newline}$ptp_value" ;;
      error) ptp_error=$ptp_value ;;
    esac
  done <<STATE
$(LC_ALL=C awk -v role="$plan_ptp_role" -v address="$plan_ptp_address" -v identity="$ptp_identity" -v stamping=SOFTWARE -v now="$chrony_now" \
    -v interval_ns="$ptp_sync_ns" -v server_error_ns="$plan_ptp_error_ns" -v drift_ppm="$plan_max_clock_error_ppm" -f "$TIMEBASE_HOME/lib/pmc_state.awk" "$work/pmc")
STATE
  case "$ptp_checks" in
    time.ptp-port"$tab"*) ;;
    *) ptp_checks="time.ptp-port${tab}fail${tab}an answer of ptp4l${tab}what pmc says could not be read${tab}see if awk works on this host" ptp_error='? what pmc says could not be read' ;;
  esac
}

# check_ptp: ptp4l must run by the plan's configuration, and start by it again.
check_ptp() {
  if [ -z "$plan_ptp_role" ]; then return 0; fi
  ptp_dropin_path
  ptp_texts
  ptp_expected="$ptp_stamping time stamps on ${ptp_interface:-an interface}"
  for ptp_clock in "$TIMEBASE_ROOT/sys/class/net/$ptp_interface/device/ptp"/ptp*; do
    if [ -e "$ptp_clock" ]; then ptp_expected="$ptp_expected (those of its own clock, ${ptp_clock##*/}, are not used)"; fi
  done
  ptp_found=$ptp_expected
  if [ -n "$ptp_lacking" ]; then
    ptp_found=$ptp_lacking
  else
    all_lines "$ptp_conf"
    if [ "$all_lines" != "$ptp_conf_text" ]; then ptp_found="$ptp_conf was changed, or is gone, or the interface is another one now"; fi
    all_lines "$ptp_unit_file"
    if [ "$all_lines" != "$ptp_unit_text" ]; then ptp_found="$ptp_unit_file was changed, or is gone"; fi
    all_lines "$ptp_dropin"
    if [ "$all_lines" != "$ptp_dropin_text" ]; then ptp_found="$ptp_dropin was changed, or is gone"; fi
  fi
  check_that time.ptp-configuration "$ptp_expected" "$ptp_found" 'run `pulumi up` again, which writes it'
}
