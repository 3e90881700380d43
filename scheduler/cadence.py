"""How often a source is read: in its rhythm while somebody follows it, rarely while nobody does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

from vabhub.events import demand
from vabhub.events.topics import Topic

ASK_EVERY_S = 0.5
_TIMES_SLOWER = 5
# A reading must still be young enough for REST when the next one comes.
_OF_ITS_TTL = 0.8
_SLACK_S = 0.05


class Rhythm:
    """One source's rhythm; `is_due` is asked at every beat of the fast one."""

    def __init__(self, topic: Topic, every_s: float, ttl_s: float) -> None:
        self.topic = topic
        self._fast_s = every_s
        self._slow_s = max(every_s, min(_TIMES_SLOWER * every_s, _OF_ITS_TTL * ttl_s))
        self._lock = threading.Lock()
        self._followed = True
        self._done_at = float("-inf")

    def is_due(self) -> bool:
        """Return whether to read now, and remember that it is done."""
        with self._lock:
            wait_s = self._fast_s if self._followed else self._slow_s
            now = time.monotonic()
            # A beat comes a little early or late: half of the fast rhythm is never waited for twice.
            due = now - self._done_at >= wait_s - min(self._fast_s / 2, 1.0) - _SLACK_S
            if due:
                self._done_at = now
            return due

    def follow(self, number: int) -> bool:
        """Take note of how many follow the topic; return whether somebody does and nobody did before."""
        with self._lock:
            before, self._followed = self._followed, number > 0
            return self._followed and not before

    def beat(self, run: Callable[[], object]) -> Callable[[], object]:
        """Return a job that runs when it is due."""
        return lambda: run() if self.is_due() else None


def newly_followed(rhythms: Iterable[Rhythm]) -> list[Rhythm]:
    """Ask who follows; return those that somebody follows since. Raises redis.RedisError: nothing changes."""
    followers = demand.followers()
    return [rhythm for rhythm in rhythms if rhythm.follow(followers[rhythm.topic.value])]
