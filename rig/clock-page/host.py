"""Stamps shared pages with this machine's monotonic clock, and prints the closest exchange with each.

usage: host.py SECONDS ENOUGH_NS PAGE...

Each page is stamped until an exchange took no more than ENOUGH_NS, for SECONDS at most. Prints for each page in its
turn a line: the stamp, the clock that answered it, and when that was seen; an empty line for a page without an answer.
"""

import mmap
import os
import sys
import time

STAMP, CLOCK, ANSWERED = 0, 8, 16
PAGE_BYTES = 4096


def closest_exchange(path, seconds, enough):
    descriptor = os.open(path, os.O_RDWR)
    page = memoryview(mmap.mmap(descriptor, PAGE_BYTES)).cast("Q")
    clock = time.monotonic_ns
    page[ANSWERED] = 0
    best = None
    took = None
    now = clock()
    end = now + int(seconds * 1e9)
    while now < end and (best is None or took > enough):
        page[STAMP] = now
        # In this order: a clock is never older than the stamp that is seen with it.
        stamp = page[ANSWERED]
        answer = page[CLOCK]
        now = clock()
        if stamp != 0 and (best is None or now - stamp < took):
            took = now - stamp
            best = (stamp, answer, now)
    page[STAMP] = 0
    return best


for path in sys.argv[3:]:
    print(*(closest_exchange(path, float(sys.argv[1]), int(sys.argv[2])) or ()))
