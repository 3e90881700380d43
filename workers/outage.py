"""One line when Redis goes and one when it is back, instead of Dramatiq's for each consumer and attempt."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import redis
from dramatiq.errors import ConnectionClosed

from vabhub.log import get_logger

log = get_logger(__name__)

# How Dramatiq's own records begin that repeat, every few seconds, what Outage says once.
_REPEATED = (
    "Consumer encountered a connection error",
    "Restarting consumer in",
    "Failed to post_process_message",
)
_WITH_TRACEBACK = "Failed to requeue messages"


class Outage:
    """Knows which queues cannot be asked. Redis is back when every one of them has been answered again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failing: set[str] = set()
        self._kind = ""
        self._since = 0.0

    @contextmanager
    def watch(self, queue: str) -> Iterator[None]:
        """Ask Redis about a queue inside. Raises ConnectionClosed, which Dramatiq answers by asking anew.

        Left alone it takes only a lost connection so; a time-out, or an answer such as OOM (Redis is at its
        maxmemory), it calls a bug, and gives the acknowledgement up.
        """
        try:
            yield
        except ConnectionClosed as error:
            self._failed(queue, "away", str(error))
            raise
        except redis.RedisError as error:
            gone = isinstance(error, (redis.ConnectionError, redis.TimeoutError))
            self._failed(queue, "away" if gone else "refusing", str(error))
            raise ConnectionClosed(error) from None  # type: ignore[no-untyped-call]
        else:
            self._answered(queue)

    def _failed(self, queue: str, kind: str, reason: str) -> None:
        with self._lock:
            if not self._failing:
                self._kind, self._since = "", time.monotonic()
            self._failing.add(queue)
            if kind != self._kind:
                self._kind = kind
                log.error("worker.redis_lost", state=kind, reason=reason[:200])

    def _answered(self, queue: str) -> None:
        if not self._failing:
            return
        with self._lock:
            if queue in self._failing:
                self._failing.discard(queue)
                if not self._failing:
                    log.info("worker.redis_back", after_s=round(time.monotonic() - self._since, 1))


def quieten_dramatiq() -> None:
    """Drop Dramatiq's repetitions, and nothing else; at debug level nothing at all."""
    root = logging.getLogger()
    if not root.isEnabledFor(logging.DEBUG):
        for handler in root.handlers:
            handler.addFilter(_is_news)


def _is_news(record: logging.LogRecord) -> bool:
    if not record.name.startswith("dramatiq."):
        return True
    text = str(record.msg)
    if text.startswith(_WITH_TRACEBACK):
        record.exc_info = None  # what is not given back is taken over once our heartbeat is old
    return not text.startswith(_REPEATED)
