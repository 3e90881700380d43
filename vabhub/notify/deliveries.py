"""What a person can do to deliveries: cancel, send again, try now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from vabhub.db import db_now
from vabhub.errors import Conflict, NotFound
from vabhub.models import Delivery, Notification
from vabhub.notify import states
from vabhub.notify.announce import event_after_commit, hint_after_commit
from vabhub.notify.states import RESENDABLE, WAITING, DeliveryState, Moved, NotificationStatus
from vabhub.notify.views import notification_view


def release_hold(session: Session, channel: str, *, planned_too: bool = False) -> None:
    """Make what waits for this channel due at once; the sweep hints it. What is planned for later stays."""
    now = db_now(session)
    planned = select(Notification.id).where(Notification.send_at > now)
    chosen = [Delivery.channel == channel, Delivery.state.in_(sorted(WAITING))]
    if not planned_too:
        chosen.append(Delivery.notification_id.not_in(planned))
    session.execute(
        update(Delivery)
        .where(*chosen)
        .values(next_attempt_at=now, hint_at=None)
        .execution_options(synchronize_session=False)
    )


def cancel(session: Session, notification_id: int) -> dict[str, Any]:
    """Cancel what waits and ask what is being sent not to be retried; a success still wins.

    Raises NotFound, and Conflict with the status when nothing is left to cancel.
    """
    notification = _get(session, notification_id)
    if not _cancel(session, Delivery.notification_id == notification_id):
        raise Conflict(
            f"The notification is {notification.status} already.", details={"status": notification.status}
        )
    return _announce(session, notification_id)


def cancel_all(session: Session, notification_ids: list[int]) -> None:
    """Cancel whatever of these notifications is not final, without saying so."""
    if asked := _cancel(session, Delivery.notification_id.in_(notification_ids)):
        states.refresh(session, asked, db_now(session))


def cancel_delivery(session: Session, delivery_id: int) -> dict[str, Any]:
    """Cancel one delivery that waits, or ask one that is being sent not to be retried; a success still wins.

    Raises NotFound, and Conflict with the state when it is final.
    """
    delivery = _get_delivery(session, delivery_id)
    if not _cancel(session, Delivery.id == delivery_id):
        raise Conflict(f"The delivery is {delivery.state} already.", details={"status": delivery.state})
    return _announce(session, delivery.notification_id)


def resend(session: Session, notification_id: int) -> dict[str, Any]:
    """Send again, under the same ids, what was dead or cancelled.

    Raises NotFound, and Conflict with the status when it is not final or when all of it was delivered.
    """
    notification = _get(session, notification_id)
    status = NotificationStatus(notification.status)
    if status not in states.FINAL_STATUSES or not _restart(
        session, Delivery.notification_id == notification_id
    ):
        raise Conflict(f"The notification is {status}; nothing to resend.", details={"status": status.value})
    return _announce(session, notification_id)


def retry_delivery(session: Session, delivery_id: int) -> dict[str, Any]:
    """Attempt one delivery now: start a dead or cancelled one anew, bring a waiting one forward.

    Raises NotFound, and Conflict with the state while it is being sent or once it was delivered.
    """
    delivery = _get_delivery(session, delivery_id)
    chosen = Delivery.id == delivery_id
    if not (_restart(session, chosen) or _bring_forward(session, chosen)):
        raise Conflict(f"The delivery is {delivery.state}.", details={"status": delivery.state})
    return _announce(session, delivery.notification_id)


def retry_many(
    session: Session, *, channel: str | None = None, died_by: datetime | None = None, limit: int = 500
) -> int:
    """Start dead deliveries anew, the oldest first, and return how many; at most `limit` a call.

    `died_by` leaves out what died later: what was counted before is not joined by what fails again meanwhile.
    """
    shown = Notification.deleted_at.is_(None)
    dead = select(Delivery.id).join(Delivery.notification).where(shown, Delivery.state == DeliveryState.DEAD)
    if channel is not None:
        dead = dead.where(Delivery.channel == channel)
    if died_by is not None:
        dead = dead.where(Delivery.finished_at <= died_by)
    chosen = list(session.scalars(dead.order_by(Delivery.id).limit(limit)))
    moved = _restart(session, Delivery.id.in_(chosen)) if chosen else []
    changed = states.refresh(session, {row.notification_id for row in moved}, db_now(session))
    event_after_commit(session, "updated", changed)
    return len(moved)


def _get(session: Session, notification_id: int) -> Notification:
    notification = session.get(Notification, notification_id)
    if notification is None or notification.deleted_at is not None:
        raise NotFound(f"There is no notification {notification_id}.")
    return notification


def _get_delivery(session: Session, delivery_id: int) -> Delivery:
    delivery = session.get(Delivery, delivery_id)
    if delivery is None or delivery.notification.deleted_at is not None:
        raise NotFound(f"There is no delivery {delivery_id}.")
    return delivery


def _cancel(session: Session, chosen: ColumnElement[bool]) -> set[int]:
    """Return the notifications of what was not final."""
    # The request comes first and locks the rows: none can slip from waiting to sending in between.
    asked = session.execute(
        update(Delivery)
        .where(chosen, Delivery.state.in_(sorted(states.ACTIVE)))
        .values(cancel_requested=True)
        .returning(Delivery.notification_id)
        .execution_options(synchronize_session=False)
    )
    found = set(asked.scalars())
    states.move(session, WAITING, DeliveryState.CANCELLED, chosen, finished_at=db_now(session), hint_at=None)
    return found


def _restart(session: Session, chosen: ColumnElement[bool]) -> list[Moved]:
    now = db_now(session)
    fresh: Mapping[str, Any] = {"attempts": 0, "crashes": 0, "cancel_requested": False, "finished_at": None}
    moved = states.move(
        session, RESENDABLE, DeliveryState.PENDING, chosen, next_attempt_at=now, hint_at=now, **fresh
    )
    hint_after_commit(session, ((row.id, row.priority) for row in moved))
    return moved


def _bring_forward(session: Session, chosen: ColumnElement[bool]) -> bool:
    now = db_now(session)
    found = session.execute(
        update(Delivery)
        .where(chosen, Delivery.state.in_(sorted(WAITING)))
        .values(next_attempt_at=now, hint_at=now)
        .returning(Delivery.id, Delivery.priority)
        .execution_options(synchronize_session=False)
    ).all()
    hint_after_commit(session, ((row.id, row.priority) for row in found))
    return bool(found)


def _announce(session: Session, notification_id: int) -> dict[str, Any]:
    changed = states.refresh(session, [notification_id], db_now(session))
    event_after_commit(session, "updated", changed)
    return notification_view(changed[0])
