"""The overview is put together from readings and rows; what nobody knows is null."""

from __future__ import annotations

from datetime import timedelta

import pytest

from vabhub import db
from vabhub.cache.redis_tier import DATA
from vabhub.clock import utcnow
from vabhub.collectors.base import Snapshot, SnapshotStatus, Source
from vabhub.collectors.dashboard import build
from vabhub.collectors.publish import last_snapshot, publish_snapshot
from vabhub.events import bus
from vabhub.events.topics import Topic
from vabhub.models import Activity
from vabhub.notify.accept import NewNotification, accept
from vabhub.redis_client import get_redis

CONTRACT = {
    "system_stats",
    "media_stats",
    "download_stats",
    "downloader_status",
    "music_stats",
    "active_downloads",
    "active_subscriptions",
    "recent_events",
}


@pytest.mark.usefixtures("database", "redis")
def test_without_any_reading_all_is_null_and_nothing_zero() -> None:
    with db.reading() as session:
        snapshot = build(session)
    assert snapshot.data is not None
    assert snapshot.data.keys() >= CONTRACT
    for name in ("system_stats", "download_stats", "downloader_status", "active_downloads"):
        assert snapshot.data[name] is None
    assert snapshot.data["active_subscriptions"] is None
    assert snapshot.data["recent_events"] == []
    assert snapshot.data["media_stats"]["total_movies"] is None


@pytest.mark.usefixtures("database", "redis")
def test_parts_keep_their_source_age_and_fault() -> None:
    at = utcnow() - timedelta(minutes=5)
    data = {"active": 2, "items": [], "downloaders": {"qb": {"connected": False}}, "collected_at": None}
    stale = Snapshot(Source.DOWNLOADS, at, SnapshotStatus.STALE, "REFUSED", "refused", data)
    publish_snapshot(stale)
    with db.reading() as session:
        snapshot = build(session)
    assert snapshot.data is not None
    assert snapshot.data["active_downloads"] == 2
    assert snapshot.data["downloader_status"] == {"qb": {"connected": False}}
    assert snapshot.data["download_stats"] == {"active": 2, "items": []}
    assert snapshot.meta()["sources"]["downloads"] == stale.meta()


@pytest.mark.usefixtures("database", "redis")
def test_recent_events_come_from_notifications_and_activity_newest_first() -> None:
    with db.transaction() as session:
        session.add(
            Activity(
                at=utcnow() - timedelta(hours=1), kind="library.scan_done", source="library", title="Scanned"
            )
        )
        request = NewNotification(title="Hello", message="x" * 1000, type="warning")
        accept(session, request, source="test", idempotency_key=None)
    with db.reading() as session:
        events = (build(session).data or {})["recent_events"]
    assert [event["title"] for event in events] == ["Hello", "Scanned"]
    assert events[0]["type"] == "warning"
    assert len(events[0]["message"]) <= 300


@pytest.mark.usefixtures("redis")
def test_snapshot_is_kept_and_pushed() -> None:
    snapshot = Snapshot(Source.SYSTEM, utcnow(), data={"cpu_usage": 12.5})
    assert publish_snapshot(snapshot, Topic.SYSTEM)
    assert last_snapshot("system") == snapshot
    pushed = bus.last(Topic.SYSTEM)
    assert pushed is not None
    assert pushed["data"] == {"cpu_usage": 12.5}
    assert pushed["meta"] == snapshot.meta()


@pytest.mark.usefixtures("redis")
def test_refused_snapshot_is_not_kept() -> None:
    get_redis().set(bus.FENCE_KEY, 7)
    snapshot = Snapshot(Source.SYSTEM, utcnow(), data={})
    assert not publish_snapshot(snapshot, Topic.SYSTEM, fence=6)
    assert last_snapshot("system") is None


@pytest.mark.usefixtures("redis")
@pytest.mark.parametrize("stored", [b"", b"{}", b"[1]", b"\xff", b'{"source": 1}'])
def test_unreadable_snapshot_is_as_none(stored: bytes) -> None:
    get_redis().set(f"{DATA}snapshot:system", stored)
    assert last_snapshot("system") is None
