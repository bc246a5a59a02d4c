#!/bin/sh
# Makes a host ready for Celestial; runs as root on it, as often as one likes. It looks at all conditions first, and changes
# nothing on a host that fails one. CELESTIAL_ROOT is for the test.
set -eu

root=${CELESTIAL_ROOT-}
limits=$root/etc/security/limits.d/90-celestial.conf
kernel=$root/etc/sysctl.d/90-celestial.conf
faults=0

# fault WHAT REMEDY
fault() {
  echo "celestial: $1: $2" >&2
  faults=$((faults + 1))
}

# at_least FOUND WANTED: compares the first two numbers of a version. What is no version is less than any.
at_least() {
  echo "$1" | awk -v wanted="$2" '
    /^[0-9]+/ { split($0, found, /[^0-9]+/); split(wanted, least, /[.]/)
      ok = found[1] + 0 > least[1] + 0 || (found[1] + 0 == least[1] + 0 && found[2] + 0 >= least[2] + 0) }
    END { exit !ok }'
}

look() {
  [ -e "$root/dev/kvm" ] ||
    fault "no /dev/kvm" "take a machine with nested virtualization (guests: true)"
  version=$(systemctl --version 2>/dev/null | awk 'NR == 1 { print $2 }') || version=
  at_least "$version" 247 ||
    fault "systemd is ${version:-not there}, its host agent needs 247" "take Ubuntu 22.04"
  [ "$(systemctl is-active systemd-resolved 2>/dev/null)" = active ] ||
    fault "systemd-resolved is not active" "systemctl enable --now systemd-resolved"
  release=$(uname -r)
  at_least "$release" 5.10 ||
    fault "the kernel is $release, Firecracker supports hosts from 5.10" "take Ubuntu 22.04"
  ! command -v docker >/dev/null 2>&1 ||
    fault "Docker is installed, which breaks the network of microVMs even after its removal" "take a new host"
}

install_packages() {
  packages=
  command -v wg >/dev/null 2>&1 || packages="$packages wireguard"
  command -v ipset >/dev/null 2>&1 || packages="$packages ipset"
  command -v iptables >/dev/null 2>&1 || packages="$packages iptables"
  [ -n "$packages" ] || return 0
  DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l NEEDRESTART_SUSPEND=1
  export DEBIAN_FRONTEND NEEDRESTART_MODE NEEDRESTART_SUSPEND
  apt-get -q -o DPkg::Lock::Timeout=600 update
  # shellcheck disable=SC2086 # words
  apt-get -q -y -o DPkg::Lock::Timeout=600 install --no-install-recommends $packages
}

write_limits() {
  mkdir -p "${limits%/*}" "${kernel%/*}"
  for who in '*' root; do
    for what in nofile nproc; do
      printf '%s soft %s 64000\n%s hard %s 64000\n' "$who" "$what" "$who" "$what"
    done
  done >"$limits"
  cat >"$kernel" <<'END'
# Packets between the microVMs and the hosts, and room for an ARP entry of each.
net.ipv4.ip_forward = 1
net.ipv4.neigh.default.gc_thresh1 = 2048
net.ipv4.neigh.default.gc_thresh2 = 4096
net.ipv4.neigh.default.gc_thresh3 = 8192
END
  sysctl -q -p "$kernel"
  # Read back: another tool of the host may own it.
  [ "$(sysctl -n net.ipv4.ip_forward)" = 1 ] ||
    fault "the kernel does not forward, although $kernel says so" "find who sets net.ipv4.ip_forward (sysctl --system)"
}

look
[ "$faults" -eq 0 ] || exit 1
install_packages
mkdir -p "$root/celestial"
write_limits
[ "$faults" -eq 0 ] || exit 1
echo "ready for Celestial: the limits count from the next login on"
