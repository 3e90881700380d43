"""Serves the last reading of a source, and never one older than its TTL while the source answers.

The scheduler publishes readings all the time. When it does not, a miss computes one here: once, however
many ask, in this process (single-flight) and in the others (a short lock in Redis). All of it is in the one
cache; there is no second age beside the reading's own. Without Redis this process's memory stands in.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from vabhub.cache import Tiers, store
from vabhub.cache.single_flight import SingleFlight
from vabhub.clock import utcnow
from vabhub.collectors.base import Snapshot, SnapshotStatus
from vabhub.collectors.publish import LONG_AGO, Reading, find_stored, keep_reading, read_stored, snapshot_key
from vabhub.errors import VabHubError
from vabhub.log import get_logger

log = get_logger(__name__)

ANSWER_WITHIN_S = 0.8
_LOCK_S = 5.0
_OTHERS_WITHIN_S = 0.3


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
        tiers: Callable[[], Tiers] = store,
        *,
        collect: Mapping[str, Callable[[], Snapshot]],
        answer_within_s: float = ANSWER_WITHIN_S,
    ) -> None:
        self._tiers = tiers
        self._collect = collect
        self._answer_within_s = answer_within_s
        self._memory: dict[str, Reading] = {}
        self._seen: dict[str, Any] = {}
        self._flights: SingleFlight[Reading] = SingleFlight()

    def read(self, source: str, ttl_s: float) -> Served:
        """Return the newest reading, asking the source when what is known is older than `ttl_s`."""
        known, tier = self._known(source)
        counts = self._tiers().stats.of(snapshot_key(source))
        if known is not None and known.is_fresh(ttl_s):
            counts.hit(tier)
            return Served(known.snapshot, "hit", ttl_s)
        counts.misses += 1
        built = self._flights.run(
            source, lambda: self._build(source, ttl_s), wait_s=max(0.05, self._answer_within_s)
        )
        if built is not None:
            return Served(built.snapshot, "miss", ttl_s)
        counts.stale += 1
        return Served(_late(source, known), "stale", ttl_s)

    def _known(self, source: str) -> tuple[Reading | None, str]:
        found = find_stored(self._tiers(), source)
        # Decoded once for each reading, not for each request: memory hands out the same text.
        if found.entry is not None and found.entry.value is not self._seen.get(source):
            self._remember(source, read_stored(found.entry.value))
            self._seen[source] = found.entry.value
        if found.entry is None:
            self._forget(source)
        return self._memory.get(source), found.tier

    def _forget(self, source: str) -> None:
        """Take for old what no tier has any more: it was invalidated. It still helps when asking fails."""
        tiers, known = self._tiers(), self._memory.get(source)
        self._seen.pop(source, None)
        # While Redis is away, this memory is all there is.
        if known is not None and tiers.redis is not None and tiers.redis.health.is_up:
            self._memory[source] = Reading(known.snapshot, LONG_AGO)

    def _build(self, source: str, ttl_s: float) -> Reading:
        tiers, key = self._tiers(), snapshot_key(source)
        token = tiers.redis.lock(key, _LOCK_S) if tiers.redis is not None else None
        if token == "" and (theirs := self._wait_for_others(source, ttl_s)) is not None:
            return theirs
        began = time.perf_counter()
        made = Reading(self._ask_source(source), utcnow())
        tiers.stats.of(key).built(time.perf_counter() - began)
        # In this order: what is in memory and in no tier counts as forgotten.
        keep_reading(tiers, made)
        self._remember(source, made)
        if token and tiers.redis is not None:
            tiers.redis.unlock(key, token)
        return made

    def _ask_source(self, source: str) -> Snapshot:
        fresh = _collected(source, self._collect[source])
        known = self._memory.get(source)
        if fresh.status == SnapshotStatus.ERROR and known is not None and has_values(known.snapshot):
            self._tiers().stats.of(snapshot_key(source)).failures += 1
            return known.snapshot.as_stale(fresh.error_code or "ERROR", fresh.error or "The source failed.")
        return fresh

    def _wait_for_others(self, source: str, ttl_s: float) -> Reading | None:
        deadline = time.monotonic() + _OTHERS_WITHIN_S
        while time.monotonic() < deadline:
            time.sleep(0.03)
            known, _ = self._known(source)
            if known is not None and known.is_fresh(ttl_s):
                return known
        return None

    def _remember(self, source: str, reading: Reading | None) -> None:
        """Keep the newer of two, so that answers never go backwards in time."""
        known = self._memory.get(source)
        if reading is None:
            return
        if known is not None and not _is_ahead(known) and _rank(known) > _rank(reading):
            return
        self._memory[source] = reading


def has_values(snapshot: Snapshot) -> bool:
    """Return whether anything was ever read."""
    return snapshot.data is not None and snapshot.status in (SnapshotStatus.OK, SnapshotStatus.STALE)


def _late(source: str, known: Reading | None) -> Snapshot:
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


def _rank(reading: Reading) -> tuple[bool, datetime]:
    return reading.snapshot.status != SnapshotStatus.ERROR, reading.checked_at


def _is_ahead(reading: Reading) -> bool:
    # The clock was set back since: time has to begin anew from there.
    return reading.checked_at > utcnow() + timedelta(seconds=1)
