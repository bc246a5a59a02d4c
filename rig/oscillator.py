"""Makes this machine's oscillator 100 ppm faster than it is, behind the back of who steers the clock.

What the daemon tells the kernel about the clock's frequency is taken as if the oscillator were right: each time, one
microsecond more is added to the kernel's tick of 10,000. It ends with its standard input, and takes the last one back.
"""

import ctypes
import select
import sys

ADJ_TICK = 0x4000
LOOK_SECONDS = 0.03


class Timex(ctypes.Structure):
    """struct timex of adjtimex(2)."""

    _fields_ = (
        [("modes", ctypes.c_uint)]
        + [(name, ctypes.c_long) for name in ("offset", "freq", "maxerror", "esterror")]
        + [("status", ctypes.c_int)]
        + [(name, ctypes.c_long) for name in ("constant", "precision", "tolerance", "seconds", "micros", "tick")]
        + [("others", ctypes.c_long * 32)]
    )


libc = ctypes.CDLL(None, use_errno=True)


def adjtimex(modes=0, tick=0):
    timex = Timex(modes=modes, tick=tick)
    if libc.adjtimex(ctypes.byref(timex)) < 0:
        sys.exit("adjtimex: error %d" % ctypes.get_errno())
    return timex.tick, timex.freq


def main():
    made = None
    print("ready", flush=True)
    while not select.select([sys.stdin], [], [], LOOK_SECONDS)[0]:
        tick, freq = adjtimex()
        if (tick, freq) != made:
            made = adjtimex(ADJ_TICK, tick + 1)
    if adjtimex() == made:
        adjtimex(ADJ_TICK, made[0] - 1)


main()
