"""The states of a delivery, the moves between them, and the only statement that makes one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session, selectinload
from sqlalchemy.sql.dml import ReturningUpdate

from vabhub.models import Delivery, Notification


class DeliveryState(StrEnum):
    """Where one notification is on one channel."""

    PENDING = "pending"
    SENDING = "sending"
    RETRYING = "retrying"
    DELIVERED = "delivered"
    DEAD = "dead"
    CANCELLED = "cancelled"


class NotificationStatus(StrEnum):
    """What the deliveries of a notification come to."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"


WAITING = frozenset({DeliveryState.PENDING, DeliveryState.RETRYING})
ACTIVE = WAITING | {DeliveryState.SENDING}
FINAL = frozenset({DeliveryState.DELIVERED, DeliveryState.DEAD, DeliveryState.CANCELLED})
RESENDABLE = frozenset({DeliveryState.DEAD, DeliveryState.CANCELLED})
FINAL_STATUSES = frozenset(NotificationStatus) - {NotificationStatus.PENDING, NotificationStatus.SENDING}

MOVES: Mapping[DeliveryState, frozenset[DeliveryState]] = {
    DeliveryState.PENDING: frozenset({DeliveryState.SENDING, DeliveryState.CANCELLED}),
    DeliveryState.SENDING: frozenset(
        {DeliveryState.DELIVERED, DeliveryState.RETRYING, DeliveryState.DEAD, DeliveryState.CANCELLED}
    ),
    # Delivered without a claim is a late success: the lease ran out, then the provider said yes.
    DeliveryState.RETRYING: frozenset(
        {DeliveryState.SENDING, DeliveryState.CANCELLED, DeliveryState.DELIVERED}
    ),
    DeliveryState.DELIVERED: frozenset(),
    DeliveryState.DEAD: frozenset({DeliveryState.PENDING}),
    DeliveryState.CANCELLED: frozenset({DeliveryState.PENDING}),
}


class IllegalMove(RuntimeError):
    """A move that the table does not have was written into the code."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A delivery that was moved, as it is now."""

    id: int
    notification_id: int
    state: str
    channel: str
    priority: int
    epoch: int
    attempts: int
    crashes: int


def move(
    session: Session,
    sources: Collection[DeliveryState],
    target: DeliveryState,
    *conditions: ColumnElement[bool],
    **values: Any,
) -> list[Moved]:
    """Move every delivery that is in one of `sources` and meets `conditions`; return those that moved.

    Empty means that somebody else was first. Raises IllegalMove for a move that does not exist.
    """
    return run(session, mover(sources, target, *conditions, **values))


def mover(
    sources: Collection[DeliveryState],
    target: DeliveryState,
    *conditions: ColumnElement[bool],
    **values: Any,
) -> ReturningUpdate[*tuple[Any, ...]]:
    """Return the statement that makes the move, for where it is built once and run with parameters."""
    for source in sources:
        if target not in MOVES[source]:
            raise IllegalMove(f"{source} → {target}")
    return (
        update(Delivery)
        .where(Delivery.state.in_(sorted(sources)), *conditions)
        .values(state=target.value, **values)
        .returning(
            Delivery.id,
            Delivery.notification_id,
            Delivery.state,
            Delivery.channel,
            Delivery.priority,
            Delivery.epoch,
            Delivery.attempts,
            Delivery.crashes,
        )
        .execution_options(synchronize_session=False)
    )


def run(session: Session, statement: ReturningUpdate[*tuple[Any, ...]], **parameters: Any) -> list[Moved]:
    """Run a statement of mover()."""
    return [Moved(**row) for row in session.execute(statement, parameters).mappings()]


def derive_status(states: Iterable[str]) -> NotificationStatus:
    """Return a notification's status from the states of its deliveries."""
    found = {DeliveryState(state) for state in states}
    if found <= {DeliveryState.PENDING}:
        return NotificationStatus.PENDING
    if not found <= FINAL:
        return NotificationStatus.SENDING
    if found == {DeliveryState.DELIVERED}:
        return NotificationStatus.SENT
    if DeliveryState.DELIVERED in found:
        return NotificationStatus.PARTIAL
    return NotificationStatus.FAILED if DeliveryState.DEAD in found else NotificationStatus.CANCELLED


def refresh(
    session: Session, ids: Collection[int], now: datetime, *, inbox: bool = False
) -> list[Notification]:
    """Derive the status of these notifications anew and return them with their deliveries.

    The rows are locked before their deliveries are read: of two that finish at once, the second sees the
    first. Deliveries are always locked before their notification, so the two never wait for each other.
    """
    found = session.scalars(
        select(Notification)
        .where(Notification.id.in_(ids))
        .order_by(Notification.id)
        .with_for_update()
        .options(selectinload(Notification.deliveries))
        .execution_options(populate_existing=True)
    ).all()
    for notification in found:
        values: dict[str, Any] = {"status": derive_status(row.state for row in notification.deliveries)}
        if inbox and notification.inbox_at is None:
            values["inbox_at"] = now
        session.execute(
            update(Notification)
            .where(Notification.id == notification.id)
            .values(updated_at=now, **values)
            .execution_options(synchronize_session="evaluate")
        )
    return list(found)
