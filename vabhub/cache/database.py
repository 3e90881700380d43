"""L3: the database, for values that live for minutes or hours and should outlive a restart."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from vabhub.cache import codec
from vabhub.cache.entry import Entry
from vabhub.cache.keys import SEPARATOR, prefix_of
from vabhub.cache.tier import ANSWER_WITHIN_S, Health, Tier, Usage
from vabhub.cache.write_behind import Batch, Row, WriteBehind
from vabhub.clock import epoch
from vabhub.db import reading, transaction
from vabhub.errors import Unavailable
from vabhub.models import CacheRow

T = TypeVar("T")

DEFAULT_S = 86_400.0
# A value that is gone within minutes is not worth a commit.
LEAST_S = 300.0
_SLICE = 500
_MOST_AT_ONCE = 8


class DatabaseTier(Tier):
    """Entries in the table cache_entry: read within 50 ms or not at all, written from a thread of its own."""

    name = "database"

    def __init__(
        self,
        *,
        longest_s: float = DEFAULT_S,
        least_s: float = LEAST_S,
        answer_within_s: float = ANSWER_WITHIN_S,
        now: Callable[[], float] = epoch,
    ) -> None:
        self.health = Health(self.name)
        self.corrupt = 0
        self._longest_s = longest_s
        self._least_s = least_s
        self._answer_within_s = answer_within_s
        self._now = now
        self._asking = threading.BoundedSemaphore(_MOST_AT_ONCE)
        self._writes = WriteBehind(self._write, self.health.failed, self.health.answered)

    def takes(self, lifetime_s: float) -> bool:
        """Return whether what lives so long is kept here."""
        return lifetime_s >= self._least_s

    def get(self, key: str) -> Entry | None:
        """Return the entry; bytes that nobody of ours wrote are deleted and count as absent."""
        return self.find(key)[0]

    def find(self, key: str) -> tuple[Entry | None, int]:
        """Return the entry, and the number of the last invalidation when it was stored."""
        waits, row = self._writes.pending(key)
        if waits:
            return (self._unpacked(key, row.packed), row.sequence) if row else (None, 0)
        found = self._ask(lambda: _read(key))
        if not found:
            return None, 0
        raw, sequence, kept_until = found[0]
        return self._unpacked(key, raw) if self._now() * 1000 < kept_until else None, sequence

    def put(self, key: str, entry: Entry, *, packed: bytes | None = None, sequence: int = 0) -> bool:
        """Keep the entry for a day at most; it is written soon, together with others."""
        if not self.takes(entry.expires_at - entry.built_at) or not entry.is_kept(self._now()):
            return False
        packed = packed if packed is not None else codec.pack(entry, key)
        self._writes.put(key, Row(entry, packed, sequence))
        return True

    def delete(self, keys: Iterable[str], *, late: Callable[[], object] | None = None) -> int:
        """Forget the keys. When that takes over 50 ms it goes on without the caller, and `late` follows."""
        keys = list(keys)
        self._settle(self._writes.delete(keys), late)
        return len(keys)

    def delete_prefix(self, prefix: str, *, late: Callable[[], object] | None = None) -> int:
        """Forget every key that begins like this, as `delete` does."""
        self._settle(self._writes.delete_prefix(prefix), late)
        return 0

    def supersede(self, key: str) -> None:
        """Delete the row of a key, if there is one, whose newest value is not kept here."""
        if self.find(key)[0] is not None:
            self._settle(self._writes.delete([key]), None)

    def forget(self, keys: Iterable[str], *, prefix: str | None = None) -> None:
        """Take back what this process wrote lately: another process invalidated it meanwhile."""
        gone = [key for key in self._writes.recent() if key in set(keys) or _begins(key, prefix)]
        if gone:
            self._writes.delete(gone)

    def usage(self) -> dict[str, Usage]:
        """Return entries and bytes by prefix."""
        return {row[0]: Usage(row[1], int(row[2])) for row in self._ask(_usage) or ()}

    def sweep(self) -> int:
        """Delete what is past its end, slice by slice; raises Unavailable."""
        total = 0
        while count := _sweep_slice(int(self._now() * 1000)):
            total += count
        return total

    def flush(self, within_s: float = 10.0) -> bool:
        """Wait until all that was put is written."""
        return self._writes.flush(within_s)

    def close(self) -> None:
        """Write what waits, and end the thread."""
        self._writes.close(2.0)

    @property
    def dropped(self) -> int:
        """How many writes were given up because too many waited."""
        return self._writes.dropped

    def _settle(self, written: threading.Event, late: Callable[[], object] | None) -> None:
        in_time = self.health.is_up and written.wait(self._answer_within_s)
        if in_time or late is None:
            return
        then = late

        def follow() -> None:
            written.wait()
            then()

        threading.Thread(target=follow, name="cache-late", daemon=True).start()

    def _ask(self, question: Callable[[], T]) -> T | None:
        """Return the answer if it comes in time; the question goes on without us otherwise."""
        if not self.health.may_ask() or not self._asking.acquire(blocking=False):
            return None
        answers: list[T] = []
        done = threading.Event()
        threading.Thread(target=self._answer, args=(question, answers, done), daemon=True).start()
        if not done.wait(self._answer_within_s):
            self.health.failed(f"no answer within {self._answer_within_s * 1000:.0f} ms")
            return None
        return answers[0] if answers else None

    def _answer(self, question: Callable[[], T], answers: list[T], done: threading.Event) -> None:
        try:
            answers.append(question())
            self.health.answered()
        except Unavailable as error:
            self.health.failed(error.message)
        finally:
            self._asking.release()
            done.set()

    def _unpacked(self, key: str, raw: bytes) -> Entry | None:
        try:
            entry = codec.unpack(raw)
        except codec.Corrupt:
            self.corrupt += 1
            self._writes.delete([key])
            return None
        return entry if entry.is_kept(self._now()) else None

    def _write(self, batch: Batch) -> None:
        now = self._now()
        gone = [key for key, row in batch.rows.items() if row is None]
        rows = [self._row(key, row, now) for key, row in batch.rows.items() if row is not None]
        with transaction() as session:
            for prefix in batch.prefixes:
                session.execute(delete(CacheRow).where(*_begins_with(prefix)))
            for start in range(0, len(gone), _SLICE):
                session.execute(delete(CacheRow).where(CacheRow.key.in_(gone[start : start + _SLICE])))
            if rows:
                _upsert(session, rows)

    def _row(self, key: str, row: Row, now: float) -> dict[str, Any]:
        return {
            "key": key,
            "prefix": prefix_of(key),
            "value": row.packed,
            "built_at": int(row.entry.built_at * 1e6),
            "sequence": row.sequence,
            "kept_until": int(min(row.entry.stale_until, now + self._longest_s) * 1000),
        }


def _begins(key: str, prefix: str | None) -> bool:
    return prefix is not None and key.startswith(prefix)


def _begins_with(prefix: str) -> list[ColumnElement[bool]]:
    # Not LIKE: on SQLite it takes A for a.
    same = [func.substr(CacheRow.key, 1, len(prefix)) == prefix] if prefix else []
    return [CacheRow.prefix == prefix_of(prefix), *same] if SEPARATOR in prefix else same


def _read(key: str) -> list[tuple[bytes, int, int]]:
    with reading() as session:
        wanted = select(CacheRow.value, CacheRow.sequence, CacheRow.kept_until).where(CacheRow.key == key)
        row = session.execute(wanted).first()
        return [] if row is None else [(row[0], row[1], row[2])]


def _usage() -> list[tuple[str, int, int]]:
    sums = select(CacheRow.prefix, func.count(), func.sum(func.length(CacheRow.value)))
    with reading() as session:
        return [(row[0], row[1], row[2]) for row in session.execute(sums.group_by(CacheRow.prefix))]


def _upsert(session: Session, rows: list[dict[str, Any]]) -> None:
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    statement = dialect.insert(CacheRow)
    new = {
        name: getattr(statement.excluded, name) for name in ("value", "built_at", "sequence", "kept_until")
    }
    # An older value never takes the place of a newer one.
    newer = statement.excluded.built_at >= CacheRow.built_at
    session.execute(statement.on_conflict_do_update(index_elements=["key"], set_=new, where=newer), rows)


def _sweep_slice(now_ms: int) -> int:
    old = select(CacheRow.key).where(CacheRow.kept_until <= now_ms).limit(_SLICE)
    with transaction() as session:
        gone: Any = session.execute(delete(CacheRow).where(CacheRow.key.in_(old)))
        return int(gone.rowcount)
