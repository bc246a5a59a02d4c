# shellcheck shell=sh
# Putting something of ours into a file that stays the user's, and taking it out again, whatever else has become of the
# file. EDIT and UNDO are functions that change the file they are given; while they run, $record/was, if it is there, is
# the file as it was without us.

# file_edit SECTION PATH EDIT UNDO: PATH with what EDIT puts in. Nothing is written when it is there already.
file_edit() {
  record=$(record_folder "$1-edits" "$2")
  edit_since=no
  if [ ! -e "$2" ]; then
    : >"$work/base"
  elif [ -e "$record/ours" ] && cmp -s -- "$record/ours" "$2"; then
    if [ -e "$record/was" ]; then cat -- "$record/was" >"$work/base"; else : >"$work/base"; fi
  else
    cat -- "$2" >"$work/base"
    if [ -e "$record/ours" ] && ! cmp -s -- "$record/was" "$2"; then
      "$4" "$work/base"
      edit_since=yes
    fi
  fi
  cat -- "$work/base" >"$work/edited"
  "$3" "$work/edited"
  if [ -e "$2" ] && cmp -s -- "$work/edited" "$2"; then return 0; fi
  record_fresh "$1-edits" "$2"
  # What somebody else has made of it since is what a revert gives back.
  if [ "$edit_since" = yes ]; then file_write "$record/was" "$work/base"; fi
  file_write "$record/ours" "$work/edited"
  file_write "$2" "$work/edited"
  say "wrote $2"
}

# file_undo SECTION PATH UNDO: PATH as it was, byte for byte, when it is as we wrote it; else ours is taken out of it.
file_undo() {
  if [ ! -e "$2" ]; then return 0; fi
  record=$(record_folder "$1-edits" "$2")
  if [ ! -e "$record/ours" ] || ! cmp -s -- "$record/ours" "$2"; then
    if [ -e "$record/was" ] && cmp -s -- "$record/was" "$2"; then return 0; fi
    cat -- "$2" >"$work/undone"
    "$3" "$work/undone"
  elif [ -e "$record/was" ]; then
    cat -- "$record/was" >"$work/undone"
  else
    rm -f -- "$2"
    say "removed $2"
    return 0
  fi
  if cmp -s -- "$work/undone" "$2"; then return 0; fi
  file_write "$2" "$work/undone"
  say "restored $2"
}

edits_forget() { rm -rf -- "$TIMEBASE_STATE/files/$1-edits"; }
