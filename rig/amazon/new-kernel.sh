#!/bin/sh
# new-kernel VERSION: what a kernel package's scripts do. The kernel itself is a copy of the running one.
set -eu
version=$1
running=$(uname -r)
for image in vmlinuz initrd.img; do
  if [ ! -e "/boot/$image-$version" ]; then ln "/boot/$image-$running" "/boot/$image-$version"; fi
done
if [ -d /boot/loader/entries ]; then
  # kernel-install, 90-loaderentry: /etc/kernel/cmdline, else the running kernel's.
  if [ -e /etc/kernel/cmdline ]; then options=$(cat /etc/kernel/cmdline); else options=$(sed 's/BOOT_IMAGE=[^ ]* //' /proc/cmdline); fi
  cat >"/boot/loader/entries/$(cat /etc/machine-id)-$version.conf" <<ENTRY
title Amazon Linux ($version) 2023
version $version
linux /boot/vmlinuz-$version
initrd /boot/initrd.img-$version
options $options
grub_users \$grub_users
grub_arg --unrestricted
grub_class amzn
ENTRY
  if [ ! -e /boot/grub2/grubenv ]; then grub-editenv /boot/grub2/grubenv create; fi
  grub-editenv /boot/grub2/grubenv set "saved_entry=$version"
else
  # new-kernel-pkg: the first entry once more, before all others, with the new kernel.
  awk -v version="$version" '
    function copy() {
      new = entry
      gsub(/vmlinuz-[^ \t\n]+/, "vmlinuz-" version, new)
      gsub(/initrd\.img-[^ \t\n]+/, "initrd.img-" version, new)
      sub(/Linux [^\x27]+/, "Linux (" version ") 2", new)
      sub(/gnulinux-[^\x27]+/, "gnulinux-" version, new)
      printf "%s%s", new, entry
      done = 1
    }
    !done && /^menuentry / { inside = 1 }
    inside { entry = entry $0 "\n"; if (/^}/) { inside = 0; copy() } next }
    { print }' /boot/grub2/grub.cfg >/boot/grub2/grub.cfg.new
  mv /boot/grub2/grub.cfg.new /boot/grub2/grub.cfg
fi
