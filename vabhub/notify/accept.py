"""Takes a notification in: checks it, stores it with a delivery a channel, lets it go after the commit."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import (
    AfterValidator,
    AnyHttpUrl,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
)
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from vabhub.db import db_now
from vabhub.errors import Conflict, FieldError, ValidationFailed
from vabhub.models import Channel, Delivery, MessageTemplate, Notification
from vabhub.notify import search_index, store
from vabhub.notify.announce import PRIORITIES, event_after_commit, hint_after_commit
from vabhub.notify.events import EVENTS
from vabhub.notify.states import DeliveryState, NotificationStatus

INBOX = "system"
MAX_MESSAGE_BYTES = 65536
MAX_JSON_BYTES = 65536
FARTHEST = timedelta(days=366)


def _no_nul(text: str) -> str:
    # PostgreSQL cannot store it, and no provider can carry it.
    if "\x00" in text:
        raise ValueError("must not contain a NUL character")
    return text


def _message_size(text: str) -> str:
    if len(text.encode("utf-8", "surrogatepass")) > MAX_MESSAGE_BYTES:
        raise ValueError("must be at most 64 KB of UTF-8")
    return text


def _storable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("must be valid Unicode text") from error
    return text


def _json_size(value: dict[str, Any] | None) -> dict[str, Any] | None:
    if value is not None:
        text = _storable(json.dumps(value, ensure_ascii=False, allow_nan=False))
        if len(text.encode()) > MAX_JSON_BYTES:
            raise ValueError("must be at most 64 KB of JSON")
    return value


def _short_url(url: AnyHttpUrl | None) -> str | None:
    if url is not None and len(str(url)) > 2048:
        raise ValueError("must be at most 2048 characters")
    return None if url is None else str(url)


def _encoded(url: Any) -> Any:
    # Scripts put file names into links as they are; what a browser would encode is no reason to refuse.
    return _UNENCODED.sub(lambda found: quote(found[0]), url.strip()) if isinstance(url, str) else url


_UNENCODED = re.compile(r"""[ "'<>\\^`{|}]""")
# Behind the constraints on length, which must see the text itself to say "characters".
_CHECKS = (AfterValidator(_no_nul), AfterValidator(_storable))
Text = Annotated[str, *_CHECKS]
# Checked as an address, kept as the text that is stored.
Url = Annotated[
    AnyHttpUrl | None, BeforeValidator(_encoded), AfterValidator(_short_url), PlainSerializer(lambda url: url)
]
JsonObject = Annotated[dict[str, Any] | None, AfterValidator(_json_size)]
Type = Literal["info", "success", "warning", "error"]


class NewNotification(BaseModel):
    """What may be asked for; the body of `POST /api/notifications`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: Annotated[str, StringConstraints(min_length=1, max_length=255, strip_whitespace=True), *_CHECKS]
    message: Annotated[Text, AfterValidator(_message_size)]
    type: Type = "info"
    level: Annotated[str, StringConstraints(max_length=32), *_CHECKS] | None = None
    priority: Literal["low", "normal", "high", "urgent"] = "normal"
    channels: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=32)] = Field(
        default_factory=list, description="Names of channels; the inbox when empty"
    )
    template: Annotated[str, StringConstraints(max_length=100), *_CHECKS] | None = None
    data: JsonObject = None
    image_url: Url = None
    link: Url = None
    send_at: AwareDatetime | None = None
    extra_metadata: JsonObject = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The answer: `deliveries` are `{"id", "channel", "status"}`, as they were when it was accepted."""

    id: int
    status: str
    deliveries: tuple[dict[str, Any], ...]
    replayed: bool = False


def accept(
    session: Session, request: NewNotification, *, source: str, idempotency_key: str | None = None
) -> Accepted:
    """Store the notification and return its ids; the same key with the same body returns the first answer.

    Raises ValidationFailed (an unknown channel, a time too far away) and Conflict (the key was used with
    another body); then nothing is stored.
    """
    now = db_now(session)
    channels = _check(session, request, idempotency_key, now)
    notification = _insert(session, request, source, idempotency_key, now)
    if notification is None:
        return _replay(session, request, source, idempotency_key)
    notification.deliveries = _deliveries(session, notification, channels, now)
    search_index.add(session, notification.id, notification.title, notification.message)
    _let_go(session, notification)
    return _accepted(notification.id, notification.deliveries)


