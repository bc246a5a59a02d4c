# shellcheck shell=sh
# The toolkit's own place on the host, so that a person can type `sudo timebase status` and destroy finds it.

install_folder=$TIMEBASE_ROOT/usr/local/lib/timebase
install_command=$TIMEBASE_ROOT/usr/local/sbin/timebase

install_self() {
  if [ "$TIMEBASE_HOME" != "$install_folder" ] && ! diff -rq "$TIMEBASE_HOME" "$install_folder" >/dev/null 2>&1; then
    rm -rf "$install_folder.new"
    mkdir -p "${install_folder%/*}" "${install_command%/*}"
    cp -R "$TIMEBASE_HOME" "$install_folder.new"
    chown -R 0:0 "$install_folder.new"
    chmod -R u=rwX,go=rX "$install_folder.new"
    chmod 755 "$install_folder.new/timebase"
    rm -rf "$install_folder"
    mv "$install_folder.new" "$install_folder"
  fi
  if [ ! -L "$install_command" ]; then ln -s "$install_folder/timebase" "$install_command"; fi
}

uninstall_self() {
  rm -rf "$install_folder" "$TIMEBASE_STATE"
  rm -f "$install_command"
  # Where the copy came by SSH: in the home folder of the user who called us.
  if [ -f .timebase/toolkit/timebase ]; then
    rm -rf .timebase/toolkit
    rmdir .timebase 2>/dev/null || :
  fi
}
