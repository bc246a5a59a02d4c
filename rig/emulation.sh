# Setup text of the tests' images, after traps.sh: what an emulated machine spends its seconds on and no test needs.

# Indirect jumps by way of returns, which software emulation does badly. And addresses that differ from process to process:
# QEMU 7.2 translates a program anew for each, and starting one takes 30 ms where it could be 7 (measured).
sed -i 's/console=ttyS0"/console=ttyS0 mitigations=off norandmaps"/' /etc/default/grub.d/50-cloudimg-settings.cfg

# Jobs of the system's own, which come just when a test measures. The package lock that they hold has a test of its own.
systemctl mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_reap.service e2scrub_all.timer \
  fstrim.timer systemd-binfmt.service
