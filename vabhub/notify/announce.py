"""Tells the world about a change, after the commit: hints to workers, events to the live page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import redis
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from vabhub.db import after_commit
from vabhub.events.bus import publish_with
from vabhub.events.topics import Topic
from vabhub.log import get_logger
from vabhub.models import Notification
from vabhub.notify.views import Shown, notification_view
from vabhub.queues import Queue, Task, hint, wake
from vabhub.redis_client import PREFIX, get_redis

log = get_logger(__name__)

QUEUES = (Queue.URGENT, Queue.HIGH, Queue.DEFAULT, Queue.LOW)
COUNTS_KEY = f"{PREFIX}delivery:counts"
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


def event_after_commit(
    session: Session, event: str, notifications: Sequence[Shown], *, inbox: bool = False
) -> None:
    """Publish `event` with each notification as it is now, once this transaction is committed.

    `inbox` counts what is unread anew; otherwise that number is null: it has not changed.
    """
    unread = unread_count(session) if notifications and inbox else None
    _news(session).events += [
        {"event": event, "notification": notification_view(notification), "unread": unread}
        for notification in notifications
    ]


def inbox_event_after_commit(session: Session, event: str, **about: Any) -> None:
    """Publish `event` for a change of the whole inbox, once this transaction is committed."""
    news = {"event": event, "notification": None, "unread": unread_count(session), **about}
    _news(session).events.append(news)


def count_after_commit(session: Session, **counts: float) -> None:
    """Add to the counters that metrics.py reads, once this transaction is committed."""
    kept = _news(session).counts
    for name, by in counts.items():
        kept[name] = kept.get(name, 0) + by


def hint_after_commit(session: Session, deliveries: Iterable[tuple[int, int]]) -> None:
    """Hint `(delivery id, priority)` to the workers, once this transaction is committed."""
    _news(session).hints += deliveries


def hint_all(deliveries: Iterable[tuple[int, int]]) -> list[int]:
    """Hint `(delivery id, priority)` to the workers; return the ids that Redis did not take.

    It stops at the first failure: each would cost its time-out, and the sweep hints again.
    """
    waiting = list(deliveries)
    lost = _hint(waiting)
    if len(lost) < len(waiting):
        try:
            wake(get_redis(), _queues(waiting))
        except redis.RedisError as error:
            log.warning("notify.wake_lost", reason=str(error)[:200])
    return lost


def _hint(waiting: list[tuple[int, int]]) -> list[int]:
    for number, (delivery_id, priority) in enumerate(waiting):
        if not hint(Task.DELIVER, delivery_id, queue=QUEUES[priority], waking=False):
            return [left for left, _ in waiting[number:]]
    return []


def _queues(waiting: list[tuple[int, int]]) -> list[Queue]:
    return [QUEUES[priority] for priority in sorted({priority for _, priority in waiting})]


@dataclass(slots=True)
class _News:
    """What one transaction has to tell. While Redis is away it costs one time-out, not one a message."""

    hints: list[tuple[int, int]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[str, float] = field(default_factory=dict)

    def tell(self) -> None:
        if _hint(self.hints):
            return
        try:
            self._say()
        except redis.RedisError as error:
            log.warning("notify.events_lost", count=len(self.events), reason=str(error)[:200])

    def _say(self) -> None:
        """One round trip for all of it."""
        with get_redis().pipeline(transaction=False) as pipe:
            wake(pipe, _queues(self.hints))
            for event in self.events:
                publish_with(pipe, Topic.NOTIFICATIONS, event)
            for name, by in self.counts.items():
                pipe.hincrbyfloat(COUNTS_KEY, name, by)
            pipe.execute()


def _news(session: Session) -> _News:
    news: _News | None = session.info.get("news")
    if news is None:
        news = session.info["news"] = _News()
        # After the commit: a worker can be faster than our own COMMIT.
        after_commit(session, news.tell)
    return news
