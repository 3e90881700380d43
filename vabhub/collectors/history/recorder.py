"""Collects points in memory and writes them in batches; one lives in the process that publishes."""

from __future__ import annotations

import threading
from collections import deque

from vabhub.clock import utcnow
from vabhub.collectors.base import Snapshot
from vabhub.collectors.history import registry, rollup
from vabhub.collectors.history.series import PARTS_EVERY_S, Point, kind_of, points_of
from vabhub.collectors.history.tiers import HOUR_S, RAW, TIERS
from vabhub.db import transaction
from vabhub.log import get_logger

log = get_logger(__name__)

# An hour of samples: how long the database may be away before the oldest are given up.
_MOST_WAITING = 2 * HOUR_S // RAW.step_s


class Recorder:
    """Remembers what `record` gave it until `flush` has stored it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[list[Point]] = deque(maxlen=_MOST_WAITING)
        self._parts_at: dict[str, int] = {}

    def record(self, snapshot: Snapshot) -> None:
        """Remember the numbers of a good reading until the next flush."""
        points = points_of(snapshot)
        with self._lock:
            chosen = [point for point in points if self._is_due(point)]
            if chosen:
                self._waiting.append(chosen)

    def flush(self) -> int:
        """Write what waits and fill the coarser tiers; return how many points were written.

        Raises Unavailable when the database does not answer; the points wait for the next flush then.
        """
        with self._lock:
            batches = list(self._waiting)
            self._waiting.clear()
        try:
            return _write([point for batch in batches for point in batch])
        except BaseException:
            self._put_back(batches)
            raise

    def _is_due(self, point: Point) -> bool:
        name, at, _ = point
        if kind_of(name) is None:
            return True
        # One in each bucket of the next tier, whatever the rhythm of the samples is.
        if at // PARTS_EVERY_S == self._parts_at.get(name):
            return False
        self._parts_at[name] = at // PARTS_EVERY_S
        return True

    def _put_back(self, batches: list[list[Point]]) -> None:
        with self._lock:
            since = list(self._waiting)
            self._waiting.clear()
            self._waiting.extend([*batches, *since])


def _write(points: list[Point]) -> int:
    if not points:
        return 0
    with transaction() as session:
        rollup.lock(session)
        pruned_until = rollup.tier_marks(session)[RAW.step_s].pruned_until
        kept = [point for point in points if point[1] >= _oldest(pruned_until)]
        newest: dict[str, int] = {}
        for name, at, _ in kept:
            newest[name] = max(at, newest.get(name, 0))
        number = registry.numbers(session, newest)
        rows = [(number[name], at, value) for name, at, value in kept if name in number]
        if rows:
            rollup.store(session, rows)
    if len(kept) < len(points):
        log.warning("history.points_too_late", count=len(points) - len(kept))
    return len(rows)


def _oldest(pruned_until: int) -> int:
    """Return from when on a bucket can still be made anew: nothing of it was pruned yet.

    A clock that once was wrong may have pruned far ahead; what is fresh by today's is taken all the same.
    """
    return min(pruned_until, TIERS[1].bucket(int(utcnow().timestamp()) - RAW.keep_s))
