"""Serves the last reading of a source, and never one older than its TTL while the source answers.

The scheduler publishes readings all the time. When it does not, a miss computes one here: once, however
many ask, in this process (single-flight) and in the others (a short lock in Redis). Without Redis this
process's memory stands in.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

import redis

from vabhub.cache.single_flight import SingleFlight
from vabhub.clock import isoformat, parse_iso, utcnow
from vabhub.collectors.base import Snapshot, SnapshotStatus
from vabhub.errors import VabHubError
from vabhub.log import get_logger
from vabhub.redis_client import PREFIX, get_redis

log = get_logger(__name__)

ANSWER_WITHIN_S = 0.8
_KEEP_S = 86_400
_LOCK_S = 5.0
_OTHERS_WITHIN_S = 0.3
# After Redis failed to answer, nobody waits for it again for this long.
_REDIS_REST_S = 2.0


class Store(Protocol):
    """The part of Flask-Caching that is used here."""

    def get(self, key: str) -> Any: ...
    def set(self, key: str, value: Any, timeout: int | None = None) -> Any: ...


@dataclass(frozen=True, slots=True)
class Entry:
    """A reading and when its source was last asked, which for a failing source is later than the reading."""

    snapshot: Snapshot
    checked_at: datetime

    def is_fresh(self, ttl_s: float) -> bool:
        """Return whether it may be served without asking the source."""
        age = utcnow() - self.checked_at
        return timedelta(seconds=-1) <= age < timedelta(seconds=ttl_s)


@dataclass(frozen=True, slots=True)
class Served:
    """What goes out: the reading, and how it was come by."""

    snapshot: Snapshot
    cache: Literal["hit", "miss", "stale"]
    ttl_s: float

    def meta(self) -> dict[str, Any]:
        """Return the contract's `meta`."""
        age_s = max(0.0, (utcnow() - self.snapshot.collected_at).total_seconds())
        known: dict[str, Any] = {"age_s": round(age_s, 3), "ttl_s": self.ttl_s, "cache": self.cache}
        # Without a reading there is nothing whose age could be told.
        if not has_values(self.snapshot):
            known |= {"age_s": None, "collected_at": None}
        return {**self.snapshot.meta(), **known}


class Snapshots:
    """The last readings by source. `collect` must be safe to call from any thread."""

    def __init__(
        self,
        store: Store,
        *,
        published: Callable[[str], Snapshot | None],
        collect: Mapping[str, Callable[[], Snapshot]],
        answer_within_s: float = ANSWER_WITHIN_S,
    ) -> None:
        self._store = store
        self._published = published
        self._collect = collect
        self._answer_within_s = answer_within_s
        self._memory: dict[str, Entry] = {}
        self._flights: SingleFlight[Entry] = SingleFlight()
        self._redis_rests_until = 0.0

    def read(self, source: str, ttl_s: float) -> Served:
        """Return the newest reading, asking the source when what is known is older than `ttl_s`."""
        started = time.monotonic()
        known = self._known(source, ttl_s)
        if known is not None and known.is_fresh(ttl_s):
            return Served(known.snapshot, "hit", ttl_s)
        wait_s = max(0.05, self._answer_within_s - (time.monotonic() - started))
        built = self._flights.run(source, lambda: self._build(source, ttl_s), wait_s=wait_s)
        if built is not None:
            return Served(built.snapshot, "miss", ttl_s)
        return Served(_late(source, known), "stale", ttl_s)

    def _known(self, source: str, ttl_s: float) -> Entry | None:
        published = self._ask_redis(lambda: self._published(source))
        if published is not None:
            at = published.collected_at
            self._remember(
                source, Entry(published, at if published.status == SnapshotStatus.OK else _LONG_AGO)
            )
        known = self._memory.get(source)
        if known is None or not known.is_fresh(ttl_s):
            self._remember(source, self._ask_redis(lambda: _entry(self._store.get(_key(source)))))
        return self._memory.get(source)

    def _build(self, source: str, ttl_s: float) -> Entry:
        lock = self._ask_redis(lambda: _lock(source))
        if lock is False and (theirs := self._wait_for_others(source, ttl_s)) is not None:
            return theirs
        entry = Entry(self._ask_source(source), utcnow())
        self._remember(source, entry)
        self._ask_redis(lambda: self._store.set(_key(source), _plain(entry), timeout=_KEEP_S))
        if lock:
            self._ask_redis(lock.release)
        return entry

    def _ask_source(self, source: str) -> Snapshot:
        fresh = _collected(source, self._collect[source])
        known = self._memory.get(source)
        if fresh.status == SnapshotStatus.ERROR and known is not None and has_values(known.snapshot):
            return known.snapshot.as_stale(fresh.error_code or "ERROR", fresh.error or "The source failed.")
        return fresh

    def _wait_for_others(self, source: str, ttl_s: float) -> Entry | None:
        deadline = time.monotonic() + _OTHERS_WITHIN_S
        while time.monotonic() < deadline:
            time.sleep(0.03)
            entry: Entry | None = self._ask_redis(lambda: _entry(self._store.get(_key(source))))
            if entry is not None and entry.is_fresh(ttl_s):
                self._remember(source, entry)
                return entry
        return None

    def _remember(self, source: str, entry: Entry | None) -> None:
        """Keep the newer of two, so that answers never go backwards in time."""
        known = self._memory.get(source)
        if entry is None or (known is not None and not _is_ahead(known) and _rank(known) > _rank(entry)):
            return
        self._memory[source] = entry

    def _ask_redis(self, question: Callable[[], Any]) -> Any:
        if time.monotonic() < self._redis_rests_until:
            return None
        try:
            return question()
        except (redis.RedisError, ValueError, KeyError, TypeError) as error:
            if isinstance(error, redis.RedisError) and not isinstance(error, redis.exceptions.LockError):
                self._redis_rests_until = time.monotonic() + _REDIS_REST_S
            log.warning("snapshots.redis_failed", reason=str(error)[:200])
            return None


