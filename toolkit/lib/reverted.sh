# shellcheck shell=sh
# A revert that reboots and proves what came back: what the boot was like is written down before the first change, the
# revert adds the boot that it ended, and after the reboot the two are compared.

# boot_before_remember: before the first change of the boot section; what is found later is our own doing.
boot_before_remember() {
  if ! plan_has boot || [ -e "$TIMEBASE_STATE/plans/boot" ]; then return 0; fi
  clocksource_read
  facts_add boot before clocksource "$clocksource_now"
  boot_cmdline
  facts_add boot before cmdline "$boot_cmdline"
}

# boot_before KEY: sets boot_before to what boot_before_remember has remembered, or to nothing where the section is older
# than that.
boot_before() {
  facts_of boot
  boot_before=
  case "$newline$facts_of" in
    *"${newline}before $1 "*)
      boot_before=$newline$facts_of
      boot_before=${boot_before#*"${newline}before $1 "}
      boot_before=${boot_before%%"$newline"*}
      ;;
  esac
}

# before_recall: sets before_clocksource and before_cmdline to that.
before_recall() {
  boot_before clocksource
  before_clocksource=$boot_before
  boot_before cmdline
  before_cmdline=$boot_before
}

# before RECORD: writes it before the first change; a later run would find our own state.
before() {
  plan_read
  before_write "$1"
}

before_write() {
  if [ -e "$1" ] && ! before_nothing_done "$1"; then return 0; fi
  if [ -e "$TIMEBASE_STATE/plans/boot" ]; then
    before_recall
  else
    clocksource_read
    before_clocksource=$clocksource_now
    boot_cmdline
    before_cmdline=$boot_cmdline
  fi
  text_write "$1" "clocksource=$before_clocksource${newline}cmdline=$before_cmdline$newline"
  say "the clocksource before is $before_clocksource"
}

# before_nothing_done RECORD: whether nothing has followed the record, as after a converge that was refused: then what is
# there now is what was before.
before_nothing_done() {
  if [ -e "$TIMEBASE_STATE/plans/boot" ]; then return 1; fi
  before_read "$1"
  before_parameters_left
  [ -z "$before_left$before_boot_id" ]
}

before_read() {
  before_clocksource='' before_cmdline='' before_boot_id='' before_reboot=none
  while IFS= read -r before_line; do
    case "$before_line" in
      clocksource=*) before_clocksource=${before_line#*=} ;;
      cmdline=*) before_cmdline=${before_line#*=} ;;
      reverted-boot-id=*) before_boot_id=${before_line#*=} ;;
      reverted-reboot=*) before_reboot=${before_line#*=} ;;
    esac
  done <"$1"
}

# before_parameters_left: those of our parameters that the running kernel was given, and was not before us.
before_parameters_left() {
  boot_cmdline
  before_left=
  for before_parameter in $plan_boot_parameters; do
    if has_word "$boot_cmdline" "$before_parameter" && ! has_word "$before_cmdline" "$before_parameter"; then
      before_left="${before_left:+$before_left }$before_parameter"
    fi
  done
}

before_clocksource_back() {
  clocksource_read
  [ -z "$before_clocksource" ] || [ "$before_clocksource" = "$clocksource_now" ]
}

# revert_reboot RECORD: as the last step of a revert, which may be the second try of one that was cut.
revert_reboot() {
  if [ ! -e "$1" ]; then return 0; fi
  # Reverting has emptied it.
  plan_parse "$plan_text"
  before_read "$1"
  before_parameters_left
  if [ -z "$before_left" ] && before_clocksource_back; then
    revert_reboot=none
    say 'the running kernel is as it was before; no reboot is needed'
  else
    revert_reboot=ordered
  fi
  boot_id
  {
    grep -v '^reverted-' "$1"
    printf 'reverted-boot-id=%s\nreverted-reboot=%s\n' "$boot_id" "$revert_reboot"
  } >"$work/before"
  file_write "$1" "$work/before"
  if [ "$revert_reboot" = ordered ]; then reboot_now; fi
}

# reverted RECORD: proves that the boot is as it was before, then removes the record.
reverted() {
  plan_read
  plan_remembered_sections "$plan_owner"
  if [ -n "$plan_remembered_sections" ]; then
    say 'what this plan set is still set here: nothing was reverted, so there is nothing to prove'
    before_write "$1"
    return 0
  fi
  if [ ! -e "$1" ]; then
    say "there is no record of what the boot was like before ($1): nothing is proved"
    return 0
  fi
  before_read "$1"
  checks=''
  if [ "$before_reboot" = ordered ]; then
    check_boot_id "$before_boot_id" 'reboot it by hand, then run `pulumi destroy` again' || :
  fi
  before_parameters_left
  check_that boot.parameters-gone 'none of ours' "${before_left:-none of ours}" \
    'the kernel was booted by something else than this host'\''s GRUB configuration: look at the boot entry that it chooses; then reboot it and run `pulumi destroy` again'
  clocksource_read
  if [ -n "$before_clocksource" ]; then
    check_that clocksource.restored "$before_clocksource" "$clocksource_now" \
      "see \`dmesg | grep -i clocksource\` on the host; if it is to be so, remove $1 there; then run \`pulumi destroy\` again"
  else
    check clocksource.restored warn 'the one from before' "$clocksource_now" 'none: the host was converged by a version that did not remember it'
  fi
  evidence_table "what was proved of the revert" >&2
  if checks_failed; then untrue; fi
  rm -f -- "$1"
}
