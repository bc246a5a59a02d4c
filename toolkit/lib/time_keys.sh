# shellcheck shell=sh
# Authenticated time: the symmetric keys of a plan, in a file of ours that only root can read (chronyd reads it before it
# becomes another user), and what chrony must have been built with. A key is in the plan on standard input, in that file and
# in its record, and nowhere else: in no command's arguments, no message, and not in what is remembered of the plan.

# Beside chrony's configuration, because AppArmor lets chronyd read there; never the user's own chrony.keys.
keys_path() { keys_file=${os_chrony_conf%.conf}.timebase.keys; }

# plan_wants_nts: whether a source of the plan has to prove who it is by NTS.
plan_wants_nts() {
  case "$plan_time_sources$newline" in
    *' nts '* | *" nts$newline"*) return 0 ;;
    *) return 1 ;;
  esac
}

# plan_authenticates: whether the plan's servers are authenticated; the input rules see to it that all are, or none.
plan_authenticates() {
  case "$plan_time_sources " in *' key '*) return 0 ;; esac
  plan_wants_nts
}

# keys_preflight VERSION: what the chrony of this host cannot do, by what `chronyd -v` says of how it was built.
keys_preflight() {
  if plan_wants_nts; then
    case "$1" in
      *+NTS*) ;;
      *) fail "chrony on this host was built without NTS (${1%% (+*})" "install the chrony of the system's own packages (${os_package_program} install chrony), or take nts off the sources of this host" ;;
    esac
  fi
  keys_known=
  while read -r key_id key_type key_secret; do
    if [ -z "$key_id" ]; then continue; fi
    if [ -z "$key_secret" ]; then fail "the plan has no secret for key $key_id" 'send the whole plan (pulumi-timebase writes it), not what this host remembers of it'; fi
    if has_word "$keys_known" "$key_type"; then continue; fi
    if ! chronyc keygen 1 "$key_type" >/dev/null 2>&1; then
      fail "chrony on this host does not know keys of type $key_type (${1%% (+*})" 'use a type that it and the other side know, such as SHA1 (TimeKeyType.Sha1), or install a chrony that was built with it'
    fi
    keys_known="$keys_known $key_type"
  done <<KEYS
$plan_time_keys
KEYS
}

# keys_text: sets keys_text to the file's text, or to nothing.
keys_text() {
  keys_text=
  if [ -z "$plan_time_keys" ]; then return 0; fi
  keys_text="# Written by timebase for $plan_owner; \`sudo timebase revert\` removes it.
$plan_time_keys"
}

# keys_converge: the file is there when the plan has keys, and only then.
keys_converge() {
  keys_path
  keys_text
  if [ -z "$keys_text" ]; then
    record_folder time "$keys_file"
    if [ -d "$record" ]; then
      file_write "$chrony_restart_due" /dev/null
      file_disown time "$keys_file"
    fi
    return 0
  fi
  # Copies of it, the record's too, get its mode.
  (umask 077 && printf %s "$keys_text" >"$work/keys") || work_full
  record_fresh time "$keys_file"
  if [ -e "$keys_file" ]; then chmod 600 -- "$keys_file"; fi
  chrony_own "$keys_file" "$work/keys"
}

# keys_refuted: sets keys_refuted to how the file is not as planned, or to nothing. Of a plan that is remembered without its
# secrets, only that the file is there is known here; whether it was changed, its record tells (lib/status.sh).
keys_refuted() {
  keys_refuted=
  if [ -z "$plan_time_keys" ]; then return 0; fi
  keys_path
  keys_text
  all_lines "$keys_file"
  case "$plan_time_keys" in
    *' HEX:'* | *' ASCII:'*) if [ "$all_lines" != "$keys_text" ]; then keys_refuted='it was changed, or is gone'; fi ;;
    *) if [ -z "$all_lines" ]; then keys_refuted='it is gone'; fi ;;
  esac
  if [ -z "$keys_refuted" ] && [ -n "$(find "$keys_file" -perm /077)" ]; then keys_refuted='others than root can read it'; fi
}
