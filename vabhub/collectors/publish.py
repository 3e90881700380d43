"""Hand a reading on: kept as the source's last one in every process, and pushed to whoever listens."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from vabhub.cache import Tiers, store
from vabhub.cache.entry import Entry
from vabhub.cache.tiers import Looked
from vabhub.clock import isoformat, parse_iso, utcnow
from vabhub.collectors.base import Snapshot, SnapshotStatus, Source
from vabhub.events import bus
from vabhub.events.topics import Topic
from vabhub.log import get_logger
from vabhub.settings import get_settings

log = get_logger(__name__)

# How long the last good reading is of use when its source does not answer.
KEEP_S = 86_400.0
LONG_AGO = parse_iso("1970-01-01T00:00:00Z")


@dataclass(frozen=True, slots=True)
class Reading:
    """A snapshot and when its source was last asked, which for a failing source is later than the numbers."""

    snapshot: Snapshot
    checked_at: datetime

    def is_fresh(self, ttl_s: float) -> bool:
        """Return whether it may be served without asking the source."""
        age = utcnow() - self.checked_at
        return timedelta(seconds=-1) <= age < timedelta(seconds=ttl_s)


def publish_snapshot(snapshot: Snapshot, topic: Topic | None = None, fence: int | None = None) -> bool:
    """Keep the snapshot and push its data; False when `fence` belongs to a lease that was lost since.

    With a topic it raises redis.RedisError when Redis does not answer.
    """
    if topic is not None and bus.publish(topic, snapshot.data or {}, snapshot.meta(), fence=fence) is None:
        log.warning("publish.refused", source=snapshot.source, fence=fence)
        return False
    # What a source failed to tell is not fresh: who needs it asks for itself, once.
    good = snapshot.status == SnapshotStatus.OK
    keep_reading(store(), Reading(snapshot, snapshot.collected_at if good else LONG_AGO))
    return True


def last_snapshot(source: str) -> Snapshot | None:
    """Return the source's last reading, None when there was none."""
    found = find_stored(store(), source).entry
    reading = read_stored(found.value) if found is not None else None
    return reading.snapshot if reading is not None else None


def keep_reading(tiers: Tiers, reading: Reading) -> None:
    """Keep a reading; every process has it from now on, unless one has a newer one."""
    snapshot = reading.snapshot
    built = snapshot.collected_at if snapshot.status == SnapshotStatus.OK else utcnow()
    ends_at = built.timestamp() + _ttl_s(snapshot.source)
    text = json.dumps({"checked_at": isoformat(reading.checked_at), "snapshot": snapshot.to_json()})
    entry = Entry(text, built.timestamp(), ends_at, ends_at + KEEP_S)
    tiers.put(snapshot_key(snapshot.source), entry, tell="entry")


def find_stored(tiers: Tiers, source: str) -> Looked:
    """Return what is kept of a source; its value is the same object as long as it is the same reading."""
    return tiers.look(snapshot_key(source), lifetime_s=_ttl_s(source))


def read_stored(text: Any) -> Reading | None:
    """Return a reading from what is kept, None for what nobody of ours wrote."""
    try:
        fields = json.loads(text)
        return Reading(Snapshot.from_json(fields["snapshot"]), parse_iso(fields["checked_at"]))
    except (ValueError, KeyError, TypeError):
        log.warning("publish.unreadable_snapshot")
        return None


def snapshot_key(source: str) -> str:
    """Return the source's key in the cache."""
    return f"snapshot:{source}"


def _ttl_s(source: str) -> float:
    chosen = get_settings()
    return {
        Source.SYSTEM.value: chosen.ttl_system_s,
        Source.DOWNLOADS.value: chosen.ttl_downloads_s,
        Source.DASHBOARD.value: chosen.ttl_dashboard_s,
    }.get(source, chosen.ttl_media_s)
