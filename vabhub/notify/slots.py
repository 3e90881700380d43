"""Keeps one slow channel from holding every thread of a worker."""

from __future__ import annotations

import threading
from collections import Counter
from types import TracebackType

from vabhub.settings import get_settings

URGENT = 0
# A working channel gives a place back within this, even in its first second; no thread waits longer.
PATIENCE_S = 1.0

_changed = threading.Condition()
_taken: Counter[tuple[str, bool]] = Counter()


class Place:
    """A thread's place on one channel, of which half of the threads may hold one; given back at the end."""

    def __init__(self) -> None:
        self._key: tuple[str, bool] | None = None

    def __enter__(self) -> Place:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._key is not None:
            with _changed:
                _taken[self._key] -= 1
                _changed.notify_all()

    def take(self, channel: str, priority: int, *, patience_s: float = 0.0) -> bool:
        """Take the place, waiting so long for one; True as well when it is held already."""
        if self._key is not None:
            return True
        key = (channel, priority == URGENT)
        # The urgent worker has two threads; see workers/boot.py.
        most = 1 if key[1] else max(1, get_settings().worker_threads // 2)
        with _changed:
            if not _changed.wait_for(lambda: _taken[key] < most, timeout=patience_s):
                return False
            _taken[key] += 1
        self._key = key
        return True
