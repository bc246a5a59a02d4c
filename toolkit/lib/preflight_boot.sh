# shellcheck shell=sh
# What must be true before boot parameters are set: a boot loader of ours, and a machine on which the parameters, and
# what they promise to the kernel, are true.

preflight_boot() {
  tsc_architecture_reason
  if [ -n "$tsc_architecture_reason" ]; then
    fail "$tsc_architecture_reason" 'use an x86-64 host; or set required: false, or leave TscClocksource out, for this one'
  fi
  tsc_doubt
  if ! has_word "$cpu_flags" tsc; then
    fail 'this CPU has no time stamp counter (no "tsc" in the flags of /proc/cpuinfo)' 'use a machine type that offers the TSC to its guests'
  fi
  if [ -n "$tsc_doubt" ] && [ "$plan_boot_force" != yes ] && ! tsc_virtual; then
    fail "tsc=reliable would be a lie on this machine: $tsc_doubt" \
      'leave TscClocksource out for this host; or, if you know its TSC to be right (firmware, vendor), set force: true'
  fi
  boot_lacking
  if [ -n "$boot_lacking" ]; then
    fail "this host does not boot by GRUB as $os_name does ($boot_lacking)" 'correct that, or set the boot parameters by the host'\''s own boot loader'
  fi
  preflight_kexec
}

# tsc_architecture_reason: why there can be no tsc on this machine, or nothing.
tsc_architecture_reason() {
  tsc_architecture_reason=
  tsc_machine=$(uname -m)
  case "$tsc_machine" in
    x86_64) ;;
    aarch64 | arm*) tsc_architecture_reason="the tsc clocksource does not exist on $tsc_machine (it has arch_sys_counter, always)" ;;
    *) tsc_architecture_reason="the tsc clocksource is served on x86-64 only, and this machine is $tsc_machine" ;;
  esac
}

# boot_applicability: a plan that does not require a tsc (boot-required=no) loses its boot section on a machine that
# cannot have one. Sets boot_not_applicable to the reason, which the proof tells.
boot_applicability() {
  boot_not_applicable=
  boot_parameters_applicable
  if ! plan_has boot || [ "$plan_boot_required" = yes ]; then return 0; fi
  tsc_architecture_reason
  boot_not_applicable=$tsc_architecture_reason
  if [ -n "$boot_not_applicable" ]; then plan_clocksource=''; fi
}

# boot_parameters_applicable: a parameter of a module (MODULE.NAME=VALUE) is for machines on which that module runs and knows
# it; the plan loses it on all others.
boot_parameters_applicable() {
  boot_applicable=
  for boot_parameter in $plan_boot_parameters; do
    case "$boot_parameter" in
      *.*=*)
        boot_module=${boot_parameter%%=*}
        if [ ! -e "$TIMEBASE_ROOT/sys/module/${boot_module%%.*}/parameters/${boot_module#*.}" ]; then continue; fi
        ;;
    esac
    boot_applicable="${boot_applicable:+$boot_applicable }$boot_parameter"
  done
  plan_boot_parameters=$boot_applicable
}

# cpu_read: sets cpu_flags, of the first CPU, and cpu_sockets.
cpu_read() {
  {
    read -r cpu_sockets
    IFS= read -r cpu_flags
  } <<CPU
$(awk -F: '
    /^flags/ && flags == "" { flags = $2 }
    /^physical id/ && !seen[$2]++ { sockets++ }
    END { print sockets + 0; print flags }' "$TIMEBASE_ROOT/proc/cpuinfo")
CPU
}

# tsc_doubt: sets tsc_doubt to what makes `tsc=reliable` a promise that this machine may not keep, or to nothing. It
# turns off the kernel's own watch over the TSC (Linux, Documentation/admin-guide/kernel-parameters.txt), which the
# kernel itself spares machines of few packages (two, later four) with an invariant TSC only (arch/x86/kernel/tsc.c,
# check_system_tsc_reliable). dmesg forgets; a TSC that was marked unstable is not among the clocksources.
tsc_doubt() {
  cpu_read
  tsc_doubt=
  for tsc_flag in constant_tsc nonstop_tsc; do
    if ! has_word "$cpu_flags" "$tsc_flag"; then tsc_doubt="${tsc_doubt:+$tsc_doubt; }the CPU lacks $tsc_flag"; fi
  done
  if [ "$cpu_sockets" -gt 2 ]; then tsc_doubt="${tsc_doubt:+$tsc_doubt; }it has $cpu_sockets sockets, whose TSCs may drift apart"; fi
  clocksource_read
  if [ -n "$clocksources_available" ] && ! has_word "$clocksources_available" tsc; then
    tsc_doubt="${tsc_doubt:+$tsc_doubt; }its kernel has marked the TSC unstable (it offers $clocksources_available)"
  fi
}

# tsc_virtual: in a virtual machine sockets and flags are what the hypervisor chose to show, and the mark comes from the
# scheduling of its CPUs as often as from the TSC. So there a doubt is told by the proof, and does not refuse.
tsc_virtual() {
  if has_word "$cpu_flags" hypervisor; then return 0; fi
  case "$(systemd-detect-virt --vm 2>/dev/null || :)" in '' | none) return 1 ;; *) return 0 ;; esac
}

# A reboot by kexec starts a kernel with the command line that was given to kexec: GRUB and what it reads are bypassed.
# A crash kernel (kdump, kexec_crash_loaded) is another matter.
preflight_kexec() {
  preflight_kexec=
  first_line "$TIMEBASE_ROOT/sys/kernel/kexec_loaded"
  if [ "$first_line" = 1 ]; then
    fail 'a kernel is loaded for kexec (/sys/kernel/kexec_loaded is 1), and the next reboot starts it without our boot parameters' \
      'unload it on the host: kexec -u'
  fi
  if [ -r "$TIMEBASE_ROOT/etc/default/kexec" ]; then preflight_kexec=$(sourced '$LOAD_KEXEC' "$TIMEBASE_ROOT/etc/default/kexec"); fi
  if [ "$preflight_kexec" = true ]; then
    fail 'this host reboots by kexec (LOAD_KEXEC=true in /etc/default/kexec), which bypasses GRUB and our boot parameters' \
      'set LOAD_KEXEC=false there, or remove kexec-tools'
  fi
  if [ ! -L "$TIMEBASE_ROOT/etc/systemd/system/reboot.target" ]; then return 0; fi
  case "$(readlink -- "$TIMEBASE_ROOT/etc/systemd/system/reboot.target")" in
    *kexec.target)
      fail 'this host reboots by kexec (/etc/systemd/system/reboot.target is kexec.target), which bypasses GRUB and our boot parameters' \
        'remove that link, then run systemctl daemon-reload'
      ;;
  esac
}
