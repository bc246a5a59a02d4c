"""Prints by how many nanoseconds CLOCK_REALTIME is ahead of CLOCK_MONOTONIC at most, and by how many fewer it may be.

Python 2.7 (Amazon Linux 2) and 3, standard library only.
"""
import ctypes

CLOCK_REALTIME, CLOCK_MONOTONIC = 0, 1


class Timespec(ctypes.Structure):
    _fields_ = [("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long)]


def main():
    libc = ctypes.CDLL(None)

    def now(clock):
        time = Timespec()
        if libc.clock_gettime(clock, ctypes.byref(time)) != 0:
            raise SystemExit(1)
        return time.seconds * 1000000000 + time.nanoseconds

    looks = []
    for _ in range(10):
        before, at, after = now(CLOCK_MONOTONIC), now(CLOCK_REALTIME), now(CLOCK_MONOTONIC)
        looks.append((after - before, at - before))
    width, apart = min(looks)
    print("%d %d" % (apart, width))


if __name__ == "__main__":
    main()
