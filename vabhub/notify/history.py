"""What was sent: lists, one notification with its attempts, read marks, deletion."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, Select, exists, func, or_, select, update
from sqlalchemy import delete as delete_rows
from sqlalchemy.orm import Session, selectinload

from vabhub.db import db_now, reading, transaction
from vabhub.errors import NotFound
from vabhub.models import Attempt, Delivery, Notification
from vabhub.notify import backlog
from vabhub.notify import deliveries as changes
from vabhub.notify.announce import event_after_commit, inbox_event_after_commit, unread_count
from vabhub.notify.states import ACTIVE, DeliveryState, NotificationStatus
from vabhub.notify.views import attempt_view, delivery_view, notification_view
from vabhub.settings import get_settings

__all__ = [
    "DeliveryQuery",
    "HistoryQuery",
    "Page",
    "delete",
    "delete_all",
    "get_notification",
    "list_deliveries",
    "list_notifications",
    "mark_all_read",
    "mark_read",
    "notification_view",
    "purge_deleted",
    "unread_count",
]

KEEP_DELETED = timedelta(hours=24)
SLICE = 200
PAUSE_S = 0.05
MAX_ID = 2**63 - 1


class _Paged(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    page: int = Field(1, ge=1, le=1_000_000)
    page_size: int = Field(20, ge=1, le=100)


class HistoryQuery(_Paged):
    """The filters of `GET /api/notifications`; `after` is the highest id seen, and lists upwards from it."""

    type: Literal["info", "success", "warning", "error"] | None = None
    status: NotificationStatus | None = None
    priority: Literal["low", "normal", "high", "urgent"] | None = None
    channel: str | None = Field(None, max_length=64)
    unread_only: bool = False
    q: str | None = Field(None, max_length=200)
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    after: int | None = Field(None, ge=0, le=MAX_ID)


class DeliveryQuery(_Paged):
    """The filters of `GET /api/deliveries`; open is what is neither delivered nor cancelled."""

    status: DeliveryState | None = None
    channel: str | None = Field(None, max_length=64)
    open_only: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list; `total` counts what the filters leave."""

    items: list[dict[str, Any]]
    total: int
    page: int
    page_size: int

    def to_json(self) -> dict[str, Any]:
        """Return the contract's shape of a list."""
        pages = -(-self.total // self.page_size)
        return {
            "items": self.items,
            "total": self.total,
            "page": self.page,
            "page_size": self.page_size,
            "total_pages": pages,
        }


def list_notifications(session: Session, query: HistoryQuery) -> Page:
    """Return notifications, the newest first; after a cursor, the oldest first."""
    found = select(Notification).where(Notification.deleted_at.is_(None), *_filters(query))
    order = Notification.id.asc() if query.after is not None else Notification.id.desc()
    rows = found.order_by(order).options(selectinload(Notification.deliveries))
    return _page(session, found, rows, query, notification_view)


def list_deliveries(session: Session, query: DeliveryQuery) -> Page:
    """Return deliveries with the title of what they carry, the newest first."""
    found = (
        select(Delivery)
        .join(Notification, Notification.id == Delivery.notification_id)
        .where(Notification.deleted_at.is_(None))
    )
    if query.status is not None:
        found = found.where(Delivery.state == query.status.value)
    if query.channel is not None:
        found = found.where(Delivery.channel == query.channel)
    if query.open_only or query.status in backlog.OPEN:
        found = found.where(*backlog.is_open(query.channel))
    rows = found.order_by(Delivery.id.desc()).options(selectinload(Delivery.notification))
    return _page(session, found, rows, query, _titled)


def get_notification(session: Session, notification_id: int) -> dict[str, Any]:
    """Return a notification, its deliveries and their attempts; raises NotFound."""
    notification = _load(session, notification_id)
    view = notification_view(notification)
    for shown, delivery in zip(view["deliveries"], notification.deliveries, strict=True):
        shown["attempts"] = [attempt_view(attempt) for attempt in delivery.attempt_rows]
    return view


def mark_read(session: Session, notification_id: int) -> dict[str, Any]:
    """Mark one as read, and return it; a second time changes nothing. Raises NotFound."""
    notification = _load(session, notification_id)
    if notification.read_at is None:
        now = db_now(session)
        session.execute(
            update(Notification)
            .where(Notification.id == notification_id)
            .values(read_at=now, updated_at=now)
            .execution_options(synchronize_session="evaluate")
        )
        event_after_commit(session, "read", [notification], inbox=True)
    return notification_view(notification)


def mark_all_read(session: Session) -> int:
    """Mark the whole inbox as read, and return how many were not."""
    now = db_now(session)
    unread = Notification.read_at.is_(None), Notification.inbox_at.is_not(None), _shown()
    count = _update(session, *unread, read_at=now, updated_at=now)
    inbox_event_after_commit(session, "read", count=count)
    return count


def delete(session: Session, notification_id: int) -> None:
    """Take one out of the history and cancel what of it still waits; raises NotFound."""
    _load(session, notification_id)
    _hide(session, [notification_id])
    inbox_event_after_commit(session, "deleted", notification={"id": notification_id})


def delete_all(session: Session) -> int:
    """Take everything out of the history, cancel what still waits, and return how many there were."""
    ids = list(session.scalars(select(Notification.id).where(_shown())))
    for start in range(0, len(ids), SLICE):
        _hide(session, ids[start : start + SLICE])
    inbox_event_after_commit(session, "deleted", count=len(ids))
    return len(ids)


def purge_deleted(limit: int = SLICE) -> int:
    """Remove a slice of what was deleted a day ago or is older than the retention; never what is not final.

    They are looked for outside of the transaction, and a pause follows, so that writers wait little.
    """
    with reading() as session:
        found = _expired(session, db_now(session))
        ids = list(session.scalars(found[0].limit(limit))) or list(session.scalars(found[1].limit(limit)))
    if not ids:
        return 0
    removed = _remove(ids)
    time.sleep(PAUSE_S)
    return removed


def _expired(session: Session, now: datetime) -> tuple[Select[int], Select[int]]:
    """Return two questions rather than one with OR, which no index could answer."""
    chosen = select(Notification.id)
    kept_since = now - timedelta(days=get_settings().retention_days)
    deleted = chosen.where(Notification.deleted_at < now - KEEP_DELETED, ~_has(DeliveryState.SENDING))
    old = chosen.where(Notification.created_at < kept_since, ~_has(*ACTIVE)).order_by(Notification.created_at)
    return deleted, old


def _has(*states: DeliveryState) -> ColumnElement[bool]:
    found = Delivery.state.in_(sorted(states))
    return exists().where(Delivery.notification_id == Notification.id, found)


def _remove(ids: list[int]) -> int:
    with transaction() as session:
        # Someone may have sent one again since; its deliveries are locked before it is decided.
        mine = Delivery.notification_id.in_(ids)
        locked = session.execute(
            select(Delivery.notification_id, Delivery.state).where(mine).with_for_update()
        )
        deleted = set(session.scalars(select(Notification.id).where(Notification.id.in_(ids), ~_shown())))
        busy = {
            row.notification_id
            for row in locked
            if row.state == DeliveryState.SENDING
            or (row.state in ACTIVE and row.notification_id not in deleted)
        }
        gone = [number for number in ids if number not in busy]
        its = select(Delivery.id).where(Delivery.notification_id.in_(gone))
        # Children first, as everywhere: rows are always locked in this order.
        for statement in (
            delete_rows(Attempt).where(Attempt.delivery_id.in_(its)),
            delete_rows(Delivery).where(Delivery.notification_id.in_(gone)),
            delete_rows(Notification).where(Notification.id.in_(gone)),
        ):
            session.execute(statement.execution_options(synchronize_session=False))
        return len(gone)


def _shown() -> ColumnElement[bool]:
    return Notification.deleted_at.is_(None)


def _filters(query: HistoryQuery) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    for column, value in (
        (Notification.type, query.type),
        (Notification.status, query.status),
        (Notification.priority, query.priority),
    ):
        if value is not None:
            found.append(column == str(value))
    if query.channel is not None:
        sent_over = Delivery.channel == query.channel
        found.append(exists().where(Delivery.notification_id == Notification.id, sent_over))
    if query.unread_only:
        found += [Notification.read_at.is_(None), Notification.inbox_at.is_not(None)]
    if query.q:
        found.append(_contains(query.q))
    return found + _bounds(query)


def _bounds(query: HistoryQuery) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if query.since is not None:
        found.append(Notification.created_at >= query.since)
    if query.until is not None:
        found.append(Notification.created_at <= query.until)
    if query.after is not None:
        found.append(Notification.id > query.after)
    return found


def _contains(text: str) -> ColumnElement[bool]:
    clean = text.replace("\x00", "")
    title = Notification.title.icontains(clean, autoescape=True)
    return or_(title, Notification.message.icontains(clean, autoescape=True))


def _page(
    session: Session,
    found: Select[Any],
    rows: Select[Any],
    query: _Paged,
    view: Callable[[Any], dict[str, Any]],
) -> Page:
    total = session.scalar(select(func.count()).select_from(found.subquery())) or 0
    window = rows.limit(query.page_size).offset((query.page - 1) * query.page_size)
    return Page([view(row) for row in session.scalars(window)], total, query.page, query.page_size)


def _titled(delivery: Delivery) -> dict[str, Any]:
    about = delivery.notification
    return delivery_view(delivery) | {"title": about.title, "type": about.type, "priority": about.priority}


def _load(session: Session, notification_id: int) -> Notification:
    attempts = selectinload(Notification.deliveries).selectinload(Delivery.attempt_rows)
    found = session.scalars(
        select(Notification).where(Notification.id == notification_id, _shown()).options(attempts)
    ).one_or_none()
    if found is None:
        raise NotFound(f"There is no notification {notification_id}.")
    return found


def _hide(session: Session, ids: Sequence[int]) -> None:
    changes.cancel_all(session, list(ids))
    _update(session, Notification.id.in_(ids), deleted_at=db_now(session))


def _update(session: Session, *conditions: ColumnElement[bool], **values: Any) -> int:
    statement = update(Notification).where(*conditions).values(**values).returning(Notification.id)
    return len(session.execute(statement.execution_options(synchronize_session=False)).all())
