# shellcheck shell=sh
# What differs between systems: one row each. Everything else is the same on all of them.

# The columns of a row, one variable each:
#   os_boot           who makes kernel parameters persistent: lib/<os_boot>.sh (what each has to offer: lib/boot.sh)
#   os_grub_cfg       GRUB's configuration; os_efi_vendor is the folder of the EFI system partition where it may be instead
#   os_grub_variable  of /etc/default/grub, gets the parameters for kernels to come
#   os_packages       the family of package tools (lib/packages_<family>.sh) and, after a colon, the program
#   os_chrony_*       chrony's main configuration, its service, and where the clock's drift is remembered
#   os_ptp_package    linuxptp where the system's packages have it, or -
#   os_sbin           the folder for a program of the administrator's in which sudo looks (secure_path in /etc/sudoers)
#   os_support_ended  the day on which the system's maker stopped to support it, or -
# On Amazon Linux 2 the stock file assigns GRUB_CMDLINE_LINUX_DEFAULT alone, and makes no recovery entries.
os_table='
ubuntu-22.04      grub_dropin /boot/grub/grub.cfg  ubuntu GRUB_CMDLINE_LINUX         apt:apt-get /etc/chrony/chrony.conf chrony  /var/lib/chrony/chrony.drift linuxptp /usr/local/sbin -
ubuntu-24.04      grub_dropin /boot/grub/grub.cfg  ubuntu GRUB_CMDLINE_LINUX         apt:apt-get /etc/chrony/chrony.conf chrony  /var/lib/chrony/chrony.drift linuxptp /usr/local/sbin -
debian-12         grub_dropin /boot/grub/grub.cfg  debian GRUB_CMDLINE_LINUX         apt:apt-get /etc/chrony/chrony.conf chrony  /var/lib/chrony/chrony.drift linuxptp /usr/local/sbin -
debian-13         grub_dropin /boot/grub/grub.cfg  debian GRUB_CMDLINE_LINUX         apt:apt-get /etc/chrony/chrony.conf chrony  /var/lib/chrony/chrony.drift linuxptp /usr/local/sbin -
amazon-linux-2    grubby      /boot/grub2/grub.cfg amzn   GRUB_CMDLINE_LINUX_DEFAULT rpm:yum     /etc/chrony.conf        chronyd /var/lib/chrony/drift        -        /usr/sbin       2026-06-30
amazon-linux-2023 bls         /boot/grub2/grub.cfg amzn   GRUB_CMDLINE_LINUX         rpm:dnf     /etc/chrony.conf        chronyd /var/lib/chrony/drift        -        /usr/sbin       -'

os_names() {
  os_names=
  while read -r os_row_name _; do os_names="${os_names:+$os_names, }$os_row_name"; done <<TABLE
$os_table
TABLE
}

# os_detect: sets os_name and its row; os_boot is empty when the system has no row.
os_detect() {
  os_id='' os_version=''
  while IFS='=' read -r os_key os_value; do
    os_value=${os_value#[\"\']}
    os_value=${os_value%[\"\']}
    case "$os_key" in
      ID) os_id=$os_value ;;
      VERSION_ID) os_version=$os_value ;;
    esac
  done <"$TIMEBASE_ROOT/etc/os-release"
  case "$os_id" in
    amzn) os_name=amazon-linux-$os_version ;;
    *) os_name=$os_id-$os_version ;;
  esac
  os_row "$os_name"
}

# os_row NAME: sets the variables of its row.
os_row() {
  while read -r os_row_name os_boot os_grub_cfg os_efi_vendor os_grub_variable os_packages os_chrony_conf os_chrony_service os_chrony_drift os_ptp_package os_sbin os_support_ended; do
    if [ "$os_row_name" = "$1" ]; then break; fi
    os_boot=''
  done <<TABLE
$os_table
TABLE
  os_package_program=${os_packages#*:}
  os_packages=${os_packages%%:*}
  os_chrony_conf=$TIMEBASE_ROOT$os_chrony_conf
  if [ "$os_support_ended" = - ]; then os_support_ended=''; fi
  os_grub_cfg=$TIMEBASE_ROOT$os_grub_cfg
  os_grub_cfg_efi
}

# The system that a host was converged as: an upgrade may have made another one of it, which has no row.
os_converged=$TIMEBASE_STATE/system

os_remember() {
  text_write "$os_converged" "$os_name$newline"
}

# os_recall: the row for a revert, which works with the files of the system that was converged.
os_recall() {
  plan_remembered_sections
  if [ -n "$os_boot" ] || [ -z "$plan_remembered_sections" ]; then return 0; fi
  first_line "$os_converged"
  os_row "$first_line"
  if [ -z "$os_boot" ]; then
    os_names
    fail "system $os_name is not supported, and $os_converged does not tell as which one this host was converged" \
      "write its name to that file, one of: $os_names; then revert again"
  fi
}

# With EFI firmware GRUB reads its configuration on the EFI system partition first. Mostly that is a stub which only
# goes on to the one on /boot; where it has entries of its own, it is the one that counts.
os_grub_cfg_efi() {
  os_efi_cfg=$TIMEBASE_ROOT/boot/efi/EFI/$os_efi_vendor/grub.cfg
  if [ -d "$TIMEBASE_ROOT/sys/firmware/efi" ] && [ -f "$os_efi_cfg" ] &&
    grep -qE '^[[:blank:]]*(menuentry|linux|linux16|linuxefi|blscfg)([[:blank:]]|$)' "$os_efi_cfg"; then
    os_grub_cfg=$os_efi_cfg
  fi
}
