"""A worker's right to make one attempt: one conditional UPDATE with a lease, committed before any sending."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from vabhub.channels.base import Message
from vabhub.db import db_now, transaction
from vabhub.models import Attempt, Channel, Delivery, Notification, UtcDateTime
from vabhub.notify import states
from vabhub.notify.render import render
from vabhub.notify.retry import SCHEDULE_S, RetryPlan
from vabhub.notify.states import WAITING, DeliveryState, Moved, NotificationStatus

LEASE = timedelta(seconds=45)
# A channel that is off keeps what waits for it: looked at again after RECHECK, given up after KEEP.
RECHECK = timedelta(minutes=5)
KEEP = timedelta(hours=72)

# Built once: putting a statement together costs more than running it.
_DUE = (
    Delivery.id == bindparam("the_id"),
    Delivery.state.in_(sorted(WAITING)),
    Delivery.next_attempt_at <= bindparam("the_now", type_=UtcDateTime),
)
_CANDIDATE = (
    select(Delivery, Notification, Channel)
    .join(Notification, Notification.id == Delivery.notification_id)
    .outerjoin(Channel, Channel.name == Delivery.channel)
    .where(*_DUE)
)
_TAKE = states.mover(
    WAITING,
    DeliveryState.SENDING,
    *_DUE,
    epoch=Delivery.epoch + 1,
    attempts=Delivery.attempts + 1,
    owner=bindparam("the_owner"),
    lease_until=bindparam("the_lease", type_=UtcDateTime),
)
_ATTEMPT = insert(Attempt)
_SENDING = (
    update(Notification)
    .where(Notification.id == bindparam("the_id"), Notification.status == NotificationStatus.PENDING.value)
    .values(status=NotificationStatus.SENDING.value)
    .execution_options(synchronize_session=False)
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
        row = session.execute(_CANDIDATE, {"the_id": delivery_id, "the_now": now}).one_or_none()
        if row is None:
            return None
        delivery, notification, channel = row
        given_up = _given_up(delivery, notification, channel, now)
        if given_up is None and _postponed(session, delivery, channel, now):
            return None
        moved = _take(session, delivery_id, owner, now)
        if moved is None:
            return None
        _begin_attempt(session, moved, now)
        return _claim(moved, delivery, notification, channel, given_up)


def _take(session: Session, delivery_id: int, owner: str, now: datetime) -> Moved | None:
    moved = states.run(
        session, _TAKE, the_id=delivery_id, the_now=now, the_owner=owner, the_lease=now + LEASE
    )
    return moved[0] if moved else None


def _given_up(
    delivery: Delivery, notification: Notification, channel: Channel | None, now: datetime
) -> str | None:
    if channel is None:
        return f"the channel {delivery.channel!r} was deleted"
    waits_since = notification.send_at or delivery.created_at
    off = _off(channel)
    return off if off and waits_since < now - KEEP else None


def _off(channel: Channel) -> str | None:
    if channel.disabled_reason is not None:
        return f"the channel is switched off: {channel.disabled_reason}"
    return None if channel.enabled else "the channel is switched off"


def _postponed(session: Session, delivery: Delivery, channel: Channel, now: datetime) -> bool:
    """Let the delivery wait, without counting an attempt, while its channel takes nothing."""
    off, blocked = _off(channel), channel.blocked_until
    until = now + RECHECK if off else blocked
    if until is None or until <= now:
        return False
    session.execute(
        update(Delivery)
        .where(Delivery.id == delivery.id, Delivery.state.in_(sorted(WAITING)))
        .values(next_attempt_at=until, hint_at=None, last_error=off or "the provider asked to wait")
        .execution_options(synchronize_session=False)
    )
    return True


def _begin_attempt(session: Session, moved: Moved, now: datetime) -> None:
    session.execute(_ATTEMPT, {"delivery_id": moved.id, "epoch": moved.epoch, "started_at": now})
    session.execute(_SENDING, {"the_id": moved.notification_id})


def _claim(
    moved: Moved,
    delivery: Delivery,
    notification: Notification,
    channel: Channel | None,
    given_up: str | None,
) -> Claim:
    return Claim(
        delivery_id=moved.id,
        webhook_id=delivery.webhook_id,
        epoch=moved.epoch,
        attempts=moved.attempts,
        channel=moved.channel,
        kind=channel.kind if channel else "",
        sealed_settings=channel.sealed_settings if channel else None,
        plan=_plan(channel),
        given_up=given_up,
        message=render(notification, delivery),
    )


def _plan(channel: Channel | None) -> RetryPlan:
    if channel is None:
        return RetryPlan()
    return RetryPlan(channel.retry_schedule_s or SCHEDULE_S, channel.max_attempts)
