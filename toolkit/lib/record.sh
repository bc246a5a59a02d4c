# shellcheck shell=sh
# Changing files so that nothing of the user's is lost: what was there is recorded before the first change, a file is
# replaced atomically and durably, and everything can be put back as it was.

# record_file SECTION PATH: remembers, once, what is at PATH: content, mode and owner, or that there is nothing.
record_file() {
  record_folder "$1" "$2"
  if [ -d "$record" ]; then return 0; fi
  # Drafted elsewhere, so that a half-written record is never taken for one.
  record_draft=$TIMEBASE_STATE/draft
  rm -rf "$record_draft"
  mkdir -p "$record_draft" "${record%/*}"
  printf '%s\n' "$2" >"$record_draft/path"
  if [ -e "$2" ]; then cp -p -- "$(readlink -f -- "$2")" "$record_draft/was"; fi
  sync
  mv -- "$record_draft" "$record"
  sync
}

# record_fresh SECTION PATH: record_file for a write that follows at once. A record of which no write of ours has come, and
# that the file has left since, tells what was there once, not what is the user's now.
record_fresh() {
  record_folder "$1" "$2"
  if [ ! -e "$record/ours" ] && [ -e "$2" ] && ! cmp -s -- "$record/was" "$2"; then rm -rf -- "$record"; fi
  record_file "$1" "$2"
}

# record_folder SECTION PATH: sets record to the folder of the record of PATH.
record_folder() {
  record=
  record_rest=$2
  while :; do
    case "$record_rest" in
      */*) record=$record${record_rest%%/*}% record_rest=${record_rest#*/} ;;
      *) break ;;
    esac
  done
  record=$TIMEBASE_STATE/files/$1/$record$record_rest
}

# text_write PATH TEXT: file_write of a text that ends with a newline.
text_write() {
  all_lines "$1"
  if [ "$all_lines" = "$2" ]; then return 0; fi
  printf %s "$2" >"$work/text"
  file_write "$1" "$work/text"
}

# file_write PATH CONTENT: the file CONTENT becomes what is at PATH, atomically; mode, owner and a link at PATH are
# kept. Nothing is written when it is there already.
file_write() {
  if [ -e "$1" ] && cmp -s -- "$2" "$1"; then return 0; fi
  file_target=$(readlink -f -- "$1" || printf '%s' "$1")
  mkdir -p -- "${file_target%/*}"
  file_new=$file_target.timebase-new
  rm -f -- "$file_new"
  if [ -e "$file_target" ]; then cp -p -- "$file_target" "$file_new"; fi
  cat -- "$2" >"$file_new"
  sync "$file_new" 2>/dev/null || sync
  mv -f -- "$file_new" "$file_target"
  sync "${file_target%/*}" 2>/dev/null || sync
}

# file_own SECTION PATH CONTENT: file_write with a record, so that files_restore can take it back. Of a write that was
# cut, `ours` tells that it was ours.
file_own() {
  record_fresh "$1" "$2"
  if [ -e "$2" ] && cmp -s -- "$3" "$2"; then return 0; fi
  record_keep
  file_write "$record/ours" "$3"
  file_write "$2" "$3"
  say "wrote $2"
}

# record_keep: what somebody else has made of the recorded file since we wrote it is kept beside it, never overwritten.
record_keep() {
  first_line "$record/path"
  record_path=$first_line
  if [ ! -e "$record_path" ] || [ ! -e "$record/ours" ]; then return 0; fi
  if cmp -s -- "$record/ours" "$record_path" || cmp -s -- "$record/was" "$record_path"; then return 0; fi
  record_kept=$record_path.kept-by-timebase
  record_number=1
  while [ -e "$record_kept" ] && ! cmp -s -- "$record_kept" "$record_path"; do
    record_number=$((record_number + 1))
    record_kept=$record_path.kept-by-timebase.$record_number
  done
  cp -p -- "$record_path" "$record_kept"
  say "$record_path was changed by somebody else since; that version is kept in $record_kept"
}

# files_keep SECTION: record_keep for every file of the section, before something other than us removes them.
files_keep() {
  for record in "$TIMEBASE_STATE/files/$1"/*; do
    if [ -f "$record/path" ]; then record_keep; fi
  done
}

# files_restore SECTION: puts back every file that the section's record names.
files_restore() {
  files_keep "$1"
  for record in "$TIMEBASE_STATE/files/$1"/*; do
    if [ ! -f "$record/path" ]; then continue; fi
    first_line "$record/path"
    record_path=$first_line
    if [ -e "$record/was" ]; then
      record_target=$(readlink -f -- "$record_path" || printf '%s' "$record_path")
      mkdir -p -- "${record_target%/*}"
      cp -p -- "$record/was" "$record_target.timebase-new"
      mv -f -- "$record_target.timebase-new" "$record_target"
      say "restored $record_path"
    elif [ -e "$record_path" ] || [ -L "$record_path" ]; then
      rm -f -- "$record_path"
      say "removed $record_path"
    fi
  done
  sync
}

# facts_add SECTION KIND NAME [VALUE...]: remembers how something (a unit, a package) was before us. The first time
# counts: what is found there later is our own doing.
facts_add() {
  facts_section=$1
  shift
  facts_of "$facts_section"
  case "$newline$facts_of" in *"$newline$1 $2 "* | *"$newline$1 $2$newline"*) return 0 ;; esac
  text_write "$TIMEBASE_STATE/facts/$facts_section" "$facts_of$*$newline"
}

# facts_of SECTION: sets facts_of to what is remembered, a line each.
facts_of() {
  all_lines "$TIMEBASE_STATE/facts/$1"
  facts_of=$all_lines
}

# record_forget SECTION: after everything has been put back.
record_forget() { rm -rf -- "$TIMEBASE_STATE/files/$1" "$TIMEBASE_STATE/facts/$1"; }
