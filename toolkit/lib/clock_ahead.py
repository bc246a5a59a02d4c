"""Prints by how many whole seconds a clock device is ahead of the system's clock; a minus where it is behind.

usage: clock_ahead.py /dev/ptp0

Python 2.7 (Amazon Linux 2) and 3, standard library only.
"""
import ctypes
import os
import sys

CLOCK_REALTIME = 0


class Timespec(ctypes.Structure):
    _fields_ = [("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long)]


def seconds_of(libc, clock):
    time = Timespec()
    if libc.clock_gettime(ctypes.c_int(clock), ctypes.byref(time)) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return time.seconds


def main():
    libc = ctypes.CDLL(None, use_errno=True)
    device = os.open(sys.argv[1], os.O_RDONLY)
    # FD_TO_CLOCKID of <linux/posix-timers.h>: what an open device is called among clocks.
    print(seconds_of(libc, (~device << 3) | 3) - seconds_of(libc, CLOCK_REALTIME))


if __name__ == "__main__":
    main()
