# shellcheck shell=sh
# Amazon Linux 2: GRUB 2 without BLS. grub.cfg is made once; afterwards grubby, a program that knows its syntax, changes
# it. A new kernel's entry is a copy of the default one (new-kernel-pkg calls grubby with --copy-default: rhboot/grubby,
# branch rhel-7.3), so what the entries have now reaches later kernels too; /etc/default/grub is for whoever runs
# grub2-mkconfig.

grubby_lacking() {
  if [ ! -f "$os_grub_cfg" ] || ! command -v grubby >/dev/null; then
    boot_lacking="no $os_grub_cfg, or no grubby"
  else
    grub_defaults_lacking
  fi
}

grubby_sources() {
  boot_source shell "$grub_defaults"
  boot_source grub "$os_grub_cfg"
}

grubby_replaces() { boot_replaces=$os_grub_cfg; }

grubby_converge() {
  grubby_each file_remember
  grubby_each file_edit
}

# grubby_each FUNCTION: it is called with each file that we put something into (lib/edits.sh).
grubby_each() {
  "$1" boot "$grub_defaults" grub_defaults_edit grub_defaults_undo
  "$1" boot "$os_grub_cfg" grubby_edit grubby_undo
}

# On a copy, whose content decides, not grubby's word. Of the arguments it is given, the first one of a key replaces the
# entry's first one of that key, and so on; those that are left over come last (grubby.c, updateActualImage). So what the
# entry has is given too, before ours: nothing is replaced by anything else, and ours comes last.
grubby_edit() {
  boot_command_lines "$1" >"$work/entries" 2>/dev/null || :
  grubby_seen=
  while read -r grubby_linux grubby_kernel grubby_words; do
    boot_disobeyed "$grubby_words"
    if [ -z "$boot_disobeyed" ] || has_word "$grubby_seen" "$grubby_kernel"; then continue; fi
    grubby_seen="$grubby_seen $grubby_kernel"
    grubby_theirs=
    for boot_word in $grubby_words; do
      for boot_parameter in $boot_disobeyed; do
        case "$boot_word" in "${boot_parameter%%=*}="*) grubby_theirs="$grubby_theirs $boot_word" ;; esac
      done
    done
    grubby_update 'adding the boot parameters' "$1" "$grubby_kernel" "--args=${grubby_theirs# }${grubby_theirs:+ }$boot_disobeyed"
  done <"$work/entries"
  boot_missing_in "$1"
  if [ -n "$boot_missing" ]; then
    fail "the configuration that grubby made of $os_grub_cfg is $boot_missing" 'compare `grubby --info=ALL` with that file on the host'
  fi
}

# Each kernel loses ours, the last of the kind, as often as it has them more than before us. A kernel that was installed
# since then is a copy of the default entry, so it is taken for the first one. grubby removes the first argument of a key,
# whatever its value is, so all of our keys go, and what stays is given again.
grubby_undo() {
  if [ ! -e "$record/was" ]; then return 0; fi
  awk -v parameters="$plan_boot_parameters" -v now="$1" '
    BEGIN {
      count = split(parameters, parameter, " ")
      for (p = 1; p <= count; p++) key[name(parameter[p])] = 1
    }
    function name(word) { return index(word, "=") ? substr(word, 1, index(word, "=") - 1) : "" }
    $1 !~ /^linux(16|efi)?$/ { next }
    FILENAME != now {
      if (first == "") first = $2
      if (!known[$2]++) for (f = 3; f <= NF; f++) had[$2, $f]++
      next
    }
    !seen[$2]++ {
      for (p = 1; p <= count; p++) ours[parameter[p]] = -had[($2 in known) ? $2 : first, parameter[p]]
      for (f = 3; f <= NF; f++) if ($f in ours) ours[$f]++
      has = keeps = ""
      for (f = NF; f >= 3; f--) {
        if (!(name($f) in key)) continue
        has = " " $f has
        if (!($f in ours) || ours[$f]-- <= 0) keeps = " " $f keeps
      }
      if (has != keeps) print $2 "|" substr(has, 2) "|" substr(keeps, 2)
    }' "$record/was" "$1" >"$work/kernels"
  while IFS='|' read -r grubby_kernel grubby_has grubby_keeps; do
    grubby_update 'taking our boot parameters away' "$1" "$grubby_kernel" "--remove-args=$grubby_has"
    if [ -n "$grubby_keeps" ]; then grubby_update 'keeping the others' "$1" "$grubby_kernel" "--args=$grubby_keeps"; fi
  done <"$work/kernels"
}

# grubby_update TEXT FILE KERNEL CHANGE. Where /boot is a file system of its own, its name is not in the file's paths;
# grubby wants it.
grubby_update() {
  grubby_path=/boot${3#/boot}
  patiently "$1: $grubby_path" timeout 60 grubby --grub2 -c "$2" --update-kernel="$grubby_path" "$4" ||
    fail 'grubby failed (its output is above)' "run \`grubby --info=ALL\` on the host, correct what it says about $os_grub_cfg, then run \`pulumi up\` again"
}

grubby_missing() {
  boot_missing_in "$os_grub_cfg"
  if [ -z "$boot_missing" ]; then grub_defaults_missing; fi
}

grubby_revert() { grubby_each file_undo; }

grubby_entries() { cat -- "$os_grub_cfg"; }
