# shellcheck shell=sh
# Amazon Linux 2: GRUB 2 without BLS. grub.cfg is made once; afterwards grubby, a program that knows its syntax, changes
# it. A new kernel's entry is a copy of the default one (new-kernel-pkg calls grubby with --copy-default: rhboot/grubby,
# branch rhel-7.3), so what the entries have now reaches later kernels too; /etc/default/grub is for whoever runs
# grub2-mkconfig.

grubby_lacking() {
  if [ ! -f "$os_grub_cfg" ] || ! command -v grubby >/dev/null; then
    printf 'no %s, or no grubby' "$os_grub_cfg"
  else
    grub_defaults_lacking
  fi
}

grubby_converge() {
  file_edit boot "$grub_defaults" grub_defaults_edit grub_defaults_undo
  file_edit boot "$os_grub_cfg" grubby_edit grubby_undo
}

# On a copy, whose content decides, not grubby's word.
grubby_edit() {
  grubby_update 'adding the boot parameters to every entry' "$1" ALL "$plan_boot_parameters" ''
  boot_missing=$(boot_missing_in "$1")
  if [ -n "$boot_missing" ]; then
    fail "the configuration that grubby made of $os_grub_cfg is $boot_missing" 'compare `grubby --info=ALL` with that file on the host'
  fi
}

# Each kernel gets back the values of our keys that it had before us, and loses ours if it had none. A kernel that was
# installed since then is a copy of the default entry, so it is taken for the first one.
grubby_undo() {
  : >"$work/was-none"
  grubby_was=$work/was-none
  if [ -e "$record/was" ]; then grubby_was=$record/was; fi
  awk -v parameters="$plan_boot_parameters" -v now="$1" '
    $1 !~ /^linux(16|efi)?$/ { next }
    FILENAME != now {
      if (first == "") first = $2
      known[$2] = 1
      for (f = 3; f <= NF; f++) if (index($f, "=")) had[$2, substr($f, 1, index($f, "=") - 1)] = $f
      next
    }
    !seen[$2]++ {
      remove = restore = ""
      count = split(parameters, parameter, " ")
      for (i = 1; i <= count; i++) {
        was = had[($2 in known) ? $2 : first, substr(parameter[i], 1, index(parameter[i], "=") - 1)]
        if (was == "") remove = remove " " parameter[i]
        else if (was != parameter[i]) restore = restore " " was
      }
      print $2 "|" restore "|" remove
    }' "$grubby_was" "$1" >"$work/kernels"
  while IFS='|' read -r grubby_kernel grubby_restore grubby_remove; do
    # Where /boot is a file system of its own, its name is not in the file's paths; grubby wants it.
    grubby_kernel=/boot${grubby_kernel#/boot}
    grubby_update "taking our boot parameters away from $grubby_kernel" "$1" "$grubby_kernel" "$grubby_restore" "$grubby_remove"
  done <"$work/kernels"
}

# grubby_update TEXT FILE KERNEL ADD REMOVE. An argument that is added replaces the one of the same key; one with a value
# is removed only when the value is the same (grubby.c, updateActualImage). An empty list of arguments is an error to it.
grubby_update() {
  if [ -z "$4$5" ]; then return 0; fi
  patiently "$1" timeout 60 grubby --grub2 -c "$2" --update-kernel="$3" ${4:+"--args=$4"} ${5:+"--remove-args=$5"} ||
    fail 'grubby failed (its output is above)' "run \`grubby --info=ALL\` on the host, correct what it says about $os_grub_cfg, then run \`pulumi up\` again"
}

grubby_missing() {
  grubby_missing=$(boot_missing_in "$os_grub_cfg")
  printf '%s' "${grubby_missing:-$(grub_defaults_missing)}"
}

grubby_revert() {
  file_undo boot "$grub_defaults" grub_defaults_undo
  file_undo boot "$os_grub_cfg" grubby_undo
}

grubby_entries() { cat -- "$os_grub_cfg"; }
