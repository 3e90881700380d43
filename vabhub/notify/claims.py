"""A worker's right to make one attempt: one conditional UPDATE with a lease, committed before any sending."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Row, Table, bindparam, func, insert, select, update
from sqlalchemy.orm import Session

from vabhub.channels import registry
from vabhub.channels.base import Message
from vabhub.db import db_now, transaction
from vabhub.models import Attempt, Channel, Delivery, MessageTemplate, UtcDateTime
from vabhub.notify import breaker, events, limits, states
from vabhub.notify.default_words import default_language
from vabhub.notify.limits import Rate
from vabhub.notify.prepared import Prepared
from vabhub.notify.render import Wording, message_of, wording_of
from vabhub.notify.retry import SCHEDULE_S, RetryPlan
from vabhub.notify.slots import PATIENCE_S, URGENT, Place
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
TEMPLATE = cast(Table, MessageTemplate.__table__)

LEASE = timedelta(seconds=45)
# A channel that is off keeps what waits for it: looked at again after RECHECK, given up after KEEP.
RECHECK = timedelta(minutes=5)
KEEP = timedelta(hours=72)
CROWDED = timedelta(seconds=2)

_DUE = (
    DELIVERY.c.id == bindparam("the_id"),
    DELIVERY.c.next_attempt_at <= bindparam("the_now", type_=UtcDateTime),
)
# The template that fits best: one for the channel before one for the language before one for all.
_LANGUAGE = func.coalesce(CHANNEL.c.language, bindparam("the_language"))
_BEST_TEMPLATE = (
    select(TEMPLATE.c.id)
    .where(
        TEMPLATE.c.event == func.coalesce(NOTIFICATION.c.template, events.PLAIN),
        TEMPLATE.c.channel.in_(("", DELIVERY.c.channel)),
        TEMPLATE.c.language.in_(("", _LANGUAGE)),
    )
    .order_by(TEMPLATE.c.channel.desc(), TEMPLATE.c.language.desc())
    .limit(1)
    .correlate(NOTIFICATION, DELIVERY, CHANNEL)
    .scalar_subquery()
)
_CANDIDATE = Prepared(
    select(
        DELIVERY.c.state,
        DELIVERY.c.created_at.label("waits_since"),
        *(DELIVERY.c[name] for name in ("webhook_id", "channel", "progress")),
        *(NOTIFICATION.c[name] for name in ("title", "message", "type", "created_at", "link", "image_url")),
        *(NOTIFICATION.c[name] for name in ("data", "status", "send_at")),
        NOTIFICATION.c.priority.label("priority_name"),
        DELIVERY.c.priority,
        CHANNEL.c.id.label("channel_id"),
        *(CHANNEL.c[name] for name in ("rate_per_minute", "burst", "failures", "opened_at")),
        *(CHANNEL.c[name] for name in ("kind", "enabled", "disabled_reason", "blocked_until")),
        *(CHANNEL.c[name] for name in ("sealed_settings", "max_attempts", "retry_schedule_s", "language")),
        NOTIFICATION.c.template.label("event"),
        TEMPLATE.c.id.label("template_id"),
        *(TEMPLATE.c[name] for name in ("subject", "body", "markdown")),
    )
    .join(NOTIFICATION, NOTIFICATION.c.id == DELIVERY.c.notification_id)
    .outerjoin(CHANNEL, CHANNEL.c.name == DELIVERY.c.channel)
    .outerjoin(TEMPLATE, TEMPLATE.c.id == _BEST_TEMPLATE)
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
    priority: int
    failing: bool  # the channel's last attempt failed
    probing: bool  # the channel is held; this finds out whether it has come back
    rate: Rate | None  # what each further part of the message has to wait for
    message: Message  # as it came
    wording: Wording  # the words it is to be put in


@dataclass(frozen=True, slots=True)
class _Ask:
    """What must be known before the claim, and is not asked for inside a transaction."""

    channel: str
    priority: int
    rate: Rate | None  # None: whether the channel has a place for this thread


def claim(delivery_id: int, owner: str, place: Place | None = None) -> Claim | None:
    """Take a waiting, due delivery for 45 s, and write down that an attempt begins.

    None means that there is nothing to do: another worker has it, it is not due, its channel is held, has
    had its share for now, or has no `place` for this thread.
    """
    found = _try(delivery_id, owner, place, None)
    if isinstance(found, _Ask) and found.rate is None:
        if place is not None and not place.take(found.channel, found.priority, patience_s=PATIENCE_S):
            _crowded(found)
            return None
        found = _try(delivery_id, owner, place, None)
    if isinstance(found, _Ask) and found.rate is not None:
        wait_s = limits.wait_s(found.channel, delivery_id, found.rate)
        found = _try(delivery_id, owner, place, wait_s)
    return None if isinstance(found, _Ask) else found


def _crowded(asked: _Ask) -> None:
    """Let all that would only wait for the same slow channel come back later."""
    alike = Delivery.priority == URGENT if asked.priority == URGENT else Delivery.priority != URGENT
    with transaction() as session:
        breaker.postpone(session, asked.channel, db_now(session) + CROWDED, alike)


def _try(delivery_id: int, owner: str, place: Place | None, wait_s: float | None) -> Claim | _Ask | None:
    with transaction() as session:
        now = db_now(session)
        wanted = {"the_id": delivery_id, "the_now": now, "the_language": default_language()}
        row = _CANDIDATE.run(session, **wanted).one_or_none()
        if row is None or DeliveryState(row.state) not in WAITING:
            return None
        given_up = _given_up(row, now)
        if given_up is None:
            if (asked := _asked(row, place, wait_s, now)) is not None:
                return asked
            if not _may_go(session, delivery_id, row, wait_s, now):
                return None
        moved = states.run(
            session, _TAKE, the_id=delivery_id, the_now=now, the_owner=owner, the_lease=now + LEASE
        )
        if moved is None:
            return None
        _begin_attempt(session, moved, row, now)
        return _claim(moved, row, given_up)


def _asked(row: Row[Any], place: Place | None, wait_s: float | None, now: datetime) -> _Ask | None:
    if _held_until(row, now) is not None:
        return None  # the answer would not be needed
    if place is not None and not place.take(row.channel, row.priority):
        return _Ask(row.channel, row.priority, None)
    rate = _rate(row) if wait_s is None else None
    return None if rate is None else _Ask(row.channel, row.priority, rate)


def _may_go(session: Session, delivery_id: int, row: Row[Any], wait_s: float | None, now: datetime) -> bool:
    """Say whether the channel takes it now; if not, let it wait without counting an attempt."""
    until = _held_until(row, now)
    if until is not None:
        held = breaker.HELD if row.opened_at is not None else "the provider asked to wait"
        breaker.postpone(session, row.channel, until, why=_off(row) or held)
        return False
    if wait_s:
        _wait(session, delivery_id, now + timedelta(seconds=wait_s))
        return False
    return row.opened_at is None or breaker.may_probe(session, row.channel_id, now)


def _held_until(row: Row[Any], now: datetime) -> datetime | None:
    until: datetime | None = now + RECHECK if _off(row) else row.blocked_until
    return until if until is not None and until > now else None


def _given_up(row: Row[Any], now: datetime) -> str | None:
    if row.channel_id is None:
        return f"the channel {row.channel!r} was deleted"
    off = _off(row)
    return off if off and (row.send_at or row.waits_since) < now - KEEP else None


def _off(row: Row[Any]) -> str | None:
    if row.disabled_reason is not None:
        return f"the channel is switched off: {row.disabled_reason}"
    return None if row.enabled else "the channel is switched off"


def _rate(row: Row[Any]) -> Rate | None:
    if row.rate_per_minute is not None:
        return Rate(row.rate_per_minute, row.burst or 1)
    usual = registry.usual_rate(row.kind or "")
    return None if usual is None else Rate(usual[0], row.burst or usual[1])


def _wait(session: Session, delivery_id: int, until: datetime) -> None:
    session.execute(
        update(Delivery)
        .where(Delivery.id == delivery_id, Delivery.state.in_(sorted(WAITING)))
        .values(next_attempt_at=until, hint_at=None)
        .execution_options(synchronize_session=False)
    )


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
        priority=moved.priority,
        failing=bool(row.failures),
        probing=row.opened_at is not None,
        rate=_rate(row),
        message=message_of(row),
        wording=wording_of(row, default_language()),
    )
