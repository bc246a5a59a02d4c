#!/bin/sh
# Amazon Linux 2's (with -c, on GRUB's configuration): of the arguments that are added the first one of a key replaces the
# entry's first one of it, and so on, and what is left over comes last; the first one of a key is removed, whatever its
# value is. Blanks at the end of a line are lost, so that only a record gives them back.
# Amazon Linux 2023's, on BLS entries: with ALL it also rewrites GRUB_CMDLINE_LINUX and /etc/kernel/cmdline.
# The tests of the toolkit use it on a fake root.
set -e
root=${TIMEBASE_ROOT:-}
file='' kernel='' add='' remove=''
while [ $# -gt 0 ]; do
  case "$1" in
    -c) file=$2 && shift ;;
    --update-kernel=*) kernel=${1#*=} ;;
    --args= | --remove-args=) echo "grubby: error separating arguments ''" && exit 1 ;;
    --args=*) add=${1#*=} ;;
    --remove-args=*) remove=${1#*=} ;;
    --grub2) ;;
    *) echo "grubby: unknown option $1" && exit 1 ;;
  esac
  shift
done

# change KEY KERNEL FILE: on the lines that begin with this word
change() {
  awk -v key="$1" -v kernel="$2" -v add="$add" -v remove="$remove" '
    function name(word) { sub(/=.*/, "", word); return word }
    $1 !~ ("^" key "$") || (kernel != "ALL" && $2 != kernel && "/boot" $2 != kernel) { print; next }
    {
      indent = $0; sub(/[^ \t].*/, "", indent)
      adds = split(add, a, " "); removes = split(remove, r, " ")
      first = key == "options" ? 1 : 2
      split("", used)
      for (i = 1; i <= adds; i++) {
        for (f = first + 1; f <= NF && (used[f] || name($f) != name(a[i])); f++);
        if (f <= NF) $f = a[i]
        else $0 = $0 (/ $/ ? "" : " ") a[i]
        used[f] = 1
      }
      split("", used)
      for (i = 1; i <= removes; i++) {
        for (f = first + 1; f <= NF && (used[f] || name($f) != name(r[i])); f++);
        used[f] = 1
      }
      text = ""
      for (f = 1; f <= NF; f++) if (!used[f]) text = text (f > 1 ? " " : "") $f
      print indent text
    }' "$3" >"$3.grubby" && cat "$3.grubby" >"$3" && rm "$3.grubby"
}

if [ -n "$file" ]; then
  change 'linux(16|efi)?' "$kernel" "$file"
else
  for entry in "$root"/boot/loader/entries/*.conf; do change options ALL "$entry"; done
  # shellcheck source=/dev/null
  defaults=$(. "$root/etc/default/grub" && echo "$GRUB_CMDLINE_LINUX")
  if [ -n "$defaults" ]; then sed -i "s|^GRUB_CMDLINE_LINUX=.*|GRUB_CMDLINE_LINUX=\"$defaults $add\"|" "$root/etc/default/grub"; fi
  if [ -e "$root/etc/kernel/cmdline" ]; then sed -i "s|\$| $add|" "$root/etc/kernel/cmdline"; fi
fi
