# shellcheck shell=sh
# Whether anybody sets this host's clock. Who does moves CLOCK_REALTIME against CLOCK_MONOTONIC, which nobody can set; who only
# slews it, as chronyd does, moves both (clock_gettime(2); kernel/time/timekeeping.c, tk_set_wall_to_mono). So nobody has
# between two looks that find them as far apart, whatever chronyd and the kernel have come to say of it since.

# In /run, because a boot begins anew: how far the two are apart, how exactly that was seen (ns), and what chronyd has measured
# since (lib/chrony_state.awk).
clock_looked=$TIMEBASE_ROOT/run/timebase.clock-looked

# Of a plan that tells what held (lib/tracking_log.sh), across boots: when the clocks were compared last, in which boot, and how
# far they were apart; and the times, of s since 1970 and a line each, in which the clock was set.
clock_watched=$TIMEBASE_STATE/clock-watched
clock_was_set=$TIMEBASE_STATE/clock-was-set

clock_apart='' clock_width=''

# clock_look: sets clock_same to yes or no, or to nothing where the clocks cannot be read: whether nobody has set the clock
# since the first look that found it so; clock_seen_ns to how small a change would not have been seen; clock_measured to what
# was measured since.
clock_look() {
  clock_same='' clock_seen_ns=0 clock_measured=''
  read -r clock_apart clock_width <<CLOCKS
$(clocks_apart)
CLOCKS
  case "$clock_apart:$clock_width" in *[!0-9:-]* | :* | *:) return 0 ;; esac
  clock_same=no
  first_line "$clock_looked"
  read -r clock_was clock_was_width clock_was_measured <<WAS
$first_line
WAS
  if clock_agrees "$clock_was" "$clock_was_width"; then
    clock_same=yes clock_measured=$clock_was_measured
    clock_seen_ns=$((clock_width + clock_was_width))
    clock_apart=$clock_was clock_width=$clock_was_width
  fi
}

# clock_agrees APART WIDTH: whether the clocks may be as far apart now as they were when they were so. Needs clock_look.
clock_agrees() {
  case "$1:$2:$clock_apart" in *[!0-9:-]* | :* | *: | *::*) return 1 ;; esac
  [ $(($1 - $2)) -le "$clock_apart" ] && [ $((clock_apart - clock_width)) -le "$1" ]
}

# clock_watch: compares the clocks with the last time. Needs clock_look.
clock_watch() {
  if [ "$plan_tracking_log" = no ] || [ -z "$clock_apart" ]; then return 0; fi
  clock_now=$(date +%s)
  if clock_set_since; then printf '%s %s\n' "$watched_at" "$((clock_now + 1))" >>"$clock_was_set"; fi
  text_write "$clock_watched" "$clock_now $boot_id $clock_apart $clock_width$newline"
}

# clock_set_since: whether the clock was set since the last comparison, at watched_at, as far as can be seen: in this boot.
clock_set_since() {
  first_line "$clock_watched"
  read -r watched_at watched_boot_id watched_apart watched_width <<WATCHED
$first_line
WATCHED
  boot_id
  boot_id_valid "$boot_id" && [ "$watched_boot_id" = "$boot_id" ] && [ -n "$clock_apart" ] && ! clock_agrees "$watched_apart" "$watched_width"
}

# clock_set_between FROM TO: whether it was set in that time, or may have been; then clock_set_from and clock_set_to are the
# time that is known to have it. Needs clock_look.
clock_set_between() {
  if clock_set_since && [ "$watched_at" -lt "${2%.*}" ]; then
    clock_set_from=$watched_at clock_set_to=$(date +%s)
    return 0
  fi
  if [ ! -r "$clock_was_set" ]; then return 1; fi
  while read -r clock_set_from clock_set_to; do
    if [ "$clock_set_from" -lt "${2%.*}" ] && [ "$clock_set_to" -gt "${1%.*}" ]; then return 0; fi
  done <"$clock_was_set"
  return 1
}

# clock_remember MEASURED: what chronyd has measured up to this look, for the next one. A line that is cut is as none.
clock_remember() {
  if [ -n "$clock_same" ]; then printf '%s\n' "$clock_apart $clock_width $1" >"$clock_looked" || :; fi
}

# clocks_apart: prints by how many nanoseconds CLOCK_REALTIME is ahead of CLOCK_MONOTONIC at most, and by how many fewer it may
# be; nothing where neither perl nor Python can tell. Perl is there sooner. It makes the call by its number, which is another
# one on each machine: that is told by the head of perl's own file.
clocks_apart() {
  perl -e '
    open SELF, "<", "/proc/self/exe" and read SELF, my $header, 20 or exit 1;
    my $clock_gettime = {"2 62" => 228, "2 183" => 113}->{join " ", unpack "x4 C x13 v", $header} or exit 1;
    sub now { my $time = "\0" x 16; syscall($clock_gettime, $_[0], $time) == 0 or exit 1; my ($s, $ns) = unpack "q2", $time; $s * 1000000000 + $ns }
    my ($apart, $width);
    for (1 .. 10) {
      my ($before, $at, $after) = (now(1), now(0), now(1));
      ($apart, $width) = ($at - $before, $after - $before) if !defined $width || $after - $before < $width;
    }
    print "$apart $width"' 2>/dev/null && return
  python_find
  if [ -n "$python" ]; then "$python" -ES "$TIMEBASE_HOME/lib/clocks.py" apart 2>/dev/null || :; fi
}
