"""Notifications: accept, read, cancel, resend."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request

from vabhub.accounts import Scope
from vabhub.db import reading, transaction
from vabhub.errors import FieldError, ValidationFailed
from vabhub.notify import accept as accepting
from vabhub.notify import deliveries, history
from vabhub.notify.accept import NewNotification
from vabhub.notify.announce import unread_count
from vabhub.notify.lists import HistoryQuery, list_notifications
from web.auth import current
from web.endpoint import endpoint
from web.envelope import Answer
from web.schemas import Count, NotificationOut, NotificationReceipt, Paged

bp = Blueprint("notifications", __name__)

_LONGEST_KEY = 255


@endpoint(
    bp,
    "POST",
    "/notifications",
    scope=Scope.NOTIFY,
    summary="Send a notification",
    description="Stored for every channel it names before this answers 201. The same Idempotency-Key with "
    "the same body gets the stored answer again, with another body 409.",
    body=NewNotification,
    answer=NotificationReceipt,
    status=201,
    headers={"Idempotency-Key": "Makes a repeated request harmless; kept for 24 hours or longer"},
    errors=(409,),
)
def create(body: NewNotification) -> Answer:
    """Store a notification and queue its deliveries."""
    with transaction() as session:
        accepted = accepting.accept(session, body, source=_source(), idempotency_key=_idempotency_key())
    data = {"id": accepted.id, "status": accepted.status, "deliveries": accepted.deliveries}
    if accepted.replayed:
        return Answer(data, "Accepted before.", headers={"Idempotent-Replayed": "true"})
    return Answer(data, "Accepted.")


@endpoint(
    bp,
    "GET",
    "/notifications",
    scope=Scope.READ,
    summary="List notifications, newest first",
    query=HistoryQuery,
    answer=Paged,
)
def listing(query: HistoryQuery) -> Any:
    """Return a page of notifications."""
    with reading() as session:
        return list_notifications(session, query).to_json()


@endpoint(
    bp,
    "GET",
    "/notifications/unread/count",
    scope=Scope.READ,
    summary="How many are unread",
    answer=Count,
)
def unread() -> dict[str, int]:
    """Return the number on the bell."""
    with reading() as session:
        return {"count": unread_count(session)}


@endpoint(
    bp,
    "POST",
    "/notifications/read-all",
    scope=Scope.CONTROL,
    summary="Mark all as read",
    answer=Count,
)
def read_all() -> dict[str, int]:
    """Mark every notification as read."""
    with transaction() as session:
        return {"count": history.mark_all_read(session)}


@endpoint(
    bp,
    "GET",
    "/notifications/<id:notification_id>",
    scope=Scope.READ,
    summary="One notification, its deliveries and their attempts",
    answer=NotificationOut,
    errors=(404,),
)
def show(notification_id: int) -> dict[str, Any]:
    """Return one notification."""
    with reading() as session:
        return history.get_notification(session, notification_id)


@endpoint(
    bp,
    "POST",
    "/notifications/<id:notification_id>/read",
    scope=Scope.CONTROL,
    summary="Mark as read",
    errors=(404,),
)
def mark_read(notification_id: int) -> Any:
    """Mark one notification as read."""
    with transaction() as session:
        return history.mark_read(session, notification_id)


@endpoint(
    bp,
    "POST",
    "/notifications/<id:notification_id>/cancel",
    scope=Scope.CONTROL,
    summary="Cancel what was not sent yet",
    errors=(404, 409),
)
def cancel(notification_id: int) -> Any:
    """Cancel the deliveries that still wait."""
    with transaction() as session:
        return deliveries.cancel(session, notification_id)


@endpoint(
    bp,
    "POST",
    "/notifications/<id:notification_id>/resend",
    scope=Scope.CONTROL,
    summary="Send again what failed or was cancelled",
    errors=(404, 409),
)
def resend(notification_id: int) -> Any:
    """Put the dead and cancelled deliveries back into the queue."""
    with transaction() as session:
        return deliveries.resend(session, notification_id)


@endpoint(
    bp,
    "DELETE",
    "/notifications/<id:notification_id>",
    scope=Scope.CONTROL,
    summary="Delete a notification",
    errors=(404,),
)
def delete(notification_id: int) -> Any:
    """Delete one notification."""
    with transaction() as session:
        return history.delete(session, notification_id)


@endpoint(bp, "DELETE", "/notifications", scope=Scope.CONTROL, summary="Delete all", answer=Count)
def delete_all() -> dict[str, int]:
    """Delete every notification; a query is refused, so that a misspelt filter cannot widen it."""
    return {"count": history.delete_all()}


def _source() -> str:
    principal = current()
    return f"{principal.kind}:{principal.name}"


def _idempotency_key() -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not (1 <= len(key) <= _LONGEST_KEY and key.isprintable()):
        message = f"1 to {_LONGEST_KEY} printable characters."
        raise ValidationFailed([FieldError("Idempotency-Key", message, "invalid_idempotency_key")])
    return key
