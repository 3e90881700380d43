"""Runs a process of the Procfile with a clock that is wrong: `python -m tests.chaos.skewed SECONDS MODULE`.

libfaketime was tried first: it moves the absolute times of the monotonic clock, too, so that every
`time.sleep` of Python 3.11 fails with EINVAL. Here time.time and vabhub.clock, the one place in the
project that asks for the time, are moved.
"""

from __future__ import annotations

import runpy
import sys
import time
from datetime import datetime, timedelta


def main() -> None:
    """Move the clock, then become the module."""
    shift_s, module = float(sys.argv[1]), sys.argv[2]
    sys.argv = [module]
    real_time, real_time_ns = time.time, time.time_ns
    time.time = lambda: real_time() + shift_s
    time.time_ns = lambda: real_time_ns() + int(shift_s * 1e9)
    from vabhub import clock

    system_now = clock._system_now

    def skewed_now() -> datetime:
        return system_now() + timedelta(seconds=shift_s)

    clock._now = skewed_now
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
