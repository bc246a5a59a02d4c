# shellcheck shell=sh
# Setup text of a machine that is laid out like Amazon Linux. VERSION is 2 or 2023; FILES is where the stand-ins are.

cat >/etc/os-release <<OS
NAME="Amazon Linux"
VERSION="$VERSION"
ID="amzn"
ID_LIKE="fedora"
VERSION_ID="$VERSION"
PRETTY_NAME="Amazon Linux $VERSION"
OS

# Not one of the image's packages, because it replaces one of them.
DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet chrony

# Time: one configuration file, a unit with another name, no folder.
mv /etc/chrony/chrony.conf /etc/chrony.conf
rm -rf /etc/chrony
sed -i 's#^confdir.*##; s#^sourcedir.*##; s#/etc/chrony/chrony.keys#/etc/chrony.keys#; s#/var/lib/chrony/chrony.drift#/var/lib/chrony/drift#' /etc/chrony.conf
mkdir /etc/chrony
ln -s /etc/chrony.conf /etc/chrony/chrony.conf
systemctl disable chrony.service
sed '/^Alias=/d' /lib/systemd/system/chrony.service >/etc/systemd/system/chronyd.service
systemctl mask chrony.service
systemctl enable chronyd.service

# Boot: GRUB's folder is grub2. Debian's programs are out of reach by their names.
mkdir -p /boot/grub /boot/grub2
rm -rf /etc/default/grub.d
cat >/etc/default/grub <<'GRUB'
GRUB_CMDLINE_LINUX_DEFAULT="console=tty0 console=ttyS0,115200n8 net.ifnames=1 nvme_core.io_timeout=4294967295 rd.shell=0"
GRUB_TIMEOUT=0
GRUB_DISABLE_RECOVERY="true"
GRUB_DISABLE_SUBMENU=y
GRUB
install -m 755 "$FILES/grubby.sh" /usr/sbin/grubby
install -m 755 "$FILES/new-kernel.sh" /usr/sbin/new-kernel
for name in rpm yum dnf; do install -m 755 "$FILES/rpm.sh" /usr/bin/$name; done
if [ "$VERSION" = 2023 ]; then
  echo 'GRUB_ENABLE_BLSCFG="true"' >>/etc/default/grub
  install -m 755 "$FILES/grub2-mkconfig.sh" /usr/sbin/grub2-mkconfig
  rm -f /usr/bin/yum
else
  rm -f /usr/bin/dnf
  # Without the loop over the drop-ins, which is a patch of Debian's.
  sed '/^for x in .*grub\.d.*cfg/,/^done/d' /usr/sbin/grub-mkconfig >/usr/sbin/grub2-mkconfig
  chmod 755 /usr/sbin/grub2-mkconfig
fi
rm /usr/sbin/grub-mkconfig
install -m 644 "$FILES/grub-stub.cfg" /boot/grub/stub.cfg
cat >/usr/sbin/update-grub <<'UPDATE'
#!/bin/sh
# Called once, by the boot that finishes the image, when GRUB has been installed.
set -eu
cp /boot/grub/stub.cfg /boot/grub/grub.cfg
if grep -q BLSCFG /etc/default/grub; then
  mkdir -p /boot/loader/entries
  systemd-machine-id-setup
  sed -i -E '/^\*?(linux|initrd):/d' /boot/grub/*/command.lst
  new-kernel "$(uname -r)"
fi
grub2-mkconfig -o /boot/grub2/grub.cfg
UPDATE
