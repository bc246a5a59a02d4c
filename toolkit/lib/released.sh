# shellcheck shell=sh
# Handing the clock to a tool that is to make it wrong, and taking it back. Until then the proof fails and nobody else starts
# chronyd: it would undo what the tool does.

# In /run, because the next boot starts chronyd, and so forgets the release.
released_file=$TIMEBASE_ROOT/run/timebase.released

# time_remembered: reads the plan of the time section that is set on this host.
time_remembered() {
  os_detect
  if [ ! -e "$TIMEBASE_STATE/plans/time" ]; then
    fail 'timebase does not manage the time of this host' 'converge it first, by a HostClock, a TimeSync or an ExperimentCluster'
  fi
  plan_read <"$TIMEBASE_STATE/plans/time"
  os_recall
  lock_take
}

# release: stops chronyd, which a boot starts again. The record comes first, so that a release that is cut is seen.
release() {
  time_remembered
  clock_look
  clock_watch
  first_line "$released_file"
  if [ -n "$first_line" ]; then
    say "this clock is released already, $first_line"
  else
    text_write "$released_file" "by ${SUDO_USER:-$(id -un)} since $(date -u "$instant_format")$newline"
  fi
  systemctl stop "$os_chrony_service" ||
    fail "$os_chrony_service could not be stopped" "see \`systemctl status $os_chrony_service\` on the host, then run this again, or \`sudo timebase resume\`"
  say "$os_chrony_service is stopped; this clock is yours until \`sudo timebase resume\`, or the next boot"
}

# resume: chronyd from its start, which steps the clock where it has to; then all that is remembered is proved. Of a clock
# that was not released, it is the proof alone.
resume() {
  time_remembered
  if [ -e "$released_file" ]; then
    say "restarting $os_chrony_service"
    systemctl restart "$os_chrony_service" ||
      fail "$os_chrony_service does not start" "see \`journalctl -u $os_chrony_service\` on the host"
    rm -f -- "$released_file"
  fi
  sources_choose
  time_settle
  clock_watch
  status
}

# released_refuse: a clock that was released is not taken back by a converge, nor by a repair.
released_refuse() {
  first_line "$released_file"
  if [ -n "$first_line" ]; then
    fail "the clock of this host was released $first_line" 'take it back on the host, when the experiment with it is over: sudo timebase resume'
  fi
}

released_text=
# check_released: whether the clock is released; then that is a row, and released_text says it.
check_released() {
  first_line "$released_file"
  if [ -z "$first_line" ]; then return 1; fi
  released_text="released $first_line"
  check time.released fail 'a clock that timebase keeps' "$released_text" 'when the experiment with it is over, run `sudo timebase resume` on the host, which takes it back and proves it'
}
