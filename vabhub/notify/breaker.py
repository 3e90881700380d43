"""Holds a channel that keeps failing: after five failures in a row, one probe at a time finds out."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, bindparam, case, or_, select, true, update
from sqlalchemy.orm import Session

from vabhub.log import get_logger
from vabhub.models import Channel, Delivery, UtcDateTime
from vabhub.notify.prepared import Prepared
from vabhub.notify.states import WAITING

log = get_logger(__name__)

OPENS_AFTER = 5
FIRST_HOLD = timedelta(seconds=30)
LONGEST_HOLD = timedelta(minutes=15)
# Longer than an attempt may take; a probe whose worker died is followed by another.
PROBE = timedelta(seconds=45)
HELD = "the channel is held after several failures; a probe goes first"

CHANNEL = Channel.__table__
_PROBE = Prepared(
    update(Channel.__table__)  # type: ignore[arg-type]
    .where(CHANNEL.c.id == bindparam("the_id"), CHANNEL.c.opened_at.is_not(None))
    .where(
        or_(
            CHANNEL.c.blocked_until.is_(None),
            CHANNEL.c.blocked_until <= bindparam("the_now", type_=UtcDateTime),
        )
    )
    .values(blocked_until=bindparam("the_end", type_=UtcDateTime))
)


def hold(failures: int) -> timedelta:
    """Return how long a channel is held after so many failures: 30 s, doubling, at most 15 min."""
    doublings = max(0, min(failures - OPENS_AFTER, 10))
    return min(FIRST_HOLD * int(2**doublings), LONGEST_HOLD)


def may_probe(session: Session, channel_id: int, now: datetime) -> bool:
    """Take the one probe of an open channel whose hold is over."""
    return _PROBE.run(session, the_id=channel_id, the_now=now, the_end=now + PROBE).rowcount == 1


def failed(session: Session, channel: str, now: datetime, why: str, *, probing: bool) -> bool:
    """Count a failure; True when it opened the channel's circuit. `why` holds no secret.

    While the circuit is open only the probe counts: what was under way before says nothing new, and eight
    threads that fail together would hold the channel eight times as long as one.
    """
    counts = true() if probing else Channel.opened_at.is_(None)
    counted = session.execute(
        update(Channel)
        .where(Channel.name == channel, Channel.builtin.is_(False), counts)
        .values(failures=Channel.failures + 1, last_error=why)
        .returning(Channel.failures, Channel.opened_at, Channel.blocked_until)
        .execution_options(synchronize_session=False)
    ).first()
    if counted is None or counted.failures < OPENS_AFTER:
        return False
    until = now + hold(counted.failures)
    longer = case((Channel.blocked_until > until, Channel.blocked_until), else_=until)
    session.execute(
        update(Channel)
        .where(Channel.name == channel)
        .values(opened_at=counted.opened_at or now, blocked_until=longer)
        .execution_options(synchronize_session=False)
    )
    log.warning("channel.held", channel=channel, failures=counted.failures)
    return counted.opened_at is None


def healed(session: Session, channel: str, now: datetime) -> bool:
    """Forget the failures and let go what was held; True when that closed an open circuit."""
    was_open = session.scalar(select(Channel.opened_at).where(Channel.name == channel)) is not None
    fields: dict[str, object] = {"failures": 0, "last_error": None}
    if was_open:
        fields |= {"opened_at": None, "blocked_until": None}
    session.execute(
        update(Channel)
        .where(Channel.name == channel, Channel.failures > 0)
        .values(**fields)
        .execution_options(synchronize_session=False)
    )
    if was_open:
        _move(session, channel, now, Delivery.last_error == HELD)
        log.info("channel.healed", channel=channel)
    return was_open


def postpone(
    session: Session, channel: str, until: datetime, *only: ColumnElement[bool], why: str | None = None
) -> None:
    """Let all that is due on the channel before `until` wait for it, without counting attempts."""
    _move(session, channel, until, Delivery.next_attempt_at < until, *only, why=why)


def _move(
    session: Session, channel: str, at: datetime, *only: ColumnElement[bool], why: str | None = None
) -> None:
    waiting = (Delivery.channel == channel, Delivery.state.in_(sorted(WAITING)))
    # What another worker is about to take is left to it.
    chosen = select(Delivery.id).where(*waiting, *only).with_for_update(skip_locked=True).cte("chosen")
    values: dict[str, object] = {"next_attempt_at": at, "hint_at": None}
    if why is not None:
        values["last_error"] = why
    session.execute(
        update(Delivery)
        .where(Delivery.id.in_(select(chosen.c.id)))
        .values(**values)
        .execution_options(synchronize_session=False)
    )
