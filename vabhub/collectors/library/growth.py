"""How the library grows: the size of each root a day, and what came within weeks."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from vabhub.clock import utcnow
from vabhub.models import LibraryDay, LibraryFile

_GIB = 1024**3
_KEPT = timedelta(days=5 * 366)
_SHOWN = timedelta(days=90)
_WINDOWS_DAYS = (7, 30)


def record_day(session: Session, root_id: int, now: datetime) -> None:
    """Write how large a root is on this day; the day's last scan counts."""
    files, size = session.execute(
        select(func.count(), func.coalesce(func.sum(LibraryFile.size_bytes), 0)).where(
            LibraryFile.root_id == root_id
        )
    ).one()
    session.merge(LibraryDay(root_id=root_id, day=now.date(), files=files, size_bytes=int(size)))
    oldest = (now - _KEPT).date()
    session.execute(delete(LibraryDay).where(LibraryDay.root_id == root_id, LibraryDay.day < oldest))


def growth(session: Session, roots: Collection[int]) -> dict[str, Any] | None:
    """Return `{days: [{day, files, size_gb}], files_7d, size_gb_7d, files_30d, size_gb_30d}`.

    `days` are the days of the last 90 with a scan, over all roots; a root that was not scanned on one
    counts with what it had before. The changes compare each root with the earliest day it has within the
    window, and are null until some root has two. None until a scan was recorded.
    """
    since = utcnow().date() - _SHOWN
    rows = session.execute(
        select(LibraryDay.day, LibraryDay.root_id, LibraryDay.files, LibraryDay.size_bytes)
        .where(LibraryDay.root_id.in_(roots), LibraryDay.day >= since)
        .order_by(LibraryDay.day)
    ).all()
    if not rows:
        return None
    sizes: dict[int, dict[date, tuple[int, int]]] = {}
    for day, root_id, files, size in rows:
        sizes.setdefault(root_id, {})[day] = (files, size)
    found: dict[str, Any] = {"days": _days(sizes)}
    for window in _WINDOWS_DAYS:
        files_more, size_more = _change(sizes, utcnow().date() - timedelta(days=window))
        found |= {f"files_{window}d": files_more, f"size_gb_{window}d": size_more}
    return found


def _days(sizes: dict[int, dict[date, tuple[int, int]]]) -> list[dict[str, Any]]:
    last: dict[int, tuple[int, int]] = {}
    days = []
    for day in sorted({day for root in sizes.values() for day in root}):
        last |= {root_id: root[day] for root_id, root in sizes.items() if day in root}
        files, size = (sum(part) for part in zip(*last.values(), strict=True))
        days.append({"day": day.isoformat(), "files": files, "size_gb": round(size / _GIB, 3)})
    return days


def _change(
    sizes: dict[int, dict[date, tuple[int, int]]], since: date
) -> tuple[int, float] | tuple[None, None]:
    pairs = []
    for root in sizes.values():
        days = sorted(day for day in root if day >= since)
        if len(days) > 1:
            pairs.append((root[days[0]], root[days[-1]]))
    if not pairs:
        return None, None
    files = sum(now[0] - then[0] for then, now in pairs)
    return files, round(sum(now[1] - then[1] for then, now in pairs) / _GIB, 3)