def _check(session: Session, request: NewNotification, key: str | None, now: datetime) -> list[str]:
    channels = list(dict.fromkeys(request.channels)) or [INBOX]
    known = set(session.scalars(select(Channel.name).where(Channel.name.in_(channels))))
    wrong = [
        FieldError("channels", f"There is no channel {name!r}.", "unknown_channel")
        for name in channels
        if name not in known
    ]
    if request.template is not None and not _is_template(session, request.template):
        text = f"There is no template {request.template!r}."
        wrong.append(FieldError("template", text, "unknown_template"))
    if request.send_at is not None and request.send_at > now + FARTHEST:
        wrong.append(FieldError("send_at", "At most a year ahead.", "too_far"))
    if key is not None and (not 1 <= len(key) <= 255 or not key.isprintable()):
        wrong.append(FieldError("Idempotency-Key", "1 to 255 printable characters.", "invalid_key"))
    if wrong:
        raise ValidationFailed(wrong)
    return channels


def _is_template(session: Session, event: str) -> bool:
    if event in EVENTS:
        return True
    return (
        session.scalar(select(MessageTemplate.id).where(MessageTemplate.event == event).limit(1)) is not None
    )


def _insert(
    session: Session, request: NewNotification, source: str, key: str | None, now: datetime
) -> SimpleNamespace | None:
    fields = request.model_dump(exclude={"channels", "send_at"})
    mine = {
        "source": source,
        "idempotency_key": key,
        "request_hash": request_hash(request),
        "send_at": _future(request.send_at, now),
        "status": NotificationStatus.PENDING.value,
        "created_at": now,
        "updated_at": now,
    }
    return store.insert_notification(session, fields | mine)


def _deliveries(
    session: Session, notification: SimpleNamespace, channels: Sequence[str], now: datetime
) -> list[SimpleNamespace]:
    due_at = notification.send_at or now
    alike = {
        "notification_id": notification.id,
        "state": DeliveryState.PENDING.value,
        "priority": PRIORITIES.index(notification.priority),
        "next_attempt_at": due_at,
        "hint_at": now if due_at <= now else None,
        "attempts": 0,
        "crashes": 0,
        "epoch": 0,
        "cancel_requested": False,
        "created_at": now,
    }
    return [
        store.insert_delivery(
            session, {**alike, "channel": channel, "webhook_id": f"msg_{secrets.token_urlsafe(18)}"}
        )
        for channel in channels
    ]


def _future(send_at: datetime | None, now: datetime) -> datetime | None:
    return send_at if send_at is not None and send_at > now else None


def _let_go(session: Session, notification: SimpleNamespace) -> None:
    due = [(one.id, one.priority) for one in notification.deliveries if one.hint_at is not None]
    hint_after_commit(session, due)
    event_after_commit(session, "created", [notification])


def _replay(session: Session, request: NewNotification, source: str, key: str | None) -> Accepted:
    stored = session.scalars(
        select(Notification)
        .where(Notification.source == source, Notification.idempotency_key == key)
        .options(selectinload(Notification.deliveries))
    ).one()
    if stored.request_hash != request_hash(request):
        raise Conflict("This Idempotency-Key was used with another body.", details={"id": stored.id})
    return _accepted(stored.id, stored.deliveries, replayed=True)


def _accepted(
    notification_id: int, deliveries: Sequence[Delivery | SimpleNamespace], *, replayed: bool = False
) -> Accepted:
    pending = DeliveryState.PENDING.value
    first = ({"id": row.id, "channel": row.channel, "status": pending} for row in deliveries)
    return Accepted(notification_id, NotificationStatus.PENDING.value, tuple(first), replayed)


def request_hash(request: NewNotification) -> str:
    """Return the SHA-256 of what was asked, the same however its JSON was written."""
    text = json.dumps(request.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
