# shellcheck shell=sh
# Changing files so that nothing of the user's is lost: what was there is recorded before the first change, a file is
# replaced atomically and durably, and everything can be put back as it was.

# record_file SECTION PATH: remembers, once, what is at PATH: content, mode and owner, or that there is nothing.
record_file() {
  record=$(record_folder "$1" "$2")
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

record_folder() { printf '%s/files/%s/%s' "$TIMEBASE_STATE" "$1" "$(printf %s "$2" | tr / %)"; }

# file_write PATH CONTENT: the file CONTENT becomes what is at PATH, atomically; mode, owner and a link at PATH are
# kept. Nothing is written when it is there already. Sets file_changed to yes or no.
file_write() {
  file_changed=no
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
  file_changed=yes
}

# file_own SECTION PATH CONTENT: file_write with a record, so that file_restore can take it back.
file_own() {
  record_file "$1" "$2"
  file_write "$2" "$3"
  if [ "$file_changed" = yes ]; then
    say "wrote $2"
    cp -- "$2" "$(record_folder "$1" "$2")/ours"
  fi
}

# files_restore SECTION: puts back every file that the section's record names. What somebody else has changed since
# is kept beside it.
files_restore() {
  for record in "$TIMEBASE_STATE/files/$1"/*; do
    if [ ! -f "$record/path" ]; then continue; fi
    record_path=$(first_line "$record/path")
    if [ -e "$record_path" ] && [ -e "$record/ours" ] && ! cmp -s -- "$record/ours" "$record_path"; then
      cp -p -- "$record_path" "$record_path.before-timebase-revert"
      say "$record_path was changed by somebody else since; that version is kept in $record_path.before-timebase-revert"
    fi
    if [ -e "$record/was" ]; then
      record_target=$(readlink -f -- "$record_path" || printf '%s' "$record_path")
      cp -p -- "$record/was" "$record_target.timebase-new"
      mv -f -- "$record_target.timebase-new" "$record_target"
      say "restored $record_path"
    else
      rm -f -- "$record_path"
      say "removed $record_path"
    fi
  done
  sync
}

# facts_add SECTION LINE: remembers a line about the section (a unit's state, a package), once.
facts_add() {
  facts_now=$(facts_of "$1")
  if has_line "$facts_now" "$2"; then return 0; fi
  printf '%s\n' "${facts_now:+$facts_now$newline}$2" >"$work/facts"
  file_write "$TIMEBASE_STATE/facts/$1" "$work/facts"
}

facts_of() { cat "$TIMEBASE_STATE/facts/$1" 2>/dev/null || :; }

# record_forget SECTION: after everything has been put back.
record_forget() { rm -rf -- "$TIMEBASE_STATE/files/$1" "$TIMEBASE_STATE/facts/$1"; }
