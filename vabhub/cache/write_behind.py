"""Writes to the database from a thread of its own: a commit waits for the disk, and no caller should.

What is still to be written counts as written for this process: `pending()` is asked before the database.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from vabhub.cache.entry import Entry
from vabhub.errors import Unavailable
from vabhub.log import get_logger

log = get_logger(__name__)


class Row(NamedTuple):
    """What is to be stored: the entry, its bytes, and the number of the last invalidation then."""

    entry: Entry
    packed: bytes
    sequence: int


# So many writes share a commit as come in this time.
_GATHER_S = 0.05
_TRY_AGAIN_S = 2.0
_MOST_WAITING = 2000


@dataclass(slots=True)
class Batch:
    """Rows to store (None: to delete), and beginnings of keys to delete before that."""

    rows: dict[str, Row | None] = field(default_factory=dict)
    prefixes: set[str] = field(default_factory=set)
    # Several when a batch failed and went into the next one: somebody may wait for each.
    written: list[threading.Event] = field(default_factory=lambda: [threading.Event()])

    def __bool__(self) -> bool:
        return bool(self.rows or self.prefixes)

    def knows(self, key: str) -> bool:
        """Return whether the key's fate is in here."""
        return key in self.rows or any(map(key.startswith, self.prefixes))

    def after(self, earlier: Batch) -> None:
        """Take in what an earlier batch failed to write; what came since wins."""
        kept = {key: row for key, row in earlier.rows.items() if not self.knows(key)}
        self.rows = {**kept, **self.rows}
        self.prefixes |= earlier.prefixes
        self.written += earlier.written

    def done(self) -> None:
        """Wake all who wait for it."""
        for event in self.written:
            event.set()


class WriteBehind:
    """Gathers writes and hands them over in batches, in order, until they are written."""

    def __init__(
        self, write: Callable[[Batch], None], failed: Callable[[object], None], answered: Callable[[], None]
    ) -> None:
        self.dropped = 0
        self._write = write
        self._failed = failed
        self._answered = answered
        self._next = Batch()
        self._now: Batch | None = None
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._urgent = threading.Event()
        self._thread: threading.Thread | None = None
        self._closing = False
        self._before: deque[list[str]] = deque(maxlen=20)

    def recent(self) -> list[str]:
        """Return the keys of the rows that wait, are being written, or were written lately."""
        with self._lock:
            batches = [batch.rows for batch in (self._next, self._now) if batch is not None]
            stored = [key for rows in batches for key, row in rows.items() if row is not None]
            return [*stored, *(key for keys in self._before for key in keys)]

    def pending(self, key: str) -> tuple[bool, Row | None]:
        """Return whether the key waits to be written, and as what (None: as deleted)."""
        with self._lock:
            for batch in (self._next, self._now):
                if batch is not None and batch.knows(key):
                    return True, batch.rows.get(key)
        return False, None

    def put(self, key: str, row: Row) -> None:
        """Store a row soon."""
        with self._lock:
            if len(self._next.rows) >= _MOST_WAITING:
                self.dropped += 1
                return
            self._next.rows[key] = row
            self._start()

    def delete(self, keys: Iterable[str]) -> threading.Event:
        """Delete rows soon; return what is set once that is committed."""
        with self._lock:
            self._next.rows.update(dict.fromkeys(keys))
            return self._start(urgent=True)

    def delete_prefix(self, prefix: str) -> threading.Event:
        """Delete every row whose key begins like this; return what is set once that is committed."""
        with self._lock:
            for key in [key for key in self._next.rows if key.startswith(prefix)]:
                del self._next.rows[key]
            self._next.prefixes.add(prefix)
            return self._start(urgent=True)

    def flush(self, within_s: float) -> bool:
        """Wait until all that was handed over is written; False when that takes longer."""
        with self._lock:
            waiting = [batch for batch in (self._now, self._next) if batch]
        return all(batch.written[0].wait(within_s) for batch in waiting)

    def close(self, within_s: float) -> None:
        """Write what waits, and end."""
        self._closing = True
        self._urgent.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(within_s)

    def _start(self, *, urgent: bool = False) -> threading.Event:
        if self._thread is None or not self._thread.is_alive():
            self._closing = False
            self._thread = threading.Thread(target=self._run, name="cache-writes", daemon=True)
            self._thread.start()
        if urgent:  # somebody waits for it
            self._urgent.set()
        self._wake.set()
        return self._next.written[0]

    def _run(self) -> None:
        pause = threading.Event()
        while not self._closing or self._next:
            self._wake.wait(None if not self._next else 0)
            self._urgent.wait(_GATHER_S)
            if not self._write_next():
                if self._closing:
                    return
                pause.wait(_TRY_AGAIN_S)

    def _write_next(self) -> bool:
        with self._lock:
            batch, self._next = self._next, Batch()
            self._now = batch
            self._wake.clear()
            self._urgent.clear()
        away = self._try(batch)
        with self._lock:
            self._now = None
            if away:
                self._next.after(batch)
                return False
            if batch:
                self._before.append([key for key, row in batch.rows.items() if row is not None])
            batch.done()
            return True

    def _try(self, batch: Batch) -> bool:
        """Write the batch; return whether it has to be tried again because the database is away."""
        try:
            if batch:
                self._write(batch)
                self._answered()
        except Unavailable as error:
            self._failed(error.message)
            return True
        except Exception:  # the edge of a thread; it would fail again and keep all others from being written
            log.exception("cache.write_failed")
            self.dropped += len(batch.rows)
        return False
