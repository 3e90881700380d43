"""Finds what no worker holds any more and what is due without a hint; safe in several processes at once."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from vabhub.db import db_now, reading, transaction
from vabhub.log import get_logger
from vabhub.models import Attempt, Delivery
from vabhub.notify import states
from vabhub.notify.announce import QUEUES, count_after_commit, event_after_commit, hint_all
from vabhub.notify.prepared import in_words
from vabhub.notify.states import WAITING, DeliveryState, Moved
from vabhub.queues import untaken

log = get_logger(__name__)

BATCH = 500
FRESH = timedelta(seconds=30)  # a hint younger than this may still be on its way
# When the queues are empty it is with a worker, who claims at once, or it was lost; and so it is, a little
# later, behind few others.
FRESH_WHEN_EMPTY = timedelta(seconds=5)
FRESH_BEHIND_FEW = timedelta(seconds=10)
FEW = 50
MAX_CRASHES = 3
SPREAD_S = 10.0
CRASHED = "the worker stopped in the middle of an attempt"
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep did."""

    expired: int = 0
    hinted: int = 0


def sweep_once() -> Swept:
    """Take expired leases back and hint what is due, 500 of each at most, the most urgent first."""
    expired = _expire() if _any(_expired) else 0
    due = _hint_due()
    lost = hint_all(due)
    if lost:
        _forget_hints(lost)
    if expired:
        log.warning("sweep.leases_expired", count=expired)
    return Swept(expired, len(due) - len(lost))


def _expired(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return Delivery.state == DeliveryState.SENDING.value, Delivery.lease_until < now


def _hint_due() -> list[tuple[int, int]]:
    if not _any(partial(_due, fresh=FRESH_WHEN_EMPTY)):
        return []
    return _mark_hinted(_fresh(untaken(QUEUES)))


def _fresh(waiting: int | None) -> timedelta:
    if waiting is None or waiting > FEW:
        return FRESH
    return FRESH_BEHIND_FEW if waiting else FRESH_WHEN_EMPTY


def _due(now: datetime, fresh: timedelta) -> tuple[ColumnElement[bool], ...]:
    stale = or_(Delivery.hint_at.is_(None), Delivery.hint_at < now - fresh)
    return Delivery.state.in_(in_words(*sorted(WAITING))), Delivery.next_attempt_at <= now, stale


def _any(what: Callable[[datetime], tuple[ColumnElement[bool], ...]]) -> bool:
    """Look before writing: an idle sweep takes no lock."""
    with reading() as session:
        conditions = what(db_now(session))
        return session.scalar(select(Delivery.id).where(*conditions).limit(1)) is not None


def _expire() -> int:
    with transaction() as session:
        now = db_now(session)
        chosen = list(session.scalars(select(Delivery.id).where(*_expired(now)).limit(BATCH)))
        mine = (Delivery.id.in_(chosen), *_expired(now))
        asked, poison = Delivery.cancel_requested.is_(True), Delivery.crashes + 1 >= MAX_CRASHES
        moved = [
            *_take_back(session, DeliveryState.CANCELLED, now, *mine, asked),
            *_take_back(session, DeliveryState.DEAD, now, *mine, ~asked, poison),
            *_take_back(session, DeliveryState.RETRYING, now, *mine, ~asked, ~poison),
        ]
        changed = states.refresh(session, {row.notification_id for row in moved}, now) if moved else []
        event_after_commit(session, "delivery", changed)
        count_after_commit(session, leases_expired=len(moved), **{"attempt:unknown": len(moved)})
        return len(moved)


def _take_back(
    session: Session, target: DeliveryState, now: datetime, *conditions: ColumnElement[bool]
) -> list[Moved]:
    again = target is DeliveryState.RETRYING
    ends = {"next_attempt_at": now} if again else {"finished_at": now}
    moved = states.move(
        session,
        {DeliveryState.SENDING},
        target,
        *conditions,
        crashes=Delivery.crashes + 1,
        owner=None,
        lease_until=None,
        hint_at=None,
        last_error=CRASHED,
        **ends,
    )
    for row in moved:
        _close_attempt(session, row, target, now)
        if again and len(moved) > 1:
            _set_apart(session, row, now)
    return moved


def _set_apart(session: Session, row: Moved, now: datetime) -> None:
    """Deliveries that fell together do not rise together: a poison one would take the same ones along."""
    wait = timedelta(seconds=random.uniform(0, SPREAD_S))  # noqa: S311
    session.execute(
        update(Delivery)
        .where(Delivery.id == row.id, Delivery.epoch == row.epoch)
        .values(next_attempt_at=now + wait)
        .execution_options(synchronize_session=False)
    )


def _close_attempt(session: Session, row: Moved, target: DeliveryState, now: datetime) -> None:
    session.execute(
        update(Attempt)
        .where(Attempt.delivery_id == row.id, Attempt.epoch == row.epoch, Attempt.finished_at.is_(None))
        .values(finished_at=now, outcome=UNKNOWN, text=CRASHED, next_state=target.value)
        .execution_options(synchronize_session=False)
    )


def _mark_hinted(fresh: timedelta) -> list[tuple[int, int]]:
    with transaction() as session:
        now = db_now(session)
        chosen = (
            select(Delivery.id)
            .where(*_due(now, fresh))
            .order_by(Delivery.priority, Delivery.next_attempt_at)
            .limit(BATCH)
            .with_for_update(skip_locked=True)
            .cte("chosen")
        )
        marked = session.execute(
            update(Delivery)
            .where(Delivery.id.in_(select(chosen.c.id)))
            .values(hint_at=now)
            .returning(Delivery.id, Delivery.priority)
            .execution_options(synchronize_session=False)
        )
        return sorted(((row.id, row.priority) for row in marked), key=lambda row: (row[1], row[0]))


def _forget_hints(lost: Iterable[int]) -> None:
    """Redis is away: hint these again with the next sweep."""
    with transaction() as session:
        session.execute(
            update(Delivery)
            .where(Delivery.id.in_(list(lost)), Delivery.state.in_(sorted(WAITING)))
            .values(hint_at=None)
            .execution_options(synchronize_session=False)
        )
