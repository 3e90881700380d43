"""Hands work to one contender, from a process of its own: `python -m tests.bench.feeder KIND`.

Reads a number from stdin, hands over that many notifications as fast as it can, and answers one line.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from itertools import count

from tests.bench.post import MESSAGE, SECRET, TITLE

CHANNEL = "bench"
Hand = Callable[[int], object]


def main(kind: str) -> None:
    """Serve until stdin ends."""
    hand = {"vabhub": _vabhub, "dramatiq": _dramatiq, "celery": _celery}[kind]()
    numbers = count(1)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        for _ in range(int(line)):
            hand(next(numbers))
        sys.stdout.write("done\n")
        sys.stdout.flush()


def _vabhub() -> Hand:
    from vabhub.db import transaction
    from vabhub.notify.accept import NewNotification, accept
    from vabhub.notify.channels_admin import NewChannel, create_channel

    settings = {"url": os.environ["BENCH_URL"], "secret": SECRET}
    with transaction() as session:
        create_channel(session, NewChannel(name=CHANNEL, kind="webhook", settings=settings))

    def hand(_number: int) -> None:
        request = NewNotification(title=TITLE, message=MESSAGE, channels=[CHANNEL])
        with transaction() as session:
            accept(session, request, source="bench")

    return hand


def _dramatiq() -> Hand:
    from tests.bench.bare_dramatiq import deliver

    return lambda number: deliver.send(number, TITLE, MESSAGE)


def _celery() -> Hand:
    from tests.bench.bare_celery import deliver

    return lambda number: deliver.delay(number, TITLE, MESSAGE)


if __name__ == "__main__":
    main(sys.argv[1])
