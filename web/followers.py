"""Tells the others about this process: who listens here, so that sources rest, and what was done here."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping

import redis

from vabhub.collectors import performance
from vabhub.events import demand
from vabhub.events.topics import Topic
from vabhub.log import get_logger
from web.performance import Performance

log = get_logger(__name__)

_SETTLE_S = 0.2


class Followers:
    """Says how many sockets of this process follow each topic: after each change, and every few seconds."""

    def __init__(self, count: Callable[[], Mapping[Topic, int]], stop: threading.Event) -> None:
        self._process = secrets.token_hex(8)
        self._count = count
        self._stop = stop
        self._changed = threading.Event()
        self._performance = Performance()

    def changed(self) -> None:
        """Say it soon."""
        self._changed.set()

    def run(self) -> None:
        """Say it until the process stops."""
        while not self._stop.is_set():
            self._say()
            self._changed.wait(demand.SAY_AGAIN_S)
            self._stop.wait(_SETTLE_S)  # a page that opens subscribes several times
            self._changed.clear()

    def leave(self) -> None:
        """Count no longer."""
        self._changed.set()
        try:
            demand.leave(self._process)
        except redis.RedisError as error:
            log.debug("live.followers_unsaid", reason=str(error)[:200])

    def _say(self) -> None:
        try:
            # In this order: who is told that somebody follows finds the numbers.
            performance.report(self._process, self._performance.window())
            demand.say(self._process, self._count())
        except redis.RedisError as error:
            log.debug("live.followers_unsaid", reason=str(error)[:200])  # the listener warns of the outage
