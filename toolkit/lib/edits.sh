# shellcheck shell=sh
# Putting something of ours into a file that stays the user's, and taking it out again, whatever else has become of the
# file. EDIT and UNDO are functions that change the file they are given; while they run, $record/was, if it is there, is
# the file as it was without us.

# The file's time stays too: grub2-mkconfig makes /etc/kernel/cmdline anew when it is older than /etc/default/grub (lib/bls.sh),
# and whether it is so is the user's matter.

# Before the first edit of a section all of its files are remembered as they are; so what is not remembered once there are
# edits was made since then, by somebody who may have copied ours, and what is remembered without an edit has none of ours.

# file_remember SECTION PATH: PATH as it is, before the first edit of the section.
file_remember() {
  edit_wrote=no
  if ! edits_begun "$1"; then record_file "$1-edits" "$2"; fi
}

# edits_begun SECTION: whether anything of the section's was edited, which is after all of it was remembered.
edits_begun() {
  set -- "$TIMEBASE_STATE/files/$1-edits"/*/ours
  [ -e "$1" ]
}

# edit_made SECTION: whether something of ours may be in the file of $record.
edit_made() { [ -e "$record/ours" ] || { [ ! -d "$record" ] && edits_begun "$1"; }; }

# file_edit SECTION PATH EDIT UNDO: PATH with what EDIT puts in. Nothing is written when it is there already, and that it
# was there is remembered. It sets edit_wrote, as file_undo does: whether PATH was written.
file_edit() {
  edit_wrote=no
  record_folder "$1-edits" "$2"
  edit_since=no
  if [ ! -e "$2" ]; then
    : >"$work/base"
  elif record_ours "$2"; then
    if [ -e "$record/was" ]; then cat -- "$record/was" >"$work/base"; else : >"$work/base"; fi
  else
    edit_since=yes
    cat -- "$2" >"$work/base"
    if edit_made "$1" && ! cmp -s -- "$record/was" "$2"; then "$4" "$work/base"; fi
  fi
  cat -- "$work/base" >"$work/edited"
  "$3" "$work/edited"
  record_file "$1-edits" "$2"
  # What somebody else has made of it since is what a revert gives back.
  if [ "$edit_since" = yes ]; then file_write "$record/was" "$work/base"; fi
  if [ -e "$2" ] && cmp -s -- "$work/edited" "$2"; then
    file_write "$record/ours" "$work/edited"
    return 0
  fi
  if [ -e "$2" ]; then touch -r "$2" -- "$work/edited"; fi
  record_write "$2" "$work/edited"
  edit_wrote=yes
  say "wrote $2"
}

# file_undo SECTION PATH EDIT UNDO: PATH as it was, byte for byte, when it is as we wrote it; else ours is taken out of it.
file_undo() {
  edit_wrote=no
  record_folder "$1-edits" "$2"
  if [ -d "$record" ]; then file_clear "$2"; fi
  if [ ! -e "$2" ] || ! edit_made "$1"; then return 0; fi
  if ! record_ours "$2"; then
    if [ -e "$record/was" ] && cmp -s -- "$record/was" "$2"; then return 0; fi
    cat -- "$2" >"$work/undone"
    "$4" "$work/undone"
  elif [ -e "$record/was" ]; then
    cat -- "$record/was" >"$work/undone"
  else
    rm -f -- "$2"
    say "removed $2"
    return 0
  fi
  if cmp -s -- "$work/undone" "$2"; then return 0; fi
  touch -r "$2" -- "$work/undone"
  file_write "$2" "$work/undone"
  edit_wrote=yes
  say "restored $2"
}

edits_forget() { rm -rf -- "$TIMEBASE_STATE/files/$1-edits"; }
