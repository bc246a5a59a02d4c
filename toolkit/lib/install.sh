# shellcheck shell=sh
# The toolkit's own place on the host, so that a person can type `sudo timebase status` and destroy finds it.

install_folder=$TIMEBASE_ROOT/usr/local/lib/timebase

# A folder for each version and a link to the one that counts: at no instant is there half a program.
install_self() {
  install_version=$(cd "$TIMEBASE_HOME" && cksum timebase lib/* | cksum)
  install_version=${install_version%% *}
  if [ "$(readlink -- "$install_folder/current")" != "$install_version" ]; then install_copy; fi
  # Also when the copy was made before: that run may have been cut just after it.
  for install_old in "$install_folder"/*; do
    case "${install_old##*/}" in current | "$install_version") ;; *) rm -rf -- "$install_old" ;; esac
  done
  install_command_link
}

install_copy() {
  mkdir -p "$install_folder" "$TIMEBASE_ROOT$os_sbin"
  chmod 755 "$install_folder"
  file_target=$install_folder/$install_version file_new=$install_folder/$install_version
  rm -rf -- "$file_new"
  file_try cp -R -- "$TIMEBASE_HOME" "$file_new"
  chown -R 0:0 "$install_folder/$install_version"
  chmod -R u=rwX,go=rX "$install_folder/$install_version"
  chmod 755 "$install_folder/$install_version/timebase"
  sync
  ln -sfn "$install_version" "$install_folder/next"
  mv -T -- "$install_folder/next" "$install_folder/current"
}

# install_given_up: sets install_given_up to what is left to do by hand for a stack that was refused and is destroyed without
# ever having converged: it has no command whose delete would remove its copy. As long as it may come again it needs it.
install_given_up() {
  case "$TIMEBASE_HOME" in
    */.timebase-*/toolkit) install_given_up="if this one is given up, remove its copy of the toolkit from the host: rm -r ${TIMEBASE_HOME%/toolkit}" ;;
    *) install_given_up= ;;
  esac
}

# An earlier version had its link where the sudo of Amazon Linux does not look.
install_command_link() {
  install_command=$TIMEBASE_ROOT$os_sbin/timebase
  install_commands_remove "$install_command"
  if install_command_ours "$install_command"; then return 0; fi
  if [ -e "$install_command" ] || [ -L "$install_command" ]; then
    say "$install_command is somebody else's and stays; ours is $install_folder/current/timebase"
  else
    ln -s "$install_folder/current/timebase" "$install_command"
  fi
}

install_command_ours() { [ -L "$1" ] && [ "$(readlink -- "$1")" = "$install_folder/current/timebase" ]; }

# install_commands_remove [BUT]: the links of ours, wherever one may be.
install_commands_remove() {
  for install_link in "$TIMEBASE_ROOT/usr/local/sbin/timebase" "$TIMEBASE_ROOT/usr/sbin/timebase"; do
    if [ "$install_link" != "${1:-}" ] && install_command_ours "$install_link"; then rm -f -- "$install_link"; fi
  done
}

uninstall_self() {
  install_commands_remove
  # First what says that there is a program: half of one would be taken for one by the next revert.
  rm -f -- "$install_folder/current"
  sync
  rm -rf -- "$install_folder" "$TIMEBASE_STATE"
}
