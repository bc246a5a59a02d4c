# shellcheck shell=sh
# Whether the file systems that will be written to take it: they are mounted for writing, and have room.

# Below this, in KiB, a file system counts as full.
preflight_room_kib=1024

preflight_room() {
  existing_folder "$TIMEBASE_STATE"
  set -- "$TIMEBASE_ROOT/etc" "$existing_folder"
  existing_folder "$install_folder"
  set -- "$@" "$existing_folder"
  preflight_boot_folder=
  if plan_has boot; then
    boot_replaces
    preflight_boot_file=$boot_replaces
    if [ -L "$preflight_boot_file" ]; then preflight_boot_file=$(readlink -f -- "$preflight_boot_file"); fi
    preflight_boot_folder=${preflight_boot_file%/*}
    set -- "$@" "$preflight_boot_folder"
  fi
  preflight_log_folder=
  if [ "$plan_tracking_log" = yes ] && ! tracking_log_kept; then
    existing_folder "$tracking_log_folder"
    preflight_log_folder=$existing_folder
    set -- "$@" "$preflight_log_folder"
  fi
  preflight_writable "$@"
  preflight_rooms "$@"
}

# existing_folder PATH: sets existing_folder to the nearest one above it that is there.
existing_folder() {
  existing_folder=$1
  while [ ! -d "$existing_folder" ]; do existing_folder=${existing_folder%/*}; done
}

# Asked by writing: to root, permission bits say yes on a file system that is mounted read-only.
preflight_writable() {
  preflight_probes=
  preflight_why=
  for preflight_folder in "$@"; do
    preflight_probe=$preflight_folder/.timebase-writable
    preflight_probes="$preflight_probes $preflight_probe"
    if ! printf 'timebase\n' 2>/dev/null >"$preflight_probe"; then
      # By a program, because the shell's own printf does not tell why it could not write.
      preflight_why=$( (LC_ALL=C cat -- "$TIMEBASE_ROOT/etc/os-release" >"$preflight_probe") 2>&1) || :
      break
    fi
  done
  # shellcheck disable=SC2086 # a list of files
  rm -f -- $preflight_probes 2>/dev/null || :
  case "$preflight_why" in *'No space left on device') preflight_rooms "$preflight_folder" ;; esac
  if [ -n "$preflight_why" ]; then
    fail "$preflight_folder cannot be written to (${preflight_why##*: })" \
      "see \`findmnt -T $preflight_folder\`, \`df -hi $preflight_folder\` and \`dmesg\` on the host: mount it for writing (mount -o remount,rw), or make room"
  fi
}

# What the boot loader reads is made beside the one that counts, so there must be room for another one, and a larger one.
preflight_rooms() {
  LC_ALL=C df -Pk "$@" >"$work/df" || fail 'df does not tell the room on this host'\''s file systems' 'see what `df -Pk` says on the host'
  preflight_wanted_boot=0
  if [ -n "$preflight_boot_folder" ]; then
    preflight_wanted_boot=$(wc -c <"$preflight_boot_file")
    preflight_wanted_boot=$((preflight_wanted_boot * 2 / 1024 + preflight_room_kib))
  fi
  {
    read -r preflight_header
    for preflight_folder in "$@"; do
      read -r preflight_line
      # The number before the percentage: the name of a device may have blanks, and so may the folder.
      preflight_free=${preflight_line%%\%*}
      preflight_free=${preflight_free%"${preflight_free##*[!0-9]}"}
      preflight_free=${preflight_free%"${preflight_free##*[! ]}"}
      preflight_free=${preflight_free##* }
      preflight_wanted=$preflight_room_kib
      if [ "$preflight_folder" = "$preflight_boot_folder" ]; then preflight_wanted=$preflight_wanted_boot; fi
      if [ "$preflight_folder" = "$preflight_log_folder" ]; then preflight_wanted=$tracking_log_room_kib; fi
      # Not every file system knows its room.
      case "$preflight_free" in '' | *[!0-9]*) continue ;; esac
      if [ "$preflight_free" -lt "$preflight_wanted" ]; then
        fail "the file system of $preflight_folder is full: $preflight_free KiB are free, $preflight_wanted are needed" \
          "make room there (see \`df -h $preflight_folder\`; packages of old kernels take the most)"
      fi
    done
  } <"$work/df"
}
