#!/bin/sh
# A stand-in for Amazon Linux's grubby. An argument that is added replaces every one of its key, or comes last; one that
# is removed has the same key and, if a value is given, the same value. Runs of blanks become one, as grubby makes them.
# Without BLS it changes the linux lines of grub.cfg; a line is written anew, the rest of the file stays.
set -eu
entries=/boot/loader/entries
file=/boot/grub2/grub.cfg
kernel='' add='' remove='' info='' default=''
while [ $# -gt 0 ]; do
  case "$1" in
    -c | --config-file) file=$2 && shift ;;
    --config-file=*) file=${1#*=} ;;
    --update-kernel=*) kernel=${1#*=} ;;
    --update-kernel) kernel=$2 && shift ;;
    --args=*) add=${1#*=} ;;
    --args) add=$2 && shift ;;
    --remove-args=*) remove=${1#*=} ;;
    --remove-args) remove=$2 && shift ;;
    --info=*) info=${1#*=} ;;
    --info) info=$2 && shift ;;
    --default-kernel) default=yes ;;
    --grub2 | --boot-filesystem=*) ;;
    *) echo "grubby: unrecognized option '$1'" >&2 && exit 1 ;;
  esac
  shift
done

# change KEYS KERNEL FILE: the command lines that follow one of these keys.
change() {
  draft=$(mktemp "$3.XXXXXX")
  chmod --reference="$3" "$draft"
  awk -v keys="$1" -v kernel="$2" -v add="$add" -v remove="$remove" '
    function key(word) { sub(/=.*/, "", word); return word }
    $1 !~ ("^(" keys ")$") || (kernel != "ALL" && $1 != "options" && $2 != kernel) { print; next }
    {
      match($0, /^[ \t]*/)
      line = substr($0, 1, RLENGTH) $1
      from = $1 == "options" ? 2 : 3
      if (from == 3) line = line "\t" $2
      adds = split(add, a, " "); removes = split(remove, r, " ")
      for (i = 1; i <= adds; i++) used[i] = 0
      for (f = from; f <= NF; f++) {
        word = $f
        for (i = 1; i <= adds; i++) if (key(word) == key(a[i])) { word = used[i] ? "" : a[i]; used[i] = 1; break }
        for (i = 1; i <= removes; i++) if (word == r[i] || (r[i] !~ /=/ && key(word) == r[i])) word = ""
        if (word != "") line = line " " word
      }
      for (i = 1; i <= adds; i++) if (!used[i]) line = line " " a[i]
      print line
    }' "$3" >"$draft"
  mv -f "$draft" "$3"
}

kernels() {
  if [ -d "$entries" ]; then
    awk '$1 == "linux" { print $2 }' "$entries"/*.conf
  else
    awk '$1 ~ /^linux(16|efi)?$/ { print $2 }' "$file"
  fi
}

if [ -n "$info" ]; then
  if [ -d "$entries" ]; then
    awk 'FNR == 1 { printf "index=%d\n", n++ } $1 == "linux" { print "kernel=" $2 }
      $1 == "options" { sub(/^options[ \t]+/, ""); printf "args=\"%s\"\n", $0 }' "$entries"/*.conf
  else
    awk '$1 ~ /^linux(16|efi)?$/ { printf "index=%d\nkernel=%s\n", n++, $2; $1 = $2 = ""; sub(/^ +/, ""); printf "args=\"%s\"\n", $0 }' "$file"
  fi
elif [ -n "$default" ]; then
  kernels | sed -n 1p
elif [ -n "$kernel" ]; then
  if [ "$kernel" != ALL ] && ! kernels | grep -qxF "$kernel"; then echo "The param $kernel is incorrect" >&2 && exit 1; fi
  if [ -d "$entries" ]; then
    for entry in "$entries"/*.conf; do
      if [ "$kernel" = ALL ] || grep -qE "^linux[[:blank:]]+$kernel\$" "$entry"; then change options "$kernel" "$entry"; fi
    done
    # With ALL also for kernels to come.
    if [ "$kernel" = ALL ] && [ -e /etc/kernel/cmdline ]; then
      sed 's/^/options /' /etc/kernel/cmdline >/etc/kernel/cmdline.grubby
      change options ALL /etc/kernel/cmdline.grubby
      sed 's/^options //' /etc/kernel/cmdline.grubby >/etc/kernel/cmdline
      rm /etc/kernel/cmdline.grubby
    fi
  else
    change 'linux|linux16|linuxefi' "$kernel" "$file"
  fi
fi
