"""Tells the world about a change, after the commit: hints to workers, events to the live page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from vabhub.db import after_commit
from vabhub.events.bus import publish_or_log
from vabhub.events.topics import Topic
from vabhub.models import Notification
from vabhub.notify.views import notification_view
from vabhub.queues import Queue, Task, hint

QUEUES = (Queue.URGENT, Queue.HIGH, Queue.DEFAULT, Queue.LOW)
PRIORITIES = ("urgent", "high", "normal", "low")


def unread_count(session: Session) -> int:
    """Return how many notifications are in the inbox and not read."""
    query = (
        select(func.count())
        .select_from(Notification)
        .where(
            Notification.read_at.is_(None),
            Notification.inbox_at.is_not(None),
            Notification.deleted_at.is_(None),
        )
    )
    return session.scalar(query) or 0


def event_after_commit(session: Session, event: str, notifications: Sequence[Notification]) -> None:
    """Publish `event` with each notification as it is now, once this transaction is committed."""
    unread = unread_count(session)
    for notification in notifications:
        data = {"event": event, "notification": notification_view(notification), "unread": unread}
        after_commit(session, partial(publish_or_log, Topic.NOTIFICATIONS, data))


def inbox_event_after_commit(session: Session, event: str, **about: Any) -> None:
    """Publish `event` for a change of the whole inbox, once this transaction is committed."""
    data = {"event": event, "notification": None, "unread": unread_count(session), **about}
    after_commit(session, partial(publish_or_log, Topic.NOTIFICATIONS, data))


def hint_all(deliveries: Iterable[tuple[int, int]]) -> list[int]:
    """Hint `(delivery id, priority)` to the workers; return the ids that Redis did not take.

    It stops at the first failure: each would cost its time-out, and the sweep hints again.
    """
    waiting = list(deliveries)
    for number, (delivery_id, priority) in enumerate(waiting):
        if not hint(Task.DELIVER, delivery_id, queue=QUEUES[priority]):
            return [left for left, _ in waiting[number:]]
    return []
