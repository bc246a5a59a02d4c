"""Compares clocks.

usage: clocks.py ahead /dev/ptp0    by how many whole seconds a clock device is ahead of the system's clock; a minus where it is
                                    behind
       clocks.py apart              by how many nanoseconds CLOCK_REALTIME is ahead of CLOCK_MONOTONIC at most, and by how many
                                    fewer it may be

Python 2.7 (Amazon Linux 2) and 3, standard library only.
"""
import ctypes
import os
import sys

CLOCK_REALTIME, CLOCK_MONOTONIC = 0, 1

libc = ctypes.CDLL(None, use_errno=True)


class Timespec(ctypes.Structure):
    _fields_ = [("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long)]


def now(clock):
    time = Timespec()
    if libc.clock_gettime(ctypes.c_int(clock), ctypes.byref(time)) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return time.seconds * 1000000000 + time.nanoseconds


def ahead(path):
    device = os.open(path, os.O_RDONLY)
    # FD_TO_CLOCKID of <linux/posix-timers.h>: what an open device is called among clocks.
    print(now((~device << 3) | 3) // 1000000000 - now(CLOCK_REALTIME) // 1000000000)


def apart():
    looks = []
    for _ in range(10):
        before, at, after = now(CLOCK_MONOTONIC), now(CLOCK_REALTIME), now(CLOCK_MONOTONIC)
        looks.append((after - before, at - before))
    width, most = min(looks)
    print("%d %d" % (most, width))


if __name__ == "__main__":
    {"ahead": ahead, "apart": apart}[sys.argv[1]](*sys.argv[2:])
