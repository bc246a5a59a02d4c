package Kernel;
use strict;

# adjtimex(2), asked without any change, of a clock that is as fake/synchronised says, or whose status and maximum error
# are those of fake/timex. fake/self is what stands at the head of perl's own file on another machine.
my $fake = "$ENV{TIMEBASE_ROOT}/fake";

sub first_line {
  CORE::open my $file, "<", "$fake/$_[0]" or return $_[1];
  return scalar <$file>;
}

BEGIN {
  *CORE::GLOBAL::open = sub (*;$@) { CORE::open *main::SELF, $_[1], -e "$fake/self" ? "$fake/self" : $_[2] };
  *CORE::GLOBAL::syscall = sub {
    my $modes = unpack "i", $_[1];
    die "not adjtimex, for reading only: @_[0], @{[length $_[1]]}, $modes\n" if $_[0] != 159 || length $_[1] != 208 || $modes;
    my ($status, $maxerror) = split " ", first_line("timex", first_line("synchronised", "yes") =~ /no/ ? "65 16000000" : "1 500");
    return -1 if $status < 0;
    substr $_[1], 24, 8, pack "q", $maxerror;
    substr $_[1], 40, 4, pack "i", $status;
    return 0;
  };
}

1;
