"""The states of a delivery, the moves between them, and the only statement that makes one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from types import SimpleNamespace
from typing import Any, cast

from sqlalchemy import ColumnElement, Table, bindparam, literal_column, or_, select, update
from sqlalchemy.orm import Session, selectinload

from vabhub.models import Delivery, Notification, UtcDateTime
from vabhub.notify.prepared import Prepared

DELIVERY = cast(Table, Delivery.__table__)
NOTIFICATION = cast(Table, Notification.__table__)


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
    _check(sources, target)
    made = (
        update(Delivery)
        .where(Delivery.state.in_(sorted(sources)), *conditions)
        .values(state=target.value, **values)
        .returning(*(getattr(Delivery, field.name) for field in fields(Moved)))
        .execution_options(synchronize_session=False)
    )
    return [Moved(**row) for row in session.execute(made).mappings()]


def mover(
    sources: Collection[DeliveryState],
    target: DeliveryState,
    *conditions: ColumnElement[bool],
    **values: Any,
) -> Prepared:
    """Return the statement of such a move, of table columns and bindparams, to be run for one delivery."""
    _check(sources, target)
    # Not IN (?): a list is expanded anew at every run.
    from_one_of = or_(*(DELIVERY.c.state == literal_column(f"'{source}'") for source in sorted(sources)))
    return Prepared(
        update(DELIVERY)
        .where(from_one_of, *conditions)
        .values(state=literal_column(f"'{target}'"), **values)
        .returning(*(DELIVERY.c[field.name] for field in fields(Moved)))
    )


def run(session: Session, statement: Prepared, **parameters: Any) -> Moved | None:
    """Run a prepared mover() of one delivery; None means that somebody else was first."""
    row = statement.run(session, **parameters).first()
    return None if row is None else Moved(*cast("tuple[Any, ...]", row))


def _check(sources: Collection[DeliveryState], target: DeliveryState) -> None:
    for source in sources:
        if target not in MOVES[source]:
            raise IllegalMove(f"{source} → {target}")


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


_LOCKED = Prepared(select(NOTIFICATION).where(NOTIFICATION.c.id == bindparam("the_id")).with_for_update())
_ITS_DELIVERIES = Prepared(
    select(DELIVERY).where(DELIVERY.c.notification_id == bindparam("the_id")).order_by(DELIVERY.c.id)
)
_SET_STATUS = Prepared(
    update(NOTIFICATION)
    .where(NOTIFICATION.c.id == bindparam("the_id"))
    .values(
        status=bindparam("the_status"),
        updated_at=bindparam("the_now", type_=UtcDateTime),
        inbox_at=bindparam("the_inbox", type_=UtcDateTime),
    )
)


def refresh_one(
    session: Session, notification_id: int, now: datetime, *, inbox: bool = False
) -> SimpleNamespace:
    """Do what refresh() does for one, without the mapper: it runs for every attempt.

    Returns the columns of the notification as attributes, `deliveries` among them.
    """
    row = _LOCKED.run(session, the_id=notification_id).one()
    found = SimpleNamespace(**row._mapping)
    found.deliveries = _ITS_DELIVERIES.run(session, the_id=notification_id).all()
    found.status, found.updated_at = derive_status(one.state for one in found.deliveries).value, now
    if inbox and found.inbox_at is None:
        found.inbox_at = now
    _SET_STATUS.run(
        session, the_id=notification_id, the_status=found.status, the_now=now, the_inbox=found.inbox_at
    )
    return found


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
