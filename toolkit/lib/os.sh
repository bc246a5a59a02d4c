# shellcheck shell=sh
# What differs between systems: one row each. Everything else is the same on all of them.

# boot: how kernel parameters are made persistent
#   grub-dropin: grub-mkconfig sources /etc/default/grub.d/*.cfg in glob order
#   grubby: Amazon Linux; not served by this version
# The last two columns name chrony's main configuration and its service.
os_table() {
  cat <<'TABLE'
ubuntu-22.04      grub-dropin /boot/grub/grub.cfg  apt /etc/chrony/chrony.conf chrony
ubuntu-24.04      grub-dropin /boot/grub/grub.cfg  apt /etc/chrony/chrony.conf chrony
debian-12         grub-dropin /boot/grub/grub.cfg  apt /etc/chrony/chrony.conf chrony
debian-13         grub-dropin /boot/grub/grub.cfg  apt /etc/chrony/chrony.conf chrony
amazon-linux-2    grubby      /boot/grub2/grub.cfg yum /etc/chrony.conf        chronyd
amazon-linux-2023 grubby      /boot/grub2/grub.cfg dnf /etc/chrony.conf        chronyd
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
  os_boot='' os_grub_cfg='' os_packages='' os_chrony_conf='' os_chrony_service=''
  while read -r os_row os_row_boot os_row_grub_cfg os_row_packages os_row_chrony_conf os_row_chrony_service; do
    if [ "$os_row" = "$os_name" ]; then
      os_boot=$os_row_boot
      os_grub_cfg=$TIMEBASE_ROOT$os_row_grub_cfg
      os_packages=$os_row_packages
      os_chrony_conf=$TIMEBASE_ROOT$os_row_chrony_conf
      os_chrony_service=$os_row_chrony_service
    fi
  done <<TABLE
$(os_table)
TABLE
}
