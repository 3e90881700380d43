"""A worker's right to make one attempt: one conditional UPDATE with a lease, committed before any sending."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Row, Table, bindparam, insert, select, update
from sqlalchemy.orm import Session

from vabhub.channels.base import Message
from vabhub.db import db_now, transaction
from vabhub.models import Attempt, Channel, Delivery, UtcDateTime
from vabhub.notify import states
from vabhub.notify.prepared import Prepared
from vabhub.notify.render import render
from vabhub.notify.retry import SCHEDULE_S, RetryPlan
from vabhub.notify.states import (
    DELIVERY,
    NOTIFICATION,
    WAITING,
    DeliveryState,
    Moved,
    NotificationStatus,
)

ATTEMPT = cast(Table, Attempt.__table__)
CHANNEL = cast(Table, Channel.__table__)

LEASE = timedelta(seconds=45)
# A channel that is off keeps what waits for it: looked at again after RECHECK, given up after KEEP.
RECHECK = timedelta(minutes=5)
KEEP = timedelta(hours=72)

_DUE = (
    DELIVERY.c.id == bindparam("the_id"),
    DELIVERY.c.next_attempt_at <= bindparam("the_now", type_=UtcDateTime),
)
_CANDIDATE = Prepared(
    select(
        DELIVERY.c.state,
        DELIVERY.c.created_at.label("waits_since"),
        *(DELIVERY.c[name] for name in ("webhook_id", "channel", "progress")),
        *(NOTIFICATION.c[name] for name in ("title", "message", "type", "created_at", "link", "image_url")),
        *(NOTIFICATION.c[name] for name in ("data", "status", "send_at")),
        NOTIFICATION.c.priority.label("priority_name"),
        CHANNEL.c.id.label("channel_id"),
        *(CHANNEL.c[name] for name in ("kind", "enabled", "disabled_reason", "blocked_until")),
        *(CHANNEL.c[name] for name in ("sealed_settings", "max_attempts", "retry_schedule_s")),
    )
    .join(NOTIFICATION, NOTIFICATION.c.id == DELIVERY.c.notification_id)
    .outerjoin(CHANNEL, CHANNEL.c.name == DELIVERY.c.channel)
    .where(*_DUE)
)
_TAKE = states.mover(
    WAITING,
    DeliveryState.SENDING,
    *_DUE,
    epoch=DELIVERY.c.epoch + 1,
    attempts=DELIVERY.c.attempts + 1,
    owner=bindparam("the_owner"),
    lease_until=bindparam("the_lease", type_=UtcDateTime),
)
_ATTEMPT = Prepared(
    insert(ATTEMPT)
    .values(
        delivery_id=bindparam("the_delivery"),
        epoch=bindparam("the_epoch"),
        started_at=bindparam("the_start", type_=UtcDateTime),
    )
    .inline()
)
_SENDING = Prepared(
    update(NOTIFICATION)
    .where(NOTIFICATION.c.id == bindparam("the_id"))
    .where(NOTIFICATION.c.status == NotificationStatus.PENDING.value)
    .values(status=NotificationStatus.SENDING.value)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One attempt, with all that it needs, so that no session stays open meanwhile."""

    delivery_id: int
    webhook_id: str
    epoch: int
    attempts: int
    channel: str
    kind: str
    sealed_settings: str | None
    plan: RetryPlan
    given_up: str | None  # why nothing is to be sent at all
    message: Message


def claim(delivery_id: int, owner: str) -> Claim | None:
    """Take a waiting, due delivery for 45 s, and write down that an attempt begins.

    None means that there is nothing to do: another worker has it, it is not due, its channel is held.
    """
    with transaction() as session:
        now = db_now(session)
        row = _CANDIDATE.run(session, the_id=delivery_id, the_now=now).one_or_none()
        if row is None or DeliveryState(row.state) not in WAITING:
            return None
        given_up = _given_up(row, now)
        if given_up is None and _postponed(session, delivery_id, row, now):
            return None
        moved = states.run(
            session, _TAKE, the_id=delivery_id, the_now=now, the_owner=owner, the_lease=now + LEASE
        )
        if moved is None:
            return None
        _begin_attempt(session, moved, row, now)
        return _claim(moved, row, given_up)


def _given_up(row: Row[Any], now: datetime) -> str | None:
    if row.channel_id is None:
        return f"the channel {row.channel!r} was deleted"
    off = _off(row)
    return off if off and (row.send_at or row.waits_since) < now - KEEP else None


def _off(row: Row[Any]) -> str | None:
    if row.disabled_reason is not None:
        return f"the channel is switched off: {row.disabled_reason}"
    return None if row.enabled else "the channel is switched off"


def _postponed(session: Session, delivery_id: int, row: Row[Any], now: datetime) -> bool:
    """Let the delivery wait, without counting an attempt, while its channel takes nothing."""
    off, blocked = _off(row), row.blocked_until
    until = now + RECHECK if off else blocked
    if until is None or until <= now:
        return False
    session.execute(
        update(Delivery)
        .where(Delivery.id == delivery_id, Delivery.state.in_(sorted(WAITING)))
        .values(next_attempt_at=until, hint_at=None, last_error=off or "the provider asked to wait")
        .execution_options(synchronize_session=False)
    )
    return True


def _begin_attempt(session: Session, moved: Moved, row: Row[Any], now: datetime) -> None:
    _ATTEMPT.run(session, the_delivery=moved.id, the_epoch=moved.epoch, the_start=now)
    if row.status == NotificationStatus.PENDING:
        _SENDING.run(session, the_id=moved.notification_id)


def _claim(moved: Moved, row: Row[Any], given_up: str | None) -> Claim:
    return Claim(
        delivery_id=moved.id,
        webhook_id=row.webhook_id,
        epoch=moved.epoch,
        attempts=moved.attempts,
        channel=moved.channel,
        kind=row.kind or "",
        sealed_settings=row.sealed_settings,
        plan=RetryPlan(row.retry_schedule_s or SCHEDULE_S, row.max_attempts),
        given_up=given_up,
        message=render(row),
    )
