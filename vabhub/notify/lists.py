"""Lists of notifications and deliveries, a page at a time, read no further than they have to be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, Select, exists, func, select, text
from sqlalchemy.orm import Session, selectinload

from vabhub.models import Delivery, Notification
from vabhub.notify import backlog, search
from vabhub.notify.prepared import in_words
from vabhub.notify.states import DeliveryState, NotificationStatus
from vabhub.notify.views import delivery_view, notification_view

MAX_ID = 2**63 - 1
# How many are counted beyond the start of the page. To count a million takes longer than to show twenty.
COUNTED = 2000
COUNTED_IN_SEARCH = 200


class _Paged(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    page: int = Field(1, ge=1, le=1_000_000)
    page_size: int = Field(20, ge=1, le=100)

    @property
    def offset(self) -> int:
        """How many come before this page."""
        return (self.page - 1) * self.page_size


class HistoryQuery(_Paged):
    """The filters of `GET /api/notifications`; `after` is the highest id seen, and lists upwards from it.

    `q` finds what holds all of its words in title or message, in any order. A word may be its beginning
    ("down" finds "download"); Chinese and Japanese are found from one character on, anywhere.
    """

    type: Literal["info", "success", "warning", "error"] | None = None
    status: NotificationStatus | None = None
    priority: Literal["low", "normal", "high", "urgent"] | None = None
    channel: str | None = Field(None, max_length=64)
    unread_only: bool = False
    q: str | None = Field(None, max_length=200, description="Words, or beginnings of words, all of them")
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
    """One page of a list; `total` counts what the filters leave, or the least that they leave."""

    items: list[dict[str, Any]]
    total: int
    page: int
    page_size: int
    total_is_exact: bool = True

    def to_json(self) -> dict[str, Any]:
        """Return the contract's shape of a list."""
        pages = -(-self.total // self.page_size)
        return {
            "items": self.items,
            "total": self.total,
            "total_is_exact": self.total_is_exact,
            "page": self.page,
            "page_size": self.page_size,
            "total_pages": pages,
        }


def list_notifications(session: Session, query: HistoryQuery) -> Page:
    """Return notifications, the newest first; after a cursor, the oldest first."""
    if query.q is not None and query.q.strip():
        most = query.offset + COUNTED_IN_SEARCH
        found = search.find(session, query.q, _filters(session, query), limit=most + 1, after=query.after)
        ids, counted = found[query.offset :][: query.page_size], len(found)
    else:
        chosen, most = _chosen(session, query), query.offset + COUNTED
        ids = list(session.scalars(chosen.limit(query.page_size).offset(query.offset)))
        counted = _count(session, chosen, most)
    items = [notification_view(row) for row in _loaded(session, ids)]
    return Page(items, min(counted, most), query.page, query.page_size, total_is_exact=counted <= most)


def list_deliveries(session: Session, query: DeliveryQuery) -> Page:
    """Return deliveries with the title of what they carry, the newest first."""
    found = (
        select(Delivery)
        .join(Notification, Notification.id == Delivery.notification_id)
        .where(Notification.deleted_at.is_(None))
    )
    if query.status is not None:
        found = found.where(Delivery.state == in_words(query.status))
    if query.channel is not None:
        found = found.where(Delivery.channel == query.channel)
    if query.open_only:
        found = found.where(Delivery.state.in_(in_words(*backlog.OPEN)))
    if query.open_only or query.status not in (None, DeliveryState.DELIVERED):
        found = found.where(*_as_indexed(session, Delivery.state != in_words(DeliveryState.DELIVERED)))
    rows = found.order_by(Delivery.id.desc())
    most = query.offset + COUNTED
    counted = _count(session, rows, most)
    titled = rows.options(selectinload(Delivery.notification))
    items = [_titled(row) for row in session.scalars(titled.limit(query.page_size).offset(query.offset))]
    return Page(items, min(counted, most), query.page, query.page_size, total_is_exact=counted <= most)


def _chosen(session: Session, query: HistoryQuery) -> Select[int]:
    """Return the ids in the order of the list, so written that an index has them in this order."""
    found = select(Notification.id).where(*_filters(session, query, but_channel=True))
    if query.channel is not None:
        # Deliveries are numbered in the order of their notifications.
        found = found.join(Delivery, Delivery.notification_id == Notification.id)
        key = Delivery.id
        found = found.where(Delivery.channel == query.channel)
    elif (query.since or query.until) and query.after is None:
        return found.order_by(Notification.created_at.desc(), Notification.id.desc())
    else:
        key = Notification.id
    return found.order_by(key.asc() if query.after is not None else key.desc())


def _filters(
    session: Session, query: HistoryQuery, *, but_channel: bool = False
) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [Notification.deleted_at.is_(None)]
    for column, value in ((Notification.type, query.type), (Notification.priority, query.priority)):
        if value is not None:
            found.append(column == value)
    if query.status is not None:
        found.append(Notification.status == in_words(query.status))
    if query.status not in (None, NotificationStatus.SENT):
        found += _as_indexed(session, Notification.status != in_words(NotificationStatus.SENT))
    if query.channel is not None and not but_channel:
        sent_over = Delivery.channel == query.channel
        found.append(exists().where(Delivery.notification_id == Notification.id, sent_over))
    if query.unread_only:
        found += [Notification.read_at.is_(None), Notification.inbox_at.is_not(None)]
    return found + _bounds(query)


def _as_indexed(session: Session, condition: ColumnElement[bool]) -> list[ColumnElement[bool]]:
    """Repeat a partial index's own condition for SQLite, which looks for its very words.

    PostgreSQL infers it, and would take the repetition for something else that makes rows rarer.
    """
    return [condition] if session.get_bind().dialect.name == "sqlite" else []


def _bounds(query: HistoryQuery) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if query.since is not None:
        found.append(Notification.created_at >= query.since)
    if query.until is not None:
        found.append(Notification.created_at <= query.until)
    if query.after is not None:
        found.append(Notification.id > query.after)
    return found


def _count(session: Session, chosen: Select[Any], most: int) -> int:
    """Count in the order of the list up to one more than `most`."""
    some = chosen.with_only_columns(text("1")).limit(most + 1).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0


def _loaded(session: Session, ids: Sequence[int]) -> list[Notification]:
    rows = select(Notification).where(Notification.id.in_(ids)).options(selectinload(Notification.deliveries))
    found = {row.id: row for row in session.scalars(rows)}
    return [found[number] for number in ids if number in found]


def _titled(delivery: Delivery) -> dict[str, Any]:
    about = delivery.notification
    return delivery_view(delivery) | {"title": about.title, "type": about.type, "priority": about.priority}
