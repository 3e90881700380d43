"""The overview: the last readings of all sources, the newest events, and how the library's scans stand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import redis
from sqlalchemy import select
from sqlalchemy.orm import Session

from vabhub.clock import isoformat, utcnow
from vabhub.collectors.base import Snapshot, Source
from vabhub.collectors.library import current_scans, media_stats, music_stats
from vabhub.collectors.publish import last_snapshot
from vabhub.log import get_logger
from vabhub.models import Activity, Notification

log = get_logger(__name__)

Read = Callable[[str], Snapshot | None]

_EVENTS = 20
_TEXT = 300
_PARTS = (Source.SYSTEM, Source.DOWNLOADS, Source.MEDIA, Source.MUSIC)


def build(session: Session, read: Read = last_snapshot) -> Snapshot:
    """Compose `/api/dashboard/` from what `read` knows of each source and from the database.

    A source without a reading is None; `sources` in the meta says how old and how good each part is.
    """
    parts = {source: _known(source, read) for source in _PARTS}
    parts[Source.MEDIA] = parts[Source.MEDIA] or media_stats(session)
    parts[Source.MUSIC] = parts[Source.MUSIC] or music_stats(session)
    downloads = _data(parts[Source.DOWNLOADS]) or {}
    data = {
        "system_stats": _data(parts[Source.SYSTEM]),
        "media_stats": _data(parts[Source.MEDIA]),
        "download_stats": {k: v for k, v in downloads.items() if k not in _NOT_STATS} or None,
        "downloader_status": downloads.get("downloaders"),
        "music_stats": _data(parts[Source.MUSIC]),
        "active_downloads": downloads.get("active"),
        "active_subscriptions": None,  # nobody knows them yet
        "recent_events": recent_events(session),
        "library_scans": current_scans(session),
    }
    sources = {source.value: part.meta() for source, part in parts.items() if part is not None}
    return Snapshot(Source.DASHBOARD, utcnow(), data=data, sources=sources)


_NOT_STATS = frozenset({"downloaders", "collected_at"})


def recent_events(session: Session, limit: int = _EVENTS) -> list[dict[str, Any]]:
    """Return what happened last, newest first, from notifications and activity."""
    notifications = session.scalars(
        select(Notification)
        .where(Notification.deleted_at.is_(None))
        .order_by(Notification.created_at.desc(), Notification.id.desc())
        .limit(limit)
    )
    activities = session.scalars(
        select(Activity).order_by(Activity.at.desc(), Activity.id.desc()).limit(limit)
    )
    events = [*map(_of_notification, notifications), *map(_of_activity, activities)]
    return sorted(events, key=lambda event: event["timestamp"], reverse=True)[:limit]


def _of_notification(row: Notification) -> dict[str, Any]:
    return {
        "id": f"notification:{row.id}",
        "kind": "notification",
        "type": row.type,
        "title": row.title,
        "message": row.message[:_TEXT],
        "source": row.source,
        "link": row.link,
        "at": isoformat(row.created_at),
        "timestamp": isoformat(row.created_at),
        "data": None,
    }


def _of_activity(row: Activity) -> dict[str, Any]:
    return {
        "id": f"activity:{row.id}",
        "kind": row.kind,
        "type": "error" if row.kind.endswith("failed") else "info",
        "title": row.title,
        "message": None,
        "source": row.source,
        "link": None,
        "at": isoformat(row.at),
        "timestamp": isoformat(row.at),
        "data": row.data,
    }


def _known(source: str, read: Read) -> Snapshot | None:
    try:
        return read(source)
    except redis.RedisError as error:
        log.warning("dashboard.reading_unknown", source=source, reason=str(error)[:200])
        return None


def _data(snapshot: Snapshot | None) -> dict[str, Any] | None:
    return None if snapshot is None else snapshot.data
