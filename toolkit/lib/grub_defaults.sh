# shellcheck shell=sh
# /etc/default/grub, from which Amazon Linux makes the entries of kernels to come. Its grub2-mkconfig sources this file
# and no folder beside it (rhboot/grub2, util/grub-mkconfig.in in each branch from fedora-20 to fedora-44; the folder
# /etc/default/grub.d is Debian's own patch). So a block of ours comes to its end, and every byte of the user's stays.

grub_defaults=$TIMEBASE_ROOT/etc/default/grub

# Indented, because grubby rewrites the lines that begin with GRUB_CMDLINE_LINUX= on Amazon Linux 2023.
grub_defaults_block() {
  grub_defaults_block="# timebase begin: added to what is above for $plan_owner; \`sudo timebase revert\` takes it out
  $os_grub_variable=\"\$$os_grub_variable $plan_boot_parameters\"
"
  # What these come after in an entry, and what may hold what is to be overridden.
  if [ "$plan_boot_override" = yes ] && [ "$os_grub_variable" != GRUB_CMDLINE_LINUX_DEFAULT ]; then
    grub_defaults_block="$grub_defaults_block  GRUB_CMDLINE_LINUX_DEFAULT=\"\$GRUB_CMDLINE_LINUX_DEFAULT $plan_boot_parameters\"
"
  fi
  grub_defaults_block="$grub_defaults_block# timebase end"
}

# A file that gives them already, by lines of the user's, stays as it is.
grub_defaults_edit() {
  grub_defaults_disobeyed "$1"
  if [ -n "$boot_disobeyed" ]; then grub_defaults_append "$1"; fi
}

grub_defaults_append() {
  grub_defaults_block
  grub_defaults_change "$1" "$grub_defaults_block" ''
}

# What grubby has copied from our block into a line of the user's goes too, unless it was there before us.
grub_defaults_undo() {
  grub_defaults_take=
  if [ ! -d "$record" ]; then
    grub_defaults_change "$1" '' ''
    return
  fi
  for grub_defaults_parameter in $plan_boot_parameters; do
    if ! grep -qF -e "$grub_defaults_parameter" "$record/was" 2>/dev/null; then
      grub_defaults_take="$grub_defaults_take $grub_defaults_parameter"
    fi
  done
  grub_defaults_change "$1" '' "$grub_defaults_take"
}

# grub_defaults_change FILE BLOCK WORDS: FILE without our block and words, and with this block. The x shows awk whether
# the last line ends with a newline.
grub_defaults_change() {
  { cat -- "$1" && printf x; } |
    TIMEBASE_BLOCK=$2 TIMEBASE_WORDS=$3 LC_ALL=C awk -f "$TIMEBASE_HOME/lib/grub_defaults.awk" >"$work/defaults"
  cat -- "$work/defaults" >"$1"
}

# grub_defaults_disobeyed FILE: boot_disobeyed by the entries made of it. An entry gets both variables, in this order.
grub_defaults_disobeyed() {
  boot_disobeyed "$(sourced '$GRUB_CMDLINE_LINUX $GRUB_CMDLINE_LINUX_DEFAULT' "$1")"
}

grub_defaults_missing() {
  grub_defaults_disobeyed "$grub_defaults"
  if [ -n "$boot_disobeyed" ]; then
    boot_missing="right until the next kernel update only: $grub_defaults does not give $os_grub_variable \"$plan_boot_parameters\""
  fi
}

# A file that ends in the middle of a quotation or leaves early cannot be added to.
grub_defaults_lacking() {
  cat -- "$grub_defaults" >"$work/lacking" 2>/dev/null || :
  grub_defaults_append "$work/lacking"
  case "$(sourced "\$$os_grub_variable" "$work/lacking")" in
    *" $plan_boot_parameters") ;;
    *) boot_lacking="sourced by sh, $grub_defaults ends before a line that is added at its end: it has a syntax error, or an exit" ;;
  esac
}
