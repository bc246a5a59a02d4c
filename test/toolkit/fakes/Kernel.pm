package Kernel;
use strict;

# clock_gettime(2) of a kernel whose CLOCK_REALTIME is 1700000000 s ahead of CLOCK_MONOTONIC, and by as many nanoseconds more as
# fake/clock-set says. fake/self is what stands at the head of perl's own file on another machine.
my $fake = "$ENV{TIMEBASE_ROOT}/fake";

BEGIN {
  *CORE::GLOBAL::open = sub (*;$@) { CORE::open *main::SELF, $_[1], -e "$fake/self" ? "$fake/self" : $_[2] };
  *CORE::GLOBAL::syscall = sub {
    my ($number, $clock) = @_;
    die "not clock_gettime of one of the two clocks: @_[0, 1], @{[length $_[2]]}\n"
      if $number != 228 || $clock !~ /^[01]$/ || length $_[2] != 16;
    my $set = 0;
    if (CORE::open my $file, "<", "$fake/clock-set") { $set = <$file> }
    return -1 if $set =~ /refused/;
    $_[2] = pack "q2", $clock ? (100, 5) : (1700000100, 5 + $set);
    return 0;
  };
}

1;
