"""What was sent: one notification with its attempts, read marks, deletion; `lists` has the lists."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, select, update
from sqlalchemy import delete as delete_rows
from sqlalchemy.orm import Session, selectinload

from vabhub.db import db_now, reading, transaction
from vabhub.errors import NotFound
from vabhub.models import Attempt, Delivery, Notification
from vabhub.notify import deliveries as changes
from vabhub.notify import search_index
from vabhub.notify.announce import event_after_commit, inbox_event_after_commit
from vabhub.notify.states import ACTIVE, DeliveryState
from vabhub.notify.views import attempt_view, notification_view
from vabhub.settings import get_settings

KEEP_DELETED = timedelta(hours=24)
SLICE = 100  # so many rows, in all tables and in the index of words, let a POST wait little
PAUSE_S = 0.05


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


def delete_all() -> int:
    """Take all there is now out of the history, cancel what still waits, and return how many there were.

    Slice by slice, each in a transaction of its own: a million in one would keep all others from writing.
    """
    with reading() as session:
        newest = session.scalar(select(func.max(Notification.id))) or 0
    count = 0
    while part := _hide_some(newest):
        count += part
    with transaction() as session:
        inbox_event_after_commit(session, "deleted", count=count)
    return count


def _hide_some(newest: int) -> int:
    with transaction() as session:
        some = select(Notification.id).where(_shown(), Notification.id <= newest).limit(SLICE)
        ids = list(session.scalars(some.order_by(Notification.id.desc())))
        if ids:
            _hide(session, ids)
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
        search_index.forget(session, gone)
        for statement in (
            delete_rows(Attempt).where(Attempt.delivery_id.in_(its)),
            delete_rows(Delivery).where(Delivery.notification_id.in_(gone)),
            delete_rows(Notification).where(Notification.id.in_(gone)),
        ):
            session.execute(statement.execution_options(synchronize_session=False))
        return len(gone)


def _shown() -> ColumnElement[bool]:
    return Notification.deleted_at.is_(None)


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
    search_index.forget(session, ids)
    _update(session, Notification.id.in_(ids), deleted_at=db_now(session))


def _update(session: Session, *conditions: ColumnElement[bool], **values: Any) -> int:
    statement = update(Notification).where(*conditions).values(**values).returning(Notification.id)
    return len(session.execute(statement.execution_options(synchronize_session=False)).all())
