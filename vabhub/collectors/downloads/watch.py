"""Watch the download clients and notify of what happens: added, completed, failed, stalled.

What was seen is kept in the database, in the transaction that accepts the notifications: a restart neither
forgets nor repeats one. What an instance holds at its first sight is not told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from vabhub.clock import utcnow
from vabhub.collectors.downloads.base import DownloadItem, Reading
from vabhub.collectors.downloads.phases import Happened, Phase, Seen, first_sight, is_unchanged, step
from vabhub.collectors.downloads.tell import tell
from vabhub.db import reading, transaction
from vabhub.log import get_logger
from vabhub.models import DownloadSeen
from vabhub.settings import Settings

log = get_logger(__name__)

# A client that restarts shows an empty list for a while: its downloads are not gone.
FORGET_AFTER = timedelta(hours=1)
_INSTANCE = ""
_SLICE = 200

Known = dict[str, Seen]


class Watch:
    """The eyes of the process that leads. `see` after each reading; `forget` when another one leads."""

    def __init__(self, settings: Settings) -> None:
        self._events = {Happened(f"download.{word}") for word in settings.download_events}
        self._channels = settings.download_channels
        self._stalled_after = timedelta(minutes=settings.stalled_after_minutes)
        self._known: dict[str, Known] = {}
        # Which client was behind the name, and when it was last kept: another process may have kept it since.
        self._marks: dict[str, tuple[str, datetime]] = {}
        self._missing: dict[tuple[str, str], datetime] = {}

    def forget(self) -> None:
        """Read what was seen from the database again, next time."""
        self._known.clear()
        self._marks.clear()
        self._missing.clear()

    def see(self, readings: Iterable[Reading]) -> None:
        """Compare with what was seen before, keep what is new, and notify. Raises Unavailable."""
        for one in readings:
            if one.fault is None and one.collected_at is not None:
                self._see(one)

    def _see(self, one: Reading) -> None:
        if one.instance not in self._known:
            self._load(one.instance)
        now, known = utcnow(), self._known[one.instance]
        mark, _ = self._marks.get(one.instance, (None, None))
        is_first = mark != one.mark
        changed: Known = {}
        told: list[tuple[Happened, DownloadItem]] = []
        for item in one.items:
            before = known.get(item.id)
            if not is_first and is_unchanged(before, item):
                continue
            if is_first:
                changed[item.id] = first_sight(item, now)
                continue
            after, happened = step(before, item, now, self._stalled_after)
            if after != before:
                changed[item.id] = after
            told += [(event, item) for event in happened if event in self._events]
        gone = (
            set(known) if is_first else self._gone(one.instance, known, {item.id for item in one.items}, now)
        )
        if changed or gone or is_first:
            self._keep(one, changed, gone - set(changed), told)

    def _keep(
        self, one: Reading, changed: Known, gone: set[str], told: Sequence[tuple[Happened, DownloadItem]]
    ) -> None:
        with transaction() as session:
            if not self._is_ours(session, one.instance):
                log.warning("downloads.seen_by_another", instance=one.instance)
                self.forget()
                return
            now = utcnow()
            _store(session, one.instance, (one.mark, now), changed, gone)
            tell(
                session,
                one.instance,
                told,
                self._channels,
                minutes=int(self._stalled_after.total_seconds() // 60),
            )
        known = self._known[one.instance]
        known.update(changed)
        for item_id in gone:
            known.pop(item_id, None)
            self._missing.pop((one.instance, item_id), None)
        self._marks[one.instance] = (one.mark, now)

    def _gone(self, instance: str, known: Mapping[str, Seen], there: set[str], now: datetime) -> set[str]:
        for item_id in there:
            self._missing.pop((instance, item_id), None)
        missing = {
            item_id: self._missing.setdefault((instance, item_id), now)
            for item_id in known
            if item_id not in there
        }
        return {item_id for item_id, since in missing.items() if now - since >= FORGET_AFTER}

    def _load(self, instance: str) -> None:
        with reading() as session:
            rows = session.scalars(select(DownloadSeen).where(DownloadSeen.instance == instance)).all()
        self._known[instance] = {row.item_id: _seen(row) for row in rows if row.item_id != _INSTANCE}
        for row in rows:
            if row.item_id == _INSTANCE:
                self._marks[instance] = (row.phase, row.since)

    def _is_ours(self, session: Session, instance: str) -> bool:
        """Tell whether nobody else has kept anything since; holds everybody else off until the commit."""
        query = (
            select(DownloadSeen.phase, DownloadSeen.since)
            .where(DownloadSeen.instance == instance, DownloadSeen.item_id == _INSTANCE)
            .with_for_update()
        )
        row = session.execute(query).one_or_none()
        return (None if row is None else (row.phase, row.since)) == self._marks.get(instance)


def _store(
    session: Session, instance: str, mark: tuple[str, datetime], changed: Known, gone: Iterable[str]
) -> None:
    marked: dict[str, Any] = {"phase": mark[0], "since": mark[1], "added_at": None, "added_told": True}
    marked |= {"failed_told_at": None, "stalled_told_at": None}
    rows: list[dict[str, Any]] = [{"item_id": _INSTANCE, **marked}]
    rows += [{"item_id": item_id, **asdict(seen)} for item_id, seen in changed.items()]
    _remove(session, instance, [*gone, *(row["item_id"] for row in rows)])
    for at in range(0, len(rows), _SLICE):
        session.execute(
            insert(DownloadSeen), [{"instance": instance, **row} for row in rows[at : at + _SLICE]]
        )


def _remove(session: Session, instance: str, item_ids: Sequence[str]) -> None:
    for at in range(0, len(item_ids), _SLICE):
        part = item_ids[at : at + _SLICE]
        session.execute(
            delete(DownloadSeen).where(DownloadSeen.instance == instance, DownloadSeen.item_id.in_(part))
        )


def _seen(row: DownloadSeen) -> Seen:
    return Seen(
        Phase(row.phase), row.since, row.added_at, row.added_told, row.failed_told_at, row.stalled_told_at
    )