_LONG_AGO = parse_iso("1970-01-01T00:00:00Z")


def has_values(snapshot: Snapshot) -> bool:
    """Return whether anything was ever read."""
    return snapshot.data is not None and snapshot.status in (SnapshotStatus.OK, SnapshotStatus.STALE)


def _late(source: str, known: Entry | None) -> Snapshot:
    code, text = "TIMEOUT", "The source has not answered yet."
    if known is None or known.snapshot.data is None:
        return Snapshot(source, utcnow(), SnapshotStatus.ERROR, error_code=code, error=text)
    if known.snapshot.status == SnapshotStatus.OK:
        return known.snapshot.as_stale(code, text)
    return known.snapshot


def _collected(source: str, collect: Callable[[], Snapshot]) -> Snapshot:
    try:
        return collect()
    except VabHubError as error:
        return Snapshot(
            source, utcnow(), SnapshotStatus.ERROR, error_code=error.error_code, error=error.message
        )
    except Exception:  # the edge of a thread: those who wait must get an answer
        log.exception("snapshots.collect_failed", source=source)
        text = "Reading the source failed; the log says why."
        return Snapshot(
            source, utcnow(), SnapshotStatus.ERROR, error_code="INTERNAL_SERVER_ERROR", error=text
        )


def _rank(entry: Entry) -> tuple[bool, datetime]:
    return entry.snapshot.status != SnapshotStatus.ERROR, entry.checked_at


def _is_ahead(entry: Entry) -> bool:
    # The clock was set back since: time has to begin anew from there.
    return entry.checked_at > utcnow() + timedelta(seconds=1)


def _lock(source: str) -> Any:
    """Return a lock that was taken, or False when another process has it."""
    lock = get_redis().lock(f"{PREFIX}building:{source}", timeout=_LOCK_S, thread_local=False)
    return lock if lock.acquire(blocking=False) else False


def _key(source: str) -> str:
    return f"snapshot:{source}"


def _plain(entry: Entry) -> dict[str, Any]:
    return {"checked_at": isoformat(entry.checked_at), "snapshot": entry.snapshot.to_json()}


def _entry(stored: Any) -> Entry | None:
    if not isinstance(stored, dict):
        return None
    return Entry(Snapshot.from_json(stored["snapshot"]), parse_iso(stored["checked_at"]))
