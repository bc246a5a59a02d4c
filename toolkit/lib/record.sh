# shellcheck shell=sh
# Changing files so that nothing of the user's is lost: what was there is recorded before the first change, a file is
# replaced atomically and durably, and everything can be put back as it was.

# record_file SECTION PATH: remembers, once, what is at PATH: content, mode and owner, or that there is nothing, and which
# folders are to be made for it.
record_file() {
  record_folder "$1" "$2"
  if [ -d "$record" ]; then return 0; fi
  # Drafted elsewhere, so that a half-written record is never taken for one.
  file_target=$record file_new=$TIMEBASE_STATE/draft
  rm -rf -- "$file_new"
  file_try mkdir -p -- "$file_new" "${record%/*}"
  file_try record_name "$2"
  if [ -e "$2" ]; then
    file_try cp --preserve=all -- "$(readlink -f -- "$2")" "$file_new/was"
  elif [ ! -d "${2%/*}" ]; then
    file_try record_folders "${2%/*}"
  fi
  sync
  file_try mv -- "$file_new" "$record"
  sync
}

record_name() { printf '%s\n' "$1" >"$file_new/path"; }

# The innermost first.
record_folders() {
  record_made=$1 record_folders=
  until [ -d "$record_made" ]; do
    record_folders=$record_folders$record_made$newline
    record_made=${record_made%/*}
  done
  printf %s "$record_folders" >"$file_new/folders"
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
  printf %s "$2" >"$work/text" || work_full
  file_write "$1" "$work/text"
}

# file_write PATH CONTENT: what is in the file CONTENT, and its time, becomes what is at PATH, atomically; mode, owner, SELinux's
# label and a link at PATH are kept. Nothing is written when it is there already.
file_write() {
  if [ -e "$1" ] && cmp -s -- "$2" "$1"; then return 0; fi
  file_draft "$1"
  if [ -e "$file_target" ]; then file_try cp --preserve=all -- "$file_target" "$file_new"; fi
  file_try cp --preserve=timestamps -- "$2" "$file_new"
  file_place
}

# file_copy FILE PATH: FILE, with its mode, owner, label and time, becomes what is at PATH.
file_copy() {
  file_draft "$2"
  file_try cp --preserve=all -- "$1" "$file_new"
  file_place
}

# file_draft PATH: makes the folder for it, and clears the place beside it.
file_draft() {
  file_clear "$1"
  if [ ! -d "${file_target%/*}" ]; then file_try mkdir -p -- "${file_target%/*}"; fi
}

# file_clear PATH: sets file_target to where PATH leads, and file_new to the file beside it that is to take its place, of
# which a write that was cut may have left something.
file_clear() {
  case "$1" in /*) file_target=$1 ;; *) file_target=$PWD/$1 ;; esac
  if [ -L "$1" ]; then file_target=$(readlink -f -- "$1" || printf '%s' "$1"); fi
  file_new=$file_target.timebase-new
  if [ -e "$file_new" ]; then rm -f -- "$file_new"; fi
}

# file_place: what has not come to the disk never takes the place of what is there.
file_place() {
  file_try sync "$file_new"
  file_try mv -f -- "$file_new" "$file_target"
  sync "${file_target%/*}" 2>/dev/null || sync
}

# file_try COMMAND...: a step of a write, without which nothing is left of it.
file_try() {
  file_why=$("$@" 2>&1) || file_unwritten "${file_why:-$1 failed}"
}

file_unwritten() {
  rm -rf -- "$file_new"
  fail "$file_target could not be written: $1" \
    "make room, or mount it for writing (see \`df -hi ${file_target%/*}\`, \`findmnt -T ${file_target%/*}\` and \`dmesg\` on the host), then run this again"
}

# file_own SECTION PATH CONTENT: file_write with a record, so that files_restore can take it back.
file_own() {
  record_fresh "$1" "$2"
  if [ -e "$2" ] && cmp -s -- "$3" "$2"; then return 0; fi
  record_keep
  record_write "$2" "$3"
  say "wrote $2"
}

# record_write PATH CONTENT: file_write of what $record then knows as `ours`. When it is cut in between, `replaced` tells that
# what is still at PATH is ours too, from an earlier write.
record_write() {
  if [ -e "$1" ] && record_ours "$1"; then file_write "$record/replaced" "$1"; fi
  file_write "$record/ours" "$2"
  file_write "$1" "$2"
  rm -f -- "$record/replaced"
}

# record_ours PATH: whether PATH is as we wrote it, now or before a write that was cut.
record_ours() {
  for record_version in ours replaced; do
    if [ -e "$record/$record_version" ] && cmp -s -- "$record/$record_version" "$1"; then return 0; fi
  done
  return 1
}

# record_keep: what somebody else has made of the recorded file since we wrote it is kept beside it, never overwritten.
record_keep() {
  first_line "$record/path"
  record_path=$first_line
  if [ ! -e "$record_path" ] || [ ! -e "$record/ours" ]; then return 0; fi
  if record_ours "$record_path" || cmp -s -- "$record/was" "$record_path"; then return 0; fi
  record_kept=$record_path.kept-by-timebase
  record_number=1
  while [ -e "$record_kept" ] && ! cmp -s -- "$record_kept" "$record_path"; do
    record_number=$((record_number + 1))
    record_kept=$record_path.kept-by-timebase.$record_number
  done
  file_copy "$record_path" "$record_kept"
  say "$record_path was changed by somebody else since; that version is kept in $record_kept"
}

# files_keep SECTION: record_keep for every file of the section, before something other than us removes them; and nothing
# half-written stays beside it.
files_keep() {
  for record in "$TIMEBASE_STATE/files/$1"/*; do
    if [ ! -f "$record/path" ]; then continue; fi
    record_keep
    file_clear "$record_path"
  done
}

# files_restore SECTION: puts back every file that the section's record names.
files_restore() {
  files_keep "$1"
  for record in "$TIMEBASE_STATE/files/$1"/*; do
    if [ -f "$record/path" ]; then record_restore; fi
  done
  sync
}

# record_restore: puts back the file of $record, and takes away the folders that were made for it, unless others use them.
record_restore() {
  first_line "$record/path"
  record_path=$first_line
  if [ -e "$record/was" ]; then
    file_copy "$record/was" "$record_path"
    say "restored $record_path"
  elif [ -e "$record_path" ] || [ -L "$record_path" ]; then
    rm -f -- "$record_path"
    say "removed $record_path"
  fi
  if [ ! -e "$record/folders" ]; then return 0; fi
  while read -r record_made; do rmdir -- "$record_made" 2>/dev/null || break; done <"$record/folders"
}

# file_disown SECTION PATH: takes one file_own back.
file_disown() {
  record_folder "$1" "$2"
  if [ ! -f "$record/path" ]; then return 0; fi
  record_keep
  file_clear "$2"
  record_restore
  sync
  rm -rf -- "$record"
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

# facts_have SECTION BEGINNING: whether there is one that begins so; sets facts_of, too.
facts_have() {
  facts_of "$1"
  case "$newline$facts_of" in *"$newline$2"*) return 0 ;; *) return 1 ;; esac
}

# facts_drop SECTION BEGINNING: forgets those that begin so.
facts_drop() {
  if ! facts_have "$1" "$2"; then return 0; fi
  printf %s "$facts_of" | grep -v "^$2" >"$work/facts" || [ $? = 1 ] || work_full
  file_write "$TIMEBASE_STATE/facts/$1" "$work/facts"
}

# record_forget SECTION: after everything has been put back.
record_forget() { rm -rf -- "$TIMEBASE_STATE/files/$1" "$TIMEBASE_STATE/facts/$1"; }
